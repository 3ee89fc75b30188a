"""Blocks that two or more papers' networks share, and the arguments' common checks."""

from __future__ import annotations

from typing import Any

import keras

from inpainting_tf.errors import InputError
from inpainting_tf.layers import BatchNormalization, BlankHole, Conv2D, check_divisible

ImageSize = int | tuple[int, int] | None


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


def check_width(width: int, divisor: int = 2) -> None:
    """Raises InputError unless `width` (channels of the first layer) is a positive multiple of `divisor`."""
    if width < divisor or width % divisor:
        raise InputError(f"`width` must be a positive multiple of {divisor}. Received {width!r}.")


def picture_inputs(image_size: ImageSize, divisor: int = 1) -> dict[str, Any]:
    """The two inputs every network takes: "image" [H, W, 3] in [0, 1], "mask" [H, W, 1] with 1 = missing."""
    height, width = height_width(image_size, divisor)
    return {
        "image": keras.Input((height, width, 3), name="image"),
        "mask": keras.Input((height, width, 1), name="mask"),
    }


def masked_picture(inputs: dict[str, Any], fill: str, divisor: int) -> Any:
    """Blanks the hole and puts the mask behind it as a fourth channel: [N, H, W, 4]."""
    known = BlankHole(fill, divisor, name="blank_hole")([inputs["image"], inputs["mask"]])
    return keras.layers.Concatenate(name="masked_picture")([known, inputs["mask"]])


def conv(x: Any, filters: int, kernel: int, *, strides: int = 1, dilation: int = 1, name: str) -> Any:
    """Convolution, batch normalization, ReLU. No bias: the normalization has one."""
    x = Conv2D(
        filters, kernel, strides, "same", dilation_rate=dilation, use_bias=False, name=name
    )(x)  # fmt: skip
    x = BatchNormalization(name=f"{name}_bn")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x)


def deconv(x: Any, filters: int, kernel: int, *, name: str) -> Any:
    """Transposed convolution with stride 2, batch normalization, ReLU: doubles height and width."""
    x = keras.layers.Conv2DTranspose(filters, kernel, 2, "same", use_bias=False, name=name)(x)
    x = BatchNormalization(name=f"{name}_bn")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x)
