"""`tf.data` pipelines: uint8 pictures in, batches of {"image", "mask", ...} out.

A training batch is a pure function of (recipe, step): order, mirroring and holes come from stateless
generators. So a run that starts again at step 1234 sees exactly what the uninterrupted run would have seen.

Batch keys: "image" float32 [N, H, W, 3] in [0, 1]; "mask" float32 [N, H, W, 1], 1 = missing; "real_mask",
another hole of the same kind, which tells the local discriminator where to look at the real picture (M_d of
Algorithm 1).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from inpainting_tf import images as pictures
from inpainting_tf import masks
from inpainting_tf.errors import InputError

# One stream of random numbers for each use, so that adding a use does not move the others.
_ORDER, _FLIP, _MASK, _REAL_MASK = range(4)


def steps_per_epoch(count: int, batch_size: int) -> int:
    """Whole batches in `count` pictures; the rest of each reshuffled epoch is left out.

    Raises:
        InputError: fewer pictures than a batch takes.
    """
    if batch_size > count:
        raise InputError(
            f"`batch_size` must be at most the number of training pictures, {count}. Received {batch_size}."
        )
    return count // batch_size


def training_batches(
    images: np.ndarray, mask: masks.Mask, *, batch_size: int, seed: int, flip: bool, start: int, stop: int
) -> tf.data.Dataset:
    """The batches of steps `start` to `stop`, reshuffled every epoch.

    Args:
        images: uint8 [count, H, W, 3]; may be memory-mapped.
        mask: the holes to draw.
        batch_size: pictures per step.
        seed: of order, mirroring and holes.
        flip: mirror half of the pictures.
        start, stop: global steps, counted from 0 at the beginning of the training.
    """
    image_size = images.shape[1:3]
    per_epoch = steps_per_epoch(len(images), batch_size)

    def batch(step: Any) -> dict[str, Any]:
        index = _order(step, seed, len(images), batch_size, per_epoch)
        image = tf.numpy_function(lambda i: images[i], [index], tf.uint8, stateful=False)
        image = tf.ensure_shape(image, (batch_size, *images.shape[1:]))
        image = pictures.to_float(image)
        if flip:
            mirrored = _uniforms(step, seed, _FLIP, (batch_size, 1, 1, 1)) < 0.5
            image = tf.where(mirrored, image[:, :, ::-1], image)
        return {
            "image": image,
            "mask": _holes(step, seed, _MASK, mask, batch_size, image_size),
            "real_mask": _holes(step, seed, _REAL_MASK, mask, batch_size, image_size),
        }

    steps = tf.data.Dataset.range(start, stop)
    return steps.map(batch, tf.data.AUTOTUNE, deterministic=True).prefetch(tf.data.AUTOTUNE)


def test_batches(
    images: np.ndarray, mask: masks.Mask, *, batch_size: int, seed: int = 0
) -> Iterator[dict[str, np.ndarray]]:
    """All pictures in their order, each with its fixed hole.

    The hole depends on `seed` and the picture's index alone, so every model and every classical method fills
    the same ones. NumPy throughout: the same holes on every backend.
    """
    for first in range(0, len(images), batch_size):
        chunk = images[first : first + batch_size]
        index = range(first, first + len(chunk))
        yield {
            "image": pictures.to_float(np.asarray(chunk)),
            "mask": masks.fixed(mask, index, images.shape[1:3], seed),
        }


def _order(step: Any, seed: int, count: int, batch_size: int, per_epoch: int) -> Any:
    """Picture indices [N] of one step: the step's slice of its epoch's permutation."""
    epoch, position = step // per_epoch, (step % per_epoch) * batch_size
    places = position + tf.range(batch_size, dtype=tf.int64)
    return tf.random.experimental.index_shuffle(places, _stream(seed, _ORDER, epoch), count - 1)


def _uniforms(step: Any, seed: int, stream: int, shape: tuple[int, ...]) -> Any:
    # Philox rather than "auto": the same numbers on every kind of device.
    return tf.random.stateless_uniform(shape, _stream(seed, stream, step), alg="philox")


def _stream(seed: int, stream: int, time: Any) -> Any:
    """The seed of one use of randomness at one time (an epoch or a step), [2]."""
    return tf.stack([tf.constant(seed * 16 + stream, tf.int64), time])


def _holes(
    step: Any, seed: int, stream: int, mask: masks.Mask, batch_size: int, image_size: tuple[int, int]
) -> Any:
    uniforms = _uniforms(step, seed, stream, (batch_size, masks.numbers(mask)))
    return tf.cast(masks.draw(mask, uniforms, image_size), tf.float32)
