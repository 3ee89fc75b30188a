"""The canvas, face coordinates, and the tools that every part is drawn with."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image, ImageDraw, ImageFilter

from inpainting_tf.data.synthetic_faces.colours import tone
from inpainting_tf.data.synthetic_faces.look import Look

CANVAS = 304  # pixels that are drawn; a tilted head needs a margin around
UNIT = 62.0  # pixels per face unit
ORIGIN = np.array([152.0, 141.0])  # where the point between the eyes lies on the canvas
_CIRCLE = np.stack([np.cos(np.arange(24) * np.pi / 12), np.sin(np.arange(24) * np.pi / 12)], -1)
Patch = tuple[Image.Image, tuple[int, int]]  # coverage, and its left and top on the canvas


@dataclass(frozen=True)
class Scene:
    """The state of every drawing step: the picture so far, the person, the random numbers of fine detail."""

    picture: Image.Image
    look: Look
    rng: np.random.Generator
    coat: Image.Image  # hair over the whole canvas, to be cut to shape


def to_canvas(points: ArrayLike, look: Look, lift: float = 0.0, flat: bool = False) -> np.ndarray:
    """Face coordinates [n, 2] to canvas pixels: points on the face turn with the head, `flat` ones do not."""
    pixels = np.array(points, float)
    if not flat:
        x, y = pixels.T
        depth = np.sqrt(np.maximum(1 - x * x - (y / 1.75) ** 2, 0)) + lift
        pixels[:, 0] = x * np.cos(look.yaw) + depth * np.sin(look.yaw)
    return ORIGIN + UNIT * pixels


@functools.lru_cache(maxsize=8)
def _weights(steps: int) -> np.ndarray:
    """Catmull-Rom weights [steps, 4] of four neighbouring points."""
    t = np.linspace(0, 1, steps, endpoint=False)[:, None] ** np.arange(4)
    return t @ (np.array([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]]) / 2)


def curve(points: ArrayLike, closed: bool = True, steps: int = 5) -> np.ndarray:
    """Smooth lines [..., m, 2] through points [..., n, 2]."""
    p = np.asarray(points, float)
    first, last = p[..., :1, :], p[..., -1:, :]
    p = np.concatenate([last, p, p[..., :2, :]] if closed else [first, p, last], -2)
    count = p.shape[-2] - 3
    near = p[..., np.arange(count)[:, None] + np.arange(4), :]  # [..., count, 4, 2]
    line = (_weights(steps) @ near).reshape(*p.shape[:-2], count * steps, 2)
    return line if closed else np.concatenate([line, last], -2)


def ribbon(points: ArrayLike, width: float, taper: float = 0.6) -> np.ndarray:
    """The outline [m, 2] of a stroke along points [n, 2], `width` thick, tapered to both ends."""
    line = curve(points, closed=False, steps=4)
    along = np.concatenate([line[1:2] - line[:1], line[2:] - line[:-2], line[-1:] - line[-2:-1]])
    normal = along[:, ::-1] * (-0.5 * width, 0.5 * width) / np.hypot(*along.T)[:, None]
    normal *= np.sin(0.12 + 2.9 / (len(line) - 1) * np.arange(len(line)))[:, None] ** taper
    return np.concatenate([line + normal, (line - normal)[::-1]])


def both_sides(outline: ArrayLike) -> list[np.ndarray]:
    """An outline of the right side of the face and its mirror picture."""
    outline = np.asarray(outline, float)
    return [outline, outline * (-1, 1)]


def oval(x: float, y: float, rx: float, ry: float) -> np.ndarray:
    """The outline [24, 2] of an ellipse around (x, y)."""
    return _CIRCLE * (rx, ry) + (x, y)


def _mask(outlines: list[np.ndarray], blur: float, opacity: float) -> Patch | None:
    """Polygons [n, 2] in pixels as one soft coverage picture, and its corner; None if off canvas."""
    margin, points = int(2 * blur) + 2, np.concatenate(outlines)
    left, top = np.maximum(points.min(0) - margin, 0).astype(int).tolist()
    right, bottom = np.minimum(points.max(0) + margin, CANVAS).astype(int).tolist()
    if right <= left or bottom <= top:
        return None
    grain = 2 if blur < 1 else 1  # blurred outlines need no supersampling
    mask = Image.new("L", (grain * (right - left), grain * (bottom - top)))
    draw, ink = ImageDraw.Draw(mask), int(255 * min(opacity, 1))
    for outline in outlines:
        draw.polygon((grain * (outline - (left, top))).ravel().tolist(), fill=ink)
    mask = mask.filter(ImageFilter.GaussianBlur(blur)) if grain == 1 else mask.reduce(2)
    return mask, (left, top)


def paint(
    scene: Scene,
    outlines: np.ndarray | list[np.ndarray],
    ink: Sequence[float] | Image.Image,
    *,
    blur: float = 0.0,
    opacity: float = 1.0,
    lift: float = 0.0,
    flat: bool = False,
) -> None:
    """Fill one outline [n, 2], or a list of them, given in face coordinates.

    Args:
        scene: where to paint.
        ink: a colour, or a picture of the whole canvas that shows through.
        blur: softness of the edge in canvas pixels; below 1 the edge is crisp.
        lift: how far the part stands out from the face, which moves it when the head turns.
        flat: whether the part stays in place when the head turns.
    """
    outlines = outlines if isinstance(outlines, list) else [outlines]
    if opacity <= 0.02 or not outlines:
        return
    covered = _mask([to_canvas(outline, scene.look, lift, flat) for outline in outlines], blur, opacity)
    if covered:
        mask, (left, top) = covered
        box = (left, top, left + mask.width, top + mask.height)
        scene.picture.paste(ink.crop(box) if isinstance(ink, Image.Image) else tone(ink), box, mask)


def coverage(outlines: list[np.ndarray], look: Look, blur: float = 0.0, flat: bool = True) -> Image.Image:
    """Outlines in face coordinates as a coverage picture of the whole canvas."""
    whole = Image.new("L", (CANVAS, CANVAS))
    covered = _mask([to_canvas(outline, look, flat=flat) for outline in outlines], blur, 1.0)
    if covered:
        whole.paste(*covered)
    return whole


def stretched(array: np.ndarray) -> Image.Image:
    """A small picture of 0 to 255, [n, n] or [n, n, 3], stretched smoothly over the canvas."""
    small = Image.fromarray(np.clip(array, 0, 255).astype(np.uint8))
    return small.resize((CANVAS, CANVAS), Image.Resampling.BILINEAR)


def mirrored(half: ArrayLike) -> np.ndarray:
    """Close an outline given from top to bottom on the right by its mirror picture on the left."""
    half = np.asarray(half, float)
    return np.concatenate([half, half[::-1] * (-1, 1)])


def smooth_noise(rng: np.random.Generator, cells: int, size: int) -> np.ndarray:
    """Smooth noise [size, size] of about -1 to 1, with `cells` bumps a side."""
    grain = Image.fromarray(rng.normal(0, 0.6, (cells, cells)).astype(np.float32))
    return np.asarray(grain.resize((size, size), Image.Resampling.BICUBIC))


@functools.lru_cache(maxsize=4)
def face_grid(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Face coordinates of a canvas of side x side samples: x [1, side], y [side, 1], float32."""
    at = (np.arange(side) + 0.5) * CANVAS / side
    x, y = ((at[:, None] - ORIGIN) / UNIT).astype(np.float32).T
    return x[None], y[:, None]


def dark(look: Look, factor: float = 1.0) -> tuple[int, ...]:
    """The colour of a deep fold in this skin."""
    red, green, blue = look.skin
    return tone((0.42 * red, 0.27 * green, 0.23 * blue), factor)
