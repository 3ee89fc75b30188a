"""Pictures and masks at the package's borders: range conversion, compositing, masks.

Inside the package a picture is float32 in [0, 1] and a mask float32 [..., H, W, 1], 1 = missing, 0 = known.
Each function takes NumPy arrays as well as tensors of the Keras backend and returns the same kind, except
`to_uint8` and `to_levels`, which always return NumPy. Keras takes seconds to load, and is loaded for tensors
alone.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from inpainting_tf.errors import InputError

Array = Any  # a NumPy array or a tensor of the Keras backend


def to_float(picture: Array) -> Array:
    """A uint8 (or uint16) picture or batch of any shape as float32 in [0, 1].

    Raises:
        InputError: when `picture` is of another type (a float picture divided by 255 would be black).
    """
    picture = _as_array(picture)
    if _dtype(picture) not in ("uint8", "uint16"):
        raise InputError(
            f"`picture` must be uint8 in [0, 255], or uint16. Received {_dtype(picture)}: "
            "a float picture in [0, 1] needs no conversion."
        )
    return _float32(picture) / float(np.iinfo(_dtype(picture)).max)


def to_uint8(picture: Array) -> np.ndarray:
    """`to_levels` of a uint8 picture; `to_uint8(to_float(p))` is `p` for every uint8 `p`."""
    return to_levels(picture, np.uint8)


def to_levels(picture: Array, dtype: npt.DTypeLike) -> np.ndarray:
    """A float picture (or batch) in [0, 1], any shape, as a NumPy array, rounded to the nearest level.

    Values outside [0, 1] are clipped.

    Args:
        picture: floating point.
        dtype: uint8 or uint16.

    Raises:
        InputError: when `picture` is not floating point, or holds NaN.
    """
    picture = _as_array(picture)
    if "float" not in _dtype(picture):
        raise InputError(
            f"`picture` must be floating point in [0, 1]. Received {_dtype(picture)}: use `to_float` first."
        )
    picture = np.asarray(_to_numpy(picture), "float32")
    if np.isnan(picture).any():
        raise InputError(
            "`picture` must be free of NaN. Received NaN: has the network that made it diverged?"
        )
    levels = np.clip(picture, 0.0, 1.0)
    levels *= np.float32(np.iinfo(dtype).max)
    return np.rint(levels, out=levels).astype(dtype)


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
    hole = _float32(_not_zero(mask))
    return hole if shape[-1] == 1 and rank > 2 else hole[..., None]


def check_two_levels(mask: np.ndarray) -> None:
    """Raises InputError for a uint8 mask of any shape that looks like a photograph.

    A mask has two prevailing levels; others come from soft edges and lossy files.
    """
    counts = np.sort(cv2.calcHist([mask.reshape(-1, mask.shape[-1])], [0], None, [256], [0, 256]).ravel())
    if counts[-2:].sum() < mask.size / 2:
        raise InputError(
            "`mask` must have two levels, one known and one missing, but for its edges. Received "
            f"{np.count_nonzero(counts)} levels, none of which prevails: it looks like a photograph."
        )


def _as_array(value: Array) -> Array:
    return value if _is_tensor(value) else np.asarray(value)


def _is_tensor(value: Array) -> bool:
    if isinstance(value, (np.ndarray, np.generic, list, tuple, int, float)):
        return False
    from keras import ops

    return ops.is_tensor(value)


def _to_numpy(value: Array) -> np.ndarray:
    if isinstance(value, np.ndarray):
        return value
    from keras import ops

    return ops.convert_to_numpy(value)


def _float32(value: Array) -> Array:
    if isinstance(value, np.ndarray):
        return value.astype("float32")
    from keras import ops

    return ops.cast(value, "float32")


def _not_zero(value: Array) -> Array:
    if isinstance(value, np.ndarray):
        return value != 0
    from keras import ops

    return ops.not_equal(value, 0)


def _dtype(value: Array) -> str:
    if isinstance(value, np.ndarray):
        return value.dtype.name
    from keras.backend import standardize_dtype

    return standardize_dtype(value.dtype)
