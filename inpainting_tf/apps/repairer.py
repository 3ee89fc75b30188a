"""What a replica of the server does: a network, applied to files and to arrays."""

from __future__ import annotations

import dataclasses
import functools
import io
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from PIL import Image

from inpainting_tf import loading, processes
from inpainting_tf.inference import inpaint, together
from inpainting_tf.photographs import Options, batches, formats


@dataclasses.dataclass(frozen=True)
class Model:
    """A network, by what loads it in another process.

    Attributes:
        path, engine: see `inpainting_tf.load`.
        threads: that it computes with; None: one for each core.
        at_once: requests that a replica works on at the same time. Their windows of one size go through the
            network together.
    """

    path: str
    engine: str = "auto"
    threads: int | None = 1
    at_once: int = 2


@dataclasses.dataclass(frozen=True)
class Repair:
    """A picture file to repair.

    Attributes:
        image: the file.
        masks: mask files, whose union is its hole; none: its transparent parts are.
        ending: of the format to answer in, with a dot; None: that of the picture.
        options: how the files are read and the hole is changed.
        how: `blend`, `detail`, `direct` of `inpainting_tf.inpaint`.
    """

    image: bytes
    masks: tuple[bytes, ...] = ()
    ending: str | None = None
    options: Options = dataclasses.field(default_factory=Options)
    how: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class File:
    """A repaired picture file.

    Attributes:
        data: the file.
        kind: its media type.
        missing: the missing share of the picture.
        grown: pixels by which its hole was grown, unasked.
    """

    data: bytes
    kind: str
    missing: float
    grown: int


class Server(Protocol):
    """What answers requests: a `Repairer` here, or replicas of it elsewhere."""

    async def __call__(self, task: str, *given: Any) -> Any:
        """The result of the method `task` of a `Repairer`.

        Raises:
            InputError: what is given is wrong.
            Refused: it cannot be had now.
        """

    async def ready(self) -> bool:
        """Whether requests would be answered now."""


class Repairer:
    """The tasks of a replica, which several threads may call.

    Args:
        model: what it repairs with.

    Raises:
        InputError: those of `inpainting_tf.load`.
    """

    def __init__(self, model: Model) -> None:
        if model.threads is not None:
            processes.limit_threads(model.threads)
        self._model = together(
            loading.load_for_command(model.path, engine=model.engine, threads=model.threads)
        )

    def file(self, given: Repair) -> File:
        """A picture file repaired, as `inpaint` does it.

        Raises:
            InputError, NotWritten: those of `batches.repaired` and `inpainting_tf.inpaint`.
        """
        name = None if given.ending is None else f"repaired{given.ending}"
        image, masks = io.BytesIO(given.image), [io.BytesIO(mask) for mask in given.masks]
        how: Callable = functools.partial(inpaint, self._model, **given.how)
        data, done = batches.repaired(image, masks, name, how, given.options)
        return File(data, _kind(data), done.missing, done.grown)

    def completed(self, image: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """`inpainting_tf.inpaint` of arrays."""
        return inpaint(self._model, image, mask)

    def prediction(self, images: np.ndarray, masks: np.ndarray) -> np.ndarray:
        """The network's own prediction; see `Engine.fill`."""
        return self._model.fill(images, masks)

    def warm(self, sides: Sequence[int] = (64,)) -> None:
        """Computes something, so that the first request need not wait for it."""
        for side in sides:
            image, mask = np.zeros((side, side, 3), np.uint8), np.zeros((side, side), bool)
            mask[side // 3 : side // 2, side // 3 : side // 2] = True
            self.completed(image, mask)


def _kind(data: bytes) -> str:
    with Image.open(io.BytesIO(data), formats=formats.readable()) as image:
        return Image.MIME[str(image.format)]
