"""The shipped models, each a packed run with its model card (`MODEL_CARD.md`)."""

from __future__ import annotations

import os
import types
from pathlib import Path

ABOUT = types.MappingProxyType(
    {
        "photos": "any photograph, thin and large holes, at 128 px (`networks.photos`, 3 MB)",
        "faces": "faces as CelebA crops them, 64 px, holes of many kinds (GLCIC at half width, 3 MB)",
        "cifar10": "animals and vehicles, 32 px, holes of many kinds (`best` at half width, 4 MB)",
    }
)
NAMES = tuple(ABOUT)
DEFAULT = "photos"

_HOME = Path(__file__).parent
_HELD = ("recipe.json", "model.keras")  # files that mark the folder of a run or a model


def locate(path: str | os.PathLike) -> Path:
    """The folder or file of a model: the path, or the shipped model of that name.

    A run in a folder called "faces" takes precedence over the model of that name.
    """
    here = Path(path).expanduser()
    if path in NAMES and not any((here / file).is_file() for file in _HELD):
        return _HOME / path
    return here


def is_shipped(folder: Path) -> bool:
    """Whether a folder is that of a shipped model, where nothing may be written."""
    return folder.resolve().parent == _HOME.resolve()
