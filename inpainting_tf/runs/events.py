"""TensorBoard's event files, written synchronously.

tensorboardX's own `SummaryWriter` writes from a thread, in which a full disk ends in tracebacks; here its
parts write in the caller's thread, where a full disk raises an `InputError`.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from inpainting_tf import files


class Events:
    """One process's event file of a run.

    Args:
        folder: TensorBoard's log folder; made if missing.
        start: the step at which this process begins. Events of an interrupted one beyond it are hidden.

    Raises:
        InputError: here and in every method, when the file cannot be written.
    """

    def __init__(self, folder: Path, start: int) -> None:
        from tensorboardX.event_file_writer import EventsWriter
        from tensorboardX.proto.event_pb2 import SessionLog

        self._folder = folder
        with files.writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._writer = EventsWriter(str(folder / "events"))
        self._add(start + 1, session_log=SessionLog(status=SessionLog.START))

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Adds a number to the curve of each name."""
        from tensorboardX.summary import scalar

        for name, value in values.items():
            self._add(step, summary=scalar(name, value))

    def picture(self, name: str, picture: np.ndarray, step: int) -> None:
        """Adds a picture, uint8 [H, W, 3]."""
        from tensorboardX.summary import image

        self._add(step, summary=image(name, picture, dataformats="HWC"))

    def close(self) -> None:
        """Closes the file. Every event is on the disk already, so that nothing new can fail here."""
        with contextlib.suppress(OSError):
            self._writer.close()

    def _add(self, step: int, **content: Any) -> None:
        from tensorboardX.proto.event_pb2 import Event

        with files.writing(self._folder):
            self._writer.write_event(Event(wall_time=time.time(), step=step, **content))
            self._writer.flush()
