"""Pipelines: uint8 pictures in, batches of {"image", "mask", ...} out.

A training batch is a pure function of (recipe, step): its order, mirroring and holes come from NumPy
generators that are seeded with both. So a run that is continued at step 1234 gets exactly the batches of an
uninterrupted run, on either backend. TensorFlow makes the batches in `tf.data`, JAX in
threads (`inpainting_tf.backends`).

Batch keys: "image" float32 [N, H, W, 3] in [0, 1]; "mask" float32 [N, H, W, 1], 1 = missing; "real_mask",
another hole of the same kind, the place of the local discriminator's window in the real picture (M_d of
Algorithm 1); "prefilled", if requested, the picture with its hole filled by a classical method.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from inpainting_tf import backends, classical
from inpainting_tf.data import crops, holes
from inpainting_tf.data.decoding import Images, OnDemand
from inpainting_tf.data.records import Records
from inpainting_tf.errors import InputError
from inpainting_tf.ops import images as pictures
from inpainting_tf.ops.masks import Mask

# One stream of random numbers for each use, so that adding a use does not change the others.
_ORDER, _FLIP, _MASK, _REAL_MASK, _CROP = range(5)


def steps_per_epoch(count: int, batch_size: int) -> int:
    """Whole batches in `count` pictures; the rest of each reshuffled epoch is left out.

    Raises:
        InputError: fewer pictures than the batch size.
    """
    if batch_size > count:
        raise InputError(
            f"`batch_size` must be at most the number of training pictures, {count}. Received {batch_size}."
        )
    return count // batch_size


def training_batches(
    images: Images,
    mask: Mask,
    *,
    batch_size: int,
    seed: int,
    flip: bool,
    start: int,
    stop: int,
    crop: str = "centre",
    prefill: str | None = None,
    share: slice = slice(None),
) -> Any:
    """The batches of steps `start` to `stop`, reshuffled every epoch, as `keras.Model.fit` takes them.

    Args:
        images: uint8 [count, H, W, 3]: an array, memory-mapped, or decoded on demand; for random parts an
            `OnDemand`.
        mask: the holes to draw.
        batch_size: pictures per step.
        seed: of order, mirroring and holes.
        flip: mirror half of the pictures.
        start, stop: global steps, counted from 0 at the beginning of the training.
        crop: one that is drawn (see `crops`) takes another part each time; else they are cropped already.
        prefill: a method of `inpainting_tf.classical` for "prefilled"; None leaves that out.
        share: the rows of each batch that are read and returned, for one of several hosts: the batches of all
            hosts are those of one.
    """
    per_epoch, drawing = steps_per_epoch(len(images), batch_size), holes.of(mask, images.shape[1:3], crop)

    @functools.lru_cache(maxsize=2)
    def order(epoch: int) -> np.ndarray:
        units = images.blocks if isinstance(images, Records) else len(images)
        return _random(seed, _ORDER, epoch).permutation(units)

    def rows_of(step: int) -> np.ndarray:
        epoch, position = divmod(step, per_epoch)
        if isinstance(images, Records):
            return images.rows(order(epoch), position, batch_size)
        return order(epoch)[position * batch_size :][:batch_size]

    def taken(rows: np.ndarray, step: int) -> np.ndarray:
        if not isinstance(images, OnDemand) or not crops.is_drawn(crop):
            return images[rows]
        places = _random(seed, _CROP, step).random((batch_size, crops.NUMBERS), np.float32)
        return images.parts(rows, crops.drawn(crop, places[share]))

    def raw(step: int) -> tuple[np.ndarray, ...]:
        image = taken(rows_of(int(step))[share], step)
        if flip:
            mirrored = _random(seed, _FLIP, step).random(batch_size)[share] < 0.5
            image[mirrored] = image[mirrored, :, ::-1]
        shape = (batch_size, drawing.numbers)
        uniforms = [_random(seed, use, step).random(shape, np.float32) for use in (_MASK, _REAL_MASK)]
        samples = [drawing.sample(each[share]) for each in uniforms]
        if prefill is None:
            return image, *samples
        return image, *samples, classical.get(prefill)(pictures.to_float(image), drawn(samples[0]))

    def drawn(sample: Any) -> Any:
        return pictures.to_mask(drawing.finish(sample))

    def finish(image: Any, hole: Any, real_hole: Any, *prefilled: Any) -> dict[str, Any]:
        batch = {"image": pictures.to_float(image), "mask": drawn(hole), "real_mask": drawn(real_hole)}
        return batch | dict(zip(["prefilled"], prefilled, strict=False))

    return backends.feed(raw, finish, start, stop)


def test_batches(
    images: Images,
    mask: Mask,
    *,
    batch_size: int,
    names: Sequence[str] | None = None,
    crop: str = "centre",
    seed: int = 0,
) -> Iterator[dict[str, np.ndarray]]:
    """All pictures in their order, each with its fixed hole.

    The hole depends on `seed` and the picture's index alone, or is the mask file of the name in `names`,
    cropped as the picture, so all models and classical methods fill the same ones. NumPy throughout: the same
    holes on every backend.
    """
    drawing = holes.of(mask, images.shape[1:3], crop)
    for first in range(0, len(images), batch_size):
        chunk = images[first : first + batch_size]
        index = range(first, first + len(chunk))
        called = None if names is None else names[first : first + len(chunk)]
        yield {
            "image": pictures.to_float(np.asarray(chunk)),
            "mask": drawing.fixed(index, called, seed),
        }


def _random(seed: int, use: int, time: int) -> np.random.Generator:
    """The random numbers of one use at one time (an epoch or a step)."""
    return np.random.default_rng([seed, use, int(time)])
