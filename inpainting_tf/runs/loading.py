"""Loads a completion network: a shipped model, a run, packed or not, or a file."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import cast

import keras
import numpy as np

from inpainting_tf import environment, files, models
from inpainting_tf.errors import InputError, unknown
from inpainting_tf.inference import Engine
from inpainting_tf.inpainter import Inpainter
from inpainting_tf.recipes import assembly
from inpainting_tf.runs import packed, version_0_1
from inpainting_tf.runs.run import KEPT, Run, open_run

ENGINES = ("keras", "openvino")


def load(path: str | os.PathLike, *, engine: str = "keras") -> Engine:
    """A trained completion network.

    Args:
        path: a name in `inpainting_tf.models.NAMES`, a run's folder, packed or not, or a `.keras` file that
            this package wrote; or an `.onnx` or `.tflite` file that it exported, which its own runtime runs.
            A run in a folder of such a name goes before the model.
        engine: "keras", or "openvino" for several times the speed on a CPU, in bfloat16 where supported.

    Returns:
        With "keras" an `Inpainter` in float32, for any picture size that its network takes; otherwise an
        engine with the same `facts`, `fill` and `inpaint`.

    Raises:
        InputError: no such path, not a model of this package, an engine that is unknown or not installed.

    Example:
        >>> import inpainting_tf
        >>> model = inpainting_tf.load("photos")
        >>> model.facts.trained_on  # pictures of 128 px, holes up to 48 px unreduced
        (128, 48)
    """
    environment.require_defaults()
    if engine not in ENGINES:
        raise unknown("engine", engine, ENGINES)
    place = Path(path).expanduser()
    if place.suffix in (".onnx", ".tflite"):
        return _exported(place)
    model = inpainter(path)
    if engine == "keras":
        return model
    from inpainting_tf.inference.engines import openvino

    return openvino.compile(model)


def inpainter(preset: str | os.PathLike) -> Inpainter:
    """See `Inpainter.from_preset`."""
    return _load(models.locate(preset))


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


def _exported(file: Path) -> Engine:
    if file.suffix == ".onnx":
        from inpainting_tf.inference.engines import onnx

        return onnx.load(file)
    from inpainting_tf.inference.engines import litert

    return litert.load(file)


def _load(path: Path) -> Inpainter:
    if packed.found(path):
        return _unpacked(path)
    file = path / "model.keras" if path.is_dir() else path
    if not file.is_file():
        raise InputError(
            f"`path` must be {', '.join(models.NAMES)}, a run's folder or a .keras file. "
            f"Received {str(path)!r}: no such model."
        )
    model = keras_model(file)
    if isinstance(model, Inpainter):
        return model
    inputs = getattr(model, "input", None)  # a subclassed model has none
    if not isinstance(inputs, dict) or set(inputs) != {"image", "mask"}:
        raise InputError(f"{str(file)!r} is not a completion network: it must take 'image' and 'mask'.")
    return version_0_1.inpainter(model, file)


def discriminator(run: Run) -> dict[str, np.ndarray] | None:
    """The weights of the discriminator that a run kept, packed or not, under their paths; None without one.

    Raises:
        InputError: they cannot be read.
    """
    if packed.found(run.folder, packed.DISCRIMINATOR):
        return cast(dict[str, np.ndarray], packed.read(run.folder, packed.DISCRIMINATOR))
    return packed.of(keras_model(run.discriminator_file)) if run.discriminator_file.is_file() else None


def keras_model(file: Path) -> keras.Model:
    """The model in a `.keras` file, uncompiled; raises InputError where there is none."""
    try:
        return keras.models.load_model(file, compile=False)
    except (ValueError, OSError, TypeError, KeyError, zipfile.BadZipFile) as error:
        reason = str(error).strip().partition("\n")[0]
        raise InputError(f"{str(file)!r} is not a Keras model that can be loaded: {reason}") from error


def _unpacked(folder: Path) -> Inpainter:
    model = assembly.portable_network(open_run(folder).recipe)
    packed.restore(folder, model)
    return model
