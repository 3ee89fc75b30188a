"""Which pictures of a folder an evaluation measures."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from inpainting_tf.data import prepared, sources
from inpainting_tf.data.fingerprints import fingerprint
from inpainting_tf.data.source import Source
from inpainting_tf.data.splits import of_source
from inpainting_tf.errors import InputError

if TYPE_CHECKING:
    from inpainting_tf.data import Data


def whole(data: Data, data_dir: str | os.PathLike | None) -> tuple[dict[str, list[str]] | None, str]:
    """The test pictures where nothing is trained, by name, and an account of them.

    Of a folder of pictures they are all there are, or its test pictures if it is divided by subfolders; of
    another data set those of its test split. None for a prepared data set, whose split is fixed.

    Raises:
        InputError: no such source or class, or nothing found.
    """
    if prepared.find(data_dir) is not None:
        return None, ""
    source = sources.find(data.source, data_dir, data.classes)
    if data.source != "folder":
        return of_source(source, data)
    return {"test": _all(source)}, source.account


def of_run(
    data: Data, data_dir: str | os.PathLike, known: Mapping[str, Any], *, whole: bool = False
) -> tuple[dict[str, list[str]], str]:
    """The pictures of a folder that a run is measured on, by name, and an account of them.

    They are the run's own test pictures if the folder is the one it was trained on, moved or not, and all of
    a folder that has none of them.

    Args:
        data: the run's part.
        data_dir: the folder.
        known: the run's `data.json`.
        whole: take all of a folder with some files of the same names, instead of refusing it.

    Raises:
        InputError: nothing found, or only some of the run's test pictures, or other files of their names.
    """
    source = sources.find(data.source, data_dir, data.classes)
    own = list(known["test"])
    there = {*source.names} & {*own}
    same = len(there) == len(own) and known.get("fingerprint") in (None, fingerprint(data, data_dir, own))
    if same:
        return {"test": own}, ""
    if there and not whole:
        what = (
            f"{len(there)} of this run's {len(own)} test pictures"
            if len(there) < len(own)
            else ("other files of the names of this run's test pictures")
        )
        raise InputError(
            f"`data_dir` must be the folder that the run was trained on, or a new one. {str(data_dir)!r} "
            f"holds {what}. To measure all pictures of it pass --dataset=folder as well."
        )
    trained = {*known.get("train", ())} & {*_all(source)}
    note = f" {len(trained)} of them have names of pictures that it was trained on." if trained else ""
    return {"test": _all(source)}, source.account + note


def _all(source: Source) -> list[str]:
    own = source.division.get("test")
    return [name for name in source.names if own is None or name in own]
