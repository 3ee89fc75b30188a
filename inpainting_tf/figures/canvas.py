"""Shared by all figures: colours, lines of text, writing to a file.

Matplotlib is used through its objects only: no figure opens a window, needs a display or changes the caller's
pyplot figures.
"""

from __future__ import annotations

import os
import textwrap
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from inpainting_tf import files

# Okabe and Ito's colours, distinguishable with any colour blindness.
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

_LETTER = 8.2  # pixels, a generous mean width of a letter of 10 points


def wrapped(text: str, width: float) -> str:
    """Text in lines of about ``width`` pixels, broken after underscores too: names of models have them."""
    lines = textwrap.wrap(text.replace("_", "_ "), max(4, int(width / _LETTER)))
    return "\n".join(line.replace("_ ", "_") for line in lines)


def save(figure: Figure, path: str | os.PathLike) -> Path:
    """Writes a figure as a PNG file atomically and returns the path."""
    with files.replacing(path) as temporary:
        FigureCanvasAgg(figure).print_png(temporary)
    return Path(path)
