"""Data sets prepared for TensorFlow Datasets (TFDS), read record by record."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inpainting_tf.data import pictures
from inpainting_tf.data.crops import Part
from inpainting_tf.data.pictures import UnreadablePicture
from inpainting_tf.data.source import Reader, Source, account_of
from inpainting_tf.errors import InputError, unknown

_Record = tuple[Path, int, int]  # the file, the position and the length in bytes of one tf.train.Example


def find(
    name: str,
    dataset: str,
    place: Path,
    splits: Sequence[str],
    *,
    own: Sequence[str] = (),
    classes: str | None = None,
) -> Source | None:
    """The ``image`` feature of a prepared data set, split after split in the order of its files.

    TFDS reads TFRecords in sequence only; here their positions are indexed once, so that any picture is read
    by one seek and none stays in memory. Names are TFDS' own identifiers (``tfds_id``). Of `splits`, `own`
    are the source's own division; `classes` are those of the ``label`` feature.
    """
    newest = _newest(place / dataset)
    if newest is None:
        return None
    info = _info(newest)
    shards = {path: split for split in splits for path in _shards(newest, info, split)}
    records = {f"{path.name}__{n}": (path, *span) for path in shards for n, span in enumerate(_records(path))}
    if classes is not None:
        records = _of_classes(records, info.features["label"].names, classes)
    division = {
        split: frozenset(n for n, (path, *_) in records.items() if shards[path] == split) for split in own
    }
    reader = _reader([*records.values()])
    labeller = _labeller([*records.items()]) if "label" in info.features else None
    account = account_of(str(newest), len(records), division)
    return Source(name, str(newest), list(records), reader, [*shards], division, labeller, account=account)


def _newest(dataset: Path) -> Path | None:
    infos = dataset.glob("*/dataset_info.json")
    versions = [info.parent for info in infos if re.fullmatch(r"\d+\.\d+\.\d+", info.parent.name)]
    if not versions:  # "2.1.0.incomplete..." is one that TFDS did not finish
        return None
    return max(versions, key=lambda version: [int(number) for number in version.name.split(".")])


def _info(prepared: Path) -> Any:
    try:
        import tensorflow  # noqa: F401 - parses the records
        import tensorflow_datasets as tfds
    except ImportError as error:
        packages = "tensorflow tensorflow-datasets"
        raise InputError(f"Reading {prepared} takes: pip install {packages}. ({error})") from error
    info = tfds.builder_from_directory(str(prepared)).info
    if info.file_format.value != "tfrecord":
        raise InputError(f"{prepared} is stored as {info.file_format.value}: prepare it as tfrecord.")
    return info


def _shards(prepared: Path, info: Any, split: str) -> list[Path]:
    shards = [Path(path) for path in info.splits[split].filepaths]
    absent = [path for path in shards if not path.is_file()]
    if absent:
        raise InputError(f"{prepared} lacks {absent[0].name}: prepare the data set again with tfds.")
    return shards


def _records(path: Path) -> Iterator[tuple[int, int]]:
    """(position, length) of each record's data. A TFRecord is uint64 length, uint32 CRC, data, uint32 CRC."""
    end = path.stat().st_size
    with open(path, "rb") as file:
        start = 0
        while start < end:
            header = file.read(12)
            length = struct.unpack("<Q", header[:8])[0] if len(header) == 12 else end
            if start + length + 16 > end:
                raise InputError(f"{path} is cut off: prepare the data set again with tfds.")
            yield start + 12, length
            start += length + 16
            file.seek(start)


def _of_classes(records: dict[str, _Record], known: Sequence[str], classes: str) -> dict[str, _Record]:
    """The records whose label is one of `classes`; their pictures stay encoded."""
    named = [name.strip() for name in classes.split(",")]
    for name in named:
        if name not in known:
            raise unknown("classes", name, known)
    wanted = {known.index(name) for name in named}
    return {name: record for name, record in records.items() if _label(name, record) in wanted}


def _label(name: str, record: _Record) -> int:
    try:
        return _feature(record, "label").int64_list.value[0]
    except Exception as error:  # as in `_reader`, but a picture without a label cannot be skipped
        raise InputError(f"{name} is a damaged record: prepare the data set again with tfds.") from error


def _feature(record: _Record, key: str) -> Any:
    import tensorflow as tf

    path, start, length = record
    with open(path, "rb") as file:
        file.seek(start)
        return tf.train.Example.FromString(file.read(length)).features.feature[key]


def _reader(records: Sequence[_Record]) -> Reader:
    def reader(index: int, image_size: tuple[int, int] | None, part: Part) -> np.ndarray:
        try:
            data = _feature(records[index], "image").bytes_list.value[0]
        except Exception as error:  # OSError, protobuf's DecodeError, IndexError
            raise UnreadablePicture(f"damaged record: {error}") from error
        return pictures.read(io.BytesIO(data), image_size, part)

    return reader


def _labeller(records: Sequence[tuple[str, _Record]]) -> Callable:
    return lambda index: _label(*records[index])
