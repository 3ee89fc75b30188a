"""The kinds of the papers' tables and figures: what each needs, and its part of a page."""

from inpainting_tf.book.entries.drawings import (
    Bars,
    Curves,
    EncoderAccuracy,
    Progress,
    Ratings,
    Removal,
    Sheets,
    SideBySide,
)
from inpainting_tf.book.entries.entry import Block, Entry, Picture, systems_of
from inpainting_tf.book.entries.measurements import BASELINES, Table

__all__ = [
    "BASELINES",
    "Bars",
    "Block",
    "Curves",
    "EncoderAccuracy",
    "Entry",
    "Picture",
    "Progress",
    "Ratings",
    "Removal",
    "Sheets",
    "SideBySide",
    "Table",
    "systems_of",
]
