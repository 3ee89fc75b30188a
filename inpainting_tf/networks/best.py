"""The package's own completion network, built from the parts of the papers' networks that measured best.

It takes {"image": [N, H, W, 3] in [0, 1], "mask": [N, H, W, 1], 1 = missing} and returns the whole predicted
picture [N, H, W, 3] in [0, 1], float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from inpainting_tf.inpainter import Inpainter, builder
from inpainting_tf.networks.blocks import ImageSize, check_even, conv, deconv, picture_inputs
from inpainting_tf.networks.layers import BatchNormalization, BlankHole, Conv2D, Refine

STRIDE = 4  # two convolutions with stride 2


@builder()
def best(
    image_size: ImageSize = 128,
    *,
    width: int = 64,
    fill: str = "smooth",
    dilations: Sequence[int] = (1, 2, 4, 8),
    skips: bool = True,
    name: str = "best",
) -> Inpainter:
    """An encoder and decoder with skip connections and dilated residual blocks, which corrects a smooth fill.

    From `face_gan`'s networks it has the dilated convolutions at a quarter of the resolution, from
    `skip_connection` the skip connections at all resolutions. Its output is a change of the logits of a
    smooth continuation of the known pixels, so that it need not predict what the surroundings determine.

    Args:
        image_size: side or (height, width) in pixels, divisible by 4; None builds it for any such size.
        width: channels of the first convolution; all others scale with it. Even.
        fill: the hole fill that is corrected, see `layers.BlankHole`.
        dilations: a residual block for each.
        skips: whether the encoder's features of each resolution are added to the decoder's.
        name: the model's name.

    Raises:
        InputError: `image_size` not divisible by 4, `width` not even, unknown `fill`.
    """
    check_even("width", width)

    def skip(x: Any, other: Any, name: str) -> Any:
        return keras.layers.Add(name=name)([x, other]) if skips else x

    inputs = picture_inputs(image_size, STRIDE)
    # float32: the prediction is this picture with the network's changes.
    blank = BlankHole(fill, STRIDE, dtype="float32", name="blank_hole")
    filled = blank([inputs["image"], inputs["mask"]])
    x = keras.layers.Concatenate(name="filled_picture")([filled, inputs["mask"]])
    full = conv(x, width, 3, name="conv1")  # H, W
    half = conv(full, 2 * width, 3, strides=2, name="conv2")  # H/2, W/2
    half = conv(half, 2 * width, 3, name="conv3")
    quarter = conv(half, 4 * width, 3, strides=2, name="conv4")  # H/4, W/4
    quarter = conv(quarter, 4 * width, 3, name="conv5")
    x = quarter
    for number, dilation in enumerate(dilations, 1):
        x = _residual(x, dilation, name=f"residual{number}")
    x = conv(skip(x, quarter, "skip1"), 4 * width, 3, name="conv6")
    x = deconv(x, 2 * width, 4, name="deconv1")  # H/2, W/2
    x = conv(skip(x, half, "skip2"), 2 * width, 3, name="conv7")
    x = deconv(x, width, 4, name="deconv2")  # H, W
    x = conv(skip(x, full, "skip3"), width, 3, name="conv8")
    change = Conv2D(3, 3, padding="same", name="change")(x)
    prediction = Refine(dtype="float32", name="prediction")([filled, change])
    return Inpainter(inputs, prediction, divisor=STRIDE, hole_fill=fill, name=name)


def _residual(x: Any, dilation: int, name: str) -> Any:
    """Two convolutions, the first dilated, added to their input (He et al. 2016)."""
    y = conv(x, x.shape[-1], 3, dilation=dilation, name=f"{name}_conv1")
    y = Conv2D(x.shape[-1], 3, padding="same", use_bias=False, name=f"{name}_conv2")(y)
    y = BatchNormalization(name=f"{name}_conv2_bn")(y)
    return keras.layers.ReLU(name=f"{name}_relu")(keras.layers.Add(name=f"{name}_sum")([x, y]))
