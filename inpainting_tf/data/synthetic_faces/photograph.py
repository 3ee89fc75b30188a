"""Turns a drawing into a photograph."""

from __future__ import annotations

import numpy as np
from PIL import Image

from inpainting_tf.data.synthetic_faces.drawing import CANVAS, Scene
from inpainting_tf.data.synthetic_faces.look import Look

VIEW = 256  # pixels of the canvas that the picture shows


def photograph(scene: Scene, height: int, width: int) -> Image.Image:
    """Tilt, grade, crop to the aspect in the middle, and resample with antialiasing to [height, width]."""
    look = scene.look
    cos, sin = np.cos(look.tilt) / look.scale, np.sin(look.tilt) / look.scale
    turn = np.array([[cos, sin], [-sin, cos]])
    corner = CANVAS / 2 + np.asarray(look.shift) - turn @ (VIEW / 2, VIEW / 2)
    matrix = (cos, sin, corner[0], -sin, cos, corner[1])
    view = scene.picture.transform((VIEW, VIEW), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
    shrink = VIEW / max(height, width)
    w, h = width * shrink, height * shrink
    box = ((VIEW - w) / 2, (VIEW - h) / 2, (VIEW + w) / 2, (VIEW + h) / 2)
    picture = view.resize((width, height), Image.Resampling.BICUBIC, box=box, reducing_gap=2.0)
    return picture.point(_grade(look))


def _grade(look: Look) -> list[int]:
    """Exposure, a gentle contrast curve and the colour of the light as one table per channel."""
    level = np.linspace(0, 1, 256)
    curve = level + 0.045 * np.sin(2 * np.pi * (level - 0.5))
    gains = look.exposure * np.array([1 + look.warmth, 1.0, 1 - look.warmth])
    return np.clip(255 * gains[:, None] * curve, 0, 255).astype(int).ravel().tolist()
