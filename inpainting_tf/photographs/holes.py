"""Changes of a hole: grown, feathered, inverted, fitted to another size.

A hole is a float32 array [H, W] of opacities: 0 = known, 1 = missing, with which a fill is laid over its
picture.
"""

from __future__ import annotations

import cv2
import numpy as np

from inpainting_tf.inference import rims


def grown(hole: np.ndarray, pixels: int) -> np.ndarray:
    """The hole with `pixels` more in every direction."""
    return rims.widened(hole, pixels)


def feathered(hole: np.ndarray, pixels: int) -> np.ndarray:
    """The hole with a soft edge outside: from 1 beside it to 0 beyond `pixels`."""
    if pixels == 0:
        return hole
    away = cv2.distanceTransform((hole < 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    return np.maximum(hole, np.clip(1.0 - away / (pixels + 1), 0.0, 1.0)).astype(np.float32)


def inverted(hole: np.ndarray) -> np.ndarray:
    """Known and missing exchanged."""
    return (1.0 - hole).astype(np.float32)


def fitted(hole: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The hole stretched to (height, width); a hard edge stays hard."""
    if hole.shape == tuple(size):
        return hole
    smaller = hole.shape[0] >= size[0] and hole.shape[1] >= size[1]
    how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    stretched = cv2.resize(hole, (size[1], size[0]), interpolation=how)
    hard = not ((hole > 0) & (hole < 1)).any()
    return ((stretched >= 0.5) if hard else np.clip(stretched, 0.0, 1.0)).astype(np.float32)


def of_transparency(alpha: np.ndarray) -> np.ndarray:
    """The hole that an eraser made, hard or soft: all that is not opaque; uint8 [H, W] to float32."""
    return (alpha < 255).astype(np.float32)
