"""Measuring anything that fills holes, several side by side, and how sure the numbers are."""

from __future__ import annotations

from inpainting_tf.evaluation.measuring import MEANS, Evaluation, Fill, evaluate, read, table, write

__all__ = ["MEANS", "Evaluation", "Fill", "evaluate", "read", "table", "write"]
