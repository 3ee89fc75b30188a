"""The rating study without its page: its plan, the raters' scores, and their statistics."""

from __future__ import annotations

from inpainting_tf.evaluation.ratings.findings import (
    Findings,
    Pair,
    Summary,
    blocks,
    find,
    friedman,
    pairs,
)
from inpainting_tf.evaluation.ratings.reporting import as_markdown, conclusion, report
from inpainting_tf.evaluation.ratings.store import DATABASE, ORIGINAL, SCORES, Plan, Store, rater_name

__all__ = [
    "DATABASE",
    "ORIGINAL",
    "SCORES",
    "Findings",
    "Pair",
    "Plan",
    "Store",
    "Summary",
    "as_markdown",
    "blocks",
    "conclusion",
    "find",
    "friedman",
    "pairs",
    "rater_name",
    "report",
]
