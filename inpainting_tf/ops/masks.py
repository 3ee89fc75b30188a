"""Holes: seeded mask samplers. **A mask is 1 where the picture is missing and 0 where it is known.**

A sampler maps uniform random numbers to masks with operators only, so the same lines run on NumPy arrays and,
inside a `tf.data` pipeline, on TensorFlow tensors; but for one that draws `on_host`. The caller passes the
random numbers: `fixed` draws them from (seed, picture index), the training pipeline from (seed, step).

All lengths are fractions of the picture's shorter side, so a hole's share is the same at every resolution.
Holes of a person's own, from files, are read by `inpainting_tf.data.mask_files`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from inpainting_tf.errors import InputError, unknown
from inpainting_tf.ops import damage


@dataclasses.dataclass(frozen=True)
class Mask:
    """Which holes are drawn, or from which folder they come.

    Attributes:
        kind: a name in `SAMPLERS`, or "folder".
        low: smallest length, as a fraction of the picture's shorter side; None for the kind's default.
        high: largest length. Lengths are the sides of "rectangle" and "several" and of the "centre" square,
            the brush's width of "strokes", the width of "face_mask"; of "mixed" the side of a single
            rectangle, several having half of it and strokes a quarter to a third; of "photograph" the sides
            of its blocks, its other damage having sizes of its own; of "portrait" the sides of the blocks
            and the diameters of the objects that hide parts of a face (`inpainting_tf.ops.damage`).
        folder: of the mask files, for kind "folder" alone.
        invert: white is known in them and black is missing, and not the other way round.
    """

    kind: str = "rectangle"
    low: float | None = None
    high: float | None = None
    folder: str | None = None
    invert: bool = False


@dataclasses.dataclass(frozen=True)
class Sampler:
    """How one kind of hole is drawn.

    Attributes:
        draw: (u [N, numbers] in [0, 1), (H, W), low, high) -> boolean [N, H, W, 1], True = missing.
        numbers: number of uniform numbers per hole.
        low, high: default lengths as fractions of the shorter side.
        on_host: `draw` takes NumPy arrays alone.
        shown: length up to which a network that was trained on such holes receives them unreduced; None for
            the smallest one of training, with which most of what it saw was larger.
        of_faces: the holes are meant for aligned faces.
    """

    draw: Callable[..., Any]
    numbers: int
    low: float
    high: float
    on_host: bool = False
    shown: float | None = None
    of_faces: bool = False


FOLDER = "folder"  # the kind of holes that are read from files
_FIELDS_OF_FILES = {"folder": "mask.folder", "invert": "invert_masks"}  # names in messages
_OF_FILES = (24 / 128, 48 / 128)


def check(mask: Mask) -> None:
    """Checks a mask's fields; not whether its folder is there.

    Raises:
        InputError: unknown kind, lengths that are not 0 < low <= high <= 1, no folder for kind "folder", or
            a field that holes of this kind do not have.
    """
    of_files = mask.kind == FOLDER
    if not of_files:
        _resolve(mask)
    elif not mask.folder:
        raise InputError("`mask.folder` must be a folder of mask files for kind 'folder'. Received none.")
    names = {"low": "mask.low", "high": "mask.high"} if of_files else _FIELDS_OF_FILES
    for field, name in names.items():
        if (value := getattr(mask, field)) not in (None, False):
            kind = "files" if of_files else f"the kind {mask.kind!r}, which are drawn"
            raise InputError(f"`{name}` must not be given for holes of {kind}. Received {value!r}.")


def draw(mask: Mask, uniforms: Any, image_size: tuple[int, int]) -> Any:
    """Masks from uniform numbers.

    Args:
        mask: what to draw.
        uniforms: float32 [N, numbers(mask)] in [0, 1), a NumPy array or a tensor.
        image_size: (height, width) in pixels.

    Returns:
        Boolean [N, H, W, 1], True = missing, of the array type of `uniforms`. Never empty.

    Raises:
        InputError: unknown kind, or lengths that are not 0 < low <= high <= 1.
    """
    sampler, low, high = _resolve(mask)
    return sampler.draw(uniforms, image_size, low, high)


def numbers(mask: Mask) -> int:
    """The number of uniform numbers for one hole of this kind."""
    return _resolve(mask)[0].numbers


def extent(mask: Mask) -> tuple[float, float]:
    """The smallest and the largest length of such a hole, as fractions of the picture's shorter side.

    Those of holes from files are not measured: theirs is the extent of general holes.
    """
    return _OF_FILES if mask.kind == FOLDER else _resolve(mask)[1:]


def shown(mask: Mask) -> float:
    """The length up to which holes are shown unreduced to a network that was trained on such ones."""
    own = None if mask.kind == FOLDER else _resolve(mask)[0].shown
    return extent(mask)[0] if own is None else own


def on_host(mask: Mask) -> bool:
    """Whether `draw` takes NumPy arrays alone."""
    return _resolve(mask)[0].on_host


def of_faces(mask: Mask) -> bool:
    """Whether holes of this kind are meant for aligned faces."""
    return mask.kind != FOLDER and _resolve(mask)[0].of_faces


def fixed(mask: Mask, indices: Any, image_size: tuple[int, int], seed: int = 0) -> np.ndarray:
    """Evaluation masks: a fixed function of (seed, picture index), independent of the other pictures.

    Args:
        mask: what to draw.
        indices: [N] picture indices.
        image_size: (height, width) in pixels.
        seed: of the holes.

    Returns:
        float32 [N, H, W, 1], 1 = missing.

    Example:
        >>> from inpainting_tf.ops import masks
        >>> holes = masks.fixed(masks.Mask("centre", 0.25, 0.25), range(3), (40, 60))
        >>> holes.shape, int(holes[0].sum())  # a square of a quarter of the shorter side
        ((3, 40, 60, 1), 100)
    """
    return draw(mask, uniforms(indices, numbers(mask), seed), image_size).astype(np.float32)


def uniforms(indices: Any, count: int, seed: int = 0) -> np.ndarray:
    """The uniform numbers of each picture's hole, float32 [N, count]: a function of (seed, picture index)."""
    rows = [np.random.default_rng([seed, int(i)]).random(count, np.float32) for i in indices]
    return np.stack(rows)


def _resolve(mask: Mask) -> tuple[Sampler, float, float]:
    if mask.kind == FOLDER:
        raise InputError(f"`mask` must be drawn here, not read from files. Received {mask.folder!r}.")
    if mask.kind not in SAMPLERS:
        raise unknown("mask", mask.kind, SAMPLERS, also="a folder of mask files")
    sampler = SAMPLERS[mask.kind]
    high = sampler.high if mask.high is None else mask.high
    low = min(sampler.low, high) if mask.low is None else mask.low
    if not 0 < low <= high <= 1:
        raise InputError(
            f"`mask` must have 0 < low <= high <= 1 (fractions of the shorter side). Received {low}, {high}."
        )
    return sampler, low, high


# The samplers. `u[:, k]` is the k-th uniform number of each hole, as [N, 1, 1] against the pixel grid.


def _grid(image_size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Pixel rows [H, 1] and columns [1, W], float32."""
    height, width = image_size
    return np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)[None, :]


def _column(u: Any, k: int) -> Any:
    return u[:, k, None, None]


def _side(u: Any, image_size: tuple[int, int], low: float, high: float) -> Any:
    """A whole number of pixels, every one from low to high equally likely."""
    shorter = min(image_size)
    smallest, largest = max(1, round(low * shorter)), max(1, round(high * shorter))
    return smallest + (u * (largest - smallest + 1)) // 1


def _box(top: Any, left: Any, height: Any, width: Any, image_size: tuple[int, int]) -> Any:
    y, x = _grid(image_size)
    return (y >= top) & (y < top + height) & (x >= left) & (x < left + width)


def _random_box(u: Any, first: int, image_size: tuple[int, int], low: float, high: float) -> Any:
    """A rectangle wholly inside the picture, from four numbers: its sides, then its place."""
    height = _side(_column(u, first), image_size, low, high)
    width = _side(_column(u, first + 1), image_size, low, high)
    top = (_column(u, first + 2) * (image_size[0] - height + 1)) // 1
    left = (_column(u, first + 3) * (image_size[1] - width + 1)) // 1
    return _box(top, left, height, width, image_size)


def _rectangle(u: Any, image_size: tuple[int, int], low: float, high: float) -> Any:
    return _random_box(u, 0, image_size, low, high)[..., None]


def _centre(u: Any, image_size: tuple[int, int], low: float, high: float) -> Any:
    side = _side(_column(u, 0), image_size, low, high)
    top, left = (image_size[0] - side) // 2, (image_size[1] - side) // 2
    return _box(top, left, side, side, image_size)[..., None]


SEVERAL = 4  # at most so many rectangles


def _several(u: Any, image_size: tuple[int, int], low: float, high: float) -> Any:
    """Two to four rectangles; they may overlap."""
    wanted = 2 + (_column(u, 4 * SEVERAL) * (SEVERAL - 1)) // 1
    missing = _random_box(u, 0, image_size, low, high)
    for i in range(1, SEVERAL):
        missing = missing | (_random_box(u, 4 * i, image_size, low, high) & (wanted > i))
    return missing[..., None]


STROKES, SEGMENTS, REACH = 3, 4, 0.3  # strokes of so many segments, each up to REACH of the shorter side long
_STROKE_NUMBERS = 3 + 2 * SEGMENTS
_STROKES_DRAWN = STROKES * _STROKE_NUMBERS + 1


def _strokes(u: Any, image_size: tuple[int, int], low: float, high: float) -> Any:
    """One to three free-form brush strokes: bent lines with round joints, begun inside the picture."""
    wanted = 1 + (_column(u, STROKES * _STROKE_NUMBERS) * STROKES) // 1
    missing = _stroke(u, 0, image_size, low, high)
    for i in range(1, STROKES):
        missing = missing | (_stroke(u, i * _STROKE_NUMBERS, image_size, low, high) & (wanted > i))
    return missing[..., None]


def _stroke(u: Any, first: int, image_size: tuple[int, int], low: float, high: float) -> Any:
    (height, width), reach = image_size, REACH * min(image_size)
    y, x = _grid(image_size)
    radius = _side(_column(u, first), image_size, low, high) / 2
    # Whole pixels, so that the first disc holds at least the pixel it is centred on.
    y0 = (_column(u, first + 1) * height) // 1
    x0 = (_column(u, first + 2) * width) // 1
    missing = _disc(y - y0, x - x0, radius)
    for k in range(first + 3, first + _STROKE_NUMBERS, 2):
        dy, dx = (2 * _column(u, k) - 1) * reach, (2 * _column(u, k + 1) - 1) * reach
        along = (y - y0) * dy + (x - x0) * dx
        across = (y - y0) * dx - (x - x0) * dy
        length2 = dy * dy + dx * dx
        beside = (along >= 0) & (along <= length2) & (across * across <= radius * radius * length2)
        y0, x0 = y0 + dy, x0 + dx
        missing = missing | beside | _disc(y - y0, x - x0, radius)
    return missing


def _disc(dy: Any, dx: Any, radius: Any) -> Any:
    return dy * dy + dx * dx <= radius * radius


def _face_mask(u: Any, image_size: tuple[int, int], low: float, high: float) -> Any:
    """A medical mask on an aligned face (eyes at half the height): nose and mouth, from cheek to cheek."""
    height, width = image_size
    y, x = _grid(image_size)
    half = (low + _column(u, 0) * (high - low)) * min(image_size) / 2
    centre = (0.5 + 0.06 * (_column(u, 1) - 0.5)) * (width - 1)
    top = (0.56 + 0.06 * _column(u, 2)) * height
    depth = (0.30 + 0.06 * _column(u, 3)) * height
    aside = abs((x - centre) / half)
    down = (y - top - 0.12 * depth * aside * aside) / depth  # the upper rim falls from the nose to the ears
    round_chin = down * down * down + aside * aside * aside * aside <= 1
    return ((down >= 0) & round_chin)[..., None]


def _mixed(u: Any, image_size: tuple[int, int], low: float, high: float) -> Any:
    """A rectangle, several, or brush strokes, equally likely: the holes of a general model."""
    kind = (_column(u, _STROKES_DRAWN) * 3)[..., None] // 1
    rectangle = _rectangle(u, image_size, low, high)
    several = _several(u, image_size, low / 2, high / 2)
    strokes = _strokes(u, image_size, low / 4, high / 3)
    return (rectangle & (kind == 0)) | (several & (kind == 1)) | (strokes & (kind == 2))


def _damage(drawn: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """Holes of a function of `inpainting_tf.ops.damage`, from generators that the uniform numbers seed."""

    def draw(u: np.ndarray, image_size: tuple[int, int], low: float, high: float) -> np.ndarray:
        seeds = np.ascontiguousarray(u[:, :2], np.float32).view(np.uint32)
        holes = [drawn(np.random.default_rng(seed), image_size, (low, high)) for seed in seeds]
        return np.stack(holes)[..., None]

    return draw


SAMPLERS: dict[str, Sampler] = {
    "rectangle": Sampler(_rectangle, 4, 24 / 128, 48 / 128),  # face_gan: sides of 24..48 px at 128
    "centre": Sampler(_centre, 1, 0.5, 0.5),
    "several": Sampler(_several, 4 * SEVERAL + 1, 12 / 128, 28 / 128),
    "strokes": Sampler(_strokes, _STROKES_DRAWN, 6 / 128, 16 / 128),
    "mixed": Sampler(_mixed, _STROKES_DRAWN + 1, 24 / 128, 48 / 128),
    "face_mask": Sampler(_face_mask, 4, 0.52, 0.64, of_faces=True),
    "photograph": Sampler(_damage(damage.photograph), 2, 0.15, 0.5, on_host=True, shown=48 / 128),
    "portrait": Sampler(_damage(damage.portrait), 2, 0.2, 0.6, on_host=True, shown=48 / 128, of_faces=True),
}
