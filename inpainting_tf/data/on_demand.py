"""Pictures that are read when a batch needs them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from inpainting_tf.data.crops import Part
from inpainting_tf.data.source import Source


class OnDemand:
    """Pictures of a source, read in parallel; who indexes it by rows has an array of them.

    Args:
        source: where they are, and which part of each is taken.
        indices: their positions in ``source.names``; all can be read.
        image_size: (height, width) in px.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, source: Source, indices: Sequence[int], image_size: tuple[int, int]) -> None:
        self.shape = (len(indices), *image_size, 3)
        self._source, self._indices = source, list(indices)
        self._threads = ThreadPoolExecutor(os.cpu_count())

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> np.ndarray:
        """uint8 [N, H, W, 3] for a slice or an array of numbers."""
        chosen = np.arange(len(self))[rows]
        return self.parts(chosen, [self._source.part] * len(chosen))

    def parts(self, rows: Sequence[int] | np.ndarray, parts: Sequence[Part]) -> np.ndarray:
        """Other parts of pictures, uint8 [N, H, W, 3].

        Args:
            rows: [N], which pictures.
            parts: [N], which part of each.
        """

        def read(row: int, part: Part) -> np.ndarray:
            return self._source.read(self._indices[row], self.shape[1:3], part)

        return np.stack(list(self._threads.map(read, rows, parts)))
