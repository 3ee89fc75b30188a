"""What is minimised, and in which phase; the gradient steps; what happens between the steps."""

from __future__ import annotations

from inpainting_tf.training.adversarial import Adversarial
from inpainting_tf.training.reconstruction import COLUMNS, Reconstruction

__all__ = ["COLUMNS", "Adversarial", "Reconstruction"]
