"""Prepared data sets: decoded pictures, for training on machines without their source.

train.npy  validation.npy  test.npy   uint8 [count, height, width, 3], memory-mapped when they are read
prepared.json    the settings that chose and cut the pictures, their origin, and the names of each split

`records` has the form for more pictures than a machine holds, in shards and on other file systems. The folder
is written atomically. `python -m inpainting_tf.prepare` writes one; `data.load` takes it as
`data_dir`, in place of the folder or archive that it was made from.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from inpainting_tf import files, sizes, storage
from inpainting_tf.data import decoding, records
from inpainting_tf.data.decoding import Decoded, Images, OnDemand, report
from inpainting_tf.data.source import SPLITS
from inpainting_tf.data.splits import NUMBERED
from inpainting_tf.errors import InputError

if TYPE_CHECKING:
    from inpainting_tf.data import Data, Dataset

NOTES = "prepared.json"

# A field of `Data` on which the pictures or their crop depend -> the command's flag for it.
FLAGS = {
    "source": "dataset",
    "classes": "classes",
    "ids": "ids",
    "image_size": "image_size",
    "train": "train",
    "validation": "validation",
    "test": "test",
    "split_seed": "split_seed",
    "crop": "crop",
}
_EARLIER = {
    "crop": "centre",
    "classes": None,
    "ids": None,
    "validation": 0,
}  # in the settings of folders from before there were these
_FORMAT = "inpainting_tf prepared pictures 1"
_BLOCK = 512  # pictures written at a time: bounds the memory
_AGAIN = "Copy the whole folder again, or make it anew with python -m inpainting_tf.prepare."


@dataclass(frozen=True, eq=False)
class Prepared:
    """A prepared data set.

    Attributes:
        folder: where it is, or its address on another file system.
        settings: its values of the fields of `Data` in `FLAGS`.
        names: the names of the pictures of each split.
        images: uint8 [count, height, width, 3] of each split with pictures, read-only: memory-mapped, or read
            when they are indexed.
    """

    folder: Path | str
    settings: Mapping[str, Any]
    names: Mapping[str, Sequence[str]]
    images: Mapping[str, Images]

    def require(self, data: Data, fields: Sequence[str]) -> None:
        """Checks that the pictures are those of a recipe.

        Raises:
            InputError: a field of `fields` differs; names it, both values, and the flag that prepares it so.
        """
        ignored = set() if data.source == NUMBERED else {"ids"}
        other = [field for field in fields if self.settings[field] != getattr(data, field)]
        other = [field for field in other if field not in ignored]
        if not other:
            return
        differences = (
            f"{field} is {self.settings[field]!r} there and {getattr(data, field)!r} here" for field in other
        )
        flags = (f"--{FLAGS[field]}={flag_value(getattr(data, field))}" for field in other)
        raise InputError(
            f"`data_dir` {str(self.folder)!r} was prepared with other settings: {', '.join(differences)}. "
            f"Prepare the pictures again with {' '.join(flags)}, or change these settings here."
        )

    def pictures(self, names: Sequence[str]) -> Decoded:
        """The pictures of these names, in that order, read when they are indexed."""
        wanted: Any = names if isinstance(names, records.Names) else list(names)
        for which, images in self.images.items():
            if wanted == self.names[which]:
                return Decoded(images, wanted, [])
        return Decoded(_Selected(self, wanted), wanted, [])


class _Selected:
    """Some pictures of a prepared data set, in any order: uint8 [N, H, W, 3], read when they are indexed."""

    def __init__(self, stored: Prepared, names: Sequence[str]) -> None:
        self._images = [*stored.images.values()]
        known = {
            name: (place, row)
            for place, which in enumerate(stored.images)
            for row, name in enumerate(stored.names[which])
        }
        self._places = np.array([known[name] for name in names], int).reshape(-1, 2)
        self.shape: tuple[int, int, int, int] = (len(names), *self._images[0].shape[1:])

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, key: Any, /) -> np.ndarray:
        places, rows = self._places[key].reshape(-1, 2).T
        images = np.empty((len(rows), *self.shape[1:]), np.uint8)
        for number, stored in enumerate(self._images):
            images[places == number] = stored[rows[places == number]]
        return images.reshape(*self._places[key].shape[:-1], *self.shape[1:])


def flag_value(value: Any) -> str:
    """A setting as text of a command line: "none" for None."""
    return sizes.text(value) if isinstance(value, (str, tuple)) else str(value).lower()


def write(dataset: Dataset, data: Data, folder: str | os.PathLike, shards: int | None = None) -> Path | str:
    """Writes all splits of a data set into a new folder; a memory-mapped one is never in memory as a whole.

    Args:
        dataset: what `data.load` returned.
        data: the settings it was loaded with.
        folder: must not exist or be empty; with `shards` also an address such as gs://BUCKET/NAME.
        shards: how many files of records, see `records`, the training pictures are written into; None writes
            arrays.

    Returns:
        The folder, or its address on another file system.

    Raises:
        InputError: the folder holds something, or cannot be written (full disk, no permission, ...).
    """
    if shards is not None:
        return _write_records(dataset, data, folder, shards)
    storage.require_free(folder)
    folder = Path(folder).expanduser()
    with files.replacing_folder(folder.resolve()) as temporary:
        written = {which: _write(temporary / f"{which}.npy", getattr(dataset, which)) for which in SPLITS}
        for decoded in written.values():
            report(dataset.origin, decoded)
        names = {which: decoded.names for which, decoded in written.items()}
        files.write_json(temporary / NOTES, {"format": _FORMAT, **_notes(dataset, data), "names": names})
    return folder


def _write_records(dataset: Dataset, data: Data, folder: str | os.PathLike, shards: int) -> str:
    storage.require_free(folder)
    place, names = storage.absolute(folder), dict[str, Any]()
    for which in SPLITS:
        done = _Readable(getattr(dataset, which))
        count = records.write(place, which, done, shards if which == "train" else 1)
        report(dataset.origin, done.decoded)
        names[which] = records.Names(which, count).to_json() if which == "train" else done.decoded.names
    size = decoding.bytes_each(data.shape)
    block = records.block_of(names["train"]["count"], size)
    layout = {"shards": shards, "block": block, "bytes": size + records.FRAME}
    records.write_manifest(place, {**layout, **_notes(dataset, data), "names": names})
    return place


def _notes(dataset: Dataset, data: Data) -> dict[str, Any]:
    return {"data": {field: getattr(data, field) for field in FLAGS}, "origin": dataset.origin}


class _Readable:
    """The pictures that can be read, as one iterates over it; `decoded` then has their names."""

    def __init__(self, decoded: Decoded) -> None:
        self.all, self.decoded = decoded, Decoded(decoded.images, [], [])

    def __iter__(self) -> Iterator[np.ndarray]:
        if not self.all.names:
            return
        for name, row in zip(self.all.names, _each(self.all.images), strict=True):
            if isinstance(row, str):
                self.decoded.skipped.append((name, row))
            else:
                self.decoded.names.append(name)
                yield row


def find(data_dir: str | os.PathLike | None) -> Prepared | None:
    """The prepared data set in a folder, or at an address such as gs://BUCKET/NAME; None if there is none.

    Raises:
        InputError: there is one, but a file of it is missing, damaged, cut off or of another program.
    """
    if data_dir is None:
        return None
    if storage.is_uri(data_dir) or (Path(data_dir).expanduser() / records.MANIFEST).is_file():
        return _find_records(storage.absolute(data_dir))
    folder = Path(data_dir).expanduser()
    if not (folder / NOTES).is_file():
        return None
    settings, names, _ = _read_notes(folder / NOTES, _FORMAT)
    size = sizes.shape(settings["image_size"])
    shapes = {which: (len(names[which]), *size, 3) for which in SPLITS}
    images = {which: _read_images(folder / f"{which}.npy", shapes[which]) for which in SPLITS if names[which]}
    return Prepared(folder, settings, names, images)


def _write(path: Path, decoded: Decoded) -> Decoded:
    """Writes without a memmap: a full disk is then an OSError. Returns what of it could be read."""
    readable = _Readable(decoded)
    if not decoded.names:
        return readable.decoded
    with open(path, "wb") as file:
        _write_header(file, decoded.images.shape)
        start = file.tell()
        for row in readable:
            file.write(row.tobytes())
        file.seek(0)
        _write_header(file, (len(readable.decoded.names), *decoded.images.shape[1:]))
        assert file.tell() == start, "NumPy leaves room in the header for any number of pictures"
    return readable.decoded


def _write_header(file: BinaryIO, shape: tuple[int, ...]) -> None:
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)


def _each(images: Images) -> Iterator[np.ndarray | str]:
    """Each picture, or the reason why it cannot be read."""
    if isinstance(images, OnDemand):
        yield from images.each()
        return
    for first in range(0, len(images), _BLOCK):
        yield from images[first : first + _BLOCK]


def _find_records(folder: str) -> Prepared:
    manifest = f"{folder}/{records.MANIFEST}"
    if not storage.exists(manifest):
        raise InputError(
            "`data_dir` must be a folder of inpainting-tf prepare --shards. "
            f"Received {folder!r}: there is no {records.MANIFEST} in it."
        )
    settings, names, notes = _read_notes(manifest, records.FORMAT)
    size = sizes.shape(settings["image_size"])
    images = {
        which: records.Records(
            folder,
            which,
            (len(names[which]), *size, 3),
            notes["shards"] if which == "train" else 1,
            notes["block"] if which == "train" else 1,
        )
        for which in SPLITS
        if names[which]
    }
    return Prepared(folder, settings, names, images)


def _read_notes(
    file: str | os.PathLike, form: str
) -> tuple[dict[str, Any], dict[str, Sequence[str]], dict[str, Any]]:
    """The settings, the names of each split, and all notes."""
    content = storage.read(file)
    try:
        notes = json.loads(content)
        settings = {field: (_EARLIER | notes["data"])[field] for field in FLAGS}
        settings["image_size"] = sizes.parse(settings["image_size"])
        stored = {"validation": []} | notes["names"]
        names = {which: _names(stored[which]) for which in SPLITS}
        if notes["format"] != form:
            raise ValueError("another format")
    except (ValueError, TypeError, LookupError) as error:
        raise InputError(
            f"{file} is damaged, or not of a data set that this version prepared. {_AGAIN}"
        ) from error
    return settings, names, notes


def _names(stored: Any) -> Sequence[str]:
    return records.restored(stored) if isinstance(stored, Mapping) else [str(name) for name in stored]


def _read_images(file: Path, shape: tuple[int, ...]) -> np.ndarray:
    try:
        images = np.lib.format.open_memmap(file, mode="r")  # `np.load(mmap_mode="r")` of .npy files alone
    except (OSError, ValueError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        raise InputError(f"{file} is damaged or cut off: {reason}. {_AGAIN}") from error
    if images.shape != shape or images.dtype != np.uint8:
        raise InputError(
            f"{file} must be uint8 of shape {shape} by {NOTES}. Received {images.dtype} of shape "
            f"{images.shape}. {_AGAIN}"
        )
    return images
