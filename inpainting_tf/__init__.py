"""Image inpainting in Keras: the systems of five papers, trained, measured and used alike.

model = inpainting_tf.load("photos")       # a shipped model, a run's folder or a .keras file
filled = model.inpaint(image, mask)        # uint8 in, uint8 out; a non-zero mask pixel is missing
network = inpainting_tf.build("glcic", image_size=64, width=32)   # untrained
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from inpainting_tf import imports
from inpainting_tf.environment import forget_unknown_matplotlib_backend
from inpainting_tf.errors import InputError
from inpainting_tf.streams import hush_tensorflow

if TYPE_CHECKING:
    from inpainting_tf.inference import inpaint
    from inpainting_tf.inpainter import Inpainter
    from inpainting_tf.loading import load
    from inpainting_tf.recipes import build

# Before Keras or TensorFlow are imported.
forget_unknown_matplotlib_backend()
hush_tensorflow()

__all__ = ["Inpainter", "InputError", "build", "inpaint", "load"]
__version__ = "0.2.0.dev0"

# Modules of the public names: imported at their first use, since Keras takes seconds to load.
_MODULES = {"build": "recipes", "inpaint": "inference", "Inpainter": "inpainter", "load": "loading"}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)


# Keras then finds the classes in a `.keras` file of this package.
imports.after("keras", f"{__name__}.networks")
