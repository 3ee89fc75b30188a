"""Files by their addresses: paths of this machine, and URIs such as s3://bucket/scans, by fsspec.

Addresses that are returned are absolute paths, or URIs with their protocol. All errors are `InputError`, one
line each: every file system has errors of its own.
"""

from __future__ import annotations

import contextlib
import glob
import os
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from inpainting_tf import files
from inpainting_tf.errors import InputError

Address = str | os.PathLike


def is_uri(address: Address) -> bool:
    """Whether it has a protocol."""
    return "://" in str(address)


def absolute(address: Address) -> str:
    """A path from the root on, or the URI."""
    return _named(*_located(address))


def base(address: Address) -> str:
    """The folder that an address names, or above a file, or above the first wildcard of a glob."""
    system, path = _located(address)
    with _told(address, "reached"):
        if _is_glob(system, path):
            path = re.split(r"[*?[]", path, maxsplit=1)[0]
        elif system.isdir(path):
            return _named(system, path)
    return _named(system, path.rpartition("/")[0])


def is_folder(address: Address) -> bool:
    """Whether files lie below an address."""
    system, path = _located(address)
    with _told(address, "reached"):
        return bool(system.isdir(path))


def files_of(address: Address) -> list[str]:
    """The files that a glob means (`**` for folders in folders), or all below a folder, or the one.

    Hidden ones, among them those that are being written, are left out.
    """
    system, path = _located(address)
    with _told(address, "reached"):
        found = system.glob(path, detail=True) if _is_glob(system, path) else system.find(path, detail=True)
    start = len(base(address)) if found else 0
    names = [_named(system, name) for name, about in found.items() if about["type"] == "file"]
    return [each for each in names if "/." not in each[start:]]


def names_in(folder: Address) -> list[str]:
    """The names of the files in a folder; none where there is no such folder."""
    system, path = _located(folder)
    with _told(folder, "reached"), contextlib.suppress(FileNotFoundError):
        found = [each["name"] for each in system.ls(path, detail=True) if each["type"] == "file"]
        return sorted(name.rpartition("/")[2] for name in found)
    return []


def exists(address: Address) -> bool:
    """Whether there is a file."""
    system, path = _located(address)
    with _told(address, "reached"):
        return bool(system.exists(path))


def read(address: Address, start: int | None = None, end: int | None = None) -> bytes:
    """A file's bytes from `start` to `end`."""
    system, path = _located(address)
    with _told(address, "read"):
        return bytes(system.cat_file(path, start=start, end=end))


def write(address: Address, data: bytes) -> None:
    """Writes a file, in whose place the old one stays until the new one is whole.

    On this machine it is renamed; a store of objects shows an object when it is complete.
    """
    system, path = _located(address)
    if _is_local(system):
        files.write_bytes(path, data)
        return
    with _told(address, "written"), files.writing(address):
        system.makedirs(path.rpartition("/")[0], exist_ok=True)
        system.pipe_file(path, data)


@contextlib.contextmanager
def writing(address: Address) -> Iterator[Any]:
    """A new file, open to be written in parts."""
    system, path = _located(address)
    with _told(address, "written"), files.writing(address):
        system.makedirs(path.rpartition("/")[0], exist_ok=True)
        with system.open(path, "wb") as file:
            yield file


def require_free(folder: Address) -> None:
    """Raises where there is a folder that holds something, or no bucket to make one in."""
    system, path = _located(folder)
    with _told(folder, "written"), files.writing(folder):
        if not _is_local(system):
            system.makedirs(path, exist_ok=True)
        taken = system.exists(path) and system.ls(path, detail=False)
    if taken:
        raise InputError(
            f"`output` must be a new or an empty folder. Received {os.fspath(folder)!r}: it is not. "
            "Choose another."
        )


def sweep(folder: Address) -> None:
    """Removes what killed processes left of files that they were writing on this machine."""
    system, path = _located(folder)
    if _is_local(system) and system.isdir(path):
        files.sweep(Path(path))


def _located(address: Address) -> tuple[Any, str]:
    """The file system of an address, and its path there."""
    import fsspec

    with _told(address, "reached"):
        system, path = fsspec.core.url_to_fs(address)
    return system, posixpath.normpath(path) if _is_local(system) else path


@contextlib.contextmanager
def _told(address: Address, done: str) -> Iterator[None]:
    """Turns what a file system raises into one line that says what could not be done."""
    try:
        yield
    except (InputError, MemoryError):
        raise
    except Exception as error:
        reason = getattr(error, "strerror", None) or str(error).partition("\n")[0] or type(error).__name__
        raise InputError(f"{os.fspath(address)!r} could not be {done}: {reason.rstrip('.')}.") from error


def _is_glob(system: Any, path: str) -> bool:
    return glob.has_magic(path) and not system.exists(path)


def _named(system: Any, path: str) -> str:
    return path if _is_local(system) else system.unstrip_protocol(path)


def _is_local(system: Any) -> bool:
    return "file" in ([system.protocol] if isinstance(system.protocol, str) else system.protocol)
