"""Files by their addresses: paths of this machine, and URIs such as s3://bucket/scans, by fsspec.

Addresses that are returned are absolute paths, or URIs with their protocol.
"""

from __future__ import annotations

import contextlib
import glob
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from inpainting_tf import environment, files
from inpainting_tf.errors import InputError


def absolute(address: str) -> str:
    """A path from the root on, or the URI."""
    return _named(*_located(address))


def base(address: str) -> str:
    """The folder that an address names, or above a file, or above the first wildcard of a glob."""
    system, path = _located(address)
    if _is_glob(system, path):
        path = re.split(r"[*?[]", path, maxsplit=1)[0]
    elif system.isdir(path):
        return _named(system, path)
    return _named(system, path.rpartition("/")[0])


def is_folder(address: str) -> bool:
    """Whether files lie below an address."""
    system, path = _located(address)
    with _reached(address):
        return bool(system.isdir(path))


def files_of(address: str) -> list[str]:
    """The files that a glob means (`**` for folders in folders), or all below a folder, or the one.

    Hidden ones, among them those that are being written, are left out.

    Raises:
        InputError: the file system cannot be reached, or fsspec does not know it.
    """
    system, path = _located(address)
    with _reached(address):
        found = system.glob(path, detail=True) if _is_glob(system, path) else system.find(path, detail=True)
    start = len(base(address)) if found else 0
    names = [_named(system, name) for name, about in found.items() if about["type"] == "file"]
    return [each for each in names if "/." not in each[start:]]


def names_in(folder: str) -> list[str]:
    """The names of the files in a folder; none where there is no such folder."""
    system, path = _located(folder)
    with _reached(folder), contextlib.suppress(FileNotFoundError):
        found = [each["name"] for each in system.ls(path, detail=True) if each["type"] == "file"]
        return sorted(name.rpartition("/")[2] for name in found)
    return []


def exists(address: str) -> bool:
    """Whether there is a file."""
    system, path = _located(address)
    return bool(system.exists(path))


def read(address: str) -> bytes:
    """A file's bytes.

    Raises:
        OSError: it cannot be read.
    """
    system, path = _located(address)
    return bytes(system.cat_file(path))


def write(address: str, data: bytes) -> None:
    """Writes a file, in whose place the old one stays until the new one is whole.

    On this machine it is renamed; a store of objects shows an object when it is complete.

    Raises:
        InputError: it cannot be written.
    """
    system, path = _located(address)
    if _is_local(system):
        files.write_bytes(path, data)
        return
    with files.writing(address):
        system.makedirs(path.rpartition("/")[0], exist_ok=True)
        system.pipe_file(path, data)


def sweep(folder: str) -> None:
    """Removes what killed processes left of files that they were writing on this machine."""
    system, path = _located(folder)
    if _is_local(system) and system.isdir(path):
        files.sweep(Path(path))


def _located(address: str) -> tuple[Any, str]:
    """The file system of an address, and its path there."""
    fsspec = environment.needed("fsspec", "cluster")
    with _reached(address):
        system, path = fsspec.core.url_to_fs(address)
    return system, path


@contextlib.contextmanager
def _reached(address: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except (OSError, ValueError, ImportError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"{address!r} must be a path, or a URI that can be reached: {reason}") from error


def _is_glob(system: Any, path: str) -> bool:
    return glob.has_magic(path) and not system.exists(path)


def _named(system: Any, path: str) -> str:
    return path if _is_local(system) else system.unstrip_protocol(path)


def _is_local(system: Any) -> bool:
    return "file" in ([system.protocol] if isinstance(system.protocol, str) else system.protocol)
