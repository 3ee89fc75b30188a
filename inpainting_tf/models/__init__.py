"""The shipped models, each a packed run with its model card (`MODEL_CARD.md`)."""

from __future__ import annotations

import os
import types
from pathlib import Path

ABOUT = types.MappingProxyType(
    {
        "faces": "faces as CelebA crops them, 64 px, holes of many kinds (GLCIC at half width, 3 MB)",
        "cifar10": "animals and vehicles, 32 px, holes of many kinds (`best` at half width, 4 MB)",
    }
)
NAMES = tuple(ABOUT)


def folder(name: str | os.PathLike) -> Path | None:
    """Where the model of that name lies; None for any other name."""
    return Path(__file__).parent / name if name in NAMES else None
