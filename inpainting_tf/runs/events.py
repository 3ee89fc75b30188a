"""TensorBoard's event files, written at once.

tensorboardX's own `SummaryWriter` writes from a thread, in which a full disk ends in tracebacks; here its
parts do the same in the caller's, where it is an error like any other.
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
        start: the step at which this process takes over. What an interrupted one wrote beyond it is hidden.

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
        """Every event is on the disk already, so that nothing can fail here that has not failed before."""
        with contextlib.suppress(OSError):
            self._writer.close()

    def _add(self, step: int, **content: Any) -> None:
        from tensorboardX.proto.event_pb2 import Event

        with files.writing(self._folder):
            self._writer.write_event(Event(wall_time=time.time(), step=step, **content))
            self._writer.flush()
