"""Decoding a source's pictures: those that fit are kept in memory, the others decoded when they are needed.

Both ways give the same pictures in the same order.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from absl import logging
from tqdm import tqdm

from inpainting_tf.data.crops import Part
from inpainting_tf.data.pictures import UnreadablePicture
from inpainting_tf.data.source import Source
from inpainting_tf.errors import InputError

MEMORY = 2 * 2**30  # bytes of decoded pictures that are kept, unless more or less are asked for

_BLOCK = 512  # pictures submitted to the threads at a time: bounds the memory and the delay of Ctrl-C


class Images(Protocol):
    """uint8 [N, H, W, 3] RGB, indexed by slices and arrays of indices as an array of NumPy, which is one."""

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(N, H, W, 3)."""

    def __len__(self) -> int: ...

    def __getitem__(self, key: Any, /) -> np.ndarray: ...


@dataclass(frozen=True, eq=False)
class Decoded:
    """Pictures of one size, and those that could not be read.

    Attributes:
        images: uint8 [N, H, W, 3] RGB: an array in memory, a read-only ``np.memmap``, or `OnDemand`.
        names: the names of the N pictures, in the order of ``images``; `records.Names` of very many.
        skipped: (name, reason) of every picture that could not be read.
    """

    images: Images
    names: list[str]
    skipped: list[tuple[str, str]]


class OnDemand:
    """Pictures that are decoded whenever they are indexed, by several threads; the first ones are kept.

    Each index gives a new array. All threads may index at once.

    Attributes:
        shape: (N, H, W, 3).
        kept: how many of them are kept, at most.
        failure: the last `InputError` of an index. TensorFlow hides it, see `failures_told`.
    """

    dtype = np.dtype(np.uint8)

    def __init__(
        self,
        source: Source,
        indices: Sequence[int] | np.ndarray,
        image_size: tuple[int, int],
        pixels: np.ndarray | None = None,
        have: int = 0,
    ) -> None:
        """
        Args:
            source: where they are read, and which part of each is taken.
            indices: their positions in ``source.names``.
            image_size: (height, width) in px.
            pixels: uint8 [K, H, W, 3], where the first K of them are kept; None keeps none.
            have: how many of these are there already.
        """
        self.shape: tuple[int, int, int, int] = (len(indices), *image_size, 3)
        self.failure: InputError | None = None
        self._source, self._indices = source, np.asarray(indices, int)  # less memory than a list
        self._pixels = np.empty((0, *self.shape[1:]), np.uint8) if pixels is None else pixels
        self.kept = len(self._pixels)
        self._have = np.arange(self.kept) < have
        self._threads = ThreadPoolExecutor(os.cpu_count())

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any, /) -> np.ndarray:
        rows = np.arange(len(self))[key]
        images = self._together(self._threads.map(self._picture, rows.reshape(-1)), rows.size)
        return images.reshape(*rows.shape, *self.shape[1:])

    def parts(self, rows: Sequence[int] | np.ndarray, parts: Sequence[Part]) -> np.ndarray:
        """Other parts of pictures, uint8 [N, H, W, 3].

        Args:
            rows: [N], which pictures.
            parts: [N], which part of each.
        """
        return self._together(self._threads.map(self._read, rows, parts), len(rows))

    def each(self) -> Iterator[np.ndarray | str]:
        """All of them in their order, and for one that is unreadable the reason."""
        return _rows(self._source, self._indices, self.shape[1:3])

    def _together(self, pictures: Iterable[np.ndarray], count: int) -> np.ndarray:
        images = np.empty((count, *self.shape[1:]), np.uint8)
        for image, picture in zip(images, pictures, strict=True):
            image[...] = picture
        return images

    def _picture(self, row: int) -> np.ndarray:
        if row >= self.kept:
            return self._read(row)
        if not self._have[row]:
            self._pixels[row] = self._read(row)
            self._have[row] = True
        return self._pixels[row]

    def _read(self, row: int, part: Part | None = None) -> np.ndarray:
        index = int(self._indices[row])
        try:
            return self._source.read(index, self.shape[1:3], part)
        except UnreadablePicture as error:
            name, origin = self._source.names[index], self._source.origin
            self.failure = InputError(f"{name} of {origin} cannot be read any more: {error}. Restore it.")
            raise self.failure from error


@contextlib.contextmanager
def failures_told(images: Images) -> Iterator[None]:
    """Raises the `InputError` of a lost picture in place of the error that a framework made of it."""
    try:
        yield
    except Exception as error:
        failure = getattr(images, "failure", None)
        if failure is None:
            raise
        raise failure from error


def decode(
    source: Source,
    indices: Iterable[int],
    image_size: tuple[int, int],
    *,
    memory: int = MEMORY,
    check: bool = True,
) -> Decoded:
    """The pictures of `source` at `indices`, in that order, cropped and resized to `image_size`.

    Several threads decode; the result does not depend on their timing. Unreadable pictures are left out, with
    one warning that counts and names them. A progress bar appears on a terminal after a second.

    Args:
        source: see `inpainting_tf.data.sources`.
        indices: positions in ``source.names``.
        image_size: (height, width) in px.
        memory: bytes of pixels that are kept; of more pictures the others are decoded on demand.
        check: decode also those once, to leave out the unreadable ones; else one of them is an `InputError`
            when it is needed.

    Raises:
        InputError: no picture could be read.
    """
    positions = np.fromiter(indices, int)
    room = min(len(positions), max(0, memory) // bytes_each(image_size))
    kept = np.empty((room, *image_size, 3), np.uint8)
    if room < len(positions) and not check:
        names = [source.names[index] for index in positions]
        return Decoded(OnDemand(source, positions, image_size, kept), names, [])
    readable = list[int]()
    skipped: list[tuple[str, str]] = []
    for index, row in zip(positions.tolist(), _rows(source, positions, image_size), strict=True):
        if isinstance(row, str):
            skipped.append((source.names[index], row))
            continue
        if len(readable) < room:
            kept[len(readable)] = row
        readable.append(index)
    count = len(readable)
    images = kept[:count] if count <= room else OnDemand(source, readable, image_size, kept, room)
    decoded = Decoded(images, [source.names[index] for index in readable], skipped)
    report(source.origin, decoded)
    return decoded


def bytes_each(image_size: tuple[int, int]) -> int:
    """The memory of a decoded picture."""
    return 3 * image_size[0] * image_size[1]


def report(origin: str, decoded: Decoded) -> None:
    """Warns of the pictures that could not be read.

    Raises:
        InputError: none could.
    """
    if not decoded.skipped:
        return
    total = len(decoded.names) + len(decoded.skipped)
    if not decoded.names:
        name, reason = decoded.skipped[0]
        raise InputError(
            f"None of the {total} pictures of {origin} can be read. The first, {name}: {reason}."
        )
    some = ", ".join(f"{name} ({reason})" for name, reason in decoded.skipped[:3])
    more = ", ..." if len(decoded.skipped) > 3 else ""
    logging.warning("Skipped %d of %d pictures of %s: %s%s", len(decoded.skipped), total, origin, some, more)


def _rows(source: Source, indices: np.ndarray, image_size: tuple[int, int]) -> Iterator[np.ndarray | str]:
    """In the order of `indices`: the picture, or the reason why it is unreadable."""

    def one(index: int) -> np.ndarray | str:
        try:
            return source.read(index, image_size)
        except UnreadablePicture as error:
            return str(error)

    progress = tqdm(total=len(indices), desc=f"Reading {source.name}", unit="picture", delay=1, disable=None)
    with progress, ThreadPoolExecutor(os.cpu_count()) as threads:
        for start in range(0, len(indices), _BLOCK):
            for row in threads.map(one, indices[start : start + _BLOCK].tolist()):
                progress.update()
                yield row
