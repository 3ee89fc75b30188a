"""A run's folder: start or continue a training there, and load what came out of it; see `training`."""

from __future__ import annotations

from inpainting_tf.runs.training import ENGINES, Run, load, open_run, pack, shown_name, train

__all__ = ["ENGINES", "Run", "load", "open_run", "pack", "shown_name", "train"]
