"""Classical fills with the signature of a network's `fill`: the baselines.

Each baseline is a function `fill(images, masks) -> predictions`:

- images: float [N, H, W, 3] in [0, 1], a NumPy array or an eager tensor;
- masks: [N, H, W, 1], 1 (any non-zero value) = missing, 0 = known;
- predictions: NumPy float32 [N, H, W, 3] in [0, 1]. Known pixels are those of `images`, bit for bit.

The pixels under a hole never reach the result: it is blanked first. A picture without a known pixel becomes
mid-grey (0.5). Wrong shapes and integer pictures raise `InputError`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from inpainting_tf import errors
from inpainting_tf.ops.images import to_uint8

MID_GREY = 0.5


def mean_colour(images: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Fills each hole with the mean colour of that picture's known pixels."""
    return fill_each(images, masks, lambda picture, hole: picture[~hole].mean(axis=0, dtype="float64"))


def telea(images: np.ndarray, masks: np.ndarray, *, radius: float = 3.0) -> np.ndarray:
    """OpenCV's fast-marching fill (Telea 2004), computed on uint8.

    Args:
        radius: of the neighbourhood that each filled pixel is averaged from, in pixels, positive.
    """
    import cv2

    return _opencv(images, masks, radius, cv2.INPAINT_TELEA)


def navier_stokes(images: np.ndarray, masks: np.ndarray, *, radius: float = 3.0) -> np.ndarray:
    """OpenCV's Navier-Stokes fill (Bertalmio et al. 2001), computed on uint8.

    Args:
        radius: of the neighbourhood that each filled pixel is computed from, in pixels, positive.
    """
    import cv2

    return _opencv(images, masks, radius, cv2.INPAINT_NS)


def biharmonic(images: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """scikit-image's biharmonic fill (Damelin and Hoang 2018), clipped to the range of the known pixels.

    Solves one sparse linear system per picture, as large as its hole: on one CPU core about 3 ms for a hole
    of 18x18 pixels in 64x64, 8 ms for 36x36 and 25 ms for 64x64 in 128x128.
    """
    from skimage.restoration import inpaint_biharmonic

    def fill(picture: np.ndarray, hole: np.ndarray) -> np.ndarray:
        # In float64: the system's condition grows fast with the hole, and float32 costs 3e-3 at 64x64.
        return inpaint_biharmonic(picture.astype("float64"), hole, channel_axis=-1)

    return fill_each(images, masks, fill)


def patchmatch(images: np.ndarray, masks: np.ndarray, *, patch_size: int = 7, seed: int = 0) -> np.ndarray:
    """PatchMatch completion (Barnes et al. 2009): blended copies of known patches, see `exemplar.inpaint`.

    Args:
        patch_size: side of the patches in pixels, odd.
        seed: of the random search, restarted for every picture: its fill does not depend on its batch.
    """
    from inpainting_tf.classical.exemplar import inpaint

    return fill_each(images, masks, functools.partial(inpaint, patch_size=patch_size, seed=seed))


def _opencv(images: np.ndarray, masks: np.ndarray, radius: float, method: int) -> np.ndarray:
    import cv2

    if not radius > 0:
        raise errors.InputError(
            f"`radius` must be positive, in pixels. Received {radius!r}: the default is 3."
        )

    def fill(picture: np.ndarray, hole: np.ndarray) -> np.ndarray:
        return cv2.inpaint(to_uint8(picture), hole.astype("uint8"), radius, method) / 255.0

    return fill_each(images, masks, fill)


def fill_each(
    images: np.ndarray, masks: np.ndarray, fill: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> np.ndarray:
    """Blanks the holes, fills picture by picture and restores the known pixels.

    Args:
        fill: takes a float32 picture [H, W, 3] and a boolean hole [H, W], True = missing, with pixels of both
            kinds; returns the filled picture, or an array that broadcasts to it.
    """
    images, holes = _checked(images, masks)
    predictions = np.where(holes, np.float32(MID_GREY), images)
    for prediction, hole in zip(predictions, holes[..., 0], strict=True):
        if hole.any() and not hole.all():
            filled = np.broadcast_to(fill(prediction, hole), prediction.shape)
            prediction[hole] = np.clip(filled[hole], 0.0, 1.0)
    return predictions


def _checked(images: np.ndarray, masks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The pictures as float32 and the holes as bool [N, H, W, 1]."""
    images, masks = np.asarray(images), np.asarray(masks)
    if images.dtype.kind in "bui":
        raise errors.InputError(
            f"`images` must be floating point in [0, 1]. Received {images.dtype}: use `to_float` first."
        )
    if images.ndim != 4 or images.shape[-1] != 3:
        raise errors.InputError(f"`images` must have shape [N, H, W, 3]. Received {images.shape}.")
    expected = (*images.shape[:3], 1)
    if masks.shape != expected:
        raise errors.InputError(f"`masks` must have shape [N, H, W, 1] = {expected}. Received {masks.shape}.")
    return images.astype("float32"), masks != 0
