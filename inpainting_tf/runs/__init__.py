"""A run's folder: start or continue a training there, and load its network; see `run`."""

from __future__ import annotations

from inpainting_tf.runs.loading import ENGINES, load, shown_name
from inpainting_tf.runs.packing import pack
from inpainting_tf.runs.run import Run, open_run
from inpainting_tf.runs.training import train

__all__ = ["ENGINES", "Run", "load", "open_run", "pack", "shown_name", "train"]
