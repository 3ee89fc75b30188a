"""Pictures to try the page with, drawn by code, each with a hole over what one would take out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from inpainting_tf.apps import retouching
from inpainting_tf.data.synthetic_faces import face
from inpainting_tf.errors import unknown

_SCALE = 2  # scenes are drawn so much larger, for smooth edges
_FACE = 512  # the side of portraits
_SIZE = (480, 720)  # of scenes, (height, width)

Drawn = tuple[np.ndarray, np.ndarray]  # uint8 [H, W, 3], and the hole, bool [H, W]


@dataclasses.dataclass(frozen=True)
class Example:
    """A picture to try.

    Attributes:
        title: what is to be seen, and what is to go.
        draw: draws it, with its hole.
    """

    title: str
    draw: Callable[[], Drawn]


def get(name: str) -> Example:
    """The example of that name.

    Raises:
        InputError: there is none.
    """
    if name not in EXAMPLES:
        raise unknown("example", name, EXAMPLES)
    return EXAMPLES[name]


# Faces


def _masked_face() -> Drawn:
    rgb = face(11, _FACE)
    missing = retouching.face_mask(rgb.shape[:2]) > 0
    rows = np.arange(_FACE)[:, None]
    pleats = 1 - 0.09 * (np.abs((rows - 0.02 * _FACE) % (0.085 * _FACE) - 0.04 * _FACE) < 0.006 * _FACE)
    cloth = np.array([176, 204, 214]) * pleats[..., None] * (1.06 - 0.12 * rows[..., None] / _FACE)
    rgb[missing] = np.broadcast_to(cloth, rgb.shape)[missing].round().astype(np.uint8)
    return rgb, retouching.widened(missing * np.uint8(255), 4) > 0


def _scratched_face() -> Drawn:
    rgb, random = face(4, _FACE), np.random.default_rng(7)
    side = _SCALE * _FACE
    drawn = Image.new("L", (side, side))
    pen = ImageDraw.Draw(drawn)
    down = np.linspace(0, 1, 40)
    for _ in range(5):
        start, end, bend, width = random.uniform((0.1, 0.1, -0.25, 3), (0.9, 0.9, 0.25, 8))
        across = start + (end - start) * down + bend * down * (1 - down)
        pen.line(
            [(float(x) * side, float(y) * side) for x, y in zip(across, down, strict=True)], 255, round(width)
        )
    opacity = np.array(drawn.reduce(_SCALE))
    scratched = rgb + (np.array([240, 230, 206]) - rgb) * (opacity[..., None] / 255)
    return scratched.round().astype(np.uint8), retouching.widened((opacity > 0) * np.uint8(255), 3) > 0


# Scenes


def _kite_over_the_sea() -> Drawn:
    image, pen, s = _canvas((188, 218, 240), (246, 232, 208), horizon=0.62)
    height, width = image.height, image.width
    pen.ellipse((0.12 * width, 0.16 * height, 0.12 * width + 70 * s, 0.16 * height + 70 * s), (255, 244, 214))
    _gradient(image, int(0.62 * height), int(0.92 * height), (74, 132, 156), (112, 170, 178))
    pen.polygon(
        [
            (0, 0.86 * height),
            (0.4 * width, 0.82 * height),
            (width, 0.9 * height),
            (width, height),
            (0, height),
        ],
        (226, 204, 160),
    )
    pen.polygon(
        [
            (0.68 * width, 0.62 * height),
            (0.78 * width, 0.52 * height),
            (0.9 * width, 0.54 * height),
            (width, 0.62 * height),
        ],
        (96, 120, 104),
    )
    clean = image.copy()
    kite = [(0.5, 0.18), (0.565, 0.3), (0.5, 0.42), (0.435, 0.3)]
    points = [(x * width, y * height) for x, y in kite]
    pen.polygon(points, (204, 62, 70))
    pen.polygon([points[0], points[1], (0.5 * width, 0.3 * height)], (240, 176, 62))
    pen.line([points[2], (0.46 * width, 0.55 * height), (0.4 * width, 0.83 * height)], (90, 80, 80), 2 * s)
    return _finished(image, clean, reach=5)


def _wires_over_hills() -> Drawn:
    image, pen, s = _canvas((150, 190, 224), (236, 226, 214), horizon=0.75)
    height, width = image.height, image.width
    hills = (
        ((128, 158, 168), 0.5, 0.05, 1.1),
        ((98, 138, 118), 0.62, 0.06, 1.9),
        ((74, 116, 76), 0.77, 0.05, 2.6),
    )
    x = np.linspace(0, 1, 80)
    for number, (colour, level, swing, waves) in enumerate(hills):
        y = level + swing * np.sin(2 * np.pi * waves * x + 2 * number) + 0.3 * swing * np.sin(17 * x + number)
        outline = [(float(a) * width, float(b) * height) for a, b in zip(x, y, strict=True)]
        pen.polygon([*outline, (width, height), (0, height)], colour)
    pen.rectangle((0.7 * width, 0.72 * height, 0.79 * width, 0.84 * height), (232, 222, 204))
    roof = [(0.685 * width, 0.72 * height), (0.745 * width, 0.64 * height), (0.805 * width, 0.72 * height)]
    pen.polygon(roof, (164, 82, 62))
    pen.rectangle((0.735 * width, 0.76 * height, 0.76 * width, 0.84 * height), (104, 76, 60))
    clean = image.copy()
    pen.rectangle((0.3 * width, 0.2 * height, 0.3 * width + 7 * s, 0.95 * height), (70, 62, 58))
    pen.rectangle((0.25 * width, 0.25 * height, 0.36 * width, 0.25 * height + 5 * s), (70, 62, 58))
    for top in (0.2, 0.24):
        sag = [(a, top + 0.16 * (a - 0.31) * (a - 1.6) * -0.35 + 0.05 * abs(a - 0.31)) for a in x]
        pen.line([(a * width, b * height) for a, b in sag], (66, 60, 58), 2 * s)
    return _finished(image, clean, reach=4)


def _canvas(
    above: tuple[int, int, int], below: tuple[int, int, int], horizon: float
) -> tuple[Image.Image, ImageDraw.ImageDraw, int]:
    """A sky, what draws on it, and the pixels of one of the finished picture."""
    height, width = (_SCALE * side for side in _SIZE)
    image = Image.new("RGB", (width, height), below)
    _gradient(image, 0, int(horizon * height), above, below)
    return image, ImageDraw.Draw(image), _SCALE


def _gradient(
    image: Image.Image, top: int, bottom: int, first: tuple[int, int, int], last: tuple[int, int, int]
) -> None:
    share = np.linspace(0, 1, bottom - top)[:, None, None]
    rows = np.array(first) * (1 - share) + np.array(last) * share
    strip = np.repeat(rows, image.width, axis=1).round().astype(np.uint8)
    image.paste(Image.fromarray(strip), (0, top))


def _finished(image: Image.Image, clean: Image.Image, reach: int) -> Drawn:
    """In the size of scenes, a little grainy; the hole is where it differs from `clean`, and around that."""
    rgb, without = (np.array(each.reduce(_SCALE)).astype(int) for each in (image, clean))
    missing = (np.abs(rgb - without).max(axis=-1) > 0).astype(np.uint8)
    grain = np.random.default_rng(0).normal(0, 2.0, (*_SIZE, 1))
    pixels = np.clip(np.rint(rgb + grain), 0, 255).astype(np.uint8)
    return pixels, retouching.widened(missing * np.uint8(255), reach) > 0


EXAMPLES = {
    "mask": Example("A face behind a mask", _masked_face),
    "scratches": Example("A scratched portrait", _scratched_face),
    "kite": Example("A kite over the sea", _kite_over_the_sea),
    "wires": Example("Wires over hills", _wires_over_hills),
}
