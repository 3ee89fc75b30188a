"""`Source`, the interface of a data set: names in a stable order, and a picture for each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from inpainting_tf.data.crops import CENTRE, Part
from inpainting_tf.errors import InputError

SPLITS = ("train", "validation", "test")
WITH_CLASSES = ("cifar10", "dtd")  # sources with a second argument `classes`
ALIGNED = ("celeba", "synthetic_faces")  # of pictures that show the same thing in the same place


def account_of(origin: str, count: int, division: Mapping[str, Collection[str]]) -> str:
    """A sentence on how many pictures were found where, and on their official division."""
    parts = ", ".join(f"{len(part)} for {which}" for which, part in division.items())
    return f"Pictures of {origin}: {count}{f', officially {parts}' if parts else ''}."


# (index, (height, width) or None for the picture's own, which part of it) -> uint8 [H, W, 3]
Reader = Callable[[int, tuple[int, int] | None, Part], np.ndarray]


@dataclass(frozen=True, eq=False)
class Source:
    """An ordered set of pictures that are read one at a time.

    Attributes:
        name: as in `SOURCES`.
        origin: the folder, archive or generator, for messages.
        names: one per picture, in a stable order.
        reader: called by `read`.
        files: the files behind the pictures: one each, or those that hold them all.
        division: the names of the data set's own "test" and "validation" splits, as far as it has them.
        labeller: called by `label`; None where pictures have no classes.
        numbers: the official number of each picture; none where they have none.
        account: a sentence on where the pictures were found and what was left out.
        part: which part of each picture is read, where it has another shape than is wanted.
    """

    name: str
    origin: str
    names: list[str]
    reader: Reader
    files: Sequence[Path] = ()
    division: Mapping[str, frozenset[str]] = field(default_factory=dict)
    labeller: Callable[[int], int] | None = None
    numbers: Sequence[int] = ()
    account: str = ""
    part: Part = CENTRE

    def __len__(self) -> int:
        return len(self.names)

    def read(
        self, index: int, image_size: tuple[int, int] | None = None, part: Part | None = None
    ) -> np.ndarray:
        """The picture as uint8 [H, W, 3] RGB; safe to call from several threads.

        Args:
            index: position in `names`.
            image_size: (height, width): cropped and resized to it; None is the picture's own size.
            part: in place of the source's own.

        Raises:
            pictures.UnreadablePicture: with a short reason.
        """
        return self.reader(index, image_size, part or self.part)

    def label(self, index: int) -> int:
        """The number of the picture's class, from 0, in the data set's own order.

        Raises:
            InputError: the source's pictures have no classes, or the record is damaged.
        """
        if self.labeller is None:
            raise InputError(f"The pictures of {self.name!r} have no classes ({', '.join(WITH_CLASSES)} do).")
        return self.labeller(index)
