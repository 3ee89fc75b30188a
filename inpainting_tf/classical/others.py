"""Fills by OpenCV's contributed modules and by pypatchmatch, on uint8; see `methods` for the signature.

They are what people install instead of a network, and the package's own measurements name them beside it.
"""

from __future__ import annotations

import numpy as np

from inpainting_tf import environment
from inpainting_tf.classical.methods import fill_each
from inpainting_tf.ops.images import to_uint8


def fsr(images: np.ndarray, masks: np.ndarray, *, quality: str = "fast") -> np.ndarray:
    """OpenCV's frequency selective reconstruction (Genser et al. 2018; Seiler and Kaup 2010).

    Continues each block of 16 pixels by a few Fourier functions fitted to its surroundings. For thin holes:
    it takes seconds for each per cent of a megapixel that is missing.

    Args:
        quality: "fast", or "best", some fifteen times slower.
    """
    import cv2

    method = {"fast": cv2.xphoto.INPAINT_FSR_FAST, "best": cv2.xphoto.INPAINT_FSR_BEST}[quality]
    return fill_each(images, masks, lambda picture, hole: _xphoto(to_uint8(picture), hole, method) / 255.0)


def shift_map(images: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """OpenCV's shift map: regions copied from a few dominant offsets (He and Sun 2012), in Lab colours."""
    import cv2

    def fill(picture: np.ndarray, hole: np.ndarray) -> np.ndarray:
        lab = cv2.cvtColor(to_uint8(picture), cv2.COLOR_RGB2Lab)
        filled = _xphoto(lab, hole, cv2.xphoto.INPAINT_SHIFTMAP)
        return cv2.cvtColor(filled, cv2.COLOR_Lab2RGB) / 255.0

    return fill_each(images, masks, fill)


def _xphoto(picture: np.ndarray, hole: np.ndarray, method: int) -> np.ndarray:
    import cv2

    filled = np.zeros_like(picture)
    cv2.xphoto.inpaint(picture, np.where(hole, 0, 255).astype("uint8"), filled, method)
    return filled


def pypatchmatch(images: np.ndarray, masks: np.ndarray, *, patch_size: int = 3, seed: int = 0) -> np.ndarray:
    """PatchMatch completion in C++, by the package pypatchmatch.

    Args:
        patch_size: radius of the patches in pixels.
        seed: of the random search, restarted for every picture.

    Raises:
        InputError: pypatchmatch is not installed.
    """
    library = environment.needed("patchmatch", "pypatchmatch")

    def fill(picture: np.ndarray, hole: np.ndarray) -> np.ndarray:
        library.set_random_seed(seed)
        return library.inpaint(to_uint8(picture), hole, patch_size=patch_size) / 255.0

    return fill_each(images, masks, fill)
