"""CelebA as files or in its archive: where it is found, its official numbers and its official division."""

from __future__ import annotations

import dataclasses
import io
import os
import re
import threading
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from inpainting_tf.data import folders, pictures
from inpainting_tf.data.crops import Part
from inpainting_tf.data.pictures import UnreadablePicture
from inpainting_tf.data.source import SPLITS, Reader, Source, account_of
from inpainting_tf.errors import InputError

_FILE = re.compile(r"(?:.*/)?(\d{6})\.(jpe?g|png)", re.I)
# Folders that may hold the pictures, and those that may hold such a folder: archives have up to four of them.
_FOLDER = re.compile(r"(?:img_)?(?:align_)?celeba.*", re.I)
_ABOVE = re.compile(r".*(?:celeb|img|archive|data).*", re.I)
_DEPTH = 4

_PARTITIONS = ("list_eval_partition.csv", "list_eval_partition.txt")
_LINE = re.compile(rb"(\d{6})\.\w+[\s,]+([012])\b")  # the number, and the position of its split in SPLITS
_OFFICIAL = (162_771, 182_638)  # the first numbers of the validation and of the test pictures there


def files(place: Path) -> Source | None:
    """The pictures ``000001.jpg ...`` or ``.png`` in a folder, or in one below it that is called so."""
    for root in _roots(place):
        if names := _of_one_kind(os.listdir(root)):
            source = folders.from_files("celeba", root, names, {}, "")
            return _numbered(source, _partition_near(root))
    return None


def archive(place: Path) -> Source | None:
    """The pictures in ``img_align_celeba.zip``, or in any archive that is given itself.

    Raises:
        InputError: it is damaged.
    """
    path = place if place.is_file() else place / "img_align_celeba.zip"
    if not path.is_file():
        return None
    try:
        opened = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is not an intact zip archive ({error}). Download it again.") from error
    names = _of_one_kind(name for name in opened.namelist() if not name.startswith("__MACOSX/"))
    source = Source("celeba", str(path), names, _zip_reader(opened, names), [path])
    return _numbered(source, _partition_within(opened) or _partition_near(path.parent)) if names else None


def _roots(place: Path) -> Iterator[Path]:
    """The folder itself, and those below it that may hold the pictures."""
    level = [place] if place.is_dir() else []
    yield from level
    for _ in range(_DEPTH):
        below = [path for above in level for path in sorted(above.iterdir()) if path.is_dir()]
        yield from (path for path in below if _FOLDER.fullmatch(path.name))
        level = [path for path in below if _ABOVE.fullmatch(path.name)]


def _of_one_kind(names: Iterable[str]) -> list[str]:
    """Sorted; of JPEG and PNG files beside each other the more frequent, since each face is one picture."""
    kinds = defaultdict[str, list[str]](list)
    for name in names:
        if match := _FILE.fullmatch(name):
            kinds[match[2].lower()].append(name)
    most: list[str] = max(kinds.values(), key=len, default=[])
    return sorted(most)


def _zip_reader(opened: zipfile.ZipFile, names: list[str]) -> Reader:
    lock = threading.Lock()  # a ZipFile's count of open members is not thread-safe

    def reader(index: int, image_size: tuple[int, int] | None, part: Part) -> np.ndarray:
        try:
            with lock:
                data = opened.read(names[index])
        except Exception as error:  # BadZipFile, zlib.error, NotImplementedError, ... of a damaged member
            raise UnreadablePicture(f"damaged in the archive: {error}") from error
        return pictures.read(io.BytesIO(data), image_size, part)

    return reader


# Names and numbers


def renamed(source: Source, names: Iterable[str]) -> Source:
    """The source with the given names in place of its own for pictures of the same official numbers.

    A run remembers 000001.jpg; in an archive or as PNG it has another name.
    """
    given = {int(match[1]): name for name in names if (match := _FILE.fullmatch(name))}
    if not source.numbers:
        return source
    pairs = zip(source.numbers, source.names, strict=True)
    return dataclasses.replace(source, names=[given.get(number, name) for number, name in pairs])


# The official division


def _numbered(source: Source, partition: dict[int, int]) -> Source:
    """With the official numbers and division of its pictures."""
    numbers = [int(Path(name).stem) for name in source.names]
    division = defaultdict[str, set[str]](set)
    for name, number in zip(source.names, numbers, strict=True):
        official = sum(number >= first for first in _OFFICIAL)
        division[SPLITS[partition.get(number, official)]].add(name)
    own = {which: frozenset(division[which]) for which in SPLITS[1:] if which in division}
    account = account_of(source.origin, len(numbers), own)
    return dataclasses.replace(source, numbers=numbers, division=own, account=account)


def _partition_near(folder: Path) -> dict[int, int]:
    """Number -> split, of the official file beside or above the pictures; empty without one.

    Raises:
        InputError: it cannot be read.
    """
    places = [each / inside for each in (folder, *folder.parents[:2]) for inside in ("", "Eval")]
    for file in (place / name for place in places for name in _PARTITIONS):
        if file.is_file():
            try:
                return _partition(file.read_bytes(), str(file))
            except OSError as error:
                raise InputError(f"{file} cannot be read: {error.strerror}.") from error
    return {}


def _partition_within(opened: zipfile.ZipFile) -> dict[int, int]:
    for name in opened.namelist():
        if name.rpartition("/")[2] in _PARTITIONS and not name.startswith("__MACOSX/"):
            return _partition(opened.read(name), f"{opened.filename} {name}")
    return {}


def _partition(content: bytes, where: str) -> dict[int, int]:
    found = {int(number): int(split) for number, split in _LINE.findall(content)}
    if not found:
        raise InputError(f"{where} must have lines like 000001.jpg,0. Received none. Download it again.")
    return found
