"""Pictures for training, validation and testing: `load` finds a source, splits it and decodes it.

`sources` finds pictures, `pictures` reads them, `prepared` stores them decoded for another machine,
`pipeline` makes batches with holes of them. `add_holes` does that for any `tf.data` pipeline.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import types
from collections.abc import Container, Mapping, Sequence
from pathlib import Path

import numpy as np

from inpainting_tf import sizes
from inpainting_tf.data import pictures, prepared, sources
from inpainting_tf.data.holes import add_holes
from inpainting_tf.data.pictures import Decoded
from inpainting_tf.data.prepared import SPLITS, Prepared
from inpainting_tf.errors import InputError

__all__ = ["SPLITS", "Data", "Dataset", "add_holes", "fingerprint", "load", "split"]

_VALIDATION = 1  # its stream of `split_seed`


@dataclasses.dataclass(frozen=True)
class Data:
    """Pictures: source, number, size.

    Attributes:
        source: a name in `inpainting_tf.data.sources.SOURCES`.
        image_size: side of a square in pixels, or (height, width); pictures are centre-cropped to that shape.
        train: largest number of pictures to train and to validate on; None for all but the test pictures.
        validation: largest number of validation pictures: of a source's own, or, where it has none of its
            own, of a fifth of `train`. All that is chosen during a training is chosen on them.
        test: largest number of test pictures: of a source's own test pictures, or, where it has none of its
            own, of a fifth of its pictures.
        split_seed: of the split, and of the choice where not all pictures are used.
        flip: mirror half of the training pictures, drawn anew each time.
        classes: classes of the source, comma separated, e.g. "automobile"; None for all.
    """

    source: str = "celeba"
    image_size: sizes.Size = 128
    train: int | None = 4750
    validation: int = 250
    test: int = 250
    split_seed: int = 0
    flip: bool = True
    classes: str | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the pictures in pixels."""
        return sizes.shape(self.image_size)


@dataclasses.dataclass(frozen=True)
class Dataset:
    """Decoded pictures of all splits; `origin` is the folder, archive or generator they came from."""

    train: Decoded
    validation: Decoded
    test: Decoded
    origin: str

    def names(self) -> dict[str, list[str]]:
        """The names of the pictures of each split, as a run's folder holds them."""
        return {which: getattr(self, which).names for which in SPLITS}

    def counts(self) -> str:
        """How many pictures each split has, in words."""
        train, validation, test = (len(names) for names in self.names().values())
        return f"{train} training, {validation} validation and {test} test"


def load(
    data: Data,
    data_dir: str | os.PathLike | None = None,
    *,
    names: Mapping[str, Sequence[str]] | None = None,
    splits: Sequence[str] = SPLITS,
) -> Dataset:
    """The pictures of a recipe, decoded; unreadable ones are left out and named in a warning per split.

    Args:
        data: the recipe's part.
        data_dir: the folder, archive or data set prepared for TFDS that the source reads, or a folder of
            `python -m inpainting_tf.prepare`; None searches the usual folders.
        names: the pictures of each split, as `Dataset.names` returned them, where earlier versions knew no
            validation pictures; None splits anew, into the same pictures as long as the source holds the
            same.
        splits: those to decode; the others stay empty.

    Raises:
        InputError: no such source or class, nothing found, too few pictures, a named picture that is not
            there, or a folder that was prepared with other settings.
    """
    size = data.shape
    stored = prepared.find(data_dir)
    known: Container[str]
    if stored is None:
        source = sources.find(data.source, data_dir, data.classes)
        names = split(source.names, data, source.division) if names is None else names
        position = {name: index for index, name in enumerate(source.names)}
        origin, known = source.origin, position.keys()
    else:
        stored.require(data, _selecting(stored, splits) if names is None else ("source", "image_size"))
        names = _with_validation(stored.names, data) if names is None else names
        origin, known = str(stored.folder), {name for part in stored.names.values() for name in part}

    def decode(which: str) -> Decoded:
        if which not in splits:
            return Decoded(np.empty((0, *size, 3), np.uint8), [], [])
        wanted = names.get(which, []) if which == "validation" else names[which]
        absent = [name for name in wanted if name not in known]
        if absent:
            raise InputError(
                f"{len(absent)} {which} pictures of this run are not in {origin} any more, e.g. "
                f"{absent[0]}. Pass the folder it was trained on as --data_dir."
            )
        if stored is not None:
            return stored.pictures(wanted)
        return pictures.decode(source, [position[name] for name in wanted], size)

    return Dataset(decode("train"), decode("validation"), decode("test"), origin)


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
        lengths = sorted((file.name, file.stat().st_size) for file in found)
    except (InputError, OSError):
        return None
    return hashlib.sha256(json.dumps(lengths).encode()).hexdigest()[:16]


def _files(data: Data, data_dir: str | os.PathLike | None, names: Sequence[str] | None) -> Sequence[Path]:
    if (stored := prepared.find(data_dir)) is not None:
        return [stored.folder / f"{which}.npy" for which in stored.images]
    source = sources.find(data.source, data_dir, data.classes)
    if names is None or len(source.files) != len(source.names):
        return source.files
    wanted = set(names)
    return [file for name, file in zip(source.names, source.files, strict=True) if name in wanted]


def _selecting(stored: Prepared, splits: Sequence[str]) -> list[str]:
    """The fields of `Data` on which the choice of some splits of a prepared data set depends.

    The test split is the same for any `train` and `validation`. Where no validation pictures are stored, they
    are cut from the training pictures.
    """
    free = set() if {"train", "validation"} & {*splits} else {"train", "validation"}
    if not stored.names["validation"]:
        free.add("validation")
    return [field for field in prepared.FLAGS if field not in free]


def split(
    names: Sequence[str], data: Data, own: Mapping[str, Container[str]] = types.MappingProxyType({})
) -> dict[str, list[str]]:
    """{"train": names, "validation": names, "test": names}: disjoint, each in the order of `names`.

    Args:
        names: all pictures of the source.
        data: how many of each, and the seed.
        own: the names of the source's own "test" and "validation" splits; those it does not have are drawn.

    Raises:
        InputError: no picture to train on, or none to test on.
    """
    if len(names) < 2:
        raise InputError(f"Training and testing need at least two pictures. Received {len(names)}.")
    order = np.random.default_rng(data.split_seed).permutation(len(names))
    parts = {which: [i for i in order if names[i] in own[which]] for which in own}
    rest = [i for i in order if not any(names[i] in part for part in own.values())]
    if "test" not in own:
        drawn = min(data.test, max(1, len(rest) // 5))
        parts["test"], rest = rest[:drawn], rest[drawn:]
    if not (parts["test"] and rest):
        raise InputError(
            "Training and testing need at least one picture each. "
            f"Received {len(rest)} and {len(parts['test'])}."
        )
    parts["train"] = rest
    limited = {which: parts[which][: getattr(data, which)] for which in SPLITS if which in parts}
    chosen = {which: [names[i] for i in sorted(index)] for which, index in limited.items()}
    return chosen if "validation" in own else _with_validation(chosen, data)


def _with_validation(parts: Mapping[str, Sequence[str]], data: Data) -> dict[str, list[str]]:
    """The same splits with validation pictures, drawn from the training pictures unless there are some."""
    train, test, given = (list(parts.get(which, [])) for which in ("train", "test", "validation"))
    count = min(data.validation, len(train) // 5)
    if given or not count:
        return {"train": train, "validation": given, "test": test}
    # A stream of its own: the test pictures are the same with and without a validation split.
    order = np.random.default_rng([data.split_seed, _VALIDATION]).permutation(len(train))
    drawn = {train[i] for i in order[:count]}
    return {
        "train": [name for name in train if name not in drawn],
        "validation": [name for name in train if name in drawn],
        "test": test,
    }
