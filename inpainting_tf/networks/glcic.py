"""Networks of `face_gan`: Iizuka et al.'s completion network, one- and double-autoencoder, discriminators.

Completion networks take {"image": [N, H, W, 3] in [0, 1], "mask": [N, H, W, 1], 1 = missing} and return the
whole predicted picture [N, H, W, 3] in [0, 1], float32. Discriminators take the same two inputs, where the
picture is a real or a completed one and the mask gives the place of the local window, and return one logit
[N, 1], float32.

Every convolution but the last is followed by batch normalization and ReLU, as in Iizuka et al. 2017; the
tables of the thesis name the ReLU only: `batch_norm=False` builds its networks as printed.
"""

from __future__ import annotations

from typing import Any

import keras

from inpainting_tf.inpainter import Inpainter, builder
from inpainting_tf.networks.blocks import (
    ImageSize,
    check_even,
    conv,
    deconv,
    fixed_size,
    masked_picture,
    picture_inputs,
)
from inpainting_tf.networks.layers import Composite, Conv2D, CropAroundHole

STRIDE = 4  # Two convolutions with stride 2: sizes must be divisible by it.


@builder()
def glcic(
    image_size: ImageSize = 128,
    *,
    width: int = 64,
    fill: str = "mean",
    batch_norm: bool = True,
    name: str = "glcic",
) -> Inpainter:
    """Completion network of Iizuka et al. 2017, table 1: 17 layers (face_gan's baseline).

    Args:
        image_size: side or (height, width) in pixels, divisible by 4; None builds it for any such size.
        width: channels of the first convolution; all others scale with it. Even.
        fill: the hole fill: "black", "white" or "mean"; see `BlankHole`. Iizuka et al. use the mean colour of
            the training set; ours is that of the picture's known pixels.
        batch_norm: normalize behind each convolution but the last.
        name: the model's name.

    Raises:
        InputError: `image_size` not divisible by 4, `width` not even, unknown `fill`.
    """
    check_even("width", width)
    inputs = picture_inputs(image_size, STRIDE)
    x = masked_picture(inputs, fill, STRIDE)
    prediction = _autoencoder(x, width, batch_norm, second_convolution=False)
    return Inpainter(inputs, prediction, divisor=STRIDE, hole_fill=fill, name=name)


@builder()
def one_autoencoder(
    image_size: ImageSize = 128,
    *,
    width: int = 64,
    fill: str = "mean",
    batch_norm: bool = True,
    name: str = "one_autoencoder",
) -> Inpainter:
    """One-autoencoder completion network, face_gan table 3.1: `glcic` with a second 64-channel convolution.

    Arguments and errors as for `glcic`.
    """
    check_even("width", width)
    inputs = picture_inputs(image_size, STRIDE)
    x = masked_picture(inputs, fill, STRIDE)
    return Inpainter(inputs, _autoencoder(x, width, batch_norm), divisor=STRIDE, hole_fill=fill, name=name)


@builder()
def double_autoencoder(
    image_size: ImageSize = 128,
    *,
    width: int = 64,
    fill: str = "mean",
    batch_norm: bool = True,
    name: str = "double_autoencoder",
) -> Inpainter:
    """Double-autoencoder completion network, face_gan table 3.4: two one-autoencoders in a row, 36 layers.

    The table does not give the input of layer 13. Here it is that of the first autoencoder, a picture and the
    mask, with the hole filled by the first autoencoder. Arguments and errors as for `glcic`.
    """
    check_even("width", width)
    inputs = picture_inputs(image_size, STRIDE)
    first = _autoencoder(masked_picture(inputs, fill, STRIDE), width, batch_norm, prefix="first_")
    completed = Composite(name="first_completed")([inputs["image"], first, inputs["mask"]])
    x = keras.layers.Concatenate(name="second_picture")([completed, inputs["mask"]])
    prediction = _autoencoder(x, width, batch_norm, prefix="second_")
    return Inpainter(inputs, prediction, divisor=STRIDE, hole_fill=fill, name=name)


def encoder(
    x: Any, width: int, batch_norm: bool = True, *, second_convolution: bool = True, prefix: str = ""
) -> Any:
    """face_gan table 3.1 from the masked picture [N, H, W, 4] to the last dilated layer.

    Args:
        x: the symbolic picture, of any number of channels.
        width: channels of the first convolution.
        batch_norm: normalize behind each convolution.
        second_convolution: the layer that only the thesis has, not Iizuka et al.
        prefix: of the layers' names.

    Returns:
        [N, H / 4, W / 4, 4 * width].
    """
    n = prefix
    x = conv(x, width, 5, batch_norm=batch_norm, name=f"{n}conv1")  # H, W
    if second_convolution:
        x = conv(x, width, 3, batch_norm=batch_norm, name=f"{n}conv2")
    x = conv(x, 2 * width, 3, strides=2, batch_norm=batch_norm, name=f"{n}conv3")  # H/2, W/2
    x = conv(x, 2 * width, 3, batch_norm=batch_norm, name=f"{n}conv4")
    x = conv(x, 4 * width, 3, strides=2, batch_norm=batch_norm, name=f"{n}conv5")  # H/4, W/4
    x = conv(x, 4 * width, 3, batch_norm=batch_norm, name=f"{n}conv6")
    x = conv(x, 4 * width, 3, batch_norm=batch_norm, name=f"{n}conv7")
    for i, dilation in enumerate((2, 4, 8, 16), start=1):
        x = conv(x, 4 * width, 3, dilation=dilation, batch_norm=batch_norm, name=f"{n}dilated{i}")
    return x


def _autoencoder(
    x: Any, width: int, batch_norm: bool, *, second_convolution: bool = True, prefix: str = ""
) -> Any:
    """face_gan table 3.1 from the masked picture [N, H, W, 4] to the prediction [N, H, W, 3]."""
    n = prefix
    x = encoder(x, width, batch_norm, second_convolution=second_convolution, prefix=prefix)
    x = conv(x, 4 * width, 3, batch_norm=batch_norm, name=f"{n}conv8")
    x = conv(x, 4 * width, 3, batch_norm=batch_norm, name=f"{n}conv9")
    x = deconv(x, 2 * width, 4, batch_norm=batch_norm, name=f"{n}deconv1")  # H/2, W/2
    x = conv(x, 2 * width, 3, batch_norm=batch_norm, name=f"{n}conv10")
    x = deconv(x, width, 4, batch_norm=batch_norm, name=f"{n}deconv2")  # H, W
    x = conv(x, width // 2, 3, batch_norm=batch_norm, name=f"{n}conv11")
    x = Conv2D(3, 3, padding="same", name=f"{n}conv12")(x)
    return keras.layers.Activation("sigmoid", dtype="float32", name=f"{n}prediction")(x)


# Filters of the stride-2 convolutions, in multiples of the width.
IIZUKA_LOCAL, IIZUKA_GLOBAL = (1, 2, 4, 8, 8), (1, 2, 4, 8, 8, 8)  # Iizuka et al. 2017, tables 2 and 3
FACE_GAN_LOCAL, FACE_GAN_GLOBAL = (1, 2, 4, 8), (1, 2, 4, 8, 8)  # face_gan, tables 3.2 and 3.3


def iizuka_discriminator(
    image_size: ImageSize = 128,
    *,
    width: int = 64,
    batch_norm: bool = True,
    name: str = "iizuka_discriminator",
) -> keras.Model:
    """Joint discriminator of Iizuka et al. 2017: local (5 convolutions) and global (6), 1024 features each.

    Args:
        image_size: side or (height, width) in pixels; the local window is half of each.
        width: channels of the first convolutions; 64 in the paper. The 1024 features scale with it.
        batch_norm: normalize behind each convolution.
        name: the model's name.
    """
    return _discriminator(image_size, width, batch_norm, IIZUKA_LOCAL, IIZUKA_GLOBAL, name)


def joint_discriminator(
    image_size: ImageSize = 128,
    *,
    width: int = 64,
    batch_norm: bool = True,
    name: str = "joint_discriminator",
) -> keras.Model:
    """Joint discriminator of face_gan, tables 3.2 and 3.3: one convolution less than Iizuka's in each half.

    The thesis does not print the size of its fully connected layers; they are Iizuka's 1024.
    Arguments as for `iizuka_discriminator`.
    """
    return _discriminator(image_size, width, batch_norm, FACE_GAN_LOCAL, FACE_GAN_GLOBAL, name)


def local_discriminator(
    image_size: ImageSize = 128,
    *,
    width: int = 64,
    batch_norm: bool = True,
    name: str = "local_discriminator",
) -> keras.Model:
    """face_gan table 3.2 alone (the local row of table 4.1), on the window around the hole."""
    return _discriminator(image_size, width, batch_norm, FACE_GAN_LOCAL, None, name)


def global_discriminator(
    image_size: ImageSize = 128,
    *,
    width: int = 64,
    batch_norm: bool = True,
    name: str = "global_discriminator",
) -> keras.Model:
    """face_gan table 3.3 alone (the global row of table 4.1), on the whole picture."""
    return _discriminator(image_size, width, batch_norm, None, FACE_GAN_GLOBAL, name)


def _discriminator(
    image_size: ImageSize,
    width: int,
    batch_norm: bool,
    local: tuple[int, ...] | None,
    whole: tuple[int, ...] | None,
    name: str,
) -> keras.Model:
    check_even("width", width)
    size = fixed_size(image_size, 1, "a discriminator")
    inputs = picture_inputs(image_size, 2)
    features = []
    if local:
        window = (size[0] // 2, size[1] // 2)
        crop = CropAroundHole(window, name="window")([inputs["image"], inputs["mask"]])
        features.append(_judge(crop, width, batch_norm, local, "local"))
    else:  # Keras up to 3.12, the last one for Python 3.10, refuses an input that no layer takes
        keras.layers.Identity(name="unused_mask")(inputs["mask"])
    if whole:
        features.append(_judge(inputs["image"], width, batch_norm, whole, "global"))
    x = keras.layers.Concatenate(name="joint")(features) if len(features) > 1 else features[0]
    logit = keras.layers.Dense(1, dtype="float32", name="logit")(x)
    return keras.Model(inputs, logit, name=name)


def _judge(x: Any, width: int, batch_norm: bool, multiples: tuple[int, ...], prefix: str) -> Any:
    """Stride-2 5x5 convolutions, then a fully connected layer of 16 x width (1024 at width 64) features."""
    for i, multiple in enumerate(multiples, start=1):
        x = conv(x, multiple * width, 5, strides=2, batch_norm=batch_norm, name=f"{prefix}_conv{i}")
    x = keras.layers.Flatten(name=f"{prefix}_flatten")(x)
    return keras.layers.Dense(16 * width, activation="relu", name=f"{prefix}_features")(x)
