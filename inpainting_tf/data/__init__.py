"""Pictures for training, validation and testing: `load` finds a source, splits it and decodes it.

`sources` finds pictures, `pictures` reads them, `prepared` stores them decoded for another machine,
`pipeline` makes batches with holes of them. `add_holes` does that for any `tf.data` pipeline.
"""

from __future__ import annotations

import bisect
import contextlib
import dataclasses
import itertools
import operator
import os
from collections.abc import Callable, Container, Iterable, Mapping, Sequence

import numpy as np

from inpainting_tf import sizes
from inpainting_tf.data import celeba, crops, decoding, prepared, records, sources
from inpainting_tf.data.decoding import MEMORY, Decoded
from inpainting_tf.data.fingerprints import fingerprint
from inpainting_tf.data.holes import add_holes
from inpainting_tf.data.prepared import Prepared
from inpainting_tf.data.records import Names
from inpainting_tf.data.source import SPLITS
from inpainting_tf.data.splits import counts, of_source, split, with_validation
from inpainting_tf.errors import InputError, unknown

__all__ = ["FACES", "SPLITS", "Data", "Dataset", "add_holes", "fingerprint", "load", "split"]


@dataclasses.dataclass(frozen=True)
class Data:
    """Pictures: source, number, size.

    Attributes:
        source: a name in `inpainting_tf.data.sources.SOURCES`.
        image_size: side of a square in pixels, or (height, width); pictures are cropped to that shape.
        train: largest number of pictures to train and to validate on; None for all but the test pictures.
        validation: largest number of validation pictures: of a source's own, or, where it has none of its
            own, of a fifth of `train`. All that is chosen during a training is chosen on them.
        test: largest number of test pictures: of a source's own test pictures, or, where it has none of its
            own, of a fifth of its pictures.
        split_seed: of the split, and of the choice where not all pictures are used.
        flip: mirror half of the training pictures, drawn anew each time.
        classes: classes of the source, comma separated, e.g. "automobile"; None for all.
        ids: the official numbers of the only pictures that are taken of CelebA, e.g. "1-5000"; None for all.
            Other sources, and TFDS' copy, have no such numbers.
        crop: which part of a picture of another shape is taken, a name in `inpainting_tf.data.crops.CROPS`.
    """

    source: str = "celeba"
    image_size: sizes.Size = 128
    train: int | None = 4750
    validation: int = 250
    test: int = 250
    split_seed: int = 0
    flip: bool = True
    classes: str | None = None
    ids: str | None = None
    crop: str = "centre"

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the pictures in pixels."""
        return sizes.shape(self.image_size)


# The pictures of `face_gan`: the first 5,000 of CelebA. `docs/face_gan_pictures.json` names them.
FACES = Data("celeba", train=4750, validation=250, test=250, ids="1-5000")


@dataclasses.dataclass(frozen=True)
class Dataset:
    """Decoded pictures of all splits.

    Attributes:
        train, validation, test: the pictures.
        origin: the folder, archive or generator they came from.
        account: a sentence or two on what of it was taken and what was left out; empty for all of it.
    """

    train: Decoded
    validation: Decoded
    test: Decoded
    origin: str
    account: str = ""

    def names(self) -> dict[str, list[str]]:
        """The names of the pictures of each split, as a run's folder holds them."""
        return {which: getattr(self, which).names for which in SPLITS}

    def counts(self) -> str:
        """How many pictures each split has, in words."""
        return counts(self.names())


def load(
    data: Data,
    data_dir: str | os.PathLike | None = None,
    *,
    names: Mapping[str, Sequence[str]] | None = None,
    splits: Sequence[str] = SPLITS,
    memory: int = MEMORY,
    check: bool = True,
) -> Dataset:
    """The pictures of a recipe, decoded; unreadable ones are left out and named in a warning per split.

    What does not fit into the memory is decoded when it is needed; so are training pictures of which random
    parts are taken.

    Args:
        data: the recipe's part.
        data_dir: the folder, archive or data set prepared for TFDS that the source reads, or a folder of
            `python -m inpainting_tf.prepare`; None searches the usual folders.
        names: the pictures of each split, as `Dataset.names` returned them, where earlier versions knew no
            validation pictures; None splits anew, into the same pictures as long as the source holds the
            same.
        splits: those to decode; the others stay empty.
        memory: bytes of decoded pictures that are kept.
        check: decode also the pictures that do not fit once, to leave out the unreadable ones; else one of
            them is an `InputError` when it is needed.

    Raises:
        InputError: no such source or class, nothing found, too few pictures, a named picture that is not
            there, or a folder that was prepared with other settings.
    """
    if data.crop not in crops.CROPS:
        raise unknown("crop", data.crop, crops.CROPS)
    stored = prepared.find(data_dir)
    found = _in_source(data, data_dir, names) if stored is None else _in_prepared(stored, data, names, splits)
    kept = _kept(found.names, splits, memory, data.shape)

    def decode(which: str) -> Decoded:
        if which not in splits:
            return Decoded(np.empty((0, *data.shape, 3), np.uint8), [], [])
        wanted = found.names.get(which, []) if which == "validation" else found.names[which]
        absent = _absent(wanted, found.known)
        if absent:
            raise InputError(
                f"{len(absent)} {which} pictures of this run are not in {found.origin} any more, e.g. "
                f"{absent[0]}. Pass the folder it was trained on as --data_dir."
            )
        room = 0 if which == "train" and crops.is_drawn(data.crop) else kept[which]
        return found.read(wanted, room, check and names is None)

    parts = {which: decode(which) for which in SPLITS}
    account = f"{found.account} {_about_memory(parts.values())}"
    return Dataset(parts["train"], parts["validation"], parts["test"], found.origin, account.strip())


def _about_memory(parts: Iterable[Decoded]) -> str:
    lazy = [part.images for part in parts if isinstance(part.images, decoding.OnDemand)]
    if not lazy:
        return ""
    count, kept = sum(map(len, lazy)), sum(images.kept for images in lazy)
    return f"{kept} of {count} pictures are kept in memory; the others are decoded on demand."


def _kept(
    names: Mapping[str, Sequence[str]], splits: Sequence[str], memory: int, size: tuple[int, int]
) -> dict[str, int]:
    """The memory of each split: the small ones first have what they take."""
    parts = {}
    for which in sorted(splits, key=lambda which: len(names.get(which, ()))):
        parts[which] = min(memory, len(names.get(which, ())) * decoding.bytes_each(size))
        memory -= parts[which]
    return parts


@dataclasses.dataclass(frozen=True)
class _Found:
    """Where the pictures of a data set are.

    Attributes:
        names: of the pictures of each split.
        known: all names there are.
        read: (names, bytes to keep, whether to check) -> the pictures of these names.
        origin, account: as in `Dataset`.
    """

    names: Mapping[str, Sequence[str]]
    known: Container[str]
    read: Callable[[Sequence[str], int, bool], Decoded]
    origin: str
    account: str = ""


def _in_source(
    data: Data, data_dir: str | os.PathLike | None, names: Mapping[str, Sequence[str]] | None
) -> _Found:
    source, account = sources.find(data.source, data_dir, data.classes), ""
    if names is None:
        names, account = of_source(source, data)
    else:
        source = celeba.renamed(source, [name for which in SPLITS for name in names.get(which, ())])
    position = _Positions(source.names)
    source = dataclasses.replace(source, part=crops.fixed(data.crop))

    def read(wanted: Sequence[str], memory: int, check: bool) -> Decoded:
        indices = map(position.__getitem__, wanted)
        return decoding.decode(source, indices, data.shape, memory=memory, check=check)

    return _Found(names, position, read, source.origin, account)


class _Positions:
    """Where each name is: without a table, which takes more memory than they, where they are sorted."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        is_sorted = all(map(operator.lt, names, itertools.islice(names, 1, None)))
        self._table = None if is_sorted else {name: index for index, name in enumerate(names)}

    def __getitem__(self, name: str) -> int:
        if self._table is not None:
            return self._table[name]
        index = bisect.bisect_left(self._names, name)
        if index == len(self._names) or self._names[index] != name:
            raise KeyError(name)
        return index

    def __contains__(self, name: object) -> bool:
        with contextlib.suppress(KeyError):
            return self[str(name)] >= 0
        return False


def _in_prepared(
    stored: Prepared, data: Data, names: Mapping[str, Sequence[str]] | None, splits: Sequence[str]
) -> _Found:
    if crops.is_drawn(data.crop):
        raise InputError(
            f"`crop` must not be {data.crop!r} for prepared pictures, which are cropped already. Received "
            f"{str(stored.folder)!r}: pass the folder that they were made from as --data_dir."
        )
    stored.require(data, _selecting(stored, splits) if names is None else ("source", "image_size", "crop"))
    if names is None and isinstance(stored.names["train"], Names):
        names = stored.names  # of which none are drawn for validation: there are too many to list
    names = with_validation(stored.names, data) if names is None else names
    known = _Union([records.lookup(part) for part in stored.names.values()])
    return _Found(names, known, lambda wanted, memory, check: stored.pictures(wanted), str(stored.folder))


class _Union:
    """What is in one of several containers."""

    def __init__(self, parts: Sequence[Container[str]]) -> None:
        self.parts = parts

    def __contains__(self, name: object) -> bool:
        return any(name in part for part in self.parts)


def _absent(wanted: Sequence[str], known: Container[str]) -> Sequence[str]:
    """Those of the wanted names that are not known."""
    if isinstance(wanted, Names):  # one by one it would take too long
        return [] if isinstance(known, _Union) and wanted in known.parts else wanted[-1:]
    return [name for name in wanted if name not in known]


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


def _selecting(stored: Prepared, splits: Sequence[str]) -> list[str]:
    """The fields of `Data` on which the choice of some splits of a prepared data set depends.

    The test split is the same for any `train` and `validation`. Where no validation pictures are stored, they
    are cut from the training pictures.
    """
    free = set() if {"train", "validation"} & {*splits} else {"train", "validation"}
    if not stored.names["validation"]:
        free.add("validation")
    return [field for field in prepared.FLAGS if field not in free]
