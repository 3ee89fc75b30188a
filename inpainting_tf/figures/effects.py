"""Printed effects beside measured ones, with intervals."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from inpainting_tf.errors import InputError
from inpainting_tf.figures.canvas import DPI, PALETTE, write

_ROW, _AROUND = 0.24, 1.0  # inches: of an effect, and of a panel's title and axis
_SMALL = "0.85"
# A verdict's colour; others are grey.
_COLORS = {
    "holds": PALETTE["green"],
    "opposite": PALETTE["vermillion"],
    "effect not found": PALETTE["purple"],
    "open": PALETTE["blue"],
}


@dataclasses.dataclass(frozen=True)
class Effect:
    """A difference of two systems, in the unit of its panel; what is not known is NaN.

    Attributes:
        label: what is compared.
        printed: as the paper prints it.
        value: as measured.
        interval: around `value`.
        margin: below which a difference is small.
        verdict: in a few words.
    """

    label: str
    printed: float = math.nan
    value: float = math.nan
    interval: tuple[float, float] = (math.nan, math.nan)
    margin: float = math.nan
    verdict: str = ""


@dataclasses.dataclass(frozen=True)
class Panel:
    """Effects with one unit.

    Attributes:
        title: above it.
        unit: of its axis.
        effects: from top to bottom.
    """

    title: str
    unit: str
    effects: Sequence[Effect]


def effects(panels: Sequence[Panel], path: str | os.PathLike) -> Path:
    """A forest plot: each effect as printed and as measured, one panel below the other.

    Args:
        panels: those without any number are left out.
        path: the PNG file.

    Raises:
        InputError: no panel has a number, or the file cannot be written.
    """
    drawn = [panel for panel in panels if _numbers(panel).size]
    if not drawn:
        raise InputError("`panels` must hold an effect, printed or measured. Received none.")
    heights = [_AROUND + _ROW * len(panel.effects) for panel in drawn]
    figure = Figure(figsize=(11, 0.7 + sum(heights)), dpi=DPI, layout="constrained")
    axes = figure.subplots(len(drawn), height_ratios=heights, squeeze=False)[:, 0]
    for ax, panel in zip(axes, drawn, strict=True):
        _draw(ax, panel)
    figure.legend(handles=_legend(), loc="outside upper center", ncols=3, frameon=False)
    return write(figure, path)


def _numbers(panel: Panel) -> np.ndarray:
    """All numbers of a panel that are known."""
    every = np.array([(each.printed, each.value, *each.interval) for each in panel.effects])
    return every[np.isfinite(every)]


def _draw(ax: Axes, panel: Panel) -> None:
    places = range(len(panel.effects))
    for place, each in zip(places, panel.effects, strict=True):
        color = _COLORS.get(each.verdict, "0.4")
        if math.isfinite(each.margin):
            ax.barh(place, 2 * each.margin, left=-each.margin, height=0.8, color=_SMALL, zorder=1)
        ax.plot(each.interval, (place, place), color=color, linewidth=2, solid_capstyle="butt", zorder=3)
        ax.plot(each.value, place, "o", color=color, markersize=5, zorder=4)
        ax.plot(each.printed, place, "D", color=PALETTE["black"], markerfacecolor="none", zorder=5)
    ax.axvline(0.0, color=PALETTE["black"], linewidth=0.8, zorder=2)
    ax.set_ylim(len(panel.effects) - 0.5, -0.5)
    ax.set_yticks(places, [each.label for each in panel.effects], fontsize=8, parse_math=False)
    verdicts = ax.secondary_yaxis("right")
    verdicts.set_yticks(places, [each.verdict for each in panel.effects], fontsize=8)
    for text, each in zip(verdicts.get_yticklabels(), panel.effects, strict=True):
        text.set_color(_COLORS.get(each.verdict, "0.4"))
    verdicts.tick_params(length=0)
    verdicts.spines["right"].set_visible(False)
    numbers = np.append(_numbers(panel), 0.0)
    room = 0.06 * (numbers.max() - numbers.min() or 1.0)
    ax.set_xlim(numbers.min() - room, numbers.max() + room)
    ax.set_title(panel.title, loc="left", fontsize=11, parse_math=False)
    ax.set_xlabel(f"difference in {panel.unit}; right of zero: as the paper says", fontsize=9)
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="x", color="0.9", linewidth=0.6)
    ax.set_axisbelow(True)


def _legend() -> list[Line2D | Patch]:
    printed = Line2D([], [], color=PALETTE["black"], marker="D", markerfacecolor="none", linestyle="none")
    printed.set_label("printed (none: the paper ranks in words)")
    here = Line2D([], [], color="0.4", marker="o", linewidth=2, label="here, with its 95 % interval")
    return [printed, here, Patch(color=_SMALL, label="a small difference")]
