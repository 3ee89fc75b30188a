"""A run's folder: start or continue a training there, and load its network; see `run`."""

from __future__ import annotations

from inpainting_tf.runs.packing import pack
from inpainting_tf.runs.run import Run, open_run
from inpainting_tf.runs.training import train

__all__ = ["Run", "open_run", "pack", "train"]
