"""Pictures as the bytes of files."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image


def encoded(array: np.ndarray, form: str = "PNG", **options: object) -> bytes:
    """A picture file; `options` are those of Pillow."""
    file = io.BytesIO()
    Image.fromarray(array).save(file, form, **options)
    return file.getvalue()


def decoded(data: bytes) -> np.ndarray:
    """The pixels of a picture file."""
    with Image.open(io.BytesIO(data)) as image:
        return np.array(image)
