"""Measures anything that fills holes, compares several, and gives intervals and tests of the numbers."""

from __future__ import annotations

from inpainting_tf.evaluation.measuring import MEANS, Evaluation, Fill, evaluate, read, table, write

__all__ = ["MEANS", "Evaluation", "Fill", "evaluate", "read", "table", "write"]
