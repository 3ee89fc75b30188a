"""The shipped models, each a packed run with its model card (`MODEL_CARD.md`), and as an ONNX file."""

from __future__ import annotations

import os
import types
from pathlib import Path

from inpainting_tf import files

ABOUT = types.MappingProxyType(
    {
        "photos": "any photograph, thin and large holes, at 128 px (`networks.photos`, 3 MB)",
        "faces": "portraits, thin and large holes, at 128 px (`networks.photos`, 3 MB)",
        "cifar10": "animals and vehicles, 32 px, holes of many kinds (`best` at half width, 4 MB)",
    }
)
NAMES = tuple(ABOUT)
DEFAULT = "photos"
ENGINES = ("auto", "keras", "onnx", "openvino")  # see `loading.load`
KEPT = "kept"  # the folder of the models that a run keeps from its earlier epochs

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


def exported(path: str | os.PathLike) -> Path | None:
    """The ONNX file of the shipped model that `locate` finds, else None."""
    file = locate(path) / "network.onnx"
    return file if is_shipped(file.parent) and file.is_file() else None


def is_shipped(folder: Path) -> bool:
    """Whether a folder is that of a shipped model, where nothing may be written."""
    return folder.resolve().parent == _HOME.resolve()


def shown_name(path: str | os.PathLike) -> str:
    """A network's name in tables and on pages, for a path that `load` takes: its folder's or its file's.

    The models of a run have the run's name: "glcic", "glcic_best" for `model_best.keras`, "glcic_epoch_0010"
    for one that was kept.
    """
    place = Path(path).expanduser().resolve()
    name = place.name.removesuffix(".keras")
    if name != place.name and name in ("model", "model_best"):
        name = place.parent.name + name.removeprefix("model")
    elif place.parent.name == KEPT:
        name = f"{place.parent.parent.name}_{name}"
    return files.readable(name)
