"""Sharded data sets: decoded pictures in TFRecord files, for more of them than one machine holds.

train-00000-of-00016.tfrecord ...   a record per picture: its pixels, uint8 [height, width, 3]
records.json                        settings, numbers, the names of validation and test pictures; written last

They lie on any file system of `fsspec`: a folder, or e.g. gs://BUCKET/NAME or s3://BUCKET/NAME with gcsfs or
s3fs installed. Many hosts read them at once, each the pictures of its rows of a batch alone: all records have
the same length, so that any is found without an index. `tf.data.TFRecordDataset` reads them too.

Picture i is record i // S of shard i % S. One range of `block` neighbouring records is read at a time.
"""

from __future__ import annotations

import json
import os
import struct
import threading
from collections import OrderedDict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import numpy as np

from inpainting_tf import environment, storage
from inpainting_tf.errors import InputError

MANIFEST = "records.json"
FORMAT = "inpainting_tf records 1"
_LENGTH, _CRC = struct.Struct("<Q"), struct.Struct("<I")
_HEAD = _LENGTH.size + _CRC.size  # before the pixels
FRAME = _HEAD + _CRC.size  # what a record takes beside them
_BLOCK_BYTES = 2**20  # read at a time at most
_BLOCKS = 2**16  # of a large data set, at least: so many places an epoch's order can mix
_CACHE = 2**28  # bytes of pictures that are kept to be used soon


class Names(Sequence[str]):
    """The names of pictures that have none but their number: "train 000000012"."""

    def __init__(self, which: str, total: int) -> None:
        self.which, self.total = which, total

    def __len__(self) -> int:
        return self.total

    def __getitem__(self, index: Any) -> Any:
        numbers = range(self.total)[index]
        if isinstance(numbers, range):
            return [self._name(number) for number in numbers]
        return self._name(numbers)

    def __contains__(self, name: object) -> bool:
        digits = str(name).removeprefix(f"{self.which} ")
        return digits.isdecimal() and int(digits) < self.total and self._name(int(digits)) == name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Names) and (other.which, other.total) == (self.which, self.total)

    __hash__ = None  # type: ignore[assignment]

    def to_json(self) -> dict[str, Any]:
        """What `restored` makes them from."""
        return {"records": self.which, "count": self.total}

    def _name(self, number: int) -> str:
        if number >= self.total:
            raise IndexError(number)
        return f"{self.which} {number:09d}"


def lookup(names: Sequence[str]) -> Container[str]:
    """Names to look others up in."""
    return names if isinstance(names, Names) else frozenset(names)


def stored(names: Sequence[str]) -> Any:
    """Names as JSON has them."""
    return names.to_json() if isinstance(names, Names) else names


def restored(names: Any) -> Any:
    """Names from JSON: `Names` from what `to_json` returned, else as they are."""
    return Names(names["records"], names["count"]) if isinstance(names, Mapping) else names


class Records:
    """The pictures of a split, read when they are indexed: uint8 [N, H, W, 3].

    Args:
        folder: where they are; its address.
        which: the split.
        shape: (N, H, W, 3).
        shards: how many files they are in.
        block: how many records are read at once.

    Attributes:
        failure: the last `InputError` of an index, see `decoding.failures_told`.
    """

    dtype = np.dtype(np.uint8)

    def __init__(
        self, folder: str, which: str, shape: tuple[int, int, int, int], shards: int, block: int
    ) -> None:
        self.folder, self.which, self.shape, self.shards, self.block = folder, which, shape, shards, block
        self.failure: InputError | None = None
        self._crc = _crc()
        self._threads = ThreadPoolExecutor(min(32, 4 * (os.cpu_count() or 1)))
        self._lock, self._read = threading.Lock(), OrderedDict[tuple[int, int], Future]()
        self._kept = _CACHE // (block * self._size)

    @property
    def _size(self) -> int:
        return int(np.prod(self.shape[1:]))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any, /) -> np.ndarray:
        rows = np.arange(*key.indices(len(self))) if isinstance(key, slice) else np.asarray(key)
        flat = rows.reshape(-1).tolist()
        wanted = [(row % self.shards, *divmod(row // self.shards, self.block)) for row in flat]
        room = max(self._kept, 2 * len(wanted))
        parts = [self._part(shard, number, room) for shard, number, _ in wanted]
        images = np.empty((len(flat), *self.shape[1:]), np.uint8)
        for image, part, (_, _, offset) in zip(images, parts, wanted, strict=True):
            image[...] = part.result()[offset]
        return images.reshape(*rows.shape, *self.shape[1:])

    @property
    def blocks(self) -> int:
        """Whole blocks; the pictures beyond them are fewer than a block of each shard."""
        if self.block == 1:
            return len(self)
        return len(self) // self.shards // self.block * self.shards

    def rows(self, order: np.ndarray, position: int, batch_size: int) -> np.ndarray:
        """The pictures of a batch of an epoch: each row of the batches goes through blocks of its own.

        So a host that reads some rows reads each block once. With blocks of one picture the order is that of
        a permutation of all of them.

        Args:
            order: a permutation of the blocks.
            position: the number of the batch in its epoch.
            batch_size: of all hosts.
        """
        length, batches = self.block, len(self) // batch_size
        turn, step = divmod(position, length)
        if turn == batches // length:  # the last turn is a shorter one
            length = batches % length
        places = turn * self.block * batch_size + np.arange(batch_size) * length + step
        whole = places < len(order) * self.block
        number = order[np.where(whole, places, 0) // self.block]
        record = number // self.shards * self.block + places % self.block
        return np.where(whole, record * self.shards + number % self.shards, places)

    def _part(self, shard: int, number: int, room: int) -> Future:
        with self._lock:
            key = (shard, number)
            part = self._read.pop(key, None) or self._threads.submit(self._block, shard, number)
            self._read[key] = part
            while len(self._read) > room:
                self._read.popitem(last=False)
        return part

    def _block(self, shard: int, number: int) -> np.ndarray:
        try:
            return self._decoded(shard, number)
        except InputError as error:
            self.failure = error
            with self._lock:
                self._read.pop((shard, number), None)  # to be tried again
            raise

    def _decoded(self, shard: int, number: int) -> np.ndarray:
        frame, file = self._size + FRAME, f"{self.folder}/{file_name(self.which, shard, self.shards)}"
        first = number * self.block
        count = min(self.block, -(-(len(self) - shard) // self.shards) - first)
        data = storage.read(file, first * frame, (first + count) * frame)
        rows = np.frombuffer(data, np.uint8)
        if len(rows) != count * frame or any(self._damaged(row) for row in rows.reshape(count, frame)):
            raise InputError(f"{file} is damaged or cut off at record {first}: copy it again.")
        return rows.reshape(count, frame)[:, _HEAD : _HEAD + self._size].reshape(count, *self.shape[1:])

    def _damaged(self, row: np.ndarray) -> bool:
        pixels = row[_HEAD : _HEAD + self._size].tobytes()
        told = _LENGTH.unpack(row[: _LENGTH.size].tobytes())[0]
        return told != self._size or row[-_CRC.size :].tobytes() != _CRC.pack(_masked(self._crc(pixels)))


def write(folder: str, which: str, images: Iterable[np.ndarray], shards: int) -> int:
    """Writes the pictures of a split, one after the other; returns their number.

    Args:
        folder: the address of one that exists.
        which: the split.
        images: uint8 [H, W, 3] each, all of one shape.
        shards: how many files.
    """
    crc, count = _crc(), 0
    with ExitStack() as stack:
        names = (f"{folder}/{file_name(which, shard, shards)}" for shard in range(shards))
        files = [stack.enter_context(storage.writing(name)) for name in names]
        for count, image in enumerate(images, start=1):
            pixels = image.tobytes()
            length = _LENGTH.pack(len(pixels))
            checks = (_CRC.pack(_masked(crc(part))) for part in (length, pixels))
            files[(count - 1) % shards].write(length + next(checks) + pixels + next(checks))
    return count


def block_of(count: int, size: int) -> int:
    """How many records are read at once, of so many with so many bytes each: one, of a small data set."""
    return max(1, min(_BLOCK_BYTES // size, count // _BLOCKS))


def file_name(which: str, shard: int, shards: int) -> str:
    """The file of a shard."""
    return f"{which}-{shard:05d}-of-{shards:05d}.tfrecord"


def write_manifest(folder: str, notes: Mapping[str, Any]) -> None:
    """Writes what `read_manifest` reads, after all else: before it there is no data set."""
    text = json.dumps({"format": FORMAT, **notes}, indent=2, ensure_ascii=False) + "\n"
    storage.write(f"{folder}/{MANIFEST}", text.encode())


def _crc() -> Callable[[bytes], int]:
    """CRC-32C."""
    return environment.needed("google_crc32c", "records").value


def _masked(crc: int) -> int:
    """TFRecord's checksum of a CRC-32C."""
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
