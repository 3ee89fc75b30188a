"""Smooth fills of a hole, from the known pixels alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from keras import ops

from inpainting_tf.ops.pull_push import halvings, pull_push

Array = Any  # a NumPy array or a tensor of the Keras backend


def mean_fill(image: Array, missing: Array) -> Array:
    """The mean colour of each picture's own known pixels; black where there are none.

    Args:
        image: tensor [N, H, W, C].
        missing: bool tensor [N, H, W, 1].

    Returns:
        float32 [N, 1, 1, C].
    """
    image, known = ops.cast(image, "float32"), ops.cast(ops.logical_not(missing), "float32")
    count = ops.sum(known, axis=(1, 2), keepdims=True)
    return ops.sum(image * known, axis=(1, 2), keepdims=True) / ops.maximum(count, 1.0)


def smooth_fill(image: Array, missing: Array) -> Array:
    """A smooth continuation of the known pixels into the hole: `pull_push` of a batch of tensors.

    Args:
        image: tensor [N, H, W, C], finite.
        missing: bool tensor [N, H, W, 1].

    Returns:
        float32 [N, H, W, C]: `image` with its holes filled; black where no pixel is known.
    """
    picture, known = ops.cast(image, "float32"), ops.cast(ops.logical_not(missing), "float32")
    # For an unknown size, the coarsest level may still have a hole.
    last = mean_fill(image, missing)
    return pull_push(picture, known, halvings(picture.shape[1:3]), _halved, _enlarged, last)


def thin_plate_fill(image: Array, missing: Array) -> Array:
    """The known pixels continued as a thin plate bends: nearly the biharmonic fill, in a few convolutions.

    `smooth_fill`, whose every push is followed by sweeps that bring it nearer to the solution of the
    biharmonic equation, from the coarsest level on. Gradients are continued, not only values: in thin holes
    that is worth some 3 dB. No overshoot beyond [0, 1].

    Args:
        image: tensor [N, H, W, C] in [0, 1].
        missing: bool tensor [N, H, W, 1].

    Returns:
        float32 [N, H, W, C]: `image` with its holes filled; black where no pixel is known.
    """
    picture, known = ops.cast(image, "float32"), ops.cast(ops.logical_not(missing), "float32")
    last = mean_fill(image, missing)
    depth = halvings(picture.shape[1:3])
    filled = pull_push(picture, known, depth, _halved, _enlarged, last, _swept)
    return ops.where(missing, ops.clip(filled, 0.0, 1.0), picture)


def _halved(picture: Array, known: Array) -> tuple[Array, Array]:
    share = ops.average_pool(known, 2, 2, "same")
    picture = ops.average_pool(picture, 2, 2, "same") / ops.maximum(share, 1e-6)
    return picture, ops.cast(share > 0, "float32")


def _enlarged(picture: Array, fine: Array) -> Array:
    """Twice the height and width, interpolated, cut to the shape of `fine`."""
    shape = ops.shape(fine)
    picture = ops.repeat(ops.repeat(picture, 2, axis=1), 2, axis=2)[:, : shape[1], : shape[2]]
    return ops.average_pool(picture, 3, 1, "same")


def _chebyshev(smallest: float, largest: float, count: int) -> list[float]:
    """Step sizes of as many sweeps, by which errors of the eigenvalues in between shrink fastest.

    Small and large ones in turns: in order, rounding errors would grow in between.
    """
    middle, half = (largest + smallest) / 2, (largest - smallest) / 2
    steps = [1 / (middle + half * math.cos(math.pi * (2 * i + 1) / (2 * count))) for i in range(count)]
    return [step for pair in zip(steps[: count // 2], reversed(steps), strict=False) for step in pair]


# Of the biharmonic operator on a grid, whose eigenvalues are at most 64. Those below 1 are of waves longer
# than six pixels, which the coarser levels have settled.
_SWEEPS = _chebyshev(1.0, 64.0, 8)
_BIHARMONIC = np.array(
    [[0, 0, 1, 0, 0], [0, 2, -8, 2, 0], [1, -8, 20, -8, 1], [0, 2, -8, 2, 0], [0, 0, 1, 0, 0]], np.float32
)


def _swept(picture: Array, known: Array) -> Array:
    """Sweeps towards the biharmonic equation in the holes; beyond the border lies the border's colour."""
    kernel = np.repeat(_BIHARMONIC[:, :, None, None], picture.shape[-1], axis=2)
    missing = 1.0 - known
    for step in _SWEEPS:
        bend = ops.depthwise_conv(_bordered(_bordered(picture)), kernel)
        picture = picture - step * missing * bend
    return picture


def _bordered(picture: Array) -> Array:
    """A pixel more on each side, of the colour of the border."""
    picture = ops.concatenate([picture[:, :1], picture, picture[:, -1:]], axis=1)
    return ops.concatenate([picture[:, :, :1], picture, picture[:, :, -1:]], axis=2)
