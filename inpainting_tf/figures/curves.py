"""Losses and other columns of a run's history as curves."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from inpainting_tf.errors import InputError
from inpainting_tf.figures.canvas import DPI, PALETTE, save

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
    measured: bool = False  # in some epochs of any phase: a gap in it has no meaning


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
        "Discriminator scores",
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
    return save(figure, path)


def _draw_panel(
    ax: Axes, panel: _Panel, x: np.ndarray, columns: Mapping[str, np.ndarray], runs: list
) -> None:
    drawn: list[np.ndarray] = []
    for key, label, color in panel.lines:
        y = columns[key]
        # A total that equals the reconstruction loss would hide it.
        if not _is_drawn(key, y) or any(np.array_equal(y, other, equal_nan=True) for other in drawn):
            continue
        drawn.append(y)
        marker = "." if np.isfinite(y).sum() <= 40 else None
        order = 2.0 - 0.1 * len(drawn)  # the first is in front
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
    """Whether a column has values to draw; a constant learning rate is not drawn."""
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
        figure.legend(
            handles=list(handles.values()),
            loc="outside lower center",
            ncols=3,
            title="trained",
            frameon=False,
        )


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
        histories: label -> rows of a ``history.csv``, or similar ones.
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
    return save(figure, path)
