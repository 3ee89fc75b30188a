"""Figures for a report: loss curves, sheets of pictures, bars that compare models, boxes of scores,
effects with intervals.

Each function takes data and a path, writes a PNG file atomically and returns the path.
"""

from __future__ import annotations

from inpainting_tf.figures.bars import comparison_bars
from inpainting_tf.figures.boxes import rating_boxes
from inpainting_tf.figures.canvas import HOLE_COLOR, OUTLINE_COLOR, PALETTE
from inpainting_tf.figures.curves import course, loss_curves
from inpainting_tf.figures.effects import Effect, Panel, effects
from inpainting_tf.figures.sheets import input_view, sheet

__all__ = [
    "HOLE_COLOR",
    "OUTLINE_COLOR",
    "PALETTE",
    "Effect",
    "Panel",
    "comparison_bars",
    "course",
    "effects",
    "input_view",
    "loss_curves",
    "rating_boxes",
    "sheet",
]
