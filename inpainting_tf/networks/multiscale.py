"""Networks of `multiscale_context_encoder`: the improved Context Encoder and its local and global judges.

The completion network and the discriminator take {"image": [N, H, W, 3] in [0, 1], "mask": [N, H, W, 1],
1 = missing}, and all networks work in [-1, 1] inside. In the paper no network receives the mask.

Its tables with kernels and channels are lost. The text gives the number and kind of the layers, the 1x1
convolution, the sizes of input, code and output, normalizations and activations; the rest is ours: 4x4
kernels with stride 2 and doubling channels, as in DCGAN, which the paper names as the source of its decoder.
"""

from __future__ import annotations

import math
from typing import Any

import keras

from inpainting_tf.errors import unknown
from inpainting_tf.inpainter import Inpainter, builder
from inpainting_tf.networks import glcic
from inpainting_tf.networks.blocks import (
    ImageSize,
    check_positive,
    conv,
    deconv,
    fixed_size,
    normalized,
    picture_inputs,
    tanh_picture,
    to_tanh_range,
)
from inpainting_tf.networks.layers import BlankHole, Conv2D, CropAroundHole, PastePatch

STRIDE = 32  # of the encoder up to its last convolution, and of the global judge
CODE = 4000
LOCAL, GLOBAL = (1, 2, 4, 8), (1, 2, 4, 8, 8)  # channels of the judges in multiples of the width
JUDGES = {"both": ("local", "global"), "local": ("local",)}  # the columns of the logits


@builder(any_size=False)
def multiscale_context_encoder(
    image_size: ImageSize = 128,
    *,
    width: int = 64,
    code: int = CODE,
    positions: int = 0,
    fill: str = "grey",
    name: str = "multiscale_context_encoder",
) -> Inpainter:
    """The improved Context Encoder, sections "Encoder" and "Network Architecture": predicts the hole alone.

    The layer "patch" is the prediction, [N, H/2, W/2, 3] in [0, 1]; the model returns the blanked picture
    with the patch pasted over the window around the hole (see `PastePatch`). Missing pixels outside
    the window, which exist where a hole is larger than the patch, stay blanked.

    Args:
        image_size: side or (height, width) in pixels, divisible by 32. The network fits one size only.
        width: channels of the first convolution; all others but the code scale with it.
        code: channels of the 1x1 feature map between encoder and decoder.
        positions: side of the features before the last convolution, which the strides keep where the picture
            has as many: the paper does not print them. 0 strides by 2 in every convolution but the 1x1 one.
        fill: the hole fill, see `BlankHole`. The paper sets the zero-centered picture to zero there, which
            is grey.
        name: the model's name.

    Raises:
        InputError: `image_size` None or not divisible by 32, `width` or `code` not positive, unknown `fill`.
    """
    check_positive("width", width)
    check_positive("code", code)
    size = fixed_size(image_size, STRIDE, name)
    inputs = picture_inputs(size, STRIDE)
    # float32 under mixed precision too, because the network returns parts of it.
    known = BlankHole(fill, STRIDE, dtype="float32", name="blank_hole")([inputs["image"], inputs["mask"]])
    x = _encoder(to_tanh_range(known), size, width, code, positions)
    patch = tanh_picture(_decoder(x, size, width), "patch")
    prediction = PastePatch(dtype="float32", name="prediction")([known, patch, inputs["mask"]])
    return Inpainter(inputs, prediction, divisor=STRIDE, hole_fill=fill, name=name)


def _encoder(x: Any, size: tuple[int, int], width: int, code: int, positions: int) -> Any:
    """Five convolutions with batch normalization and leaky ReLU, to [N, 1, 1, code].

    The paper names the 1x1 kernel of the third one and the two poolings only; strides are ours.
    """
    first, second, fourth = _strides(min(size), positions)
    x = conv(x, width, 4, strides=first, activation="leaky_relu", name="conv1")  # H/2
    x = keras.layers.MaxPooling2D(2, name="pool1")(x)  # H/4
    x = conv(x, 2 * width, 4, strides=second, activation="leaky_relu", name="conv2")  # H/8
    x = keras.layers.MaxPooling2D(2, name="pool2")(x)  # H/16
    x = conv(x, 4 * width, 1, activation="leaky_relu", name="conv3")
    x = conv(x, 8 * width, 4, strides=fourth, activation="leaky_relu", name="conv4")  # H/32
    rest = tuple(side // (4 * first * second * fourth) for side in size)
    x = Conv2D(code, rest, use_bias=False, name="conv5")(x)  # 1
    return normalized(x, "leaky_relu", "conv5")


def _strides(side: int, positions: int) -> tuple[int, int, int]:
    """Strides of the first, second and fourth convolution: by 2 where at least `positions` are left."""
    strides = [2, 2, 2]
    for which in (2, 1, 0):
        if side // (4 * math.prod(strides)) < positions:
            strides[which] = 1
    return strides[0], strides[1], strides[2]


def _decoder(x: Any, size: tuple[int, int], width: int) -> Any:
    """Five transposed convolutions, ReLU after the first four, to the tanh's input: [N, H/2, W/2, 3].

    Batch normalization is that of DCGAN's generator; the paper mentions it for the other networks alone.
    """
    start = tuple(side // STRIDE for side in size)
    x = keras.layers.Conv2DTranspose(8 * width, start, use_bias=False, name="deconv1")(x)  # H/32
    x = normalized(x, "relu", "deconv1")
    for i, multiple in enumerate((4, 2, 1), start=2):  # H/16, H/8, H/4
        x = deconv(x, multiple * width, 4, name=f"deconv{i}")
    return keras.layers.Conv2DTranspose(3, 4, 2, "same", name="deconv5")(x)  # H/2


def multiscale_discriminator(
    image_size: ImageSize = 128,
    *,
    width: int = 64,
    judges: str = "both",
    name: str = "multiscale_discriminator",
) -> keras.Model:
    """The local and the global discriminator side by side: logits [N, 2], float32.

    Column 0 is the local judge's (four convolutions, on the window of half the size around the hole), column
    1 the global one's (five, on the whole picture); a fully connected layer ends each. No weights are shared,
    so each column trains its own judge. The text gives five convolutions for the local one, too; its
    description of the tables, which we follow, four.

    Args:
        image_size: side or (height, width) in pixels, divisible by 32.
        width: channels of the first convolutions; all others scale with it.
        judges: "both", or "local" for the local judge alone: logits [N, 1].
        name: the model's name.

    Raises:
        InputError: `image_size` None or not divisible by 32, `width` not positive, unknown `judges`.
    """
    check_positive("width", width)
    if judges not in JUDGES:
        raise unknown("judges", judges, JUDGES)
    size = fixed_size(image_size, STRIDE, name)
    inputs = picture_inputs(size, STRIDE)
    picture = to_tanh_range(inputs["image"])
    window = CropAroundHole((size[0] // 2, size[1] // 2), name="window")([picture, inputs["mask"]])
    logits = _judge(window, width, LOCAL, "local")
    if "global" in JUDGES[judges]:
        whole = _judge(picture, width, GLOBAL, "global")
        logits = keras.layers.Concatenate(dtype="float32", name="logits")([logits, whole])
    return keras.Model(inputs, logits, name=name)


def _judge(x: Any, width: int, multiples: tuple[int, ...], prefix: str) -> Any:
    for i, multiple in enumerate(multiples, start=1):
        x = conv(x, multiple * width, 4, strides=2, name=f"{prefix}_conv{i}")
    x = keras.layers.Flatten(name=f"{prefix}_flatten")(x)
    return keras.layers.Dense(1, dtype="float32", name=f"{prefix}_logit")(x)


def improved_encoder_classifier(
    image_size: ImageSize = 32,
    *,
    classes: int = 10,
    width: int = 64,
    code: int = CODE,
    positions: int = 0,
    name: str = "improved_encoder_classifier",
) -> keras.Model:
    """Figure 13: the encoder of `multiscale_context_encoder`, then a dense layer on its code.

    Takes one tensor, "image" [N, H, W, 3] in [0, 1], and returns logits [N, classes], float32.

    Args:
        image_size: side or (height, width) in pixels, divisible by 32. At CIFAR-10's 32 px the last
            convolution has one position.
        classes: number of classes.
        width: channels of the first convolution; all others but the code scale with it.
        code, positions: as for `multiscale_context_encoder`.
        name: the model's name.

    Raises:
        InputError: `image_size` None or not divisible by 32, `width`, `code` or `classes` not positive.
    """
    check_positive("width", width)
    check_positive("code", code)
    size = fixed_size(image_size, STRIDE, name)
    image = picture_inputs(size, STRIDE)["image"]
    x = _encoder(to_tanh_range(image), size, width, code, positions)
    return _classifier(image, keras.layers.Flatten(name="flatten")(x), classes, name)


def glcic_encoder_classifier(
    image_size: ImageSize = 32,
    *,
    classes: int = 10,
    width: int = 64,
    name: str = "glcic_encoder_classifier",
) -> keras.Model:
    """Figure 13: the encoder of GLCIC, averaged over its positions, then a dense layer.

    Its encoder is `glcic.encoder`: all layers up to and including the dilated ones, whose receptive field
    covers the context. Input and output are those of `improved_encoder_classifier`.

    Args:
        image_size: side or (height, width) in pixels, divisible by 4; None builds it for any such size.
        classes: number of classes.
        width: channels of the first convolution; all others scale with it.
        name: the model's name.

    Raises:
        InputError: `image_size` not divisible by 4, `width` or `classes` not positive.
    """
    check_positive("width", width)
    image = picture_inputs(image_size, glcic.STRIDE)["image"]
    x = glcic.encoder(image, width, second_convolution=False)
    return _classifier(image, keras.layers.GlobalAveragePooling2D(name="average")(x), classes, name)


def _classifier(image: Any, features: Any, classes: int, name: str) -> keras.Model:
    check_positive("classes", classes)
    logits = keras.layers.Dense(classes, dtype="float32", name="logits")(features)
    return keras.Model(image, logits, name=name)
