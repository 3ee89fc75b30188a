"""Applies a completion network to batches and to pictures of any size, on any engine."""

from __future__ import annotations

from inpainting_tf.inference.detail import DETAILS
from inpainting_tf.inference.engine import Engine, Fill, Runtime, one_at_a_time, together
from inpainting_tf.inference.facts import Facts
from inpainting_tf.inference.inpainting import BLENDS, adds_detail, inpaint
from inpainting_tf.inference.rims import FAINT

__all__ = [
    "BLENDS",
    "DETAILS",
    "FAINT",
    "Engine",
    "Facts",
    "Fill",
    "Runtime",
    "adds_detail",
    "inpaint",
    "one_at_a_time",
    "together",
]
