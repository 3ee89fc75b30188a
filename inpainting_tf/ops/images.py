"""Pictures and masks at the package's borders: range conversion, compositing and blending.

Inside the package a picture is float32 in [0, 1] and a mask float32 [..., H, W, 1], 1 = missing, 0 = known.
Each function takes NumPy arrays as well as tensors of the Keras backend. A NumPy array comes back as a NumPy
array and a tensor as a tensor, except from `to_uint8`, whose result always leaves the package as NumPy.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import scipy.sparse.linalg
from keras import ops

from inpainting_tf.errors import InputError

Array = Any  # a NumPy array or a tensor of the Keras backend
_RESIDUAL = 1e-6  # of `poisson_blend`, over all the pixels of a channel: far below a level of 1 / 255


def to_float(picture: Array) -> Array:
    """A uint8 picture (or batch) of any shape as float32 in [0, 1].

    Raises:
        InputError: when `picture` is not uint8 (dividing a float picture by 255 would blacken it).
    """
    picture = _as_array(picture)
    if _dtype(picture) != "uint8":
        raise InputError(
            f"`picture` must be uint8 in [0, 255]. Received {_dtype(picture)}: "
            "a float picture in [0, 1] needs no conversion."
        )
    return _float32(picture) / 255.0


def to_uint8(picture: Array) -> np.ndarray:
    """A float picture (or batch) in [0, 1], any shape, as a uint8 NumPy array, rounded to the nearest level.

    Values outside [0, 1] are clipped. `to_uint8(to_float(p))` is `p` for every uint8 `p`.

    Raises:
        InputError: when `picture` is not floating point, or holds NaN.
    """
    picture = _as_array(picture)
    if "float" not in _dtype(picture):
        raise InputError(
            f"`picture` must be floating point in [0, 1]. Received {_dtype(picture)}: use `to_float` first."
        )
    picture = np.asarray(ops.convert_to_numpy(picture), "float32")
    if np.isnan(picture).any():
        raise InputError(
            "`picture` must be free of NaN. Received NaN: has the network that made it diverged?"
        )
    return np.rint(np.clip(picture, 0.0, 1.0) * 255.0).astype("uint8")


def composite(image: Array, prediction: Array, mask: Array) -> Array:
    """The known pixels of `image` with the hole taken from `prediction`.

    Args:
        image: float [N, H, W, C] or [H, W, C], the picture with (or without) its hole.
        prediction: float, shape of `image`, finite: a NaN spreads to the known pixels too.
        mask: float [N, H, W, 1] or [H, W, 1], 1 = missing, 0 = known; values between blend the two.

    Returns:
        `image * (1 - mask) + prediction * mask`; where the mask is 0 exactly `image`.
    """
    return image * (1.0 - mask) + prediction * mask


def poisson_blend(image: Array, prediction: Array, mask: Array) -> Array:
    """The prediction's details in the hole, in the colours of what is around it (Perez et al. 2003).

    The missing pixels differ from their neighbours as they do in the prediction, as far as the known
    neighbours' values let them (least squares); the picture's border asks for nothing. So a prediction that
    is off by a constant makes no seam. Arrays are solved by sparse factorisation (seconds for a million
    missing pixels), tensors by conjugate gradients, which can be compiled.

    Args:
        image: float [N, H, W, C] in [0, 1]. What is under the hole is not looked at.
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
    """A smooth continuation of the known pixels into the hole, by pull and push (Gortler et al. 1996).

    Half-size pictures are made of the known pixels alone, until none is missing; on the way back each missing
    pixel gets what the smaller picture has in its place.

    Args:
        image: tensor [N, H, W, C], finite.
        missing: bool tensor [N, H, W, 1].

    Returns:
        float32 [N, H, W, C]: `image` with its holes filled.
    """
    picture, known = ops.cast(image, "float32"), ops.cast(ops.logical_not(missing), "float32")
    last, levels = mean_fill(image, missing), []
    for _ in range(_levels(picture.shape[1:3])):
        levels.append((picture * known, known))
        share = ops.average_pool(known, 2, 2, "same")
        picture = ops.average_pool(picture * known, 2, 2, "same") / ops.maximum(share, 1e-6)
        known = ops.cast(share > 0, "float32")
    picture = picture * known + last * (1.0 - known)
    for fine, known in reversed(levels):
        picture = fine + (1.0 - known) * _enlarged(picture, ops.shape(fine))
    return picture


def to_mask(mask: Array) -> Array:
    """A user's mask as the package's own: any non-zero value becomes 1 (missing), zero becomes 0 (known).

    Args:
        mask: uint8, bool, integer or float; [H, W], [H, W, 1], [N, H, W] or [N, H, W, 1]. A three-dimensional
            mask whose last side is 1 is one mask [H, W, 1], any other is a batch [N, H, W].

    Returns:
        float32 [H, W, 1] or [N, H, W, 1] of 0 and 1.

    Raises:
        InputError: for another number of dimensions, more than one channel (a last side of 2, 3 or 4 in three
            dimensions, of anything but 1 in four), or NaN.
    """
    mask = _as_array(mask)
    if isinstance(mask, np.ndarray) and mask.dtype.kind == "f" and np.isnan(mask).any():
        raise InputError("`mask` must be free of NaN. Received NaN: 0 is known, anything else missing.")
    shape = tuple(mask.shape)
    rank = len(shape)
    if rank not in (2, 3, 4):
        raise InputError(
            f"`mask` must have shape [H, W], [H, W, 1], [N, H, W] or [N, H, W, 1]. Received {shape}."
        )
    if (rank == 3 and shape[-1] in (2, 3, 4)) or (rank == 4 and shape[-1] != 1):
        raise InputError(
            f"`mask` must have one channel. Received shape {shape}: pass one of them, e.g. `mask[..., :1]`."
        )
    hole = _float32(ops.not_equal(mask, 0) if ops.is_tensor(mask) else mask != 0)
    return hole if shape[-1] == 1 and rank > 2 else hole[..., None]


def check_two_levels(mask: np.ndarray) -> None:
    """Raises InputError for a uint8 mask of any shape that looks like a photograph.

    In a mask two levels prevail; more of them come from soft edges and lossy files.
    """
    counts = np.sort(np.bincount(mask.ravel(), minlength=256))
    if counts[-2:].sum() < mask.size / 2:
        raise InputError(
            "`mask` must have two levels, one known and one missing, but for its edges. Received "
            f"{np.count_nonzero(counts)} levels, none of which prevails: it looks like a photograph."
        )


def _levels(size: tuple[int | None, ...]) -> int:
    """How often a picture can be halved; for unknown sizes as often as photographs need it."""
    return 10 if None in size else (max(size) - 1).bit_length()


def _enlarged(picture: Array, shape: Any) -> Array:
    """Twice the height and width, cut to `shape`, without steps between what were pixels."""
    picture = ops.repeat(ops.repeat(picture, 2, axis=1), 2, axis=2)[:, : shape[1], : shape[2]]
    return ops.average_pool(picture, 3, 1, "same")


def _factorised(image: np.ndarray, prediction: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """`poisson_blend` of one picture, [H, W, C]."""
    hole = mask[..., 0] > 0.5
    if hole.all():
        return prediction.astype("float32")
    blended = image.astype("float32")
    if hole.any():
        offset = np.where(hole[..., None], 0.0, image.astype("float64") - prediction)
        border = sum(_shifted(offset))[hole]
        solver = scipy.sparse.linalg.splu(
            _laplacian(hole), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True}
        )
        blended[hole] = np.clip(prediction[hole] + solver.solve(border), 0.0, 1.0)
    return blended


def _laplacian(hole: np.ndarray) -> scipy.sparse.csc_matrix:
    """The missing pixels' equations: the number of neighbours, and -1 for each that is missing too."""
    count = int(hole.sum())
    number = np.zeros((*hole.shape, 1), int)  # from 1: beyond the border and where it is known there is none
    number[hole, 0] = np.arange(1, count + 1)
    neighbours = [there[hole][:, 0] for there in _shifted(number)]
    rows = np.concatenate([np.flatnonzero(there) for there in neighbours])
    columns = np.concatenate([there[there > 0] - 1 for there in neighbours])
    linked = scipy.sparse.csc_matrix((np.ones(len(rows)), (rows, columns)), shape=(count, count))
    degree = sum(_shifted(np.ones((*hole.shape, 1))))[hole][:, 0]
    return (scipy.sparse.diags(degree) - linked).tocsc()


def _shifted(x: np.ndarray) -> list[np.ndarray]:
    """Each pixel's four neighbours, one array [H, W, C] for each; 0 beyond the picture's border."""
    x = np.pad(x, ((1, 1), (1, 1), (0, 0)))
    return [x[:-2, 1:-1], x[2:, 1:-1], x[1:-1, :-2], x[1:-1, 2:]]


def _blended(image: Array, prediction: Array, mask: Array) -> Array:
    missing = mask > 0.5
    # The prediction's gradients are kept by adding to it what has none of its own: a harmonic function.
    offset = ops.where(missing, ops.zeros_like(image), image - prediction)
    corrected = prediction + _harmonic(offset, ops.cast(missing, "float32"))
    return ops.where(missing, ops.clip(corrected, 0.0, 1.0), image)


def _harmonic(known: Array, hole: Array) -> Array:
    """What goes on from `known` with a Laplacian of 0 in the hole, by conjugate gradients; 0 outside it.

    Each picture and channel is a system of its own and stops by itself, at a residual of `_RESIDUAL`. Steps
    grow with the distance from a missing pixel to a known one, hence the limit in sides of the picture.
    """
    degree = _neighbours(ops.ones_like(hole))  # 4, and less at the picture's border

    def laplacian(x: Array) -> Array:
        return hole * (degree * x - _neighbours(x))

    def unsolved(x: Array, residual: Array, direction: Array, square: Array) -> Array:
        return ops.any(square > _RESIDUAL**2)

    def improved(x: Array, residual: Array, direction: Array, square: Array) -> tuple[Array, ...]:
        active = square > _RESIDUAL**2  # what is solved stays as it is, whatever else is in the batch
        turned = laplacian(direction)
        length = ops.where(active, square / ops.where(active, _dot(direction, turned), 1.0), 0.0)
        x, residual = x + length * direction, residual - length * turned
        left = ops.where(active, _dot(residual, residual), square)
        return x, residual, residual + left / ops.where(active, square, 1.0) * direction, left

    border, contacts = hole * _neighbours(known), hole * _neighbours(1.0 - hole)
    # The mean along the hole's edge comes first: the smoother a part is, the more steps it would take.
    x = hole * _dot(border, hole) / ops.maximum(_dot(contacts, hole), 1.0)
    residual = border - laplacian(x)
    state = (x, residual, residual, _dot(residual, residual))
    height, width = ops.shape(hole)[1:3]
    return ops.while_loop(unsolved, improved, state, maximum_iterations=8 * (height + width))[0]


def _neighbours(x: Array) -> Array:
    """The sum of each pixel's four neighbours; there are none beyond the picture's border."""
    x = ops.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return x[:, :-2, 1:-1] + x[:, 2:, 1:-1] + x[:, 1:-1, :-2] + x[:, 1:-1, 2:]


def _dot(x: Array, y: Array) -> Array:
    """Inner products over the pixels, picture by picture and channel by channel: [N, 1, 1, C]."""
    return ops.sum(x * y, axis=(1, 2), keepdims=True)


def _as_array(value: Array) -> Array:
    return value if ops.is_tensor(value) else np.asarray(value)


def _float32(value: Array) -> Array:
    return ops.cast(value, "float32") if ops.is_tensor(value) else value.astype("float32")


def _dtype(value: Array) -> str:
    return keras.backend.standardize_dtype(value.dtype)
