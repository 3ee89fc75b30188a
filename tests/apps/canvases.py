"""What the tests of the demo page share: a picture, a hole, files of them, a painting of them."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from inpainting_tf.apps import retouching
from inpainting_tf.data.synthetic_faces import face

SIZE = (96, 128)
FRAME = (255, 0, 255)  # of the picture in the browser, to find it there


def framed() -> np.ndarray:
    """A picture with a frame in a colour of its own."""
    picture = face(3, SIZE)
    picture[:3], picture[-3:], picture[:, :3], picture[:, -3:] = (FRAME,) * 4
    return picture


def two_holes() -> np.ndarray:
    """bool [H, W]."""
    missing = np.zeros(SIZE, bool)
    missing[50:70, 30:65] = True
    missing[20:24, 90:100] = True
    return missing


def paint(missing: np.ndarray, opacity: int = 255) -> np.ndarray:
    return missing.astype(np.uint8) * np.uint8(opacity)


def painted(missing: np.ndarray, opacity: int = 255) -> bytes:
    """What a browser sends: a PNG of the view."""
    return retouching.encoded_paint(paint(missing, opacity))


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)


def animation() -> bytes:
    frames = [Image.fromarray(face(i, (16, 24))) for i in range(3)]
    file = io.BytesIO()
    frames[0].save(file, "gif", save_all=True, append_images=frames[1:])
    return file.getvalue()


def bomb() -> bytes:
    """20,000 x 20,000 black pixels in a few kilobytes."""
    file = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(file, "png")
    return file.getvalue()
