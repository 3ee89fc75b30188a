"""Hair, behind and before the face."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image, ImageChops, ImageDraw

from inpainting_tf.data.synthetic_faces.colours import tone
from inpainting_tf.data.synthetic_faces.drawing import (
    CANVAS,
    ORIGIN,
    UNIT,
    Scene,
    curve,
    face_grid,
    mirrored,
    oval,
    paint,
    stretched,
)
from inpainting_tf.data.synthetic_faces.look import Look


def coat(look: Look, rng: np.random.Generator) -> Image.Image:
    """Hair over the whole canvas: strands of varied shades on a darker ground, lit from the light's side."""
    ground = Image.new("RGB", (CANVAS, CANVAS), tone(look.hair, 0.78))
    draw, strands = ImageDraw.Draw(ground), _strands(look, rng)
    lines = (ORIGIN + UNIT * strands).reshape(len(strands), -1).round(1).tolist()
    lots = rng.normal((0.97, 2), (0.15, 7), (len(strands), 2))  # a strand's shade and its paleness
    shades = lots[:, :1] * look.hair + lots[:, 1:]
    inks, widths = np.clip(shades, 0, 255).astype(int).tolist(), rng.integers(1, 4, len(strands)).tolist()
    for line, ink, width in zip(lines, inks, widths, strict=True):
        draw.line(line, fill=tuple(ink), width=width)
    x, y = face_grid(40)
    crown = np.exp(-(((x - look.light[0] * 0.9) / 0.7) ** 2) - ((y + 1.35) / 0.35) ** 2)
    toward = 0.15 * np.clip(x * look.light[0], -1, 1)
    light = 0.62 + 0.12 * look.ambient + 0.3 * crown + toward - 0.06 * np.clip(y, 0, 3)
    return ImageChops.multiply(ground, Image.merge("RGB", [stretched(255 * light)] * 3))


def _long_strands(look: Look, rng: np.random.Generator, count: int = 190) -> np.ndarray:
    """Strands [count, m, 2] that fall from the parting over the temples and down the sides."""
    path = [(0, -1.62), (0.5, -1.52), (0.92, -1.05), (1.08, -0.3), (1.12, 0.6), (1.16, 1.6), (1.2, 2.8)]
    across, down = np.array(path).T
    out = rng.uniform(0.0 if look.style == "fringe" else 0.35, 1.4, (count, 1))
    s = rng.choice([-1, 1], (count, 1))
    wave = 0.05 * np.sin(down * rng.uniform(2, 5) + rng.uniform(0, 6) + rng.normal(0, 0.3, (count, 1)))
    x = look.part * (1 - np.minimum(across, 1)) + s * across * out + wave
    y = np.where(down < 0, down * (0.62 + 0.4 * out), down)
    return curve(np.stack([x, y + 0 * x], -1), closed=False, steps=3)


def _short_strands(
    rng: np.random.Generator, root: ArrayLike, count: int = 330, reach: float = 0.26
) -> np.ndarray:
    """Short strokes [count, 3, 2] that point away from `root`."""
    start = rng.uniform((-1.25, -2.0), (1.25, 1.8), (count, 2))
    away = start - np.asarray(root)
    away = away / (np.linalg.norm(away, axis=1, keepdims=True) + 0.1) * reach
    bend = rng.normal(0, 0.06, (count, 2))
    return np.stack([start, start + away * 0.6 + bend, start + away + bend * 0.5], 1)


def _curls(rng: np.random.Generator, count: int = 480) -> np.ndarray:
    """Small arcs [count, m, 2] all over."""
    turn = rng.uniform(0, 2 * np.pi, (count, 1)) + np.linspace(0, 4, 7)
    centre = rng.uniform((-1.7, -2.1), (1.7, 1.6), (count, 2))[:, None]
    return centre + rng.uniform(0.03, 0.1, (count, 1, 1)) * np.stack([np.cos(turn), np.sin(turn)], -1)


def _ragged(points: np.ndarray, rng: np.random.Generator, depth: float) -> np.ndarray:
    """An outline [n, 2] with tufts of `depth`."""
    line = curve(points)
    centre = np.array([0, -0.3])
    return curve(centre + (line - centre) * (1 + depth * rng.uniform(-1, 1, (len(line), 1))), steps=3)


def _fluff(look: Look) -> float:
    return {"afro": 0.06, "curly": 0.045}.get(look.style, 0.008)


def _volume(look: Look) -> float:
    return look.volume + {"afro": 0.15, "curly": 0.12, "buzz": -0.05}.get(look.style, 0.0)


def _falls(look: Look) -> float:
    """How far down the hair reaches, in face units."""
    if look.style in ("long", "bob", "beanie"):
        return look.length
    curly = 1.2 * (1 - look.masculine) - 0.05
    return {"curly": curly, "afro": 0.15, "fringe": 1.1}.get(look.style, 0.05)


def _strands(look: Look, rng: np.random.Generator) -> np.ndarray:
    if look.style in ("curly", "afro"):
        return _curls(rng)
    if look.style in ("long", "bob", "fringe", "bun", "beanie"):
        return _long_strands(look, rng)
    return _short_strands(rng, (look.part, -0.7 if look.style == "quiff" else -1.2))


def hair_back(scene: Scene) -> None:
    """The hair behind head, neck and shoulders, in the shade of the head."""
    look = scene.look
    if look.style in ("bald", "buzz") or (look.style == "beanie" and look.masculine > 0.5):
        return
    if look.style == "scarf":
        hood = mirrored([(0.3, -1.85), (0.95, -1.5), (1.25, -0.5), (1.2, 0.7), (1.0, 1.6), (1.9, 2.8)])
        paint(scene, curve(hood), tone(look.cloth, 0.7), flat=True)
        return
    v, low = _volume(look), _falls(look)
    short = low < 0.2
    wide = 1.08 + v - 0.12 * short
    crown = [(0.35, -1.62 - v), (0.85, -1.35 - v), (wide - 0.02, -0.7), (wide - 0.05 * short, -0.2)]
    sides = [(1.0, low)] if short else [(wide, low * 0.6), (wide - 0.06, low)]
    outline = _ragged(mirrored([*crown, *sides, (0.5, low + 0.1)]), scene.rng, _fluff(look))
    paint(scene, outline, scene.coat.point(lambda level: level * 0.62), flat=True)
    if look.style == "bun":
        paint(scene, oval(look.part * 0.5, -1.82, 0.42, 0.36), scene.coat, flat=True)


def _hairline(look: Look, s: int) -> list[tuple[float, float]]:
    """From the temple up to the parting on one side."""
    top = look.hairline
    rise = 0.1 if look.part * s > 0 else 0.0
    temple = [(s * 0.93, -0.12), (s * 0.88, -0.5), (s * 0.72, top + 0.26 - rise)]
    return [*temple, (s * 0.42, top + 0.02 - rise), (look.part, top - 0.06)]


def _curtain(look: Look, s: int) -> np.ndarray:
    """The hair of one side of the head, from the parting to where it ends."""
    v, low = _volume(look), _falls(look)
    crown = [(look.part - s * 0.12, -1.6 - v * 0.9), (s * 0.5, -1.55 - v), (s * 0.9, -1.2 - v * 0.7)]
    crown += [(s * (1.03 + v * 0.8), -0.7), (s * (1.04 + v * 0.8), -0.2)]
    outer = [(s * (1.08 + v), low * 0.5), (s * (1.0 + 0.8 * v), low)]
    inner = [(s * 0.86, low + 0.04), (s * 0.9, low * 0.5), (s * 0.97, 0.2)]
    ends = outer + inner if low > 0.2 else [(s * 1.0, 0.12), (s * 0.955, 0.12)]
    return np.concatenate([curve(crown + ends, closed=False), curve(_hairline(look, s), closed=False)])


def hair_front(scene: Scene) -> None:
    """The hair before the forehead, temples and ears; a buzz cut is drawn with the head."""
    if scene.look.style != "buzz":
        paint(scene, front_shapes(scene), scene.coat, flat=True)


def front_shapes(scene: Scene) -> list[np.ndarray]:
    """The outlines of what `hair_front` paints; none for heads without hair, and under a cap or scarf."""
    look, rng = scene.look, scene.rng
    if look.style in ("bald", "beanie", "scarf"):
        return []
    parts = [_ragged(_curtain(look, s)[::3], rng, _fluff(look)) for s in (-1, 1)]
    return parts + ([_fringe(look, rng)] if look.style == "fringe" else [])


def _fringe(look: Look, rng: np.random.Generator) -> np.ndarray:
    """Hair over the forehead down to the brows, with an uneven edge."""
    x = np.linspace(-0.95, 0.95, 17)
    edge = -0.45 - 0.25 * look.part * x + 0.14 * x**2 + rng.uniform(-0.04, 0.04, 17)
    return np.concatenate([np.stack([x, edge], -1), [(0.9, -1.1), (0.5, -1.45), (-0.5, -1.45), (-0.9, -1.1)]])
