"""Bars that compare models."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from inpainting_tf.errors import InputError
from inpainting_tf.figures.canvas import DPI, PALETTE, save, wrapped

if TYPE_CHECKING:
    from inpainting_tf.evaluation import Evaluation

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
            to bottom. Of an `Evaluation` with at least two pictures, a line shows the 95 % bootstrap interval
            of the mean over pictures, its `interval`.
        path: the PNG file.
        title: instead of one made from the data set, split and number of pictures.
        keys: which of the three, a panel each.

    Raises:
        InputError: when no PSNR or SSIM is given, or the file cannot be written.
    """
    evaluations = list(evaluations)
    summaries = [each if isinstance(each, Mapping) else each.summary for each in evaluations]
    panels = [
        bar for bar in _BARS if bar[0] in keys and any(each.get(bar[0]) is not None for each in summaries)
    ]
    if not panels:
        raise InputError("`evaluations` must hold a PSNR or SSIM of at least one model. Received none.")
    figure = Figure(
        figsize=(4 * max(2, len(panels)), 1.7 + 0.55 * len(summaries)),
        dpi=DPI,
        layout=ConstrainedLayoutEngine(wspace=0.06),
    )
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    intervals = False
    for ax, (key, label, form, step) in zip(axes, panels, strict=True):
        means = np.array([math.nan if each.get(key) is None else each[key] for each in summaries], float)
        errors = _errors(evaluations, key, means)
        _draw_bars(ax, means, errors, label, form, step)
        intervals |= bool(np.isfinite(errors).any())
    labels = [wrapped(str(each["model"]), 220) for each in summaries]
    axes[0].set_yticks(range(len(labels)), labels, parse_math=False)
    axes[0].invert_yaxis()
    figure.suptitle(title or _heading(summaries), parse_math=False)
    lines = "; lines: 95 % bootstrap interval of the mean over pictures" if intervals else ""
    figure.supxlabel("Higher is better" + lines, fontsize=9)
    return save(figure, path)


def _draw_bars(ax: Axes, means: np.ndarray, errors: np.ndarray, label: str, form: str, step: float) -> None:
    """Bars of `means` [N] with `errors` [2, N], the intervals' extent below and above; NaN is unknown."""
    below, above = np.nan_to_num(errors)
    low, high = np.nanmin(means - below), np.nanmax(means + above)
    start = 0.0 if low < 2 * step else math.floor(low / step) * step - step
    ax.barh(range(len(means)), means - start, left=start, color=PALETTE["blue"], height=0.62)
    ax.errorbar(means, range(len(means)), xerr=errors, fmt="none", ecolor=PALETTE["black"], capsize=3)
    for i, mean in enumerate(means):
        known = math.isfinite(mean)
        text = form.format(mean) if known else "not measured"
        ax.annotate(
            text, (mean + above[i] if known else start, i), (5, 0), textcoords="offset points", va="center"
        )
    high = max(high, start + step / 2)
    ax.set_xlim(min(start, low), high + 0.28 * (high - start))  # room for the numbers
    ax.set_xlabel(label + (f"\naxis starts at {start:g}" if start else ""))
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="x", color="0.85", linewidth=0.6)
    ax.set_axisbelow(True)


def _errors(evaluations: Sequence[Evaluation | Mapping[str, Any]], key: str, means: np.ndarray) -> np.ndarray:
    """[2, N], the extent of the means' [N] intervals below and above them; NaN if unknown."""
    unknown = (math.nan, math.nan)
    found = [unknown if isinstance(each, Mapping) else each.interval(key) for each in evaluations]
    low, high = np.transpose(found)
    return np.maximum([means - low, high - means], 0.0)


def _heading(summaries: Sequence[Mapping[str, Any]]) -> str:
    """The title: data set, split and number of pictures, where all the summaries agree."""

    def common(key: str) -> Any:
        values = {str(each.get(key)) for each in summaries}
        return values.pop() if len(values) == 1 and values != {"None"} else None

    images = common("images")
    parts = [common("dataset"), common("split"), images and f"{images} pictures"]
    facts = ", ".join(part for part in parts if part)
    return "Filled pictures against the true ones" + (f": {facts}" if facts else "")
