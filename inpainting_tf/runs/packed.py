"""A packed run's weights: half precision, in files small enough for any repository.

weights-1.npz  weights-2.npz  ...    the network's weights under their paths, e.g. "conv1/kernel", float16
discriminator-1.npz  ...             the same for its discriminator, where there is one

A weight that float16 cannot hold (beyond 65504, as a variance may be) stays float32. Files of earlier
versions have no paths; their weights, arr_0, arr_1, ... in each file, are in the order of the network's.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import keras
import numpy as np

from inpainting_tf import files
from inpainting_tf.errors import InputError

WEIGHTS, DISCRIMINATOR = "weights", "discriminator"
LIMIT = 15_000_000  # bytes of a file; a larger variable has a file of its own


def write(weights: Mapping[str, np.ndarray], folder: Path, name: str = WEIGHTS) -> list[Path]:
    """Writes the files into `folder` and returns them.

    Args:
        weights: path -> finite array, as `of` returns them.
        folder: made if missing.
        name: `WEIGHTS` or `DISCRIMINATOR`, with which the files' names begin.

    Raises:
        InputError: they cannot be written.
    """
    written = []
    for number, part in enumerate(_parts((path, _half(array)) for path, array in weights.items()), 1):
        written.append(folder / f"{name}-{number}.npz")
        with files.replacing(written[-1]) as temporary, open(temporary, "wb") as file:
            np.savez(file, **cast(dict[str, Any], part))
    with files.writing(folder):
        for former in {*folder.glob(f"{name}-*.npz")} - {*written}:  # of a larger network
            former.unlink()
    return written


def of(model: keras.Model) -> dict[str, np.ndarray]:
    """The weights of a network under their paths, in its order."""
    arrays = {weight.path: keras.ops.convert_to_numpy(weight) for weight in model.weights}
    if len(arrays) != len(model.weights):
        raise ValueError("Two weights of the network have the same path.")
    return arrays


def restore(folder: Path, model: keras.Model) -> None:
    """Loads the weights in `folder` into a network of the same recipe.

    Raises:
        InputError: a file is missing or damaged, or the weights are those of another network.
    """
    stored = read(folder)
    if isinstance(stored, list) and len(stored) == len(model.weights):
        stored = dict(zip((weight.path for weight in model.weights), stored, strict=True))
    if fault := difference(stored, model):
        raise InputError(f"The weights in {str(folder)!r} are not those of its recipe: {fault}.")
    assign(cast(dict[str, np.ndarray], stored), model)


def assign(stored: Mapping[str, np.ndarray], model: keras.Model) -> None:
    """Sets a network's weights to the arrays under their paths, which have no `difference`."""
    for weight in model.weights:
        weight.assign(stored[weight.path])


def difference(stored: Mapping[str, np.ndarray] | list[np.ndarray], model: keras.Model) -> str:
    """The first difference in path or shape from the weights of a network; empty if there is none."""
    own = {weight.path: weight for weight in model.weights}
    if isinstance(stored, list):
        return f"there are {len(stored)} and not {len(own)}"
    for path in [*own, *stored]:
        if path not in stored:
            return f"{path!r} is missing"
        if path not in own:
            return f"the network has no {path!r}"
        if stored[path].shape != tuple(own[path].shape):
            return f"{path!r} is {stored[path].shape} and not {tuple(own[path].shape)}"
    return ""


def found(folder: Path, name: str = WEIGHTS) -> bool:
    """Whether `folder` holds packed weights, of the network or of its discriminator."""
    return (folder / f"{name}-1.npz").is_file()


def read(folder: Path, name: str = WEIGHTS) -> dict[str, np.ndarray] | list[np.ndarray]:
    """The weights in `folder` as float32 arrays under their paths; in a list if it has no paths.

    Raises:
        InputError: a file is missing or damaged.
    """
    weights: dict[str, np.ndarray] = {}
    parts = sorted(folder.glob(f"{name}-*.npz"), key=lambda path: int(path.stem.partition("-")[2]))
    for number, path in enumerate(parts, 1):
        if path.name != f"{name}-{number}.npz":
            raise InputError(f"`{folder}` lacks {name}-{number}.npz: copy the whole folder again.")
        try:
            with np.load(path) as part:
                nameless = "arr_0" in part.files
                for path_of in part.files:
                    key = f"{number}:{path_of}" if nameless else path_of
                    weights[key] = part[path_of].astype("float32")
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise InputError(f"{path} is damaged ({error}): copy the whole folder again.") from error
    return list(weights.values()) if nameless else weights


def _half(array: np.ndarray) -> np.ndarray:
    largest = np.abs(array).max(initial=0.0)
    return array.astype("float16" if largest <= np.finfo("float16").max else "float32")


def _parts(arrays: Iterable[tuple[str, np.ndarray]]) -> Iterator[dict[str, np.ndarray]]:
    part: dict[str, np.ndarray] = {}
    for path, array in arrays:
        if part and sum(each.nbytes for each in part.values()) + array.nbytes > LIMIT:
            yield part
            part = {}
        part[path] = array
    yield part
