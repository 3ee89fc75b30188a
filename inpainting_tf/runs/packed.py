"""Weights in half precision, in files small enough for any repository: what is kept of a training.

weights-1.npz  weights-2.npz  ...    the network's variables in their order, float16

A variable that float16 cannot hold (beyond 65504, as a variance may be) stays float32.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from inpainting_tf import files
from inpainting_tf.errors import InputError

LIMIT = 15_000_000  # bytes of a file; a larger variable has a file of its own


def write(weights: Sequence[np.ndarray], folder: Path) -> list[Path]:
    """Writes the files into `folder` and returns them.

    Args:
        weights: finite arrays, as `keras.Model.get_weights` gives them.
        folder: made if missing.

    Raises:
        InputError: they cannot be written.
    """
    written = []
    for number, part in enumerate(_parts([_half(array) for array in weights]), 1):
        written.append(folder / f"weights-{number}.npz")
        with files.replacing(written[-1]) as temporary, open(temporary, "wb") as file:
            np.savez(file, *part)
    return written


def found(folder: Path) -> bool:
    """Whether `folder` holds packed weights."""
    return (folder / "weights-1.npz").is_file()


def read(folder: Path) -> list[np.ndarray]:
    """The weights in `folder` as float32 arrays, in their order.

    Raises:
        InputError: a file is missing or damaged.
    """
    weights: list[np.ndarray] = []
    parts = sorted(folder.glob("weights-*.npz"), key=lambda path: int(path.stem.partition("-")[2]))
    for number, path in enumerate(parts, 1):
        if path.name != f"weights-{number}.npz":
            raise InputError(f"`{folder}` lacks weights-{number}.npz: copy the whole folder again.")
        try:
            with np.load(path) as part:
                weights += [part[f"arr_{i}"].astype("float32") for i in range(len(part.files))]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise InputError(f"{path} is damaged ({error}): copy the whole folder again.") from error
    return weights


def _half(array: np.ndarray) -> np.ndarray:
    largest = np.abs(array).max(initial=0.0)
    return array.astype("float16" if largest <= np.finfo("float16").max else "float32")


def _parts(arrays: Sequence[np.ndarray]) -> Iterator[list[np.ndarray]]:
    part: list[np.ndarray] = []
    for array in arrays:
        if part and sum(each.nbytes for each in part) + array.nbytes > LIMIT:
            yield part
            part = []
        part.append(array)
    yield part
