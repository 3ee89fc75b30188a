"""Synthetic portraits, drawn by code: a data set that needs no download and no consent.

`face(index)` draws one person in the manner of an aligned face crop: eyes at a stable height, face filling
most of the picture. Everything is drawn upright on one canvas in face coordinates (x to the right, y down,
origin between the eyes, 1 = half the width of a face), then tilted, cropped, graded like a photograph and
resampled.
"""

from __future__ import annotations

import numpy as np

from inpainting_tf.data.synthetic_faces.background import background
from inpainting_tf.data.synthetic_faces.clothing import clothes, glasses, hat
from inpainting_tf.data.synthetic_faces.drawing import Scene
from inpainting_tf.data.synthetic_faces.features import beard, brows, eyes, mouth, nose, wrinkles
from inpainting_tf.data.synthetic_faces.hair import coat, hair_back, hair_front
from inpainting_tf.data.synthetic_faces.head import ears, head, neck
from inpainting_tf.data.synthetic_faces.look import draw_look
from inpainting_tf.data.synthetic_faces.photograph import photograph
from inpainting_tf.errors import InputError


def face(index: int, image_size: int | tuple[int, int] = 128, *, seed: int = 0) -> np.ndarray:
    """One drawn portrait, the same for the same `(seed, index)` at every size.

    Args:
        index: which person, 0 or more.
        image_size: side, or (height, width), in pixels, 8 to 1024; detail is drawn for up to 256. A picture
            that is not square shows the middle of the square one, undistorted.
        seed: which population, 0 or more.

    Returns:
        uint8 RGB picture [height, width, 3], values 0 to 255.

    Raises:
        InputError: `index` or `seed` is not a whole number of 0 or more, or `image_size` is out of range.
    """
    height, width = _check(index, image_size, seed)
    rng = np.random.default_rng([seed, index])
    look = draw_look(rng)
    scene = Scene(background(look, rng), look, rng, coat(look, rng))
    behind = (hair_back, neck, clothes, ears)
    features = (head, eyes, brows, nose, mouth, wrinkles, beard)
    for step in (*behind, *features, glasses, hair_front, hat):
        step(scene)
    return np.array(photograph(scene, height, width))


def _check(index: object, image_size: object, seed: object) -> tuple[int, int]:
    for name, value in (("index", index), ("seed", seed)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 0:
            raise InputError(f"`{name}` must be a whole number of 0 or more. Received {value!r}.")
    sides = image_size if isinstance(image_size, (tuple, list)) else (image_size, image_size)
    whole = all(isinstance(side, (int, np.integer)) and not isinstance(side, bool) for side in sides)
    if len(sides) != 2 or not whole or not all(8 <= side <= 1024 for side in sides):
        rule = "must be a side or (height, width), whole, 8 to 1024"
        raise InputError(f"`image_size` {rule}. Received {image_size!r}.")
    return int(sides[0]), int(sides[1])
