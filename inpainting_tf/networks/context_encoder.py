"""Networks of `skip_connection`: the Context Encoder of Pathak et al. 2016, models 0 to 3, discriminators.

Completion networks take {"image": [N, H, W, 3] in [0, 1], "mask": [N, H, W, 1], 1 = missing} and return the
whole predicted picture [N, H, W, 3] in [0, 1], float32. Discriminators take the same two inputs, where the
picture is a real or a completed one, and return float32 logits: [N, 1], or a map [N, h, w, 1].

All of them work in [-1, 1] and scale the picture inside. The completion networks' first convolution receives
it blanked and, as a fourth channel, the mask. No paper mentions the mask; it is ours, because holes in
training are at random places.

The report draws its networks in figures that are lost, and prints no table. Its Model 0 is "a classical"
Context Encoder, so kernels, strides and channels are those of Pathak et al.'s published network for 128x128
pictures, with the channel-wise fully connected layer of their paper where that one has a 4000-d code.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from inpainting_tf.inpainter import Inpainter, builder
from inpainting_tf.networks.blocks import (
    ACTIVATIONS,
    ImageSize,
    check_positive,
    conv,
    deconv,
    fixed_size,
    picture_inputs,
    tanh_picture,
    to_tanh_range,
)
from inpainting_tf.networks.layers import (
    BatchNormalization,
    BlankHole,
    ChannelwiseDense,
    Conv2D,
    CropAroundHole,
    PastePatch,
)

STRIDE = 32  # Five convolutions with stride 2: sizes must be divisible by it.
# Channels in multiples of the width.
ENCODER = (1, 1, 2, 4, 8)  # H/2, H/4, H/8, H/16, H/32
DECODER = (4, 2, 1)  # H/16, H/8, H/4; the patch or the picture has 3
JUDGE = (1, 2, 4, 8)


@builder(any_size=False)
def context_encoder(
    image_size: ImageSize = 128, *, width: int = 64, fill: str = "mean", name: str = "context_encoder"
) -> Inpainter:
    """Context Encoder of Pathak et al. 2016, which three of the papers compare with: predicts the hole alone.

    The layer "patch" is the prediction, [N, H/2, W/2, 3] in [0, 1]; the model returns the blanked picture
    with the patch pasted over the window around the hole (see `PastePatch`). Missing pixels outside
    the window, which exist where a hole is larger than the patch, stay blanked.

    The encoder is activated by leaky ReLU, the decoder by ReLU. Every convolution but the last is followed by
    batch normalization; in the authors' code the first one is not normalized either.

    Args:
        image_size: side or (height, width) in pixels, divisible by 32. The network fits one size only.
        width: channels of the first convolution; all others scale with it.
        fill: the hole fill, see `BlankHole`. Pathak et al. use the mean colour of the training set; ours is
            that of the picture's known pixels.
        name: the model's name.

    Raises:
        InputError: `image_size` None or not divisible by 32, `width` not positive, unknown `fill`.
    """
    return _hole_only(image_size, width, fill, name, encoder="leaky_relu", decoder="relu")


@builder(any_size=False)
def ce_model0(
    image_size: ImageSize = 128, *, width: int = 64, fill: str = "mean", name: str = "ce_model0"
) -> Inpainter:
    """Model 0 of skip_connection: `context_encoder` with ReLU in the encoder, leaky ReLU in the decoder.

    The report does not name the hole fill; ours is that of `context_encoder`. Arguments and errors as there.
    """
    return _hole_only(image_size, width, fill, name)


@builder(any_size=False)
def ce_model1(
    image_size: ImageSize = 128, *, width: int = 64, fill: str = "mean", name: str = "ce_model1"
) -> Inpainter:
    """Model 1 of skip_connection: `ce_model0` without its channel-wise fully connected layer.

    "Only" that layer is removed: the 1x1 convolution after it, which mixes the channels, stays, here and in
    models 2 and 3. Arguments and errors as for `context_encoder`.
    """
    return _hole_only(image_size, width, fill, name, channelwise=False)


@builder()
def ce_model2(
    image_size: ImageSize = 128, *, width: int = 64, fill: str = "mean", name: str = "ce_model2"
) -> Inpainter:
    """Model 2 of skip_connection: `ce_model1` with one more level in its decoder, predicts the whole picture.

    Arguments and errors as for `context_encoder`, but `image_size` None builds it for any size that is
    divisible by 32.
    """
    return _whole_picture(image_size, width, fill, name, skips=False)


@builder()
def ce_model3(
    image_size: ImageSize = 128, *, width: int = 64, fill: str = "mean", name: str = "ce_model3"
) -> Inpainter:
    """Model 3 of skip_connection, its final design: `ce_model2` with skip connections.

    After each upsampling to c channels, the encoder's features of that resolution are concatenated, and a
    convolution reduces the result to c channels. At full resolution, where the encoder has no layer, the
    network's own input, the masked picture, is concatenated with `width` channels and reduced to the 3 of the
    picture: our reading of "each corresponding layer". The 3x3 kernels are ours. Arguments and errors as for
    `ce_model2`.
    """
    return _whole_picture(image_size, width, fill, name, skips=True)


def map_discriminator(
    image_size: ImageSize = 128, *, width: int = 64, name: str = "map_discriminator"
) -> keras.Model:
    """Discriminator of skip_connection: a map of logits [N, h, w, 1] of the whole picture.

    Four convolutions with instance normalization, then one to a single channel; h = H/16, w = W/16, rounded
    up. The report gives the normalization, the leaky ReLU and the map; kernels, strides and channels are
    those of Pathak et al.'s discriminator. The mask is unused.

    Args:
        image_size: side or (height, width) in pixels, even.
        width: channels of the first convolution; all others scale with it.
        name: the model's name.

    Raises:
        InputError: `image_size` None or not even, `width` not positive.
    """
    inputs = _judged(image_size, width, name)
    keras.layers.Identity(name="unused_mask")(inputs["mask"])  # see `glcic._discriminator`
    x = _judge(inputs["image"], width, instance=True)
    return keras.Model(inputs, _map(x), name=name)


def patch_map_discriminator(
    image_size: ImageSize = 128, *, width: int = 64, name: str = "patch_map_discriminator"
) -> keras.Model:
    """`map_discriminator` for models 0 and 1, on the window around the hole, half the picture.

    The map is [N, H/32, W/32, 1], rounded up. Arguments and errors as for `map_discriminator`.
    """
    inputs = _judged(image_size, width, name)
    x = _judge(_window(inputs), width, instance=True)
    return keras.Model(inputs, _map(x), name=name)


def patch_discriminator(
    image_size: ImageSize = 128, *, width: int = 64, name: str = "patch_discriminator"
) -> keras.Model:
    """Discriminator of Pathak et al. 2016, after DCGAN: one logit [N, 1] for the window around the hole.

    Arguments and errors as for `map_discriminator`.
    """
    inputs = _judged(image_size, width, name)
    x = _judge(_window(inputs), width, instance=False)
    x = keras.layers.Flatten(name="flatten")(x)
    return keras.Model(inputs, keras.layers.Dense(1, dtype="float32", name="logit")(x), name=name)


def _hole_only(
    image_size: ImageSize,
    width: int,
    fill: str,
    name: str,
    *,
    encoder: str = "relu",
    decoder: str = "leaky_relu",
    channelwise: bool = True,
) -> Inpainter:
    check_positive("width", width)
    inputs = picture_inputs(fixed_size(image_size, STRIDE, name), STRIDE)
    known, x = _masked_picture(inputs, fill)
    x = _encoder(x, width, encoder)[-1]
    if channelwise:
        x = ChannelwiseDense(name="channelwise_dense")(x)
    x = _decoder(_mixed(x, encoder), width, DECODER, decoder)
    x = keras.layers.Conv2DTranspose(3, 4, 2, "same", name="deconv4")(x)  # H/2, W/2
    patch = tanh_picture(x, "patch")
    prediction = PastePatch(dtype="float32", name="prediction")([known, patch, inputs["mask"]])
    return Inpainter(inputs, prediction, divisor=STRIDE, hole_fill=fill, name=name)


def _whole_picture(image_size: ImageSize, width: int, fill: str, name: str, *, skips: bool) -> Inpainter:
    check_positive("width", width)
    inputs = picture_inputs(image_size, STRIDE)
    _, masked = _masked_picture(inputs, fill)
    *features, x = _encoder(masked, width, "relu")
    joined = features[::-1] if skips else ()
    x = _decoder(_mixed(x, "relu"), width, (*DECODER, 1), "leaky_relu", joined)
    if skips:
        x = deconv(x, width, 4, activation="leaky_relu", name="deconv5")  # H, W
        x = keras.layers.Concatenate(name="skip5")([x, masked])
        x = Conv2D(3, 3, padding="same", name="join5")(x)
    else:
        x = keras.layers.Conv2DTranspose(3, 4, 2, "same", name="deconv5")(x)  # H, W
    prediction = tanh_picture(x, "prediction")
    return Inpainter(inputs, prediction, divisor=STRIDE, hole_fill=fill, name=name)


def _masked_picture(inputs: dict[str, Any], fill: str) -> tuple[Any, Any]:
    """The blanked picture in [0, 1]; and the first layer's input, [N, H, W, 4]: it in [-1, 1], the mask.

    The first is float32 under mixed precision too, because some of the networks return parts of it.
    """
    blank = BlankHole(fill, STRIDE, dtype="float32", name="blank_hole")
    known = blank([inputs["image"], inputs["mask"]])
    return known, keras.layers.Concatenate(name="masked_picture")([to_tanh_range(known), inputs["mask"]])


def _encoder(x: Any, width: int, activation: str) -> list[Any]:
    """The features after each of the five 4x4 convolutions, from H/2 x W/2 to H/32 x W/32."""
    features = []
    for i, multiple in enumerate(ENCODER, start=1):
        x = conv(x, multiple * width, 4, strides=2, activation=activation, name=f"conv{i}")
        features.append(x)
    return features


def _mixed(x: Any, activation: str) -> Any:
    """The 1x1 convolution that mixes the channels."""
    return conv(x, x.shape[-1], 1, activation=activation, name="mix")


def _decoder(
    x: Any, width: int, multiples: tuple[int, ...], activation: str, skips: Sequence[Any] = ()
) -> Any:
    """A 4x4 transposed convolution for each of `multiples`, concatenated with that of `skips`, if given."""
    for i, multiple in enumerate(multiples, start=1):
        x = deconv(x, multiple * width, 4, activation=activation, name=f"deconv{i}")
        if skips:
            x = keras.layers.Concatenate(name=f"skip{i}")([x, skips[i - 1]])  # 2c
            x = conv(x, multiple * width, 3, activation=activation, name=f"join{i}")  # c
    return x


def _judged(image_size: ImageSize, width: int, name: str) -> dict[str, Any]:
    check_positive("width", width)
    return picture_inputs(fixed_size(image_size, 2, name))


def _window(inputs: dict[str, Any]) -> Any:
    height, width = (side // 2 for side in inputs["image"].shape[1:3])
    return CropAroundHole((height, width), name="window")([inputs["image"], inputs["mask"]])


def _judge(x: Any, width: int, *, instance: bool) -> Any:
    """Four 4x4 convolutions with stride 2 and leaky ReLU; all but the first are normalized, as in DCGAN."""
    x = to_tanh_range(x)
    for i, multiple in enumerate(JUDGE, start=1):
        x = Conv2D(multiple * width, 4, 2, "same", use_bias=i == 1, name=f"conv{i}")(x)
        if i > 1:
            x = _normalized(x, instance, f"conv{i}_norm")
        x = ACTIVATIONS["leaky_relu"](name=f"conv{i}_leaky_relu")(x)
    return x


def _normalized(x: Any, instance: bool, name: str) -> Any:
    """Batch or instance normalization; the latter not of a single position, which would become 0."""
    if not instance:
        return BatchNormalization(name=name)(x)
    if tuple(x.shape[1:3]) == (1, 1):
        return x
    return keras.layers.GroupNormalization(groups=-1, epsilon=1e-5, name=name)(x)


def _map(x: Any) -> Any:
    return Conv2D(1, 4, padding="same", dtype="float32", name="logits")(x)
