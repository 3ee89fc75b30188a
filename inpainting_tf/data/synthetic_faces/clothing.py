"""Hats, clothes and glasses."""

from __future__ import annotations

import numpy as np

from inpainting_tf.data.synthetic_faces.colours import tone
from inpainting_tf.data.synthetic_faces.drawing import (
    Scene,
    both_sides,
    curve,
    face_grid,
    mirrored,
    paint,
    ribbon,
    smooth_noise,
    stretched,
)


def hat(scene: Scene) -> None:
    """A knitted beanie, or a scarf around the head."""
    look = scene.look
    if look.style == "beanie":
        dome = [(0.4, -1.88), (0.82, -1.64), (0.99, -1.25), (1.0, -0.85)]
        _cloth(scene, curve(mirrored(dome), closed=False), 1.0)
        x = np.linspace(-1.05, 1.05, 25)
        edge = np.stack([x, -0.7 + 0.22 * x**2], -1)
        _cloth(scene, np.concatenate([edge, edge[::-1] * (0.985, 1) - (0, 0.38)]), 1.15)
        ribs = [ribbon([(a, b), (a, b - 0.37)], 0.025) for a, b in edge]
        paint(scene, ribs, tone(look.cloth, 0.6), opacity=0.6, flat=True)
    if look.style == "scarf":
        inner = curve(mirrored([(0.3, -0.98), (0.75, -0.7), (0.9, 0.1), (0.78, 0.95), (0.4, 1.55)]))[::-1]
        hood = [(0.3, -1.85), (0.95, -1.5), (1.25, -0.5), (1.2, 0.7), (0.9, 1.7), (1.6, 2.8)]
        outer = curve(mirrored(hood))
        _cloth(scene, np.concatenate([outer, outer[:1], inner, inner[:1]]), 1.0)
        fold = [(0.15, -1.15), (0.8, -0.85), (0.98, 0.1), (0.86, 1.0), (0.7, 1.6)]
        folds = [side for d in (0.02, 0.1) for side in both_sides(ribbon(np.add(fold, (d, -d)), 0.04))]
        paint(scene, folds, tone(look.cloth, 0.5), blur=1.5, opacity=0.4, flat=True)


def clothes(scene: Scene) -> None:
    """Shoulders in cloth, with one of several collars."""
    look = scene.look
    dip = {"round": 0.12, "vee": 0.42, "shirt": 0.4, "polo neck": -0.2, "hood": 0.15}[look.collar]
    wide = 0.62 + 0.14 * look.masculine
    shape = [(-2.8, 2.8), (-2.6, 2.45), (-1.6, 2.12), (-wide - 0.1, 1.86)]
    low = 1.9 + dip * 0.8
    drop = [(-wide, 1.85), (-wide * 0.55, low), (0, 1.97 + dip), (wide * 0.55, low), (wide, 1.85)]
    drop = drop[::2] if look.collar == "vee" else drop
    neckline = drop if look.collar == "vee" else curve(drop, closed=False)
    right = [(1.6, 2.12), (2.6, 2.45), (2.8, 2.8)]
    body = np.concatenate([curve(shape, closed=False), neckline, right])
    _cloth(scene, body, 1.0)
    if look.collar in ("shirt", "hood"):
        flap = [(wide * 0.95, 1.66), (wide + 0.2, 1.85), (0.42, 2.5), (0.02, 2.3), (wide * 0.72, 1.95)]
        _cloth(scene, both_sides(flap if look.collar == "shirt" else curve(flap)), 1.15)
    if look.collar in ("round", "vee"):
        paint(scene, ribbon(drop, 0.06, 0.1), tone(look.cloth, 0.7), opacity=0.7, flat=True)


def _cloth(scene: Scene, outlines: np.ndarray | list[np.ndarray], factor: float) -> None:
    """Fill with cloth: folds of light and dark, darker away from the light."""
    look = scene.look
    x, y = face_grid(40)
    light = 0.8 + 0.25 * np.clip(x * look.light[0], -1, 1) - 0.12 * np.abs(x) + 0.05 * y
    light = light + 0.16 * smooth_noise(scene.rng, 9, 40)
    paint(scene, outlines, stretched(light[..., None] * np.asarray(look.cloth) * factor), flat=True)


def glasses(scene: Scene) -> None:
    """Frames with a bridge, temples and a glint; dark lenses for sunglasses."""
    look = scene.look
    if look.glasses == "none":
        return
    thick = 0.03 if look.glasses == "thin" else 0.06
    rim = (60, 52, 48) if look.lips > 1 else (24, 22, 24)
    lens = [(0.13, -0.12), (0.44, -0.2), (0.78, -0.14), (0.76, 0.16), (0.46, 0.29), (0.17, 0.18)]
    dark = 0.88 if look.glasses == "sun" else 0.05
    paint(scene, both_sides(curve(lens)), (22, 22, 28), opacity=dark, lift=0.1)
    bridge = ribbon([(-0.15, -0.06), (0, -0.11), (0.15, -0.06)], thick, 0.1)
    frames = [*both_sides(ribbon([*lens, *lens[:2]], thick, 0.0)), bridge]
    paint(scene, frames, rim, opacity=0.92, lift=0.1)
    paint(scene, both_sides([(0.78, -0.12), (1.0, -0.12), (1.0, -0.06), (0.78, -0.05)]), rim, opacity=0.9)
    glints = [ribbon([(x - 0.2, 0.05), (x - 0.05, -0.12)], 0.05) for x in (-0.44, 0.44)]
    paint(scene, glints, (255, 255, 255), blur=1.5, opacity=0.25, lift=0.1)
