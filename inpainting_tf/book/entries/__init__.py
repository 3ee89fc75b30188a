"""The kinds of the papers' tables and figures: what each needs, and its part of a page."""

from inpainting_tf.book.entries.chosen import Removal, WrongColours
from inpainting_tf.book.entries.contests import Contest
from inpainting_tf.book.entries.courses import Course
from inpainting_tf.book.entries.drawings import (
    Bars,
    Curves,
    EncoderAccuracy,
    Progress,
    Ratings,
    Sheets,
    SideBySide,
)
from inpainting_tf.book.entries.entry import Block, Entry, Picture, Verdict, ranked, systems_of, told
from inpainting_tf.book.entries.groups import Overfitting, Poses
from inpainting_tf.book.entries.measurements import BASELINES, Epochs, Table

__all__ = [
    "BASELINES",
    "Bars",
    "Block",
    "Contest",
    "Course",
    "Curves",
    "EncoderAccuracy",
    "Entry",
    "Epochs",
    "Overfitting",
    "Picture",
    "Poses",
    "Progress",
    "Ratings",
    "Removal",
    "Sheets",
    "SideBySide",
    "Table",
    "Verdict",
    "WrongColours",
    "ranked",
    "systems_of",
    "told",
]
