"""One process at a time in a run's folder."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from absl import logging

from inpainting_tf import files
from inpainting_tf.errors import InputError

FILE = ".lock"


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps a second process out of the run's folder; the lock goes with the process, however it ends."""
    with contextlib.ExitStack() as stack:
        with files.writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            lock = stack.enter_context(open(folder / FILE, "a"))
        _lock(lock, folder)
        yield


def _lock(file: Any, folder: Path) -> None:
    try:
        import fcntl
    except ImportError:  # Windows: no such lock
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise InputError(f"`workdir` {str(folder)!r} is in use by another process.") from error
    except OSError as error:  # a network file system without locks
        logging.warning("%s cannot be locked (%s): start no second training in it.", folder, error.strerror)
