"""Blocks and checks of arguments that two or more papers' networks share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import keras

from inpainting_tf.errors import InputError, unknown
from inpainting_tf.networks.layers import BatchNormalization, BlankHole, Conv2D, check_divisible

ImageSize = int | tuple[int, int] | None
ACTIVATIONS: dict[str, Callable[..., keras.Layer]] = {
    "relu": keras.layers.ReLU,
    "leaky_relu": functools.partial(keras.layers.LeakyReLU, negative_slope=0.2),  # DCGAN's slope
    "swish": functools.partial(keras.layers.Activation, "silu"),  # x * sigmoid(x)
}


def height_width(image_size: ImageSize, divisor: int = 1) -> tuple[int | None, int | None]:
    """`image_size` as (height, width); an int means a square, None any size.

    Raises:
        InputError: a side that is not a positive multiple of `divisor`.
    """
    size = (
        (image_size, image_size) if image_size is None or isinstance(image_size, int) else tuple(image_size)
    )
    if len(size) != 2 or any(side is not None and side < 1 for side in size):
        raise InputError(f"`image_size` must be one or two positive integers. Received {image_size!r}.")
    check_divisible(size, divisor)
    return size


def fixed_size(image_size: ImageSize, divisor: int, network: str) -> tuple[int, int]:
    """`height_width` for a network that fits one size only.

    Raises:
        InputError: no size, or a side that is not a positive multiple of `divisor`.
    """
    height, width = height_width(image_size, divisor)
    if height is None or width is None:
        raise InputError(
            f"`image_size` of {network} must be given: it fits one size. Received {image_size!r}."
        )
    return height, width


def check_even(argument: str, value: int) -> None:
    """Raises InputError, which names `argument`, unless its `value` is positive and even."""
    if value < 2 or value % 2:
        raise InputError(f"`{argument}` must be positive and even. Received {value!r}.")


def check_positive(argument: str, value: int) -> None:
    """Raises InputError, which names `argument`, unless its `value` is at least 1."""
    if value < 1:
        raise InputError(f"`{argument}` must be positive. Received {value!r}.")


def picture_inputs(image_size: ImageSize, divisor: int = 1) -> dict[str, Any]:
    """The two inputs every network takes: "image" [H, W, 3] in [0, 1], "mask" [H, W, 1] with 1 = missing."""
    height, width = height_width(image_size, divisor)
    return {
        "image": keras.Input((height, width, 3), name="image"),
        "mask": keras.Input((height, width, 1), name="mask"),
    }


def masked_picture(inputs: dict[str, Any], fill: str, divisor: int) -> Any:
    """The picture with its hole blanked, and the mask as a fourth channel: [N, H, W, 4]."""
    known = BlankHole(fill, divisor, name="blank_hole")([inputs["image"], inputs["mask"]])
    return keras.layers.Concatenate(name="masked_picture")([known, inputs["mask"]])


def conv(
    x: Any,
    filters: int,
    kernel: int,
    *,
    strides: int = 1,
    dilation: int = 1,
    activation: str = "relu",
    batch_norm: bool = True,
    name: str,
) -> Any:
    """Convolution, batch normalization, activation; a bias only without the normalization, which has one."""
    x = Conv2D(
        filters, kernel, strides, "same", dilation_rate=dilation, use_bias=not batch_norm, name=name
    )(x)  # fmt: skip
    return normalized(x, activation, name, batch_norm)


def normalized(x: Any, activation: str, name: str, batch_norm: bool = True) -> Any:
    """Batch normalization, unless it is left out, and activation behind the layer `name`.

    Raises:
        InputError: `activation` is not in `ACTIVATIONS`.
    """
    if activation not in ACTIVATIONS:
        raise unknown("activation", activation, ACTIVATIONS)
    if batch_norm:
        x = BatchNormalization(name=f"{name}_bn")(x)
    return ACTIVATIONS[activation](name=f"{name}_{activation}")(x)


def deconv(
    x: Any, filters: int, kernel: int, *, activation: str = "relu", batch_norm: bool = True, name: str
) -> Any:
    """Transposed convolution with stride 2, else as `conv`: doubles height and width."""
    x = keras.layers.Conv2DTranspose(filters, kernel, 2, "same", use_bias=not batch_norm, name=name)(x)
    return normalized(x, activation, name, batch_norm)


def to_tanh_range(picture: Any) -> Any:
    """[0, 1] -> [-1, 1], the range of networks with a tanh."""
    return keras.layers.Rescaling(2.0, -1.0, name="to_tanh_range")(picture)


def tanh_picture(x: Any, name: str) -> Any:
    """The tanh of `x`, scaled to [0, 1], float32: the layer `name`."""
    x = keras.layers.Activation("tanh", dtype="float32", name=f"{name}_tanh")(x)
    return keras.layers.Rescaling(0.5, 0.5, dtype="float32", name=name)(x)
