"""A completion network for photographs of any kind, with thin and large holes at the photograph's own scale.

It takes {"image": [N, H, W, 3] in [0, 1], "mask": [N, H, W, 1], 1 = missing} and returns the whole predicted
picture [N, H, W, 3] in [0, 1], float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from inpainting_tf.inpainter import Inpainter, builder
from inpainting_tf.networks.blocks import ImageSize, check_even, check_positive, picture_inputs
from inpainting_tf.networks.layers import BlankHole, Conv2D, Refine

STRIDE = 8  # three convolutions with stride 2


@builder()
def photos(
    image_size: ImageSize = 128,
    *,
    width: int = 32,
    fill: str = "thin_plate",
    blocks: int = 1,
    dilations: Sequence[int] = (1, 2, 4, 8),
    name: str = "photos",
) -> Inpainter:
    """Residual blocks at a half, a quarter and an eighth of the resolution, which correct a thin-plate fill.

    Nothing is computed at full resolution but the fill itself: the first convolution has stride 2, and the
    last, transposed one brings the change back. That costs a third of `best` at the same width, so that two
    cores see three times as many photographs in an hour. There is no normalization: its statistics would be
    those of the training's crops, and a window of a large photograph has others. Instead every residual
    block, and the change itself, begins at zero: an untrained network returns that fill.

    Args:
        image_size: side or (height, width) in pixels, divisible by 8; None builds it for any such size.
        width: channels at half the resolution; twice and four times as many at the next ones. Even.
        fill: the hole fill that is corrected, see `layers.BlankHole`.
        blocks: residual blocks on each side at a half and at a quarter of the resolution.
        dilations: a residual block at an eighth of the resolution for each.
        name: the model's name.

    Raises:
        InputError: `image_size` not divisible by 8, `width` not even, no `blocks`, unknown `fill`.
    """
    check_even("width", width)
    check_positive("blocks", blocks)
    inputs = picture_inputs(image_size, STRIDE)
    # float32: the prediction is this picture with the network's changes.
    blank = BlankHole(fill, STRIDE, dtype="float32", name="blank_hole")
    filled = blank([inputs["image"], inputs["mask"]])
    x = keras.layers.Concatenate(name="filled_picture")([filled, inputs["mask"]])

    x = Conv2D(width, 6, 2, "same", name="down1")(x)  # H/2, W/2
    half = x = _blocks(x, [1] * blocks, "half_down")
    x = Conv2D(2 * width, 4, 2, "same", name="down2")(x)  # H/4, W/4
    quarter = x = _blocks(x, [1] * blocks, "quarter_down")
    x = Conv2D(4 * width, 4, 2, "same", name="down3")(x)  # H/8, W/8
    x = _blocks(x, dilations, "eighth")
    x = _blocks(_enlarged(x, quarter, "up3"), [1] * blocks, "quarter_up")
    x = _blocks(_enlarged(x, half, "up2"), [1] * (blocks + 1), "half_up")
    change = keras.layers.Conv2DTranspose(
        3, 6, 2, "same", kernel_initializer="zeros", name="change"
    )(x)  # fmt: skip
    prediction = Refine(dtype="float32", name="prediction")([filled, change])
    return Inpainter(inputs, prediction, divisor=STRIDE, hole_fill=fill, name=name)


def _blocks(x: Any, dilations: Sequence[int], name: str) -> Any:
    """Residual blocks of two convolutions, the first dilated, that begin as the identity."""
    channels = x.shape[-1]
    for number, dilation in enumerate(dilations, 1):
        layer = f"{name}{number}"
        y = Conv2D(
            channels, 3, padding="same", dilation_rate=dilation, activation="relu",
            kernel_initializer="he_normal", name=f"{layer}_conv1",
        )(x)  # fmt: skip
        y = Conv2D(channels, 3, padding="same", kernel_initializer="zeros", name=f"{layer}_conv2")(y)
        x = keras.layers.Add(name=f"{layer}_sum")([x, y])
    return x


def _enlarged(x: Any, skip: Any, name: str) -> Any:
    """Twice the height and width, with the features of that resolution from the way down added."""
    x = keras.layers.Conv2DTranspose(skip.shape[-1], 2, 2, "same", name=name)(x)
    return keras.layers.Add(name=f"{name}_skip")([x, skip])
