"""The background."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from inpainting_tf.data.synthetic_faces.colours import Colour, mix, tone, vary
from inpainting_tf.data.synthetic_faces.drawing import CANVAS, smooth_noise
from inpainting_tf.data.synthetic_faces.look import Look


def background(look: Look, rng: np.random.Generator) -> Image.Image:
    """An out-of-focus place: drawn small, blurred, enlarged."""
    side = 80
    base = vary(rng.uniform(45, 220) * rng.uniform(0.82, 1.08, 3), rng, 4)
    other = vary(rng.uniform(20, 240) * rng.uniform(0.82, 1.08, 3), rng, 4)
    ramp = np.linspace(0, 1, side)
    turn = rng.uniform(0, 2 * np.pi)
    mixed = 0.5 + 0.6 * (np.cos(turn) * (ramp[None] - 0.5) + np.sin(turn) * (ramp[:, None] - 0.5))
    if look.background == "studio":
        x, y = rng.uniform(0.3, 0.7, 2)
        mixed = 1.5 * np.hypot(ramp[None] - x, ramp[:, None] - y)
    if look.background == "foliage":
        mixed = 0.5 + 0.7 * smooth_noise(rng, 6, side) + 0.7 * smooth_noise(rng, 22, side)
        base, other = vary((60, 88, 42), rng, 18), vary((188, 204, 140), rng, 22)
    array = np.asarray(base) + np.clip(mixed, 0, 1)[..., None] * np.subtract(other, base)
    picture = Image.fromarray(np.clip(array, 0, 255).astype(np.uint8))
    if look.background in _PLACES:
        _PLACES[look.background](ImageDraw.Draw(picture, "RGBA"), rng, base)
    picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.8, 2.2)))
    return picture.resize((CANVAS, CANVAS), Image.Resampling.BILINEAR)


def _bokeh(draw: ImageDraw.ImageDraw, rng: np.random.Generator, base: Colour) -> None:
    draw.rectangle((0, 0, 80, 80), fill=(*tone(base, 0.3), 150))
    for x, y, radius, glow in rng.uniform((0, 0, 2, 40), (80, 80, 7, 170), (26, 4)):
        colour = tone(mix((255, 190, 110), rng.uniform(60, 255, 3), 0.5))
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(*colour, int(glow)))


def _window(draw: ImageDraw.ImageDraw, rng: np.random.Generator, base: Colour) -> None:
    left, width = rng.choice([rng.uniform(-12, 6), rng.uniform(48, 62)]), rng.uniform(24, 34)
    top, bottom = rng.uniform(-5, 14), rng.uniform(50, 85)
    draw.rectangle((left - 3, top - 3, left + width + 3, bottom + 3), fill=(*tone(base, 1.35), 255))
    draw.rectangle((left, top, left + width, bottom), fill=(*tone(rng.uniform(195, 250, 3)), 255))
    for at in (0.33, 0.66):
        y = top + at * (bottom - top)
        draw.line((left, y, left + width, y), (*tone(base, 1.2), 255), 2)
    draw.line((left + width / 2, top, left + width / 2, bottom), (*tone(base, 1.2), 255), 2)


def _stripes(draw: ImageDraw.ImageDraw, rng: np.random.Generator, base: Colour) -> None:
    step, upright = rng.uniform(6, 16), rng.random() < 0.6
    for at in np.arange(rng.uniform(-step, 0), 80, step):
        box = (at, 0, at + step * 0.45, 80) if upright else (0, at, 80, at + step * 0.45)
        draw.rectangle(box, fill=(*tone(base, rng.uniform(0.6, 0.8)), 170))


def _street(draw: ImageDraw.ImageDraw, rng: np.random.Generator, base: Colour) -> None:
    draw.rectangle((0, 0, 80, rng.uniform(15, 40)), fill=(*tone(rng.uniform(175, 235, 3)), 255))
    for x in np.arange(-5, 80, rng.uniform(9, 18)):
        box = (x, rng.uniform(5, 45), x + rng.uniform(8, 18), 80)
        draw.rectangle(box, fill=(*tone(rng.uniform(50, 190) * rng.uniform(0.85, 1.1, 3)), 235))
    draw.rectangle((0, rng.uniform(58, 72), 80, 80), fill=(*tone(base, 0.7), 255))


_PLACES = {"bokeh": _bokeh, "window": _window, "stripes": _stripes, "street": _street}
