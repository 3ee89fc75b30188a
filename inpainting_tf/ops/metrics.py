"""How far a filled picture is from the true one: MSE, MAE, PSNR and SSIM, one value per picture.

Every function takes two float batches [N, H, W, C] in [0, 1] (NumPy arrays or tensors), computes in float32
and returns a float32 tensor [N]; means over a data set are the caller's. All are written on `keras.ops`: they
run on every Keras backend and inside compiled functions, and have gradients.

The `hole_*` functions also take the mask, float [N, H, W, 1], 1 = missing, 0 = known, and average over the
missing pixels and all channels. Of a picture without a hole the error is 0, the PSNR 100 dB, as of a perfect
fill.

All of them raise `InputError` for shapes that do not fit and for integer pictures (uint8 is not in [0, 1]).
"""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from inpainting_tf.errors import InputError

Array = Any  # a NumPy array or a tensor of the Keras backend

MAX_PSNR = 100.0  # dB of a perfect fill, so that means over pictures stay finite
SSIM_WINDOW = 11  # pixels, Wang et al. 2004
SSIM_SIGMA = 1.5  # pixels
SSIM_C1 = 0.01**2  # (K1 * data range)^2
SSIM_C2 = 0.03**2  # (K2 * data range)^2


def mse(a: Array, b: Array) -> Array:
    """Mean squared error per picture, [N]."""
    a, b = pair(a, b)
    return ops.mean(ops.square(a - b), axis=(1, 2, 3))


def mae(a: Array, b: Array) -> Array:
    """Mean absolute error per picture, [N]."""
    a, b = pair(a, b)
    return ops.mean(ops.abs(a - b), axis=(1, 2, 3))


def psnr(a: Array, b: Array) -> Array:
    """Peak signal-to-noise ratio per picture, [N] in dB: 10 log10(1 / MSE), at most `MAX_PSNR`."""
    return _decibel(mse(a, b))


def psnr_as_printed_face_gan(a: Array, b: Array) -> Array:
    """PSNR as face_gan, equation 3.16 prints it: 10 log10(MAX / MSE) with MAX = 255, MSE on the 0..255 scale.

    The peak is not squared there, which puts it 10 log10(255) = 24.07 dB below `psnr` (a perfect
    fill: 75.93). It is here only to read the thesis's numbers; report `psnr`.
    """
    return as_printed_face_gan(psnr(a, b))


def as_printed_face_gan(decibel: Any) -> Any:
    """A PSNR in dB converted to that of `psnr_as_printed_face_gan`."""
    return decibel - 10.0 * math.log10(255.0)


def hole_mse(a: Array, b: Array, mask: Array) -> Array:
    """Mean squared error over the missing pixels per picture, [N]; 0 where nothing is missing."""
    a, b = pair(a, b)
    return _hole_mean(ops.square(a - b), mask)


def hole_mae(a: Array, b: Array, mask: Array) -> Array:
    """Mean absolute error over the missing pixels per picture, [N]; 0 where nothing is missing."""
    a, b = pair(a, b)
    return _hole_mean(ops.abs(a - b), mask)


def hole_psnr(a: Array, b: Array, mask: Array) -> Array:
    """PSNR over the missing pixels per picture, [N] in dB; `MAX_PSNR` where nothing is missing."""
    return _decibel(hole_mse(a, b, mask))


def ssim(a: Array, b: Array) -> Array:
    """Structural similarity per picture, [N] in [-1, 1]; exactly 1 for equal pictures.

    Wang et al. 2004: Gaussian window of 11x11 pixels, sigma 1.5, K1 = 0.01, K2 = 0.03, data range 1; the mean
    over the windows that lie wholly inside the picture and over channels.

    Raises:
        InputError: also for pictures smaller than the window.
    """
    a, b = pair(a, b)
    _check_window(a.shape)
    mean_a, mean_b = (ops.mean(x, axis=(1, 2), keepdims=True) for x in (a, b))
    # Variances do not depend on a shift of the picture, but E[x^2] - E[x]^2 in float32 does: cancellation is
    # least for pictures around 0. The covariance is computed from var(a - b), which vanishes as a -> b:
    # (2 cov + C2) / (var a + var b + C2) = 1 - var(a - b) / (var a + var b + C2), and so do the means.
    a, b = a - mean_a, b - mean_b
    maps = ops.concatenate([a, b, ops.square(a) + ops.square(b), ops.square(a - b)], axis=-1)
    blur_a, blur_b, blur_squares, blur_difference = ops.split(_gaussian_windows(maps), 4, axis=-1)
    variances = blur_squares - ops.square(blur_a) - ops.square(blur_b)
    structure = 1.0 - (blur_difference - ops.square(blur_a - blur_b)) / (variances + SSIM_C2)
    mu_a, mu_b = mean_a + blur_a, mean_b + blur_b
    luminance = 1.0 - ops.square(mu_a - mu_b) / (ops.square(mu_a) + ops.square(mu_b) + SSIM_C1)
    return ops.mean(luminance * structure, axis=(1, 2, 3))


def pair(a: Array, b: Array) -> tuple[Array, Array]:
    """Two batches of pictures as float32 tensors, after the checks that every metric makes (see above)."""
    for name, batch in (("a", a), ("b", b)):
        dtype = keras.backend.standardize_dtype(batch.dtype)
        if "float" not in dtype:
            raise InputError(
                f"`{name}` must be floating point in [0, 1]. Received {dtype}: use `images.to_float` first."
            )
    shape_a, shape_b = tuple(a.shape), tuple(b.shape)
    if len(shape_a) != 4 or not _fits(shape_a, shape_b):
        raise InputError(
            f"`a` and `b` must have the same shape [N, H, W, C]. Received {shape_a} and {shape_b}."
        )
    return ops.cast(a, "float32"), ops.cast(b, "float32")


def _fits(shape: tuple, expected: tuple) -> bool:
    """Whether two shapes agree, as far as they are known (None: not while a function is being compiled)."""
    return len(shape) == len(expected) and all(
        i == j or i is None or j is None for i, j in zip(shape, expected, strict=True)
    )


def _decibel(error: Array) -> Array:
    smallest = 10.0 ** (-MAX_PSNR / 10.0)  # keeps log10 and its gradient finite
    return ops.minimum(-10.0 * ops.log10(ops.maximum(error, smallest)), MAX_PSNR)


def _hole_mean(error: Array, mask: Array) -> Array:
    expected = (*error.shape[:-1], 1)
    if not _fits(tuple(mask.shape), expected):
        raise InputError(f"`mask` must have shape [N, H, W, 1] = {expected}. Received {tuple(mask.shape)}.")
    mask = ops.cast(mask, "float32")
    total = ops.sum(ops.mean(error, axis=-1, keepdims=True) * mask, axis=(1, 2, 3))
    return total / ops.maximum(ops.sum(mask, axis=(1, 2, 3)), 1.0)


def _check_window(shape: tuple) -> None:
    height, width = shape[1:3]
    if any(side is not None and side < SSIM_WINDOW for side in (height, width)):
        raise InputError(
            f"`a` and `b` must be at least {SSIM_WINDOW}x{SSIM_WINDOW} pixels for SSIM. "
            f"Received {height}x{width}: enlarge the pictures, or use PSNR."
        )


def _gaussian_windows(maps: Array) -> Array:
    """The Gaussian-weighted mean of each whole window: [N, H, W, C] -> [N, H - 10, W - 10, C]."""
    offsets = np.arange(SSIM_WINDOW) - SSIM_WINDOW // 2
    weights = np.exp(-0.5 * (offsets / SSIM_SIGMA) ** 2)
    kernel = np.tile(
        (weights / weights.sum()).astype("float32")[:, None, None, None], (1, 1, maps.shape[-1], 1)
    )
    for axes in ((0, 1, 2, 3), (1, 0, 2, 3)):  # down the columns, then along the rows
        maps = ops.depthwise_conv(
            maps, ops.convert_to_tensor(kernel.transpose(axes)), padding="valid", data_format="channels_last"
        )
    return maps
