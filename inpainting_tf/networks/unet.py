"""Networks of `unet_vs_cgan`: the U-Net, and the smaller one that is the conditional GAN's generator.

They take {"image": [N, H, W, 3] in [0, 1], "mask": [N, H, W, 1], 1 = missing} and return the whole predicted
picture [N, H, W, 3] in [0, 1], float32. The report's input is the picture with a white hole alone, so the
mask only gives the pixels to paint. The discriminator of the GAN is that of DCGAN.

The figures with the layers of both networks are lost, and the text describes them only as "inspired by the
U-Net". So the layers are those of Ronneberger et al. 2015, with padding and batch normalization as usual
since; their number and width are ours.
"""

from __future__ import annotations

from typing import Any

import keras

from inpainting_tf.inpainter import Inpainter, builder
from inpainting_tf.networks.blocks import ImageSize, check_positive, conv, picture_inputs
from inpainting_tf.networks.layers import BlankHole, Conv2D

# "the same U-Net like network, but with a smaller amount of layers": 4x4 positions at 64 px too
CGAN_LEVELS = 4


@builder()
def unet(
    image_size: ImageSize = 128,
    *,
    width: int = 32,
    levels: int = 5,
    activation: str = "relu",
    fill: str = "white",
    name: str = "unet",
) -> Inpainter:
    """U-Net, unet_vs_cgan section 2.2: an encoder and a decoder with skip connections between them.

    Each level has two 3x3 convolutions on its way down and two on its way up, with batch normalization; 2x2
    max pooling halves height and width, which doubles the channels, and 2x2 transposed convolutions with
    stride 2 double them again.

    Args:
        image_size: side or (height, width) in pixels, divisible by 2 ** levels; None builds it for any such
            size.
        width: channels of the first level; all others scale with it.
        levels: number of poolings.
        activation: "relu" or "swish", the two that the report compares, or another of `blocks.ACTIVATIONS`.
        fill: the hole fill, see `BlankHole`. White in the report.
        name: the model's name.

    Raises:
        InputError: `image_size` not divisible by 2 ** levels, `width` or `levels` not positive, unknown
            `activation` or `fill`.
    """
    check_positive("width", width)
    check_positive("levels", levels)
    inputs = picture_inputs(image_size, 2**levels)
    x = BlankHole(fill, 2**levels, name="blank_hole")([inputs["image"], inputs["mask"]])
    skips = []
    for level in range(levels):  # H / 2 ** level, W / 2 ** level
        x = _two_convolutions(x, width * 2**level, activation, f"down{level + 1}")
        skips.append(x)
        x = keras.layers.MaxPooling2D(2, name=f"pool{level + 1}")(x)
    x = _two_convolutions(x, width * 2**levels, activation, "middle")
    for level in reversed(range(levels)):
        x = _upward(x, skips[level], width * 2**level, activation, f"up{level + 1}")
    x = Conv2D(3, 1, name="conv_last")(x)
    prediction = keras.layers.Activation("sigmoid", dtype="float32", name="prediction")(x)
    return Inpainter(inputs, prediction, divisor=2**levels, hole_fill=fill, name=name)


@builder()
def cgan_generator(
    image_size: ImageSize = 64,
    *,
    width: int = 32,
    activation: str = "relu",
    fill: str = "white",
    name: str = "cgan_generator",
) -> Inpainter:
    """Generator of the conditional GAN, unet_vs_cgan section 2.3: `unet` with a level less.

    Arguments and errors as for `unet`; sizes must be divisible by 16.
    """
    return unet(image_size, width=width, levels=CGAN_LEVELS, activation=activation, fill=fill, name=name)


def _two_convolutions(x: Any, filters: int, activation: str, name: str) -> Any:
    for i in (1, 2):
        x = conv(x, filters, 3, activation=activation, name=f"{name}_conv{i}")
    return x


def _upward(x: Any, skip: Any, filters: int, activation: str, name: str) -> Any:
    """Doubles height and width, then concatenates the encoder's features of that resolution."""
    x = keras.layers.Conv2DTranspose(filters, 2, 2, name=f"{name}_deconv")(x)
    x = keras.layers.Concatenate(name=f"{name}_skip")([skip, x])
    return _two_convolutions(x, filters, activation, name)
