"""Sheets: pictures side by side, a row per picture, a column per kind."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from inpainting_tf.errors import InputError, unknown
from inpainting_tf.figures.canvas import DPI, HOLE_COLOR, OUTLINE_COLOR, save, wrapped
from inpainting_tf.ops.images import composite, to_float, to_uint8

_CELL = 200  # pixels: about the side at which a picture is shown
_LARGEST = 512  # pixels: larger pictures are reduced
_GAP = 6  # pixels between pictures
_FONT = 10  # points
_LINE = 17  # pixels per line of text at that size


def input_view(
    images: np.ndarray,
    masks: np.ndarray,
    *,
    color: tuple[float, float, float] = HOLE_COLOR,
    outline: tuple[float, float, float] | None = OUTLINE_COLOR,
) -> np.ndarray:
    """Pictures with their holes visible, for the input column of a `sheet`.

    Args:
        images: [N, H, W, 3], float in [0, 1] or uint8.
        masks: float [N, H, W, 1], 1 = missing, 0 = known.
        color: of the holes, RGB in [0, 1].
        outline: of the holes' outermost missing pixels, or None. Known pixels are unchanged.

    Returns:
        float32 [N, H, W, 3] in [0, 1].
    """
    images, masks = _floats(images), np.asarray(masks, "float32")
    shown = composite(images, np.asarray(color, "float32"), masks)
    if outline is None:
        return shown
    return composite(shown, np.asarray(outline, "float32"), masks - _eroded(masks))


def sheet(
    columns: Mapping[str, np.ndarray],
    path: str | os.PathLike,
    *,
    title: str | None = None,
    notes: Mapping[str, Sequence[str]] | None = None,
) -> Path:
    """Pictures side by side (face_gan, figures 4.4-4.10): a row per picture, a labelled column per kind.

    Small pictures are enlarged by a whole factor without smoothing, so every pixel is visible; those beyond
    512 pixels are reduced by a whole factor.

    Args:
        columns: label -> [N, H, W, 3] (or one channel), float in [0, 1] or uint8. All have the same N;
            sizes may differ between columns, e.g. a column of patches.
        path: the PNG file.
        title: a line above everything.
        notes: label of a column -> a caption for each of its pictures, e.g. ``["31.2 dB", "28.0 dB"]``.

    Raises:
        InputError: for columns that do not fit together, notes that fit no column, or a file that cannot be
            written.
    """
    notes = notes or {}
    _check_columns(columns, notes)
    cells = {label: [_scaled(picture) for picture in _bytes(column)] for label, column in columns.items()}
    return save(_draw_sheet(_Grid.around(cells, title, notes), cells), path)


@dataclasses.dataclass(frozen=True)
class _Grid:
    """The layout of a sheet, in pixels from the upper left corner; texts are wrapped already."""

    rows: int
    cell: tuple[int, int]  # (height, width) of the largest picture
    title: list[str]
    headers: list[str]
    captions: dict[int, list[str]]  # column -> a text per row
    header_height: int
    caption_height: int

    @classmethod
    def around(cls, cells: Mapping[str, list[np.ndarray]], title: str | None, notes: Mapping) -> _Grid:
        pictures = [picture for column in cells.values() for picture in column]
        height, width = (max(picture.shape[axis] for picture in pictures) for axis in (0, 1))
        width = max(width, _CELL // 2)  # room for a label above narrow pictures
        total = len(cells) * (width + _GAP) - _GAP
        headers = [wrapped(label, width) for label in cells]
        captions = {
            index: [wrapped(str(note), width) for note in notes[label]]
            for index, label in enumerate(cells)
            if label in notes
        }
        return cls(
            rows=len(next(iter(cells.values()))),
            cell=(height, width),
            title=wrapped(title, 0.9 * total).split("\n") if title else [],
            headers=headers,
            captions=captions,
            header_height=_text_height(headers),
            caption_height=_text_height([note for column in captions.values() for note in column]),
        )

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the sheet."""
        left, top = self.corner(self.rows, len(self.headers))
        return top, left

    def corner(self, row: int, column: int) -> tuple[int, int]:
        """(left, top) of a cell."""
        height, width = self.cell
        top = _GAP + _text_height(["\n".join(self.title)] if self.title else []) + self.header_height
        return _GAP + column * (width + _GAP), top + row * (height + self.caption_height + _GAP)


def _draw_sheet(grid: _Grid, cells: Mapping[str, list[np.ndarray]]) -> Figure:
    height, width = grid.size
    canvas = np.full((height, width, 3), 255, "uint8")
    figure = Figure(figsize=((width + 0.5) / DPI, (height + 0.5) / DPI), dpi=DPI)

    def text(x: float, y: float, content: str, **style: Any) -> None:
        style = {"ha": "center", "fontsize": _FONT, "color": "black", "parse_math": False, **style}
        figure.text(x / width, 1.0 - y / height, content, **style)

    if grid.title:
        text(width / 2, _GAP, "\n".join(grid.title), va="top", weight="bold")
    for j, column in enumerate(cells.values()):
        left, top = grid.corner(0, j)
        text(left + grid.cell[1] / 2, top - 4, grid.headers[j], va="bottom")
        for i, picture in enumerate(column):
            left, top = grid.corner(i, j)
            _paste(canvas, picture, left, top, grid.cell)
            if j in grid.captions:
                below = top + grid.cell[0] + 3
                text(left + grid.cell[1] / 2, below, grid.captions[j][i], va="top", fontsize=_FONT - 1)
    figure.figimage(canvas, 0, 0, origin="upper")
    return figure


def _paste(canvas: np.ndarray, picture: np.ndarray, left: int, top: int, cell: tuple[int, int]) -> None:
    """Puts a picture into the middle of its cell, in a hairline that delimits a white one."""
    height, width = picture.shape[:2]
    top, left = top + (cell[0] - height) // 2, left + (cell[1] - width) // 2
    canvas[top - 1 : top + height + 1, left - 1 : left + width + 1] = 200
    canvas[top : top + height, left : left + width] = picture


def _scaled(picture: np.ndarray) -> np.ndarray:
    """A uint8 picture in its size on the sheet."""
    longest = max(picture.shape[:2])
    if longest > _LARGEST:
        return np.asarray(Image.fromarray(picture).reduce(-(-longest // _LARGEST)))
    factor = max(1, round(_CELL / longest))
    return picture.repeat(factor, axis=0).repeat(factor, axis=1)


def _check_columns(columns: Mapping[str, np.ndarray], notes: Mapping[str, Sequence[str]]) -> None:
    shapes = {label: np.shape(column) for label, column in columns.items()}
    if any(len(shape) != 4 or shape[-1] not in (1, 3) or 0 in shape for shape in shapes.values()):
        raise InputError(f"`columns` must be pictures [N, H, W, 3] or [N, H, W, 1]. Received {shapes}.")
    if len({shape[0] for shape in shapes.values()}) != 1:
        raise InputError(f"`columns` must all have the same number of pictures. Received {shapes}.")
    for label, texts in notes.items():
        if label not in columns:
            raise unknown("notes", label, columns)
        if len(texts) != shapes[label][0]:
            raise InputError(
                f"`notes` must hold a text per picture. Received {len(texts)} texts for the "
                f"{shapes[label][0]} pictures of {label!r}."
            )


def _eroded(masks: np.ndarray) -> np.ndarray:
    """Holes without their outermost pixels."""
    padded = np.pad(masks, ((0, 0), (1, 1), (1, 1), (0, 0)))
    neighbours = (padded[:, :-2, 1:-1], padded[:, 2:, 1:-1], padded[:, 1:-1, :-2], padded[:, 1:-1, 2:])
    return np.minimum.reduce([masks, *neighbours])


def _bytes(pictures: np.ndarray) -> np.ndarray:
    """uint8 [N, H, W, 3]."""
    pictures = np.asarray(pictures)
    pictures = pictures if pictures.dtype == np.uint8 else to_uint8(pictures)
    return np.broadcast_to(pictures, (*pictures.shape[:3], 3))


def _floats(pictures: np.ndarray) -> np.ndarray:
    pictures = np.asarray(pictures)
    return to_float(pictures) if pictures.dtype == np.uint8 else pictures.astype("float32")


def _text_height(texts: Sequence[str]) -> int:
    return max((text.count("\n") + 1 for text in texts), default=0) * _LINE + (4 if texts else 0)
