"""Atomic writing: a file is either the old one or the whole new one, also after a crash or on a full disk."""

from __future__ import annotations

import contextlib
import csv
import errno
import io
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from inpainting_tf.errors import InputError

_TEMPORARY = re.compile(r"\.(writing-)?[0-9a-f]{12}(\.\w+)?")
_SURROGATES = re.compile(r"[\udc80-\udcff]")  # the bytes of a file name that could not be decoded
_ADVICE = {
    errno.ENOSPC: "Free some space there, or choose another folder.",
    errno.EFBIG: "Raise the limit on file sizes (ulimit -f), or choose another folder.",
    errno.EDQUOT: "Free some of your quota there, or choose another folder.",
    errno.EROFS: "Choose a folder on a writable file system.",
    errno.EACCES: "Choose a folder you may write to, or change its permissions.",
    errno.EPERM: "Choose a folder you may write to, or change its permissions.",
    errno.ENOTDIR: "A part of the path is a file: choose another folder.",
    errno.EEXIST: "A part of the path is a file: choose another folder.",
    errno.EISDIR: "Name a file, not a folder.",
    errno.EINVAL: "Name an ordinary file.",
    errno.ENAMETOOLONG: "Choose a shorter name.",
}


@contextlib.contextmanager
def writing(path: str | os.PathLike) -> Iterator[None]:
    """Turns an ``OSError`` of the block (full disk, no permission, ...) into an `InputError` of one line."""
    try:
        yield
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0, "Check the folder, or choose another one.")
        reason = error.strerror or str(error).partition("\n")[0]
        raise InputError(f"{os.fspath(path)!r} could not be written: {reason}. {advice}") from error


@contextlib.contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """Yields a temporary path beside ``path``; when the block ends well, it becomes ``path`` in one step.

    The temporary path has the same ending, because writers such as Keras and matplotlib choose the format by
    it. Missing parent folders are made. If the block fails, the temporary file is deleted, the old one kept.

        with replacing("runs/glcic/model.keras") as temporary:
            model.save(temporary)

    Args:
        path: the file to write. A symbolic link is followed, not replaced.

    Raises:
        InputError: on any ``OSError`` (full disk, no permission, ...), in the block or here, in one line.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{secrets.token_hex(6)}{target.suffix}")
    try:
        with writing(path):
            _require_replaceable(target)
            target.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            _flush_to_disk(temporary)
            os.replace(temporary, target)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


@contextlib.contextmanager
def replacing_folder(path: str | os.PathLike, *, sweep: bool = False) -> Iterator[Path]:
    """Yields a new, empty folder beside ``path``; when the block ends well, it becomes ``path`` in one step.

    A folder of that name that is already there is renamed aside, to ``.replaced-NAME``, the new one is
    renamed into its place, and then the old one is removed. If the second renaming fails, the old one is
    restored. If the process is killed between the two, nothing is at ``path``: the next call for the same
    path restores the old folder first, and so does `recover_folder`, for readers.

    Args:
        path: the folder. A symbolic link is followed, not replaced.
        sweep: removes incomplete folders of killed processes beside it (names that begin with ".writing-").
            Only where no other process writes.

    Raises:
        InputError: on any ``OSError``, in the block or here, in one line.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".writing-{secrets.token_hex(6)}")
    try:
        with writing(path):
            recover_folder(target)
            if target.exists() and not target.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            target.parent.mkdir(parents=True, exist_ok=True)
            for abandoned in target.parent.glob(".writing-*") if sweep else ():
                shutil.rmtree(abandoned, ignore_errors=True)
            temporary.mkdir()
            yield temporary
            for file in filter(Path.is_file, temporary.rglob("*")):
                _flush_to_disk(file)
            _exchange(target, temporary)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def recover_folder(path: str | os.PathLike) -> None:
    """Restores the folder that a process killed within `replacing_folder` had renamed aside, if any.

    Only for a folder that no other process is replacing.

    Raises:
        InputError: it cannot be renamed.
    """
    target = Path(os.path.realpath(path))
    aside = _aside(target)
    if not aside.is_dir():
        return
    with writing(path):
        if target.exists():  # killed after the exchange: the old one is not needed any more
            shutil.rmtree(aside, ignore_errors=True)
        else:
            os.replace(aside, target)


def is_temporary(path: Path) -> bool:
    """Whether it is what `replacing` or `replacing_folder` is writing, or left when it was killed."""
    return _TEMPORARY.fullmatch(path.name) is not None


def sweep(folder: Path, older: float = 3600.0) -> None:
    """Removes, from `folder` and below, the files of killed processes that are `older` seconds or more.

    Younger ones may be those of a process that is writing.
    """
    before = time.time() - older
    for file in filter(is_temporary, folder.rglob(".*")):
        with contextlib.suppress(OSError):
            if file.is_file() and file.stat().st_mtime <= before:
                file.unlink()


def _exchange(target: Path, new: Path) -> None:
    """Replaces the folder `target` by `new`; on an error `target` is unchanged."""
    aside = _aside(target)
    if not target.exists():
        os.replace(new, target)
        return
    os.replace(target, aside)
    try:
        os.replace(new, target)
    except BaseException:
        os.replace(aside, target)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _aside(target: Path) -> Path:
    return target.with_name(f".replaced-{target.name}")


def readable(name: str) -> str:
    """A file name as text for people and figures: bytes that the locale could not decode are UTF-8."""
    return os.fsencode(name).decode("utf-8", errors="replace") if _SURROGATES.search(name) else name


def write_text(path: str | os.PathLike, text: str) -> None:
    """Writes ``text`` as UTF-8 with the line ends as they are; see `replacing` for the errors raised."""
    # A file name that is not valid UTF-8 (Linux allows it) is written escaped rather than refused.
    write_bytes(path, text.encode("utf-8", errors="backslashreplace"))


def write_bytes(path: str | os.PathLike, data: bytes) -> None:
    """Writes ``data``; see `replacing` for the errors raised."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_json(path: str | os.PathLike, obj: Any) -> None:
    """Writes ``obj`` as indented JSON; NumPy scalars and arrays become numbers and lists.

    Raises:
        InputError: as `replacing`.
        ValueError: for NaN and infinity, which JSON does not have (use None).
        TypeError: for an object that is not JSON.
    """
    text = json.dumps(obj, indent=2, ensure_ascii=False, allow_nan=False, default=_plain)
    write_text(path, text + "\n")


def write_csv(path: str | os.PathLike, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes ``rows`` under one header: all their keys, in the order in which they first appear.

    None and missing values become empty cells. See `replacing` for the errors raised.
    """
    columns = list(dict.fromkeys(key for row in rows for key in row))
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, buffer.getvalue())


@contextlib.contextmanager
def writing_csv(path: str | os.PathLike, columns: Sequence[str]) -> Iterator[Callable[[Mapping], Any]]:
    """Yields a function that writes a row; see `write_csv`. For rows that are too many to be kept.

    When the block ends the file becomes ``path``, also by an exception: a report of what was done until then.
    """
    failed: BaseException | None = None
    with replacing(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        try:
            yield writer.writerow
        except BaseException as error:
            failed = error
    if failed is not None:
        raise failed


def _require_replaceable(target: Path) -> None:
    """Raises for a target such as /dev/null or a folder, which must not become a file."""
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if target.exists() and not target.is_file():
        raise OSError(errno.EINVAL, "Not a regular file")


def _flush_to_disk(path: Path) -> None:
    """Syncs a file: else a power cut after the replacement could leave it empty under the final name."""
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} {value!r} cannot be written as JSON.")
