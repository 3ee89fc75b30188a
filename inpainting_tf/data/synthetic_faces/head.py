"""Head, neck and ears: their shape and lit skin."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from inpainting_tf.data.synthetic_faces.colours import mix, tone
from inpainting_tf.data.synthetic_faces.drawing import (
    CANVAS,
    ORIGIN,
    UNIT,
    Scene,
    both_sides,
    curve,
    dark,
    face_grid,
    mirrored,
    oval,
    paint,
    ribbon,
    smooth_noise,
    stretched,
    to_canvas,
)
from inpainting_tf.data.synthetic_faces.hair import front_shapes
from inpainting_tf.data.synthetic_faces.look import Look


def _outline(look: Look) -> np.ndarray:
    """The right side of the face from crown to chin, [n, 2], of a head that looks straight on."""
    jaw = np.clip(look.jaw, 0, 1.1)
    rows = np.array([-1.6, -1.5, -1.2, -0.8, -0.3, 0.1, 0.5, 0.88, 1.22, 1.46, 1.6, 1.66])
    low = [0.84 + 0.06 * jaw, 0.6 + 0.16 * jaw, 0.35 + 0.14 * jaw, 0.2 + 0.1 * jaw, 0.08]
    half = look.width * np.array([0.12, 0.48, 0.82, 0.95, 0.99, 0.98, 0.94, *low])
    return np.stack([half, np.where(rows > 0, rows * look.chin, rows)], -1)


def turned_jaw(look: Look, y: np.ndarray) -> np.ndarray:
    """The sideways shift of the jaw at height `y` when the head turns."""
    return 0.55 * np.sin(look.yaw) * np.clip(y / 1.66, 0, 1) ** 2


def head_shape(look: Look, grow: float = 0.0) -> np.ndarray:
    """The whole outline of the face, [n, 2], turned with the head."""
    shape = curve(mirrored(_outline(look))) * (1 + grow)
    return shape + np.stack([turned_jaw(look, shape[:, 1]), 0 * shape[:, 1]], -1)


def _bumps(look: Look, marks: ArrayLike, side: int) -> np.ndarray:
    """A sum of Gaussian bumps [side, side]; marks are rows (x, y, spread of x, spread of y, height)."""
    x, y = face_grid(side)
    marks = np.asarray(marks, float)
    centre = ((to_canvas(marks[:, :2], look) - ORIGIN) / UNIT).astype(np.float32)
    wide, tall, height = marks[:, 2:].astype(np.float32).T[..., None]
    across = np.exp(-(((x - centre[:, :1]) / wide) ** 2) / 2)
    down = np.exp(-(((y.T - centre[:, 1:]) / tall) ** 2) / 2)
    return (down * height).T @ across


def _relief(look: Look) -> list[tuple[float, ...]]:
    """What stands out from the oval of a face: brow, sockets, nose, cheeks, lips, chin."""
    n, cheek = look.nose, 0.07 + 0.05 * max(look.smile, 0)
    both = [
        (0.40, -0.30, 0.24, 0.10, 0.03 + 0.04 * look.masculine),
        (0.42, -0.02, 0.22, 0.15, -0.11),
        (0.44, 0.20, 0.16, 0.05, -0.012 - 0.03 * look.age),
        (0.58, 0.40, 0.22, 0.20, cheek),
        (0.72, 0.85, 0.18, 0.25, -0.03),
        (0.15 * n, 0.56, 0.055, 0.06, 0.06),
        (0.17, 0.10, 0.05, 0.20, -0.035),
    ]
    middle = [
        (0, -0.75, 0.55, 0.28, 0.05),
        (0, 0.18, 0.075 * n, 0.26, 0.10),
        (0, 0.52, 0.115 * n, 0.10, 0.17),
        (0, 0.80, 0.03, 0.06, -0.012),
        (0, 0.92, 0.25, 0.07, 0.035),
        (0, 1.12, 0.22, 0.06, 0.045),
        (0, 1.24, 0.25, 0.06, -0.055),
        (0, 1.45, 0.17, 0.12, 0.07),
    ]
    return [(s * x, *rest) for s in (-1, 1) for x, *rest in both] + middle


def _skin(scene: Scene, side: int = 128) -> Image.Image:
    """Skin over the whole canvas: an ellipsoid with relief in soft Lambert light, a little gloss."""
    look, outline = scene.look, _outline(scene.look)
    x, y = face_grid(side)
    nx = np.clip((x - turned_jaw(look, y)) / np.interp(y, outline[:, 1], outline[:, 0]), -1.1, 1.1) * 0.88
    ny = np.clip(y / 1.8, -1, 1) * 0.8
    nz = np.sqrt(np.maximum(1 - nx**2 - ny**2, 0.06))
    slope_y, slope_x = np.gradient(_bumps(look, _relief(look), side) * np.float32(UNIT * side / CANVAS))
    nx, ny = nx - slope_x, ny - slope_y
    lx, ly, lz = np.asarray(look.light, np.float32)
    length = np.sqrt(nx * nx + ny * ny + nz * nz)
    facing = np.clip((nx * lx + ny * ly + nz * lz) / length * 0.85 + 0.15, 0, 1)
    value = look.ambient + (1.02 - look.ambient) * facing + 0.02 * smooth_noise(scene.rng, 40, side)
    gloss = np.maximum((nx * lx + ny * ly + nz * (lz + 1)) / (length * np.sqrt(2 + 2 * lz)), 0) ** 32
    return _tint(look, value, 0.085 * gloss)


def _tint(look: Look, value: np.ndarray, gloss: np.ndarray | float = 0.0) -> Image.Image:
    """Light [side, side] to skin colour: shadows turn warm, blood shows at cheeks, nose and chin."""
    rosy = 0.05 + 0.05 * look.makeup
    marks: list[tuple[float, ...]] = [(0.55, 0.45, 0.22, 0.18, rosy)]  # cheeks
    marks += [(0.42, 0.18, 0.18, 0.06, 0.03)]  # below the eyes
    marks += [(-x, *rest) for x, *rest in marks]
    marks += [(0, 0.55, 0.15, 0.12, 0.06), (0, 1.4, 0.2, 0.12, 0.03)]  # tip of the nose, chin
    blush = _bumps(look, marks, len(value))
    planes = [
        channel * (value * (1 - dark) + dark - blush * cool) + gloss * 225
        for channel, dark, cool in zip(look.skin, (0.35, 0.25, 0.225), (0.1, 1.0, 0.75), strict=True)
    ]
    return stretched(np.stack(planes, -1))


def neck(scene: Scene) -> None:
    """Neck and shoulders' skin, in the shade of the chin."""
    look = scene.look
    wide = 0.52 + 0.14 * look.masculine
    x, y = face_grid(40)
    round_ = np.sqrt(np.clip(1 - (x / (wide * 1.25)) ** 2, 0, 1))
    facing = np.clip(round_ * look.light[2] + x / wide * look.light[0] * 0.6, 0, 1)
    value = look.ambient * 0.8 + (0.85 - look.ambient) * facing + 0 * y
    skin = replace(scene, picture=_tint(look, value))
    cords = ribbon([(wide * 0.7, 1.6), (0.35, 1.9), (0.1, 2.2)], 0.1)
    paint(skin, both_sides(cords), dark(look), blur=3, opacity=0.25, flat=True)
    chin = head_shape(look) * (0.92, 1) + (-0.12 * look.light[0], 0.2)
    paint(skin, chin, dark(look), blur=5, opacity=0.55, flat=True)
    sides = [(wide, 0.9), (wide, 1.4), (wide * 1.02, 1.8), (wide * 1.3, 2.05), (1.6, 2.3), (2.6, 2.8)]
    paint(scene, curve(mirrored(sides)), skin.picture, flat=True)


def ears(scene: Scene) -> None:
    """Two ears, with the far one hidden by the turned head, and earrings."""
    look = scene.look
    ear = np.array([(-0.1, -0.18), (0.06, -0.25), (0.15, -0.12), (0.12, 0.16), (0.05, 0.42), (-0.06, 0.45)])
    for s in (-1, 1):
        root = np.array([s * look.width - 0.35 * look.yaw, 0])
        lit = 0.72 + 0.22 * s * look.light[0] + 0.15 * look.ambient
        paint(scene, curve(ear * (s, 1) + root), tone(mix(look.skin, (190, 90, 70), 0.15), lit), flat=True)
        fold = ribbon(np.array([(0, -0.12), (s * 0.07, -0.08), (s * 0.05, 0.2)]) + root, 0.07)
        paint(scene, fold, dark(look), blur=1.2, opacity=0.5, flat=True)
        if look.earrings:
            metal = (222, 190, 110) if look.lips > 1 else (214, 214, 222)
            drop = 0.06 + 0.1 * (look.volume > 0.12)
            paint(scene, oval(root[0] + s * 0.03, 0.44 + drop, 0.045, drop), metal, flat=True)


def head(scene: Scene) -> None:
    """The face itself: lit skin inside the outline, freckles, the shadow of the hair or a buzz cut on it."""
    look, skin = scene.look, replace(scene, picture=_skin(scene))
    hair = front_shapes(scene)
    if look.style == "buzz":
        paint(skin, hair, scene.coat, blur=3, opacity=0.75, flat=True)
    else:
        shadow = [np.add(shape, (-0.08 * look.light[0], 0.08)) for shape in hair]
        paint(skin, shadow, dark(look), blur=3, opacity=0.4, flat=True)
    if look.freckles:
        spots = scene.rng.normal((0, 0.35, 0.013), (0.42, 0.17, 0.003), (60, 3))
        freckles = [oval(x, y, size, size)[::3] for x, y, size in spots]
        paint(skin, freckles, mix(look.skin, (130, 70, 40), 0.6), opacity=0.5)
    paint(scene, head_shape(look), skin.picture, flat=True)
