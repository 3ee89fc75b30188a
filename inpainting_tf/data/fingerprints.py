"""Fingerprints: whether the files behind some pictures are the same as before."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from inpainting_tf.data import prepared, sources
from inpainting_tf.errors import InputError

if TYPE_CHECKING:
    from inpainting_tf.data import Data


def fingerprint(
    data: Data, data_dir: str | os.PathLike | None = None, names: Sequence[str] | None = None
) -> str | None:
    """Changes with the name or size of a file behind some pictures, not with the folder that they are in.

    Args:
        data: the recipe's part.
        data_dir: as `load` takes it.
        names: of the pictures; None for all of the source. Where several are in one file (an archive, a
            prepared data set), the whole file is meant.

    Returns:
        A hexadecimal number, or None where the pictures are not found.
    """
    try:
        found = _files(data, data_dir, names)
        sizes = sorted((file.name, file.stat().st_size) for file in found)
    except (InputError, OSError):
        return None
    return hashlib.sha256(json.dumps(sizes).encode()).hexdigest()[:16]


def _files(data: Data, data_dir: str | os.PathLike | None, names: Sequence[str] | None) -> Sequence[Path]:
    if (stored := prepared.find(data_dir)) is not None:
        if not isinstance(stored.folder, Path):
            return []
        return [stored.folder / f"{which}.npy" for which in stored.images]
    source = sources.find(data.source, data_dir, data.classes)
    if names is None or len(source.files) != len(source.names):
        return source.files
    wanted = set(names)
    return [file for name, file in zip(source.names, source.files, strict=True) if name in wanted]
