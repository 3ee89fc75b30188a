"""Measures anything that fills holes, compares several, and gives intervals and tests of the numbers."""

from __future__ import annotations

from inpainting_tf.evaluation.means import MEANS
from inpainting_tf.evaluation.measuring import Evaluation, Fill, evaluate, read, write
from inpainting_tf.evaluation.tabulation import report, table, table_by_hole_size

__all__ = [
    "MEANS",
    "Evaluation",
    "Fill",
    "evaluate",
    "read",
    "report",
    "table",
    "table_by_hole_size",
    "write",
]
