"""Blending of a prediction into a picture's hole by Poisson's equation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from inpainting_tf.ops.harmonic import edge, harmonic

Array = Any  # a NumPy array or a tensor of the Keras backend
_TOLERANCE = 1e-6  # of the residual's norm over all pixels of a channel: far below a level of 1 / 255


def poisson_blend(image: Array, prediction: Array, mask: Array) -> Array:
    """The prediction's gradients in the hole, with the known pixels as boundary values (Perez et al. 2003).

    Solves Poisson's equation in the hole with the Laplacian of the prediction as its right-hand side, the
    known neighbours as Dirichlet boundary condition, and the natural (Neumann) boundary condition at the
    picture's border. So a constant error of the prediction makes no seam. NumPy arrays are solved by
    sparse factorisation (`ops.harmonic`), tensors by conjugate gradients, which can be compiled.

    Args:
        image: float [N, H, W, C] in [0, 1]. What is under the hole is ignored.
        prediction: float, shape of `image`.
        mask: float [N, H, W, 1], 1 = missing, 0 = known; holes of any shape.

    Returns:
        float32 [N, H, W, C]: known pixels bit-identical, the missing ones solved for and clipped to [0, 1].
        Where a mask leaves no pixel known, the prediction.
    """
    arrays = (image, prediction, mask)
    if any(map(ops.is_tensor, arrays)):
        return _blended(*(ops.cast(ops.convert_to_tensor(x), "float32") for x in arrays))
    return np.stack([_factorised(*each) for each in zip(*map(np.asarray, arrays), strict=True)])


# NumPy arrays: sparse factorisation


def _factorised(image: np.ndarray, prediction: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """`poisson_blend` of one picture, [H, W, C]."""
    hole = mask[..., 0] > 0.5
    if hole.all():
        return prediction.astype("float32")
    blended, rim = image.astype("float32"), edge(hole)
    # Adding a harmonic function to the prediction does not change its Laplacian.
    offset = image[rim].astype("float64") - prediction[rim]
    blended[hole] = np.clip(prediction[hole] + harmonic(hole, offset), 0.0, 1.0)
    return blended


# Tensors: conjugate gradients


def _blended(image: Array, prediction: Array, mask: Array) -> Array:
    missing = mask > 0.5
    offset = ops.where(missing, ops.zeros_like(image), image - prediction)
    corrected = prediction + _harmonic(offset, ops.cast(missing, "float32"))
    return ops.where(missing, ops.clip(corrected, 0.0, 1.0), image)


def _harmonic(known: Array, hole: Array) -> Array:
    """The harmonic function in the hole with the boundary values `known`; 0 outside it."""
    degree = _neighbours(ops.ones_like(hole))  # 4, and less at the picture's border

    def laplacian(x: Array) -> Array:
        return hole * (degree * x - _neighbours(x))

    border, contacts = hole * _neighbours(known), hole * _neighbours(1.0 - hole)
    # Start at the mean along the hole's edge: smooth parts of the error converge slowest.
    start = hole * _dot(border, hole) / ops.maximum(_dot(contacts, hole), 1.0)
    height, width = ops.shape(hole)[1:3]
    # The steps needed grow with the distance from a missing pixel to a known one.
    return _conjugate_gradients(laplacian, border, start, limit=8 * (height + width))


def _conjugate_gradients(A: Callable[[Array], Array], b: Array, x: Array, limit: Any) -> Array:
    """Solves A(x) = b for a symmetric positive definite A, starting from `x`, in at most `limit` steps.

    Each picture and channel is a separate system that stops at a residual of `_TOLERANCE`.
    """

    def unsolved(x: Array, r: Array, p: Array, rr: Array) -> Array:
        return ops.any(rr > _TOLERANCE**2)

    def step(x: Array, r: Array, p: Array, rr: Array) -> tuple[Array, ...]:
        active = rr > _TOLERANCE**2  # a solved system is not changed by the rest of the batch
        A_p = A(p)
        alpha = ops.where(active, rr / ops.where(active, _dot(p, A_p), 1.0), 0.0)
        x, r = x + alpha * p, r - alpha * A_p
        rr_next = ops.where(active, _dot(r, r), rr)
        beta = rr_next / ops.where(active, rr, 1.0)
        return x, r, r + beta * p, rr_next

    r = b - A(x)
    return ops.while_loop(unsolved, step, (x, r, r, _dot(r, r)), maximum_iterations=limit)[0]


def _neighbours(x: Array) -> Array:
    """The sum of each pixel's four neighbours; there are none beyond the picture's border."""
    x = ops.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return x[:, :-2, 1:-1] + x[:, 2:, 1:-1] + x[:, 1:-1, :-2] + x[:, 1:-1, 2:]


def _dot(x: Array, y: Array) -> Array:
    """Inner products over the pixels, picture by picture and channel by channel: [N, 1, 1, C]."""
    return ops.sum(x * y, axis=(1, 2), keepdims=True)
