"""The pictures of a page that is open, kept in files on the server while they are worked on."""

from __future__ import annotations

import collections
import dataclasses
import pickle
import secrets
import threading
from pathlib import Path

import numpy as np

from inpainting_tf import photographs
from inpainting_tf.errors import InputError
from inpainting_tf.photographs import Photograph, Repaired

ROOM = 4 * 2**30  # bytes of all pictures; the longest unused ones make room for others


class Gone(InputError):
    """A picture that is not in the album, or no longer."""


@dataclasses.dataclass(frozen=True, eq=False)
class Picture:
    """A picture at one step of its repair.

    Attributes:
        name: of the user's file.
        photograph: its present pixels, and how its file was written.
        changed: bool [H, W], what was filled so far.
        hole: float32 [H, W], what is to be filled to begin with, if anything.
    """

    name: str
    photograph: Photograph
    changed: np.ndarray
    hole: np.ndarray | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        height, width = self.photograph.rgb.shape[:2]
        return height, width

    def repaired(self, done: Repaired) -> Picture:
        """The next step."""
        return Picture(self.name, photographs.after(self.photograph, done), self.changed | done.mask)


class Album:
    """Pictures by names that nobody can guess.

    Args:
        folder: an empty one of its own.
        room: bytes of all pictures.
    """

    def __init__(self, folder: Path, room: int = ROOM) -> None:
        self._folder, self._room = folder, room
        self._sizes: collections.OrderedDict[str, int] = collections.OrderedDict()  # oldest first
        self._turn = threading.Lock()

    def put(self, picture: Picture) -> str:
        """Keeps a picture, in place of the longest unused ones where there is no room; its name."""
        name = secrets.token_hex(16)
        with self._turn:
            with self._path(name).open("wb") as file:
                pickle.dump(picture, file, pickle.HIGHEST_PROTOCOL)
            self._sizes[name] = self._path(name).stat().st_size
            while sum(self._sizes.values()) > self._room and len(self._sizes) > 1:
                old, _ = self._sizes.popitem(last=False)
                self._path(old).unlink()
        return name

    def get(self, name: str) -> Picture:
        """The picture of that name.

        Raises:
            Gone: there is none.
        """
        with self._turn:
            if name not in self._sizes:  # so that no path can be asked for either
                raise Gone("This picture is no longer on the server: choose it again.")
            self._sizes.move_to_end(name)
            with self._path(name).open("rb") as file:
                picture: Picture = pickle.load(file)
        return picture

    def _path(self, name: str) -> Path:
        return self._folder / name
