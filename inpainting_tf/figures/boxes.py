"""Box plots of raters' scores."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib import cbook
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from inpainting_tf.errors import InputError
from inpainting_tf.figures.canvas import DPI, PALETTE, save, wrapped


def rating_boxes(
    scores: Mapping[str, Sequence[float]],
    path: str | os.PathLike,
    *,
    title: str | None = None,
    caption: str | None = None,
) -> Path:
    """Scores from 1 to 5 by system (face_gan, figure 5.3): a box, every score, the median and the count.

    The boxes reach from the lower to the upper quartile, their thick line is the median, the whiskers go to
    the furthest score within 1.5 times the box. The points are spread deterministically, so that equal scores
    do not hide each other.

    Args:
        scores: system -> its scores, drawn from top to bottom; a system may have none yet.
        path: the PNG file.
        title: above the figure.
        caption: below it, e.g. results of tests; each of its lines is wrapped.

    Raises:
        InputError: no score at all, one that is not from 1 to 5, or the file cannot be written.
    """
    found = {system: np.asarray(each, float) for system, each in scores.items()}
    everything = np.concatenate([*found.values(), []])
    if not everything.size or not ((everything >= 1) & (everything <= 5)).all():
        raise InputError(f"`scores` must hold scores from 1 to 5. Received {dict(scores)}.")
    lines = ["line: median; box: quartiles; whiskers: 1.5 boxes; points: single scores, spread to be seen"]
    lines += [wrapped(line, 1000) for line in (caption or "").splitlines()]
    below = "\n".join(lines)
    height = 1.6 + 0.95 * len(found) + 0.16 * below.count("\n")
    figure = Figure(figsize=(9, height), dpi=DPI, layout="constrained")
    ax = figure.subplots()
    for row, each in enumerate(found.values()):
        _draw_box(ax, row, each)
    ax.set_yticks(range(len(found)), [wrapped(system, 220) for system in found], parse_math=False)
    ax.set_ylim(len(found) - 0.45, -0.55)
    ax.set_xlim(0.7, 6.4)  # room for the numbers
    ax.set_xticks(range(1, 6), ["1\nunnatural", "2", "3", "4", "5\nnatural"])
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="x", color="0.85", linewidth=0.6)
    ax.set_axisbelow(True)
    figure.suptitle(title or "How natural the pictures look", parse_math=False)
    figure.supxlabel(below, fontsize=9, parse_math=False)
    return save(figure, path)


def _draw_box(ax: Axes, row: int, scores: np.ndarray) -> None:
    text = "no scores yet"
    if scores.size:
        random = np.random.default_rng(0)
        x = scores + random.uniform(-0.13, 0.13, scores.size)
        y = row + random.uniform(-0.3, 0.3, scores.size)
        [box] = cbook.boxplot_stats(scores)
        low, high = box["q1"], box["q3"]
        ax.barh(row, high - low, left=low, height=0.7, color="#dcedf9", edgecolor="0.3", zorder=2)
        ax.hlines([row, row], [box["whislo"], high], [low, box["whishi"]], color="0.3", linewidth=1, zorder=2)
        ax.vlines(box["med"], row - 0.35, row + 0.35, color=PALETTE["vermillion"], linewidth=3, zorder=2.5)
        ax.scatter(x, y, s=18, color=PALETTE["blue"], alpha=0.45, linewidths=0, zorder=3)
        text = f"median {np.median(scores):g}\nmean {scores.mean():.2f}\nn = {scores.size}"
    ax.text(5.35, row, text, va="center", fontsize=10)
