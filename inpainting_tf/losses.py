"""Losses as pure functions on `keras.ops`: tensors in, one float32 scalar out.

Pictures are [N, H, W, C] in [0, 1], masks [N, H, W, 1] with 1 = missing, logits [N, 1] before any sigmoid.
"""

from __future__ import annotations

from typing import Any

from keras import ops


def mse(target: Any, prediction: Any, mask: Any = None) -> Any:
    """Mean squared error over the whole picture; `mask` is not looked at (a common signature for recipes)."""
    return ops.mean(ops.square(_difference(target, prediction)))


def masked_mse(target: Any, prediction: Any, mask: Any) -> Any:
    """Mean squared error inside the hole: face_gan eq. 3.12, Iizuka et al. 2017 eq. 2.

    The papers print a squared norm (a sum). Here it is divided by the hole's pixels and channels, picture by
    picture, so that its size does not depend on resolution, hole or batch; the weight alpha of the
    adversarial term goes with this mean.
    """
    mask = _float32(mask)
    error = ops.square(_difference(target, prediction)) * mask
    values = ops.sum(mask, axis=(1, 2, 3)) * target.shape[-1]
    return ops.mean(ops.sum(error, axis=(1, 2, 3)) / ops.maximum(values, 1.0))


def discriminator_loss(real_logits: Any, fake_logits: Any) -> Any:
    """-E[log D(real)] - E[log(1 - D(fake))]: face_gan eq. 3.13, from logits."""
    return ops.mean(_minus_log_sigmoid(real_logits)) + ops.mean(_minus_log_sigmoid(-_float32(fake_logits)))


def non_saturating(fake_logits: Any) -> Any:
    """-E[log D(fake)]: the generator's term with the same fixed point as `minimax` but a gradient that does
    not vanish while the discriminator is sure of itself (Goodfellow et al. 2014, section 3)."""
    return ops.mean(_minus_log_sigmoid(fake_logits))


def minimax(fake_logits: Any) -> Any:
    """E[log(1 - D(fake))]: the generator's term as printed in face_gan eqs. 3.13 and 3.14. It is negative."""
    return -ops.mean(_minus_log_sigmoid(-_float32(fake_logits)))


RECONSTRUCTION = {"masked_mse": masked_mse, "mse": mse}
ADVERSARIAL = {"non_saturating": non_saturating, "minimax": minimax}


def _difference(target: Any, prediction: Any) -> Any:
    return _float32(target) - _float32(prediction)


def _minus_log_sigmoid(logits: Any) -> Any:
    return ops.softplus(-_float32(logits))


def _float32(x: Any) -> Any:
    return ops.cast(x, "float32")
