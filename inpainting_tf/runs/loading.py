"""Loads a completion network from wherever one is kept."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import keras

from inpainting_tf import environment, files, models
from inpainting_tf.errors import InputError, unknown
from inpainting_tf.inference import Network
from inpainting_tf.recipes import assembly
from inpainting_tf.runs import packed
from inpainting_tf.runs.run import open_run

ENGINES = ("keras", "openvino")


def load(path: str | os.PathLike, *, engine: str = "keras") -> keras.Model | Network:
    """A completion network: one that comes with the package, a run's, a packed run's, or a `.keras` file's.

    Args:
        path: a name in `inpainting_tf.models.NAMES`, a run's folder, packed or not, or a model file that this
            package wrote. (A folder that has such a name: "./faces".)
        engine: "keras", or "openvino" for several times the speed on a CPU, in bfloat16 where it has that.

    Returns:
        A float32 Keras model that takes any picture size its network can work with; with "openvino" what
        `inpaint` takes just as well.

    Raises:
        InputError: nothing there, not a model of this package, an engine that is unknown or not installed.
    """
    environment.require_defaults()
    if engine not in ENGINES:
        raise unknown("engine", engine, ENGINES)
    model = _load(models.folder(path) or Path(path).expanduser())
    if engine == "keras":
        return model
    from inpainting_tf.inference.engines import openvino

    return openvino.compile(model)


def shown_name(path: str | os.PathLike) -> str:
    """What a network that `load` takes is called in tables and on pages: its folder's name, or its file's."""
    place = Path(path).expanduser().resolve()
    name = place.parent.name if place.name == "model.keras" else place.name.removesuffix(".keras")
    return files.readable(name)


def _load(path: Path) -> keras.Model:
    if packed.found(path):
        return _unpacked(path)
    file = path / "model.keras" if path.is_dir() else path
    if not file.is_file():
        raise InputError(
            f"`path` must be {', '.join(models.NAMES)}, a run's folder or a .keras file. "
            f"Received {str(path)!r}: no such model."
        )
    try:
        model = keras.models.load_model(file, compile=False)
    except (ValueError, OSError, TypeError, KeyError, zipfile.BadZipFile) as error:
        reason = str(error).strip().partition("\n")[0]
        raise InputError(f"{str(file)!r} is not a Keras model that can be loaded: {reason}") from error
    inputs = getattr(model, "input", None)  # a model of another make may have none
    if not isinstance(inputs, dict) or set(inputs) != {"image", "mask"}:
        raise InputError(f"{str(file)!r} is not a completion network: it must take 'image' and 'mask'.")
    return model


def _unpacked(folder: Path) -> keras.Model:
    model = assembly.portable_network(open_run(folder).recipe)
    packed.restore(folder, model)
    return model
