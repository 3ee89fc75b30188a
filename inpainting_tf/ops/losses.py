"""Losses as pure functions on `keras.ops`: tensors in, one float32 scalar out.

Pictures are [N, H, W, C] in [0, 1], masks [N, H, W, 1] with 1 = missing, logits [N, 1] before any sigmoid.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from keras import ops

from inpainting_tf.ops import metrics


def mse(target: Any, prediction: Any, mask: Any = None, weights: Any = 1.0) -> Any:
    """Mean squared error over the whole picture; `mask` is unused (a common signature for recipes).

    `weights` [N, H, W, 1] make this and the others weighted means; see `boundary_weights`.
    """
    return _mean(ops.square(_difference(target, prediction)), weights)


def l1(target: Any, prediction: Any, mask: Any = None, weights: Any = 1.0) -> Any:
    """Mean absolute error over the whole picture: the L1 of unet_vs_cgan's table 1."""
    return _mean(ops.abs(_difference(target, prediction)), weights)


def mse_dssim(target: Any, prediction: Any, mask: Any = None, weights: Any = 1.0) -> Any:
    """(MSE + DSSIM) / 2 over the whole picture (unet_vs_cgan, section 2.2.1); `weights` are of the MSE."""
    return 0.5 * (mse(target, prediction, mask, weights) + dssim(target, prediction))


def l1_dssim(target: Any, prediction: Any, mask: Any = None, weights: Any = 1.0) -> Any:
    """(L1 + DSSIM) / 2 over the whole picture (unet_vs_cgan, table 1); `weights` are of the L1."""
    return 0.5 * (l1(target, prediction, mask, weights) + dssim(target, prediction))


def dssim(target: Any, prediction: Any) -> Any:
    """Structural dissimilarity (1 - SSIM) / 2, mean over the batch; see `inpainting_tf.ops.metrics.ssim`."""
    return ops.mean(0.5 * (1.0 - metrics.ssim(target, prediction)))


def masked_mse(target: Any, prediction: Any, mask: Any, weights: Any = 1.0) -> Any:
    """Mean squared error inside the hole: face_gan eq. 3.12, Iizuka et al. 2017 eq. 2.

    The papers print a squared norm (a sum). Here it is divided by the hole's pixels and channels, picture by
    picture, so that its size does not depend on resolution, hole or batch; the weight alpha of the
    adversarial term is relative to this mean. cifar_cars' L2 over a patch is the same loss, three times as
    large there (it divides by the pixels alone).
    """
    return _mean(ops.square(_difference(target, prediction)), _float32(mask) * weights)


def masked_log_mse(target: Any, prediction: Any, mask: Any, weights: Any = 1.0) -> Any:
    """Logarithm of each picture's `masked_mse`, mean over the batch, as of the mean PSNR of holes.

    Hard and easy holes have equal weight, while the hardest dominate the mean of the errors themselves. 1e-4
    is added to each error: beyond 40 dB there is hardly a gradient.
    """
    errors = _means(ops.square(_difference(target, prediction)), _float32(mask) * weights)
    return ops.mean(ops.log(errors + 1e-4))


def known_mse(target: Any, prediction: Any, mask: Any, weights: Any = 1.0) -> Any:
    """Mean squared error outside the hole, picture by picture."""
    return _mean(ops.square(_difference(target, prediction)), (1.0 - _float32(mask)) * weights)


def tanh_mse(target: Any, prediction: Any, mask: Any = None, weights: Any = 1.0) -> Any:
    """`mse` of pictures in [-1, 1], the range of a tanh, for papers whose weights are relative to that.

    As all losses it takes pictures in [0, 1], where squared errors are a quarter as large.
    """
    return _TANH * mse(target, prediction, mask, weights)


def tanh_masked_mse(target: Any, prediction: Any, mask: Any, weights: Any = 1.0) -> Any:
    """`masked_mse` of pictures in [-1, 1]; see `tanh_mse`."""
    return _TANH * masked_mse(target, prediction, mask, weights)


def tanh_blanked_mse(target: Any, prediction: Any, mask: Any, weights: Any = 1.0) -> Any:
    """Mean squared error over all pixels of pictures in [-1, 1] whose holes are blanked in both.

    The MSE term of cifar_cars' GANs as printed, MSE(IM x I - G(h) x I): the hole's pixels count, with an
    error of 0, so that it is smaller than four times `known_mse` by the share that is known.
    """
    error = ops.square(_difference(target, prediction)) * (1.0 - _float32(mask))
    return _TANH * _mean(error, weights)


def boundary_weights(mask: Any, strength: float, reach: int) -> Any:
    """Weights that are largest at the hole's edge, on both of its sides (cifar_cars, chapter 4).

    Args:
        mask: [N, H, W, 1], 1 = missing. The picture's border is no edge.
        strength: the weight of a pixel that touches the edge, minus 1.
        reach: distance in pixels (diagonal steps count as one) at which the weight has fallen to 1, linearly.

    Returns:
        [N, H, W, 1] in [1, 1 + strength]: 1 + strength * max(0, 1 - d / reach), d = 0 for the pixels that
        touch the edge.
    """
    grown, shrunk = _float32(mask), _float32(mask)
    near = ops.zeros_like(grown)
    for _ in range(reach):  # the pixels within 1, 2, ... of the edge
        grown, shrunk = _dilated(grown), 1.0 - _dilated(1.0 - shrunk)
        near = near + (grown - shrunk)
    return 1.0 + strength * near / reach


def kl_divergence(mean: Any, log_variance: Any) -> Any:
    """KL(N(mean, exp(log_variance)) | N(0, 1)), summed over the code, mean over the batch (cifar_cars 2.2.1).

    -1/2 sum(1 + log s^2 - m^2 - s^2), Kingma and Welling 2014. `mean`, `log_variance`: [N, D].
    """
    mean, log_variance = _float32(mean), _float32(log_variance)
    terms = ops.square(mean) + ops.exp(log_variance) - 1.0 - log_variance
    return ops.mean(0.5 * ops.sum(terms, axis=1))


def discriminator_loss(real_logits: Any, fake_logits: Any) -> Any:
    """-E[log D(real)] - E[log(1 - D(fake))]: face_gan eq. 3.13, from logits."""
    return ops.mean(_minus_log_sigmoid(real_logits)) + ops.mean(_minus_log_sigmoid(-_float32(fake_logits)))


def non_saturating(fake_logits: Any) -> Any:
    """-E[log D(fake)]: the generator's term with the same fixed point as `minimax` but a gradient that does
    not vanish where D(fake) is near 0 (Goodfellow et al. 2014, section 3)."""
    return ops.mean(_minus_log_sigmoid(fake_logits))


def minimax(fake_logits: Any) -> Any:
    """E[log(1 - D(fake))]: the generator's term as printed in face_gan eqs. 3.13 and 3.14. It is negative."""
    return -ops.mean(_minus_log_sigmoid(-_float32(fake_logits)))


def l1_discriminator_loss(real_map: Any, fake_map: Any) -> Any:
    """0.5 mean|1 - D(real)| + 0.5 mean|D(fake)|: skip_connection's L_2, with its L1 between D's map, without
    a sigmoid, and the maps of ones (real) and zeros (fake)."""
    return 0.5 * ops.mean(ops.abs(1.0 - _float32(real_map))) + 0.5 * ops.mean(ops.abs(_float32(fake_map)))


def l1_generator_loss(fake_map: Any) -> Any:
    """mean|1 - D(fake)|: the generator's side of `l1_discriminator_loss`."""
    return ops.mean(ops.abs(1.0 - _float32(fake_map)))


class AdversarialLoss(NamedTuple):
    """The losses of discriminator and generator, and the score of a discriminator's output.

    `discriminator` takes the outputs for real and for completed pictures, `generator` those for completed
    ones; `score` maps outputs to 1 for real and 0 for fake.
    """

    discriminator: Callable[[Any, Any], Any]
    generator: Callable[[Any], Any]
    score: Callable[[Any], Any]


RECONSTRUCTION = {
    "masked_mse": masked_mse,
    "masked_log_mse": masked_log_mse,
    "mse": mse,
    "known_mse": known_mse,
    "tanh_mse": tanh_mse,
    "tanh_masked_mse": tanh_masked_mse,
    "tanh_blanked_mse": tanh_blanked_mse,
    "l1": l1,
    "mse_dssim": mse_dssim,
    "l1_dssim": l1_dssim,
}
ADVERSARIAL = {
    "non_saturating": AdversarialLoss(discriminator_loss, non_saturating, ops.sigmoid),
    "minimax": AdversarialLoss(discriminator_loss, minimax, ops.sigmoid),
    "l1": AdversarialLoss(l1_discriminator_loss, l1_generator_loss, lambda output: output),
}

_TANH = 4.0  # squared errors in [-1, 1] over those in [0, 1]


def _difference(target: Any, prediction: Any) -> Any:
    return _float32(target) - _float32(prediction)


def _mean(error: Any, weights: Any) -> Any:
    """Mean of the error [N, H, W, C] under weights [N, H, W, 1], in each picture and then over the batch."""
    return ops.mean(_means(error, weights))


def _means(error: Any, weights: Any) -> Any:
    """Means of the error [N, H, W, C] under weights [N, H, W, 1], one for each picture; 0 without weights."""
    weights = ops.broadcast_to(weights, (*ops.shape(error)[:3], 1))
    total = ops.sum(weights, axis=(1, 2, 3)) * error.shape[-1]
    return ops.sum(error * weights, axis=(1, 2, 3)) / ops.maximum(total, 1.0)


def _dilated(mask: Any) -> Any:
    return ops.max_pool(mask, 3, 1, "same")


def _minus_log_sigmoid(logits: Any) -> Any:
    return ops.softplus(-_float32(logits))


def _float32(x: Any) -> Any:
    return ops.cast(x, "float32")
