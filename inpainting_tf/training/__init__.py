"""Trainers (losses by phase, gradient steps), callbacks between the steps, Keras losses and metrics.

The trainers are `keras.Model`s. The losses and metrics are the package's own for Keras models of any kind.
"""

from __future__ import annotations

from inpainting_tf.training.adversarial import Adversarial, Weight
from inpainting_tf.training.generative import Generative
from inpainting_tf.training.keras_losses import (
    L1,
    MSE,
    BoundaryWeighted,
    KnownMSE,
    L1AndDSSIM,
    MaskedLogMSE,
    MaskedMSE,
    MSEAndDSSIM,
    TanhBlankedMSE,
    TanhMaskedMSE,
    TanhMSE,
)
from inpainting_tf.training.keras_metrics import PSNR, SSIM, HolePSNR
from inpainting_tf.training.reconstruction import Reconstruction
from inpainting_tf.training.variational import Variational

__all__ = [
    "L1",
    "MSE",
    "PSNR",
    "SSIM",
    "Adversarial",
    "BoundaryWeighted",
    "Generative",
    "HolePSNR",
    "KnownMSE",
    "L1AndDSSIM",
    "MSEAndDSSIM",
    "MaskedLogMSE",
    "MaskedMSE",
    "Reconstruction",
    "TanhBlankedMSE",
    "TanhMSE",
    "TanhMaskedMSE",
    "Variational",
    "Weight",
]
