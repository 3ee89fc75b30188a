"""Eyes, brows, nose, mouth, wrinkles and beard."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image, ImageChops

from inpainting_tf.data.synthetic_faces.colours import mix, tone
from inpainting_tf.data.synthetic_faces.drawing import (
    CANVAS,
    Scene,
    both_sides,
    coverage,
    curve,
    dark,
    mirrored,
    oval,
    paint,
    ribbon,
    stretched,
)
from inpainting_tf.data.synthetic_faces.head import head_shape, turned_jaw


def eyes(scene: Scene) -> None:
    """Both eyes: lids in shade, ball, iris, pupil, highlight, lashes, crease."""
    look = scene.look
    wide, high = 0.205 * look.eye_size, 0.106 * look.eye_size * look.eye_open

    def at(points: ArrayLike) -> list[np.ndarray]:
        """Eye coordinates (inner corner -1, outer corner 1) to both eyes."""
        x, y = np.asarray(points, float).T
        return both_sides(np.stack([look.spacing + wide * x, high * y - look.eye_slant * x], -1))

    def stroke(points: ArrayLike, width: float, taper: float = 0.6) -> list[np.ndarray]:
        return both_sides(ribbon(at(points)[0], width, taper))

    upper = [(-1, 0.25), (-0.6, -0.55), (-0.05, -1.0), (0.5, -0.8), (1.03, 0.1)]
    lower = [(1.03, 0.1), (0.5, 0.62), (0, 0.78), (-0.55, 0.62), (-1, 0.25)]
    lash, woman = dark(look, 0.35), 1 - look.masculine
    socket = at([(-1.1, 0), (0, -2.1), (1.25, -0.6), (0.9, 0.9), (0, 1.2)])
    paint(scene, socket, dark(look), blur=4, opacity=0.28)
    lid = at([(-0.9, -0.2), (-0.3, -1.8), (0.6, -1.8), (1.3, -0.9), (1, 0)])
    paint(scene, lid, mix((90, 50, 60), look.cloth, 0.25), blur=2.5, opacity=0.5 * look.makeup)
    _eyeballs(scene, at(curve(upper + lower[1:-1])), stroke([(-1.1, 0.1), (0, -0.9), (1.1, -0.1)], 0.11))
    paint(scene, stroke(upper, 0.036 + 0.022 * woman + 0.02 * look.makeup, 0.4), lash)
    paint(scene, stroke([(0.5, -0.85), (1.0, -0.2), (1.22, -0.5)], 0.03), lash, opacity=0.1 + 0.8 * woman)
    paint(scene, stroke(lower, 0.024), dark(look, 0.8), opacity=0.45 + 0.4 * look.makeup)
    crease = stroke([(-0.8, -0.6), (-0.3, -1.35), (0.4, -1.45), (1.0, -0.7)], 0.03)
    paint(scene, crease, dark(look), opacity=0.55)
    bag = stroke([(-0.8, 1.1), (0, 1.75), (0.8, 1.35)], 0.05)
    paint(scene, bag, dark(look), blur=2, opacity=0.12 + 0.4 * look.age)


def _eyeballs(scene: Scene, openings: list[np.ndarray], lid_shadow: list[np.ndarray]) -> None:
    """White, iris, pupil and highlight of both eyes, shown through the openings between the lids."""
    look = scene.look
    white = tone(mix((222, 216, 212), look.skin, 0.14))
    balls = replace(scene, picture=Image.new("RGB", (CANVAS, CANVAS), white))
    middles, y, r = [look.gaze + look.spacing - 0.006, look.gaze - look.spacing + 0.006], -0.014, 0.1
    rings = [(1.0, tone(look.iris, 0.4), 0), (0.8, look.iris, 0.008), (0.44, (10, 8, 8), 0)]
    for size, colour, down in rings:
        paint(balls, [oval(x, y + down, r * size, r * size) for x in middles], colour)
    paint(balls, lid_shadow, (40, 24, 22), blur=1.5, opacity=0.6)
    paint(
        balls, both_sides(oval(look.spacing - 0.19, 0.025, 0.03, 0.03)), (190, 120, 110), blur=1, opacity=0.7
    )
    glint = [oval(x + 0.09 * look.light[0], y - 0.035, 0.02, 0.02) for x in middles]
    paint(balls, glint, (255, 255, 255))
    paint(scene, openings, balls.picture)


def brows(scene: Scene) -> None:
    """Brows of many short hairs over a soft band, darker than the hair of the head."""
    look, rng = scene.look, scene.rng
    colour = mix(tone(look.hair, 0.6), dark(look), 0.35)
    arch = 0.05 * (1 - look.masculine) + 0.02 * look.smile
    up = look.brow_height
    path = [(0.19, -0.26 - up), (0.4, -0.32 - up - arch), (0.58, -0.32 - up - arch), (0.74, -0.24 - up)]
    paint(scene, both_sides(ribbon(path, look.brow * 1.3, 0.5)), colour, blur=1.2, opacity=0.85)
    roots = curve(path, closed=False)[rng.integers(0, 12, 14)]
    roots = roots + np.multiply((0, 1), rng.uniform(-0.35, 0.35, (14, 1))) * look.brow
    hairs = [root + np.array([(0, 0.02), (0.075, -0.012), (0.07, 0)]) for root in roots]
    paint(scene, [one for hair in hairs for one in both_sides(hair)], colour, opacity=0.6)


def nose(scene: Scene) -> None:
    """Nostrils, wings and the shadow below; the ridge itself comes from the relief."""
    look, n = scene.look, scene.look.nose
    away = -np.sign(look.light[0])
    paint(scene, oval(0.05 * away, 0.70, 0.18 * n, 0.05), dark(look), blur=2.5, opacity=0.5, lift=0.08)
    shade = [(away * 0.15, -0.12), (away * 0.11, 0.2), (away * 0.17 * n, 0.52)]
    paint(scene, ribbon(shade, 0.09), dark(look), blur=3, opacity=0.42, lift=0.05)
    wing = [(0.165 * n, 0.45), (0.215 * n, 0.56), (0.175 * n, 0.655)]
    paint(scene, both_sides(ribbon(wing, 0.035)), dark(look), blur=1, opacity=0.6, lift=0.03)
    hole = [(0.045, 0.645), (0.10 * n, 0.61), (0.145 * n, 0.645), (0.09, 0.668)]
    paint(scene, both_sides(curve(hole)), dark(look, 0.5), opacity=0.85, lift=0.08)
    side = look.light[0]
    ridge = ribbon([(0.04 * side, 0.0), (0.04 * side, 0.2), (0.04 * side, 0.4)], 0.05)
    light = [oval(0.05 * side, 0.5, 0.04, 0.035), ridge]
    paint(scene, light, mix(look.skin, (255, 250, 244), 0.7), blur=2, opacity=0.25, lift=0.15)


def mouth(scene: Scene) -> None:
    """Lips, teeth when the smile is open, the fold below and the corners."""
    look, smile = scene.look, max(scene.look.smile, 0)
    w, up, top, fat = 0.32 + 0.1 * smile, 0.09 * look.smile, 0.09 * look.lips, 0.13 * look.lips
    gap, y = (0.13 * smile if look.teeth else 0.0), look.chin - 0.02 * smile

    def across(middle: float, bow: float, half: float) -> list[tuple[float, float]]:
        """A line from corner to corner: how low it is in the middle, beside it, and halfway out."""
        right = [(0.075, y + bow), (w * 0.55, y + half), (w, y - up)]
        return [(-x, at) for x, at in right[::-1]] + [(0, y + middle)] + right

    seam, base = across(0.012, -0.004, 0.0), across(gap, gap * 0.97, gap * 0.85)
    crest = across(-0.85 * top, -1.1 * top, -0.7 * top)
    bottom = across(gap + fat, gap + fat * 0.98, gap + fat * 0.72)
    red = mix(np.multiply(look.skin, (0.82, 0.58, 0.56)), (176, 32, 52), 0.7 * look.makeup)
    paint(scene, oval(0, y + gap + fat + 0.07, 0.17, 0.035), dark(look), blur=2.5, opacity=0.4)
    if gap:
        _teeth(scene, _join(seam, base[::-1]), y, gap, w)
    paint(scene, _join(seam, crest[::-1]), tone(red, 0.82), blur=1, opacity=0.88)
    paint(scene, _join(base, bottom[::-1]), red, blur=1, opacity=0.88)
    shine = [(-0.14, y + gap + fat * 0.45), (0.02, y + gap + fat * 0.5), (0.14, y + gap + fat * 0.45)]
    paint(scene, ribbon(shine, 0.05), (255, 235, 228), blur=1.6, opacity=0.3)
    if not gap:
        paint(scene, ribbon(seam, 0.034, 0.4), dark(look, 0.6), opacity=0.85)
    paint(scene, both_sides(oval(w + 0.01, y - up, 0.03, 0.026)), dark(look, 0.8), blur=1.2, opacity=0.55)


def _join(*lines: ArrayLike) -> np.ndarray:
    """A closed outline of smooth lines, each starting where the one before ends."""
    return np.concatenate([curve(line, closed=False) for line in lines])


def _teeth(scene: Scene, opening: np.ndarray, y: float, gap: float, w: float) -> None:
    look, inside = scene.look, (48, 16, 16)
    paint(scene, opening, inside)
    paint(scene, opening * (0.88, 1) - (0, gap * 0.1), mix((232, 226, 216), look.skin, 0.1), opacity=0.95)
    lines = [ribbon([(k * 0.068, y - 0.02), (k * 0.066, y + gap * 0.85)], 0.012) for k in range(-3, 4)]
    paint(scene, lines, (150, 130, 122), opacity=0.3)
    paint(scene, both_sides(oval(w * 0.82, y, w * 0.16, gap)), inside, blur=1.5, opacity=0.5)


def wrinkles(scene: Scene) -> None:
    """Folds from nose to mouth with smile and age; lines on forehead and beside the eyes with age."""
    look, smile = scene.look, max(scene.look.smile, 0)
    w = 0.42 + 0.1 * smile
    fold = ribbon([(0.23, 0.58), (0.38, 0.75), (w, 0.95), (w, 1.08)], 0.06)
    paint(scene, both_sides(fold), dark(look), blur=1.8, opacity=0.1 + 0.22 * smile + 0.35 * look.age)
    crow = [[(0.7, 0.03 * k), (0.82, 0.07 * k - 0.05)] for k in range(3)]
    lines = [ribbon(side, 0.025) for line in crow for side in both_sides(line)]
    for y in (-0.88, -0.75, -0.62):
        lines += [ribbon([(-0.5, y + 0.02), (-0.2, y - 0.02), (0.2, y - 0.01), (0.5, y + 0.03)], 0.035)]
    paint(scene, lines, dark(look), blur=1, opacity=0.5 * (look.age - 0.45))


def beard(scene: Scene) -> None:
    """Stubble, moustache, goatee or full beard: hair in a soft region around the mouth."""
    look, rng = scene.look, scene.rng
    if look.beard == "none":
        return
    smile, jaw = max(look.smile, 0), head_shape(look, 0.015)
    w = 0.36 + 0.1 * smile
    edge = [(0, 0.79), (0.25, 0.8), (w, 0.96), (w + 0.03, 1.12), (w * 0.85, 1.02), (0, 0.9)]
    lip = curve(edge + [(-x, y) for x, y in edge[-2:0:-1]])
    chin = curve(mirrored([(0.16, 1.26 + 0.06 * smile), (0.33, 1.22), (0.42, 1.4), (0.2, 1.72)]))
    under = 1.32 + 0.06 * smile
    cheek = mirrored([(0, under), (0.32, 1.26), (0.44, 0.98), (0.72, 0.72), (0.88, 0.4), (0.98, 0.05)])
    cheek = cheek + np.stack([1.6 * turned_jaw(look, cheek[:, 1]), 0 * cheek[:, 1]], -1)
    below = jaw[jaw[:, 1] > 0.05]  # runs from the right temple under the chin to the left one
    region = coverage([lip] if look.beard == "moustache" else [lip, chin], look, 2.5, flat=False)
    if look.beard in ("full", "stubble"):
        sides = coverage([np.concatenate([cheek[:6], below, cheek[6:]])], look, 2.5)
        region = ImageChops.lighter(region, sides)
    strength = 0.3 if look.beard == "stubble" else 0.9
    grain = stretched(255 * (strength + 0.16 * rng.normal(size=(160, 160))))
    scene.picture.paste(scene.coat.point(lambda level: level * 0.85), mask=ImageChops.multiply(region, grain))
