"""Sources of pictures: each is a function that finds the pictures and returns a `Source`.

To add one, write such a function and name it in `SOURCES`. No source uses the network.
"""

from __future__ import annotations

import io
import os
import re
import struct
import threading
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inpainting_tf.data import pictures
from inpainting_tf.data.pictures import UnreadablePicture
from inpainting_tf.data.source import WITH_CLASSES, Source
from inpainting_tf.errors import InputError, unknown

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")

_CELEBA_FILE = re.compile(r"(?:.*/)?\d{6}\.jpg")
_CELEBA_HELP = (
    'Get "Align&Cropped Images" from mmlab.ie.cuhk.edu.hk/projects/CelebA.html (img_align_celeba.zip need '
    "not be unpacked) or Kaggle's jessicali9530/celeba-dataset, then pass their folder as --data_dir."
)
_CIFAR10_HELP = (
    'Download and prepare it with python -c "import tensorflow_datasets as tfds; '
    "tfds.load('cifar10', data_dir='FOLDER')\", then pass --data_dir=FOLDER."
)


def find(name: str, data_dir: str | os.PathLike | None = None, classes: str | None = None) -> Source:
    """The source called `name`, reading from `data_dir` or, if None, from the usual folders.

    Args:
        name: in `SOURCES`.
        data_dir: as the source takes it.
        classes: only the pictures of these, comma separated, e.g. "automobile"; None for all.

    Raises:
        InputError: an unknown name or class, classes of a source that has none (all but `WITH_CLASSES`), or
            no pictures found; the message names the folders searched.
    """
    if name not in SOURCES:
        raise unknown("dataset", name, SOURCES)
    if classes is None:
        return SOURCES[name](data_dir)
    if name not in WITH_CLASSES:
        raise InputError(
            f"`classes` must be none for dataset {name!r}, whose pictures have no classes "
            f"(those of {', '.join(WITH_CLASSES)} do). Received {classes!r}."
        )
    return SOURCES[name](data_dir, classes)


def folder(data_dir: str | os.PathLike | None = None) -> Source:
    """Every JPEG, PNG, WebP, BMP and TIFF (by suffix) in a folder and its subfolders, by relative path.

    Hidden files and folders and the ``__MACOSX`` that macOS puts into archives are skipped.
    """
    if data_dir is None:
        raise InputError("`data_dir` must be a folder of pictures for dataset 'folder'. Received None.")
    root = Path(data_dir).expanduser()
    if not root.is_dir():
        kind = "a file" if root.exists() else "no such folder"
        raise InputError(f"`data_dir` must be a folder of pictures. Received {str(root)!r}: {kind}.")
    names = sorted(_picture_files(root))
    if not names:
        raise InputError(
            f"`data_dir` holds no pictures: {str(root)!r} and below have no {', '.join(SUFFIXES)} file."
        )
    return _from_files("folder", root, names)


def celeba(data_dir: str | os.PathLike | None = None) -> Source:
    """CelebA aligned, 218x178 px (Liu et al., Deep Learning Face Attributes in the Wild, ICCV 2015).

    Found as the JPEGs ``000001.jpg ...`` in a folder or its ``img_align_celeba``, as the official
    ``img_align_celeba.zip`` (read without unpacking), or as ``celeb_a`` prepared for TensorFlow Datasets,
    whose train, validation and test splits follow each other. TFDS shuffles when it prepares, so its order
    is not that of the official file names.

    Args:
        data_dir: a folder that holds one of these, or the archive itself. None searches, in this order,
            ``$INPAINTING_DATA_DIR`` (its ``celeba`` first, its ``tfds`` last), ``./data`` (likewise),
            ``$TFDS_DATA_DIR`` and ``~/tensorflow_datasets``.

    Raises:
        InputError: nothing was found.
    """
    places = _places("celeba", data_dir)
    for place in places:
        source = _celeba_files(place) or _celeba_zip(place) or _tfds("celeba", "celeb_a", place, _SPLITS)
        if source is not None:
            return source
    raise _not_found("CelebA", places, _CELEBA_HELP)


def cifar10(data_dir: str | os.PathLike | None = None, classes: str | None = None) -> Source:
    """CIFAR-10, 32x32 px (Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009).

    Found as ``cifar10`` prepared for TensorFlow Datasets: 50,000 training pictures, then 10,000 test
    pictures, which stay test pictures. Nothing is downloaded.

    Args:
        data_dir: a folder that holds ``cifar10/3.0.2`` or another version. None searches, in this order,
            ``$INPAINTING_DATA_DIR`` (its ``cifar10`` first, its ``tfds`` last), ``./data`` (likewise),
            ``$TFDS_DATA_DIR`` and ``~/tensorflow_datasets``.
        classes: only the pictures of these of its ten classes, comma separated: airplane, automobile, bird,
            cat, deer, dog, frog, horse, ship, truck. None for all.

    Raises:
        InputError: nothing was found, or an unknown class.
    """
    places = _places("cifar10", data_dir)
    for place in places:
        source = _tfds("cifar10", "cifar10", place, ("train", "test"), own=("test",), classes=classes)
        if source is not None:
            return source
    raise _not_found("CIFAR-10", places, _CIFAR10_HELP)


def synthetic_faces(data_dir: None = None, *, count: int = 10_000) -> Source:
    """Drawn faces ``face_000000 ...``, generated at any size: for trials without data."""
    from inpainting_tf.data import synthetic_faces as generator

    if data_dir is not None:
        raise InputError(
            f"`data_dir` must be None for dataset 'synthetic_faces'. Received {str(data_dir)!r}."
        )

    def reader(index: int, image_size: tuple[int, int] | None) -> np.ndarray:
        return generator.face(index, image_size or 128)

    names = [f"face_{index:06d}" for index in range(count)]
    return Source("synthetic_faces", "generated faces", names, reader, [Path(generator.__file__)])


SOURCES: dict[str, Callable[..., Source]] = {
    "celeba": celeba,
    "cifar10": cifar10,
    "folder": folder,
    "synthetic_faces": synthetic_faces,
}

# Folders to search


def _places(name: str, data_dir: str | os.PathLike | None) -> list[Path]:
    """The folders that may hold data set `name`, in order; a given `data_dir` is searched alone."""
    if data_dir is not None:
        given = Path(data_dir).expanduser()
        return [given, given / name]
    roots = [os.environ.get("INPAINTING_DATA_DIR"), "data"]
    places = [Path(root) / part for root in roots if root for part in (name, "", "tfds")]
    places += [Path(root) for root in (os.environ.get("TFDS_DATA_DIR"), "~/tensorflow_datasets") if root]
    return [place.expanduser() for place in places]


def _not_found(title: str, places: Sequence[Path], advice: str) -> InputError:
    searched = ", ".join(f"{place}{'' if place.exists() else ' (absent)'}" for place in places)
    return InputError(f"{title} was not found. Searched: {searched}. {advice}")


def _picture_files(root: Path) -> Iterator[str]:
    for parent, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "__MACOSX"]
        for name in files:
            if not name.startswith(".") and name.lower().endswith(SUFFIXES):
                yield (Path(parent) / name).relative_to(root).as_posix()


def _from_files(name: str, root: Path, names: list[str]) -> Source:
    files = [root / relative for relative in names]
    return Source(name, str(root), names, lambda index, size: pictures.read(files[index], size), files)


# CelebA as JPEGs, and in its archive


def _celeba_files(place: Path) -> Source | None:
    nested = place / "img_align_celeba"
    for root in (place, nested, nested / "img_align_celeba"):  # the last in Kaggle's archive
        names = sorted(filter(_CELEBA_FILE.fullmatch, os.listdir(root))) if root.is_dir() else []
        if names:
            return _from_files("celeba", root, names)
    return None


def _celeba_zip(place: Path) -> Source | None:
    path = place if place.is_file() else place / "img_align_celeba.zip"
    if not path.is_file():
        return None
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is not an intact zip archive ({error}). Download it again.") from error
    names = sorted(name for name in archive.namelist() if _CELEBA_FILE.fullmatch(name))
    names = [name for name in names if not name.startswith("__MACOSX/")]
    return Source("celeba", str(path), names, _zip_reader(archive, names), [path]) if names else None


def _zip_reader(archive: zipfile.ZipFile, names: list[str]) -> Callable:
    lock = threading.Lock()  # a ZipFile's count of open members is not thread-safe

    def reader(index: int, image_size: tuple[int, int] | None) -> np.ndarray:
        try:
            with lock:
                data = archive.read(names[index])
        except Exception as error:  # BadZipFile, zlib.error, NotImplementedError, ... of a damaged member
            raise UnreadablePicture(f"damaged in the archive: {error}") from error
        return pictures.read(io.BytesIO(data), image_size)

    return reader


# Data sets prepared for TensorFlow Datasets (TFDS)

_SPLITS = ("train", "validation", "test")
_Record = tuple[Path, int, int]  # the file, the position and the length in bytes of one tf.train.Example


def _tfds(
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
    newest = _tfds_newest(place / dataset)
    if newest is None:
        return None
    info = _tfds_info(newest)
    shards = {path: split for split in splits for path in _tfds_shards(newest, info, split)}
    records = {f"{path.name}__{n}": (path, *span) for path in shards for n, span in enumerate(_records(path))}
    if classes is not None:
        records = _of_classes(records, info.features["label"].names, classes)
    division = {
        split: frozenset(n for n, (path, *_) in records.items() if shards[path] == split) for split in own
    }
    reader = _tfds_reader([*records.values()])
    labeller = _tfds_labeller([*records.items()]) if "label" in info.features else None
    return Source(name, str(newest), list(records), reader, [*shards], division, labeller)


def _tfds_newest(dataset: Path) -> Path | None:
    infos = dataset.glob("*/dataset_info.json")
    versions = [info.parent for info in infos if re.fullmatch(r"\d+\.\d+\.\d+", info.parent.name)]
    if not versions:  # "2.1.0.incomplete..." is one that TFDS did not finish
        return None
    return max(versions, key=lambda version: [int(number) for number in version.name.split(".")])


def _tfds_info(prepared: Path) -> Any:
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


def _tfds_shards(prepared: Path, info: Any, split: str) -> list[Path]:
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
    except Exception as error:  # as in `_tfds_reader`, but a picture without a label cannot be skipped
        raise InputError(f"{name} is a damaged record: prepare the data set again with tfds.") from error


def _feature(record: _Record, key: str) -> Any:
    import tensorflow as tf

    path, start, length = record
    with open(path, "rb") as file:
        file.seek(start)
        return tf.train.Example.FromString(file.read(length)).features.feature[key]


def _tfds_reader(records: Sequence[_Record]) -> Callable:
    def reader(index: int, image_size: tuple[int, int] | None) -> np.ndarray:
        try:
            data = _feature(records[index], "image").bytes_list.value[0]
        except Exception as error:  # OSError, protobuf's DecodeError, IndexError
            raise UnreadablePicture(f"damaged record: {error}") from error
        return pictures.read(io.BytesIO(data), image_size)

    return reader


def _tfds_labeller(records: Sequence[tuple[str, _Record]]) -> Callable:
    return lambda index: _label(*records[index])
