"""One process at a time in a run's folder."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import filelock
from absl import logging

from inpainting_tf import files
from inpainting_tf.errors import InputError

FILE = ".lock"


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Holds the lock of a run's folder; it is released when the process ends, however it does.

    Args:
        folder: made if missing.

    Raises:
        InputError: another process holds the lock, or the folder cannot be written.
    """
    # The system's own lock, not the file's existence, which would outlive a killed process.
    lock = filelock.FileLock(folder / FILE, timeout=0)
    with files.writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE).touch()
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise InputError(f"`workdir` {str(folder)!r} is in use by another process.") from error
    except (OSError, NotImplementedError) as error:  # a network file system without locks
        reason = getattr(error, "strerror", None) or error
        logging.warning("%s cannot be locked (%s): start no second training in it.", folder, reason)
    try:
        yield
    finally:
        lock.release()
