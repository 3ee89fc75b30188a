"""Whether a fill has the texture of what it replaces, which PSNR does not tell: a smooth smudge scores best.

NumPy functions of pictures, float [H, W, 3] in [0, 1], with masks, bool [H, W], True = missing. Neither
needs learned weights.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

PATCH = 7  # pixels, Karras et al. 2018
LEVELS = 3  # of the Laplacian pyramid: detail of about 2, 4 and 8 pixels


def fine_energy(picture: np.ndarray, mask: np.ndarray) -> float:
    """The mean square of the detail finer than about two pixels, in the hole.

    Divided by that of the truth it is the "detail" of a fill: near 0 for a smudge, 1 for the right amount.
    """
    grey = picture.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    return float(np.mean(np.square(grey - cv2.GaussianBlur(grey, (0, 0), 1.0))[mask]))


def sliced_wasserstein(
    truths: Sequence[np.ndarray],
    fills: Sequence[np.ndarray],
    masks: Sequence[np.ndarray],
    *,
    patches: int = 256,
    projections: int = 256,
    seed: int = 0,
) -> np.ndarray:
    """Distance between the patches of fills and of truths, at each scale (Karras et al. 2018, section 5).

    Patches of 7x7 pixels of each level of a Laplacian pyramid, centred in the holes, as two sets of points:
    normalized by the truths' mean and deviation in each channel, projected on random directions, sorted and
    compared. Pixels need not be where they were: this tells texture from smudge, and not right from wrong.

    Args:
        truths: the pictures.
        fills: the same pictures, filled.
        masks: their holes.
        patches: of each picture and level, drawn at the same places in both.
        projections: random directions.
        seed: of both.

    Returns:
        float [LEVELS], from the finest; times 1000, as is usual. 0 for perfect fills.
    """
    distances = []
    for level in range(LEVELS):
        rng = np.random.default_rng([seed, level])
        each = [_pair(*pictures, level, patches, rng) for pictures in zip(truths, fills, masks, strict=True)]
        true, filled = (np.concatenate(part) for part in zip(*each, strict=True))
        mean, deviation = true.mean(axis=(0, 1)), true.std(axis=(0, 1)) + 1e-8
        points = [((part - mean) / deviation).reshape(len(part), -1) for part in (true, filled)]
        directions = rng.normal(size=(points[0].shape[1], projections)).astype(np.float32)
        directions /= np.linalg.norm(directions, axis=0)
        a, b = (np.sort(part @ directions, axis=0) for part in points)
        distances.append(1000 * np.abs(a - b).mean())
    return np.array(distances)


def _pair(
    truth: np.ndarray, fill: np.ndarray, mask: np.ndarray, level: int, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """`count` patches of one level of both pictures, [count, PATCH * PATCH, 3] each, at the same places."""
    bands = [_padded(_band(picture.astype(np.float32), level)) for picture in (truth, fill)]
    places = np.argwhere(_reduced(mask, level))
    places = places[rng.integers(len(places), size=count)]
    rows, columns = (places[:, axis, None] + np.arange(PATCH) for axis in (0, 1))
    true, filled = (band[rows[:, :, None], columns[:, None, :]] for band in bands)
    return true.reshape(count, -1, 3), filled.reshape(count, -1, 3)


def _band(picture: np.ndarray, level: int) -> np.ndarray:
    """A level of the Laplacian pyramid."""
    for _ in range(level):
        picture = cv2.pyrDown(picture)
    return picture - cv2.pyrUp(cv2.pyrDown(picture), dstsize=picture.shape[1::-1])


def _reduced(mask: np.ndarray, level: int) -> np.ndarray:
    """The hole at a level: where any of it lies, so that it does not vanish."""
    for _ in range(level):
        mask = np.pad(mask, [(0, side % 2) for side in mask.shape])
        mask = mask[::2, ::2] | mask[1::2, ::2] | mask[::2, 1::2] | mask[1::2, 1::2]
    return mask


def _padded(band: np.ndarray) -> np.ndarray:
    return np.pad(band, [(PATCH // 2,) * 2] * 2 + [(0, 0)], mode="reflect")
