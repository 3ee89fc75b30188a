"""Sources of pictures: each is a function that finds the pictures and returns a `Source`.

To add one, write such a function and name it in `SOURCES`. No source uses the network.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from inpainting_tf.data import celeba as celeba_files
from inpainting_tf.data import crops, pictures, tfds
from inpainting_tf.data.crops import CENTRE, WHOLE, Part
from inpainting_tf.data.folders import first_picture, folder
from inpainting_tf.data.source import SPLITS, WITH_CLASSES, Source
from inpainting_tf.errors import InputError, unknown

_CELEBA_HELP = (
    'Get "Align&Cropped Images" from mmlab.ie.cuhk.edu.hk/projects/CelebA.html (img_align_celeba.zip need '
    "not be unpacked) or Kaggle's jessicali9530/celeba-dataset, then pass their folder as --data_dir."
)
_TFDS_HELP = (
    'Download and prepare it with python -c "import tensorflow_datasets as tfds; '
    "tfds.load('{}', data_dir='FOLDER')\", then pass --data_dir=FOLDER."
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


def celeba(data_dir: str | os.PathLike | None = None) -> Source:
    """CelebA aligned, 218x178 px (Liu et al., Deep Learning Face Attributes in the Wild, ICCV 2015).

    Found as the files ``000001.jpg ...`` (or ``.png``) in a folder or a folder below it that is called so, as
    the official ``img_align_celeba.zip`` (read without unpacking), or as ``celeb_a`` prepared for TensorFlow
    Datasets. The official division into training, validation and test pictures is that of
    ``list_eval_partition.csv`` or ``.txt`` beside or above them, else that of the official numbers. TFDS
    shuffles when it prepares, so its pictures have no such numbers.

    Args:
        data_dir: a folder that holds one of these, or the archive itself. None searches, in this order,
            ``$INPAINTING_DATA_DIR`` (its ``celeba`` first, its ``tfds`` last), ``./data`` (likewise),
            ``$TFDS_DATA_DIR`` and ``~/tensorflow_datasets``.

    Raises:
        InputError: nothing was found.
    """
    places = _places("celeba", data_dir)
    for place in places:
        source = celeba_files.files(place) or celeba_files.archive(place)
        source = source or tfds.find("celeba", "celeb_a", place, SPLITS, own=SPLITS[1:])
        if source is not None:
            return source
    other = None if data_dir is None else first_picture(places[0])
    hint = f"It holds other pictures, e.g. {other}: take them with --dataset=folder. " if other else ""
    raise _not_found("CelebA", places, hint + _CELEBA_HELP)


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
        source = tfds.find("cifar10", "cifar10", place, ("train", "test"), own=("test",), classes=classes)
        if source is not None:
            return source
    raise _not_found("CIFAR-10", places, _TFDS_HELP.format("cifar10"))


def dtd(data_dir: str | os.PathLike | None = None, classes: str | None = None) -> Source:
    """DTD, 5,640 textures (Cimpoi et al., Describing Textures in the Wild, CVPR 2014).

    Found as ``dtd`` prepared for TensorFlow Datasets, with its first official division into training,
    validation and test pictures. Nothing is downloaded.

    Args:
        data_dir: a folder that holds ``dtd/3.0.1`` or another version. None searches as in `cifar10`.
        classes: only the pictures of these of its 47 classes, comma separated, e.g. "woven"; None for all.

    Raises:
        InputError: nothing was found, or an unknown class.
    """
    places = _places("dtd", data_dir)
    for place in places:
        source = tfds.find("dtd", "dtd", place, SPLITS, own=SPLITS[1:], classes=classes)
        if source is not None:
            return source
    raise _not_found("DTD", places, _TFDS_HELP.format("dtd"))


def synthetic_faces(data_dir: None = None, *, count: int = 10_000) -> Source:
    """Drawn faces ``face_000000 ...``, generated at any size, for trials without data."""
    from inpainting_tf.data import synthetic_faces as generator

    if data_dir is not None:
        raise InputError(
            "`data_dir` must be None for dataset 'synthetic_faces', which draws its pictures. Received "
            f"{str(data_dir)!r}. Name its data set as well: --dataset=celeba, or --dataset=folder for others."
        )

    def reader(index: int, image_size: tuple[int, int] | None, part: Part) -> np.ndarray:
        if image_size is None or part in (CENTRE, WHOLE):
            return generator.face(index, image_size or 128)
        height, width = image_size
        whole = generator.face(index, (round(height * crops.LARGEST), round(width * crops.LARGEST)))
        return pictures.resize(whole, image_size, part)

    names = [f"face_{index:06d}" for index in range(count)]
    return Source("synthetic_faces", "generated faces", names, reader, [Path(generator.__file__)])


SOURCES: dict[str, Callable[..., Source]] = {
    "celeba": celeba,
    "cifar10": cifar10,
    "dtd": dtd,
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
