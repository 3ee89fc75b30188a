"""Loads a completion network as a Keras model: a shipped model, a run, packed or not, or a file."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import cast

import keras
import numpy as np

from inpainting_tf import models
from inpainting_tf.errors import InputError
from inpainting_tf.inpainter import Inpainter
from inpainting_tf.recipes import assembly
from inpainting_tf.runs import packed, version_0_1
from inpainting_tf.runs.run import Run, open_run


def inpainter(preset: str | os.PathLike) -> Inpainter:
    """See `Inpainter.from_preset`."""
    return _load(models.locate(preset))


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
