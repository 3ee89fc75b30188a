"""What the tests of clusters fill holes with: in a module of its own, which their processes import."""

from __future__ import annotations

import os
from pathlib import Path

from inpainting_tf import inference, loading

POISON = 77  # pixels wide: a picture that ends the process


def build(folder: Path):
    """The shipped model; a file in the folder tells its process."""
    (folder / f"{os.getpid()}.pid").touch()
    model = loading.load("faces", threads=1)

    def inpaint(image, mask, *, trust_rim):
        if image.shape[1] == POISON:
            os._exit(1)
        return inference.inpaint(model, image, mask, trust_rim=trust_rim)

    return inpaint
