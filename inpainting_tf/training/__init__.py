"""What is minimised, and in which phase; the gradient steps; what happens between the steps."""

from __future__ import annotations

from inpainting_tf.training.adversarial import Adversarial, Weight
from inpainting_tf.training.generative import Generative
from inpainting_tf.training.reconstruction import Reconstruction
from inpainting_tf.training.variational import Variational

__all__ = ["Adversarial", "Generative", "Reconstruction", "Variational", "Weight"]
