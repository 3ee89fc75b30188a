"""Figures for a report: loss curves, sheets of pictures, bars that compare models, boxes of scores.

Each function takes data and a path, writes a PNG file atomically and returns the path. Matplotlib is used
through its objects only: nothing here opens a window, needs a display or touches the caller's pyplot figures.
"""

from __future__ import annotations

import dataclasses
import math
import os
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import cbook
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from PIL import Image

from inpainting_tf import files
from inpainting_tf.errors import InputError, unknown
from inpainting_tf.images import composite, to_float, to_uint8

if TYPE_CHECKING:
    from inpainting_tf.evaluation import Evaluation

# Okabe and Ito's colours, which people with any colour blindness can tell apart.
PALETTE = {
    "blue": "#0072B2",
    "vermillion": "#D55E00",
    "green": "#009E73",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "purple": "#CC79A7",
    "yellow": "#F0E442",
    "black": "#000000",
}
HOLE_COLOR = (1.0, 1.0, 1.0)
OUTLINE_COLOR = (213 / 255, 94 / 255, 0.0)  # PALETTE["vermillion"]
DPI = 100


# ----------------------------------------------------------------------------------------------- loss curves

_PHASES = {
    "completion": ("completion network alone", PALETTE["sky"]),
    "discriminator": ("discriminators alone", PALETTE["orange"]),
    "joint": ("both jointly", PALETTE["green"]),
}


@dataclasses.dataclass(frozen=True)
class _Panel:
    """One of the panels of `loss_curves`: ``lines`` are (column, label, colour)."""

    title: str
    unit: str
    lines: tuple[tuple[str, str, str], ...]
    log: bool = False
    measured: bool = False  # now and then, whatever the phase: a gap in it means nothing


_PANELS = (
    _Panel(
        "Completion loss",
        "loss",
        (("reconstruction", "reconstruction", PALETTE["blue"]), ("loss", "total", PALETTE["orange"])),
        log=True,
    ),
    _Panel(
        "Divergence of the code from a standard normal one",
        "KL (nats)",
        (("kl", "divergence", PALETTE["purple"]),),
        log=True,
    ),
    _Panel(
        "Discriminator loss",
        "loss",
        (
            ("discriminator", "discriminators", PALETTE["vermillion"]),
            ("adversarial", "completion network,\nadversarial", PALETTE["purple"]),
        ),
    ),
    _Panel(
        "What the discriminators say",
        "mean score",
        (
            ("real_score", "of real pictures", PALETTE["green"]),
            ("fake_score", "of filled pictures", PALETTE["vermillion"]),
        ),
    ),
    _Panel(
        "Filled holes of the validation pictures",
        "hole PSNR (dB)",
        (("val_hole_psnr", "validation hole PSNR", PALETTE["blue"]),),
        measured=True,
    ),
    _Panel("Learning rate", "learning rate", (("learning_rate", "learning rate", PALETTE["black"]),)),
)


def loss_curves(
    history: Sequence[Mapping[str, Any]],
    path: str | os.PathLike,
    phases: Sequence[tuple[str, float, float]] | None = None,
) -> Path:
    """The losses over the training (face_gan, figures 4.1 and 4.2), one panel below the other.

    Args:
        history: a dict per epoch or step, in order, as numbers or as text from ``history.csv``. Of the
            columns ``reconstruction, loss, kl, discriminator, adversarial, real_score, fake_score,
            val_hole_psnr, learning_rate`` those with values are drawn, against ``epoch`` where it always
            grows, else ``step``, else the row's number. None, NaN, "" or a missing key: not computed there.
        path: the PNG file.
        phases: (name, first x, last x) of the phases to shade; by default the runs of the column ``phase``.

    Raises:
        InputError: when nothing can be drawn, or the file cannot be written.
    """
    columns = {line[0]: _column(history, line[0]) for panel in _PANELS for line in panel.lines}
    panels = [panel for panel in _PANELS if any(_is_drawn(key, columns[key]) for key, *_ in panel.lines)]
    if not panels:
        raise InputError(f"`history` must have numbers in one of {', '.join(columns)}. Received none.")
    x, x_label = _x_axis(history)
    runs = _runs(history)
    figure = Figure(figsize=(9, 0.8 + 2.4 * len(panels)), dpi=DPI, layout="constrained")
    axes = figure.subplots(len(panels), sharex=True, squeeze=False)[:, 0]
    for ax, panel in zip(axes, panels, strict=True):
        _draw_panel(ax, panel, x, columns, runs)
    axes[-1].set_xlabel(x_label)
    axes[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
    _shade_phases(figure, axes, phases if phases is not None else _spans(runs, x))
    return _save(figure, path)


def _draw_panel(
    ax: Axes, panel: _Panel, x: np.ndarray, columns: Mapping[str, np.ndarray], runs: list
) -> None:
    drawn: list[np.ndarray] = []
    for key, label, color in panel.lines:
        y = columns[key]
        # A total that is the reconstruction loss alone would only hide it.
        if not _is_drawn(key, y) or any(np.array_equal(y, other, equal_nan=True) for other in drawn):
            continue
        drawn.append(y)
        marker = "." if np.isfinite(y).sum() <= 40 else None
        order = 2.0 - 0.1 * len(drawn)  # the first is the one to look at
        ax.plot(
            *_joined(x, y, [] if panel.measured else runs),
            color=color,
            label=label,
            marker=marker,
            linewidth=1.5,
            zorder=order,
        )
    values = np.concatenate(drawn)
    if panel.log and (values[np.isfinite(values)] > 0).all():
        ax.set_yscale("log")
    scale = ", log scale" if ax.get_yscale() == "log" else ""
    ax.set_title(panel.title, loc="left", fontsize=11)
    ax.set_ylabel(panel.unit + scale)
    ax.grid(color="0.85", linewidth=0.6)
    ax.margins(x=0)
    if len(drawn) > 1:
        ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)


def _column(history: Sequence[Mapping[str, Any]], key: str) -> np.ndarray:
    """A column as float64, NaN where it has no value."""
    values = [row.get(key) for row in history]
    return np.array([math.nan if value in (None, "") else float(value) for value in values])


def _is_drawn(key: str, y: np.ndarray) -> bool:
    """Whether a column has something to show; a constant learning rate has not."""
    finite = y[np.isfinite(y)]
    return finite.size > 0 and not (key == "learning_rate" and np.ptp(finite) == 0)


def _x_axis(history: Sequence[Mapping[str, Any]]) -> tuple[np.ndarray, str]:
    for key in ("epoch", "step"):
        x = _column(history, key)
        if np.isfinite(x).all() and (np.diff(x) > 0).all():
            return x, key
    return np.arange(1.0, len(history) + 1), "row of the history"


def _runs(history: Sequence[Mapping[str, Any]]) -> list[tuple[str, slice]]:
    """The stretches of rows of one phase."""
    runs, start = [], 0
    for name, rows in groupby(row.get("phase") or "" for row in history):
        stop = start + len(list(rows))
        runs.append((name, slice(start, stop)))
        start = stop
    return runs


def _joined(x: np.ndarray, y: np.ndarray, runs: list[tuple[str, slice]]) -> tuple[np.ndarray, np.ndarray]:
    """The points with a value; a line runs over single gaps, but is broken over a phase without any value."""
    keep = np.isfinite(y)
    for _, rows in runs:
        if not keep[rows].any():
            keep[rows.start] = True  # a NaN, which breaks the line
    return x[keep], y[keep]


def _spans(runs: list[tuple[str, slice]], x: np.ndarray) -> list[tuple[str, float, float]]:
    """Each named phase with the x it covers: up to halfway to the neighbours."""
    edges = np.concatenate([x[:1], (x[1:] + x[:-1]) / 2, x[-1:]])
    return [(name, edges[rows.start], edges[rows.stop]) for name, rows in runs if name]


def _shade_phases(figure: Figure, axes: Iterable[Axes], spans: Iterable[tuple[str, float, float]]) -> None:
    handles = {}
    for name, first, last in spans:
        label, color = _PHASES.get(name, (name, "0.6"))
        for ax in axes:
            ax.axvspan(first, last, color=color, alpha=0.22, linewidth=0, zorder=0)
        handles[name] = Patch(color=color, alpha=0.22, label=label)
    if handles:
        style = {"loc": "outside lower center", "ncols": 3, "title": "trained", "frameon": False}
        figure.legend(handles=list(handles.values()), **style)


def course(
    histories: Mapping[str, Sequence[Mapping[str, Any]]],
    column: str,
    path: str | os.PathLike,
    *,
    over: str = "epoch",
    label: str | None = None,
) -> Path:
    """A column of several runs' histories against another, as a line each.

    Args:
        histories: what to call a run -> rows of its ``history.csv``, or others.
        column: e.g. "val_hole_psnr".
        path: the PNG file.
        over: the other column.
        label: of the column's axis; None for the column's name.

    Raises:
        InputError: when no history has a number there, or the file cannot be written.
    """
    lines = {name: (_column(rows, over), _column(rows, column)) for name, rows in histories.items()}
    lines = {name: (x, y) for name, (x, y) in lines.items() if np.isfinite(y).any()}
    if not lines:
        raise InputError(f"`histories` must have numbers in {column!r}. Received none.")
    figure = Figure(figsize=(8, 4.5), dpi=DPI, layout="constrained")
    ax = figure.subplots()
    colors = [color for name, color in PALETTE.items() if name != "yellow"]
    for number, (name, (x, y)) in enumerate(lines.items()):
        known = np.isfinite(y)
        style = "-" if number < len(colors) else "--"
        color = colors[number % len(colors)]
        ax.plot(x[known], y[known], style, color=color, marker=".", label=name)
    ax.set_xlabel(over)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_ylabel(label or column)
    ax.grid(color="0.85", linewidth=0.6)
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    return _save(figure, path)


# ---------------------------------------------------------------------------------------- sheets of pictures

_CELL = 200  # pixels: about the side at which a picture is shown
_LARGEST = 512  # pixels: larger pictures are reduced
_GAP = 6  # pixels between pictures
_FONT = 10  # points
_LINE = 17  # pixels per line of text at that size
_LETTER = 8.2  # pixels, a generous mean width of a letter at that size


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
        outline: of the holes' outermost missing pixels, or None. Known pixels stay as they are.

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

    Small pictures are enlarged by a whole factor without smoothing, so every pixel is seen as it is; those
    beyond 512 pixels are reduced by a whole factor.

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
    return _save(_draw_sheet(_Grid.around(cells, title, notes), cells), path)


@dataclasses.dataclass(frozen=True)
class _Grid:
    """Where things are on a sheet, in pixels from the upper left corner; texts are wrapped already."""

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
        headers = [_wrapped(label, width) for label in cells]
        captions = {
            index: [_wrapped(str(note), width) for note in notes[label]]
            for index, label in enumerate(cells)
            if label in notes
        }
        return cls(
            rows=len(next(iter(cells.values()))),
            cell=(height, width),
            title=_wrapped(title, 0.9 * total).split("\n") if title else [],
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

    def text(x: float, y: float, words: str, **style: Any) -> None:
        style = {"ha": "center", "fontsize": _FONT, "color": "black", "parse_math": False, **style}
        figure.text(x / width, 1.0 - y / height, words, **style)

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
    """Puts a picture into the middle of its cell, in a hairline that shows where a white one ends."""
    height, width = picture.shape[:2]
    top, left = top + (cell[0] - height) // 2, left + (cell[1] - width) // 2
    canvas[top - 1 : top + height + 1, left - 1 : left + width + 1] = 200
    canvas[top : top + height, left : left + width] = picture


def _scaled(picture: np.ndarray) -> np.ndarray:
    """A uint8 picture at the size at which it is shown."""
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


def _wrapped(text: str, width: float) -> str:
    """Text in lines of about ``width`` pixels, broken after underscores too: names of models have them."""
    lines = textwrap.wrap(text.replace("_", "_ "), max(4, int(width / _LETTER)))
    return "\n".join(line.replace("_ ", "_") for line in lines)


# ----------------------------------------------------------------------------------- bars that compare models

# (key of the summary and the rows, label, format of a value, step of the axis' start)
_BARS = (
    ("psnr", "PSNR, composited (dB)", "{:.2f}", 5.0),
    ("ssim", "SSIM, composited", "{:.3f}", 0.1),
    ("hole_psnr", "PSNR in the hole (dB)", "{:.2f}", 5.0),
)


def comparison_bars(
    evaluations: Iterable[Evaluation | Mapping[str, Any]],
    path: str | os.PathLike,
    *,
    title: str | None = None,
    keys: Sequence[str] = ("psnr", "ssim", "hole_psnr"),
) -> Path:
    """PSNR and SSIM of several models (face_gan, figures 5.1 and 5.2), and the PSNR in the hole.

    Args:
        evaluations: `Evaluation` objects, or their summaries as ``metrics.json`` holds them, drawn from top
            to bottom. Where there are rows of at least two pictures, a line shows the 95 % confidence
            interval of the mean over pictures (normal approximation).
        path: the PNG file.
        title: instead of one made from the data set, split and number of pictures.
        keys: which of the three, a panel each.

    Raises:
        InputError: when no PSNR or SSIM is given, or the file cannot be written.
    """
    evaluations = list(evaluations)
    summaries = [getattr(each, "summary", each) for each in evaluations]
    panels = [
        bar for bar in _BARS if bar[0] in keys and any(each.get(bar[0]) is not None for each in summaries)
    ]
    if not panels:
        raise InputError("`evaluations` must hold a PSNR or SSIM of at least one model. Received none.")
    figure = Figure(
        figsize=(4 * max(2, len(panels)), 1.7 + 0.55 * len(summaries)), dpi=DPI, layout="constrained"
    )
    figure.get_layout_engine().set(wspace=0.06)
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    intervals = False
    for ax, (key, label, form, step) in zip(axes, panels, strict=True):
        errors = np.array([_interval(getattr(each, "rows", ()), key) for each in evaluations])
        _draw_bars(ax, [each.get(key) for each in summaries], errors, label, form, step)
        intervals |= bool(np.isfinite(errors).any())
    labels = [_wrapped(str(each["model"]), 220) for each in summaries]
    axes[0].set_yticks(range(len(labels)), labels, parse_math=False)
    axes[0].invert_yaxis()
    figure.suptitle(title or _heading(summaries), parse_math=False)
    lines = "; lines: 95 % confidence interval of the mean over pictures" if intervals else ""
    figure.supxlabel("Higher is better" + lines, fontsize=9)
    return _save(figure, path)


def _draw_bars(ax: Axes, values: list, errors: np.ndarray, label: str, form: str, step: float) -> None:
    means = np.array([math.nan if value is None else value for value in values], float)
    spread = np.nan_to_num(errors)
    low, high = np.nanmin(means - spread), np.nanmax(means + spread)
    start = 0.0 if low < 2 * step else math.floor(low / step) * step - step
    ax.barh(range(len(means)), means - start, left=start, color=PALETTE["blue"], height=0.62)
    ax.errorbar(means, range(len(means)), xerr=errors, fmt="none", ecolor=PALETTE["black"], capsize=3)
    for i, mean in enumerate(means):
        known = math.isfinite(mean)
        words = form.format(mean) if known else "not measured"
        ax.annotate(
            words, (mean + spread[i] if known else start, i), (5, 0), textcoords="offset points", va="center"
        )
    high = max(high, start + step / 2)
    ax.set_xlim(min(start, low), high + 0.28 * (high - start))  # room for the numbers
    ax.set_xlabel(label + (f"\naxis starts at {start:g}" if start else ""))
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="x", color="0.85", linewidth=0.6)
    ax.set_axisbelow(True)


def _interval(rows: Sequence[Mapping[str, Any]], key: str) -> float:
    """Half the width of the 95 % confidence interval of a column's mean, NaN where it is not known."""
    values = np.array([row[key] for row in rows if row.get(key) is not None], float)
    return 1.96 * values.std(ddof=1) / math.sqrt(len(values)) if len(values) > 1 else math.nan


def _heading(summaries: Sequence[Mapping[str, Any]]) -> str:
    """What all the summaries have in common."""

    def common(key: str) -> Any:
        values = {str(each.get(key)) for each in summaries}
        return values.pop() if len(values) == 1 and values != {"None"} else None

    images = common("images")
    parts = [common("dataset"), common("split"), images and f"{images} pictures"]
    said = ", ".join(part for part in parts if part)
    return "Filled pictures against the true ones" + (f": {said}" if said else "")


# --------------------------------------------------------------------------------- boxes of what people said


def rating_boxes(
    scores: Mapping[str, Sequence[float]],
    path: str | os.PathLike,
    *,
    title: str | None = None,
    caption: str | None = None,
) -> Path:
    """Scores from 1 to 5 by system (face_gan, figure 5.3): a box, every score, the median and the count.

    The boxes reach from the lower to the upper quartile, their thick line is the median, the whiskers go to
    the furthest score within 1.5 times the box. The points are spread a little, always in the same way, so
    that equal scores do not hide each other.

    Args:
        scores: system -> its scores, drawn from top to bottom; a system may have none yet.
        path: the PNG file.
        title: above the figure.
        caption: below it, e.g. what tests say; each of its lines is wrapped.

    Raises:
        InputError: no score at all, one that is not from 1 to 5, or the file cannot be written.
    """
    found = {system: np.asarray(each, float) for system, each in scores.items()}
    everything = np.concatenate([*found.values(), []])
    if not everything.size or not ((everything >= 1) & (everything <= 5)).all():
        raise InputError(f"`scores` must hold scores from 1 to 5. Received {dict(scores)}.")
    lines = ["line: median; box: quartiles; whiskers: 1.5 boxes; points: single scores, spread to be seen"]
    lines += [_wrapped(line, 1000) for line in (caption or "").splitlines()]
    below = "\n".join(lines)
    height = 1.6 + 0.95 * len(found) + 0.16 * below.count("\n")
    figure = Figure(figsize=(9, height), dpi=DPI, layout="constrained")
    ax = figure.subplots()
    for row, each in enumerate(found.values()):
        _draw_box(ax, row, each)
    ax.set_yticks(range(len(found)), [_wrapped(system, 220) for system in found], parse_math=False)
    ax.set_ylim(len(found) - 0.45, -0.55)
    ax.set_xlim(0.7, 6.4)  # room for the numbers
    ax.set_xticks(range(1, 6), ["1\nunnatural", "2", "3", "4", "5\nnatural"])
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="x", color="0.85", linewidth=0.6)
    ax.set_axisbelow(True)
    figure.suptitle(title or "How natural the pictures look", parse_math=False)
    figure.supxlabel(below, fontsize=9, parse_math=False)
    return _save(figure, path)


def _draw_box(ax: Axes, row: int, scores: np.ndarray) -> None:
    words = "no scores yet"
    if scores.size:
        random = np.random.default_rng(0)
        x = scores + random.uniform(-0.13, 0.13, scores.size)
        y = row + random.uniform(-0.3, 0.3, scores.size)
        [box] = cbook.boxplot_stats(scores)
        low, high = box["q1"], box["q3"]
        ax.barh(row, high - low, left=low, height=0.7, color="#dcedf9", edgecolor="0.3", zorder=2)
        ends = [[box["whislo"], high], [low, box["whishi"]]]
        ax.hlines([row, row], *ends, color="0.3", linewidth=1, zorder=2)
        ax.vlines(box["med"], row - 0.35, row + 0.35, color=PALETTE["vermillion"], linewidth=3, zorder=2.5)
        ax.scatter(x, y, s=18, color=PALETTE["blue"], alpha=0.45, linewidths=0, zorder=3)
        words = f"median {np.median(scores):g}\nmean {scores.mean():.2f}\nn = {scores.size}"
    ax.text(5.35, row, words, va="center", fontsize=10)


def _save(figure: Figure, path: str | os.PathLike) -> Path:
    with files.replacing(path) as temporary:
        FigureCanvasAgg(figure).print_png(temporary)
    return Path(path)
