"""Saves every picture of an evaluation as PNG files: for eyes, and for programs that compare folders (FID).

picture/    the original             fill/       the raw prediction
hole/       white where missing      composite/  the picture with its hole taken from the prediction

A picture has the same file name in all four folders.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from inpainting_tf import files
from inpainting_tf.data.folders import SUFFIXES
from inpainting_tf.errors import InputError
from inpainting_tf.evaluation.measuring import Watch
from inpainting_tf.ops.images import composite, to_uint8

FOLDERS = ("picture", "hole", "fill", "composite")


@contextlib.contextmanager
def saving(folder: str | os.PathLike, names: Sequence[str]) -> Iterator[Watch]:
    """Yields a `watch` for `evaluate` that saves its pictures; when the block ends well, `folder` has them.

    They replace those of an earlier evaluation, all at once.

    Args:
        folder: new, empty, or written by this function: nothing else is ever deleted.
        names: of all pictures, as `evaluate` has them; see `file_names`.

    Raises:
        InputError: the folder holds something else, or cannot be written.
    """
    _require_own(Path(folder))
    known = dict(zip(names, file_names(names), strict=True))
    with files.replacing_folder(folder, sweep=True) as temporary:
        for each in FOLDERS:
            (temporary / each).mkdir()

        def watch(labels: Sequence[str], images: np.ndarray, masks: np.ndarray, fills: np.ndarray) -> None:
            batch = (images, masks[..., 0], fills, composite(images, fills, masks))
            for each, pictures in zip(FOLDERS, batch, strict=True):
                for label, picture in zip(labels, to_uint8(pictures), strict=True):
                    Image.fromarray(picture).save(temporary / each / known[label])

        yield watch


def file_names(names: Sequence[str]) -> list[str]:
    """A PNG file's name for each picture, without subfolders.

    Its own name where those of all pictures differ, with "__" for the separators of a path; else that with
    its position before it.
    """
    own = [_stem(name).replace("/", "__").replace("\\", "__") for name in names]
    if max(Counter(map(str.casefold, own)).values(), default=1) > 1:
        own = [f"{index:06d}__{name}" for index, name in enumerate(own)]
    return [f"{name}.png" for name in own]


def _stem(name: str) -> str:
    """Without the ending of a picture file; a name of another kind has no ending."""
    return os.path.splitext(name)[0] if name.lower().endswith(SUFFIXES) else name


def _require_own(folder: Path) -> None:
    with files.writing(folder):
        found = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    strange = sorted(found - {*FOLDERS, ".DS_Store"})  # the latter is macOS's note of how it shows a folder
    if strange:
        raise InputError(
            f"`save_pictures` must have a new or an empty folder, or that of an earlier evaluation. Received "
            f"{str(folder)!r}, which has {strange[0]!r}: choose another --output."
        )
