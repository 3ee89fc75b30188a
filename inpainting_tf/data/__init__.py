"""Pictures for training and testing: `load` finds a source, splits it and decodes it.

`sources` finds pictures, `pictures` reads them, `prepared` stores them decoded for another machine,
`pipeline` makes batches with holes of them. `add_holes` does that for any `tf.data` pipeline.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
from collections.abc import Container, Mapping, Sequence
from pathlib import Path

import numpy as np

from inpainting_tf.data import pictures, prepared, sources
from inpainting_tf.data.holes import add_holes
from inpainting_tf.data.pictures import Decoded
from inpainting_tf.errors import InputError

__all__ = ["Data", "Dataset", "add_holes", "fingerprint", "load", "split"]


@dataclasses.dataclass(frozen=True)
class Data:
    """Pictures: source, number, size.

    Attributes:
        source: a name in `inpainting_tf.data.sources.SOURCES`.
        image_size: side in pixels; pictures are centre-cropped to a square.
        train: largest number of training pictures; None for all but the test pictures.
        test: largest number of test pictures: of a source's own test pictures, or, where it has none of its
            own, of a fifth of its pictures.
        split_seed: of the split into training and test, and of the choice where not all pictures are used.
        flip: mirror half of the training pictures, drawn anew each time.
        classes: classes of the source, comma separated, e.g. "automobile"; None for all.
    """

    source: str = "celeba"
    image_size: int = 128
    train: int | None = 4750
    test: int = 250
    split_seed: int = 0
    flip: bool = True
    classes: str | None = None


@dataclasses.dataclass(frozen=True)
class Dataset:
    """Decoded pictures of both splits; `origin` is the folder, archive or generator they came from."""

    train: Decoded
    test: Decoded
    origin: str

    def names(self) -> dict[str, list[str]]:
        """The names of the pictures of each split, as a run's folder holds them."""
        return {"train": self.train.names, "test": self.test.names}


def load(
    data: Data,
    data_dir: str | os.PathLike | None = None,
    *,
    names: Mapping[str, Sequence[str]] | None = None,
    splits: Sequence[str] = ("train", "test"),
) -> Dataset:
    """The pictures of a recipe, decoded; unreadable ones are left out and named in a warning per split.

    Args:
        data: the recipe's part.
        data_dir: the folder, archive or data set prepared for TFDS that the source reads, or a folder of
            `python -m inpainting_tf.prepare`; None searches the usual folders.
        names: the pictures of each split, as `Dataset.names` returned them; None splits anew, into the same
            pictures as long as the source holds the same.
        splits: those to decode; the others stay empty.

    Raises:
        InputError: no such source or class, nothing found, too few pictures, a named picture that is not
            there, or a folder that was prepared with other settings.
    """
    size = (data.image_size, data.image_size)
    stored = prepared.find(data_dir)
    known: Container[str]
    if stored is None:
        source = sources.find(data.source, data_dir, data.classes)
        names = split(source.names, data, source.test) if names is None else names
        position = {name: index for index, name in enumerate(source.names)}
        origin, known = source.origin, position.keys()
    else:
        stored.require(data, _selecting(splits) if names is None else ("source", "image_size"))
        names = stored.names if names is None else names
        origin, known = str(stored.folder), {name for part in stored.names.values() for name in part}

    def decode(which: str) -> Decoded:
        if which not in splits:
            return Decoded(np.empty((0, *size, 3), np.uint8), [], [])
        absent = [name for name in names[which] if name not in known]
        if absent:
            raise InputError(
                f"{len(absent)} {which} pictures of this run are not in {origin} any more, e.g. "
                f"{absent[0]}. Pass the folder it was trained on as --data_dir."
            )
        if stored is not None:
            return stored.pictures(names[which])
        return pictures.decode(source, [position[name] for name in names[which]], size)

    return Dataset(decode("train"), decode("test"), origin)


def place(data: Data, places: Sequence[str]) -> str | None:
    """The first of some folders or archives that holds a recipe's pictures.

    None for pictures that are drawn, and with none to choose from.

    Raises:
        InputError: no folder holds them; the message is that of the last one.
    """
    drawn = data.source == "synthetic_faces"
    candidates: Sequence[str | None] = [None] if drawn or not places else places
    for each in candidates[:-1]:
        with contextlib.suppress(InputError):
            load(data, each, splits=())
            return each
    load(data, candidates[-1], splits=())
    return candidates[-1]


def fingerprint(
    data: Data, data_dir: str | os.PathLike | None = None, names: Sequence[str] | None = None
) -> str | None:
    """Changes with the name or size of a file behind some pictures, not with the folder that they are in.

    Args:
        data: the recipe's part.
        data_dir: as `load` takes it.
        names: of the pictures; None for all of the source. Where several are in one file (an archive, a
            prepared data set), the whole file is meant.

    Returns:
        A hexadecimal number, or None where the pictures are not found.
    """
    try:
        found = _files(data, data_dir, names)
        sizes = sorted((file.name, file.stat().st_size) for file in found)
    except (InputError, OSError):
        return None
    return hashlib.sha256(json.dumps(sizes).encode()).hexdigest()[:16]


def _files(data: Data, data_dir: str | os.PathLike | None, names: Sequence[str] | None) -> Sequence[Path]:
    if (stored := prepared.find(data_dir)) is not None:
        return [stored.folder / f"{which}.npy" for which in prepared.SPLITS]
    source = sources.find(data.source, data_dir, data.classes)
    if names is None or len(source.files) != len(source.names):
        return source.files
    wanted = set(names)
    return [file for name, file in zip(source.names, source.files, strict=True) if name in wanted]


def _selecting(splits: Sequence[str]) -> list[str]:
    """The fields of `Data` on which the choice of pictures depends; that of the test split not on `train`."""
    return [field for field in prepared.FLAGS if field != "train" or "train" in splits]


def split(names: Sequence[str], data: Data, own_test: Container[str] | None = None) -> dict[str, list[str]]:
    """{"train": names, "test": names}, drawn by `data.split_seed` and each in the source's order.

    Args:
        names: all pictures of the source.
        data: how many of each.
        own_test: the names of the source's own test split; None draws them.

    Raises:
        InputError: no picture for one of the two.
    """
    if len(names) < 2:
        raise InputError(f"Training and testing need at least two pictures. Received {len(names)}.")
    order = np.random.default_rng(data.split_seed).permutation(len(names))
    if own_test is None:
        drawn = min(data.test, max(1, len(names) // 5))
        test, train = order[:drawn], order[drawn:]
    else:
        kept = np.array([names[i] in own_test for i in order])
        test, train = order[kept], order[~kept]
    if not (len(test) and len(train)):
        raise InputError(
            f"Training and testing need at least one picture each. Received {len(train)} and {len(test)}."
        )
    parts = {"train": train[: data.train], "test": test[: data.test]}
    return {which: [names[i] for i in sorted(index)] for which, index in parts.items()}
