"""Networks of `cifar_cars`: direct convolution, autoencoders, CVAE, and the two GANs' networks.

Completion networks take {"image": [N, H, W, 3] in [0, 1], "mask": [N, H, W, 1], 1 = missing} and return the
whole predicted picture [N, H, W, 3] in [0, 1], float32. Their first convolution receives the picture with its
hole blanked and, as a fourth channel, the thesis's location map: 1 = known, the opposite of our masks. The
discriminator takes the same two inputs and returns one logit [N, 1], float32.

As in the thesis, batch normalization comes after the ReLU and in the encoders only. The thesis does not name
the hole fill; ours is black by default.
"""

from __future__ import annotations

from typing import Any

import keras

from inpainting_tf.errors import InputError
from inpainting_tf.inpainter import Inpainter, builder
from inpainting_tf.networks.blocks import (
    ImageSize,
    check_positive,
    fixed_size,
    picture_inputs,
    tanh_picture,
    to_tanh_range,
)
from inpainting_tf.networks.layers import (
    BatchNormalization,
    BlankHole,
    Conv2D,
    Dropout,
    PastePatch,
    Sampling,
    check_fits,
)

LATENT = ("latent_mean", "latent_log_variance", "latent")  # the layers of a code, table 3.5


@builder()
def direct_conv(
    image_size: ImageSize = 32, *, width: int = 64, fill: str = "black", name: str = "direct_conv"
) -> Inpainter:
    """Direct convolution network, cifar_cars table 3.1: five 5x5 convolutions at full resolution.

    Args:
        image_size: side or (height, width) in pixels; None builds it for any size.
        width: channels of every convolution but the last.
        fill: the hole fill: "black", "white" or "mean"; see `BlankHole`.
        name: the model's name.

    Raises:
        InputError: a size or `width` that is not positive, unknown `fill`.
    """
    check_positive("width", width)
    inputs = picture_inputs(image_size)
    x = located_picture(*known_picture(inputs, fill))
    x = _convolutions(x, width, 4)
    return Inpainter(inputs, _prediction(x, 5), hole_fill=fill, name=name)


@builder()
def autoencoder(
    image_size: ImageSize = 32, *, width: int = 32, fill: str = "black", name: str = "autoencoder"
) -> Inpainter:
    """Autoencoder that reconstructs the whole picture, cifar_cars tables 3.2 and 3.3.

    Args:
        image_size: side or (height, width) in pixels, divisible by 8; None builds it for any such size.
        width: channels of the first convolution; all others scale with it.
        fill: as for `direct_conv`.
        name: the model's name.

    Raises:
        InputError: `image_size` not divisible by 8, `width` not positive, unknown `fill`.
    """
    check_positive("width", width)
    inputs = picture_inputs(image_size, 8)
    x = located_picture(*known_picture(inputs, fill, 8))
    x = _encoder(x, width, first_stride=1)
    for i, multiple in enumerate((8, 4, 2), start=1):  # H/4, H/2, H
        x = _deconv(x, multiple * width, 3, name=f"deconv{i}")
    return Inpainter(inputs, _prediction(x, 3), divisor=8, hole_fill=fill, name=name)


@builder(any_size=False)
def patch_autoencoder(
    image_size: ImageSize = 32,
    *,
    width: int = 32,
    patch: int = 12,
    fill: str = "black",
    name: str = "patch_autoencoder",
) -> Inpainter:
    """Autoencoder that predicts the masked patch only, cifar_cars section 3.2.1 (after Pathak et al. 2016).

    The layer "patch" gives the n x n patch [N, n, n, 3]; the model returns the blanked picture with the patch
    pasted over the window around the hole (see `PastePatch`). Missing pixels outside the window, which exist
    where a hole is larger than the patch, stay blanked.

    Args:
        image_size: side or (height, width) in pixels, divisible by 8. The dense layers fit one size only.
        width: channels of the first convolution; all other layers scale with it.
        patch: n, side of the patch in pixels, a multiple of 4: 12 in the thesis, 8 in its source.
        fill: as for `direct_conv`.
        name: the model's name.

    Raises:
        InputError: `image_size` None or not divisible by 8, `patch` not a positive multiple of 4 or larger
            than the picture, `width` not positive, unknown `fill`.
    """
    check_positive("width", width)
    size = fixed_size(image_size, 8, "patch_autoencoder")
    _check_patch(patch, size)
    inputs = picture_inputs(size, 8)
    known, location = known_picture(inputs, fill, 8)
    x = _encoder(located_picture(known, location), width, first_stride=1)
    # From here on the thesis has no table, only its source's figure: fully connected layers, then a decoder.
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dense(32 * width, activation="relu", name="dense1")(x)
    x = keras.layers.Dense(4 * 4 * 4 * width, name="dense2")(x)
    x = keras.layers.Reshape((4, 4, 4 * width), name="reshape")(x)
    x = _deconv(x, 2 * width, 3, strides=patch // 4, name="deconv1")  # n, n
    x = _conv(x, width, 3, name="conv5")
    x = Conv2D(3, 3, padding="same", name="conv6")(x)
    x = keras.layers.Activation("sigmoid", dtype="float32", name="patch")(x)
    prediction = PastePatch(dtype="float32", name="prediction")([known, x, inputs["mask"]])
    return Inpainter(inputs, prediction, divisor=8, hole_fill=fill, name=name)


@builder(any_size=False)
def cvae(
    image_size: ImageSize = 32,
    *,
    width: int = 32,
    latent: int = 1024,
    fill: str = "black",
    name: str = "cvae",
) -> Inpainter:
    """Conditional variational autoencoder, cifar_cars tables 3.4 to 3.6.

    The layers "latent_mean" and "latent_log_variance" give the code's distribution, [N, latent] each. In
    training the code is drawn from it; in inference it is the mean, so that a prediction depends on the
    picture alone. `Inpainter.draw` returns several fills of the same hole.

    Args:
        image_size: side or (height, width) in pixels, divisible by 16. The dense layers fit one size only.
        width: channels of the first convolution; all others scale with it.
        latent: length of the code, a multiple of (H / 16) x (W / 16): code and location map, flattened one
            after the other, are reshaped to that resolution.
        fill: as for `direct_conv`.
        name: the model's name.

    Raises:
        InputError: `image_size` None or not divisible by 16, `latent` not a positive multiple of
            (H / 16) x (W / 16), `width` not positive, unknown `fill`.
    """
    check_positive("width", width)
    size = fixed_size(image_size, 16, "cvae")
    rows, columns = (side // 16 for side in size)
    _check_latent(latent, rows, columns)
    inputs = picture_inputs(size, 16)
    known, location = known_picture(inputs, fill, 16)
    x = _encoder(located_picture(known, location), width, first_stride=2)
    code = _code(keras.layers.Flatten(name="flatten")(x), latent)
    where = keras.layers.Flatten(name="flat_location_map")(location)
    x = keras.layers.Concatenate(name="located_code")([code, where])
    x = keras.layers.Reshape((rows, columns, -1), name="reshape")(x)
    for i, multiple in enumerate((8, 4, 2, 1), start=1):  # H/8, H/4, H/2, H
        x = _deconv(x, multiple * width, 3, name=f"deconv{i}")
    prediction = _prediction(x, 3)
    return Inpainter(inputs, prediction, divisor=16, hole_fill=fill, code=LATENT, name=name)


@builder()
def gan_autoencoder(
    image_size: ImageSize = 32, *, width: int = 32, fill: str = "black", name: str = "gan_autoencoder"
) -> Inpainter:
    """The GAN's autoencoder generator, cifar_cars section 3.4.1: 4 convolutions, 4 transposed ones, tanh.

    The network itself works in [-1, 1]: the blanked picture is scaled to it, where a black hole is -1 and a
    white one 1, and its tanh is scaled back to [0, 1].

    Args:
        image_size: side or (height, width) in pixels, divisible by 16; None builds it for any such size.
        width: channels of the first convolution; all others scale with it.
        fill: as for `direct_conv`.
        name: the model's name.

    Raises:
        InputError: `image_size` not divisible by 16, `width` not positive, unknown `fill`.
    """
    check_positive("width", width)
    inputs = picture_inputs(image_size, 16)
    known, location = known_picture(inputs, fill, 16)
    x = located_picture(to_tanh_range(known), location)
    # The text gives kernels, strides and activations; the channels are ours.
    for i, multiple in enumerate((1, 2, 4, 8), start=1):  # H/2, H/4, H/8, H/16
        x = _conv(x, multiple * width, 5, strides=2, name=f"conv{i}")
    for i, multiple in enumerate((4, 2, 1, 1), start=1):  # H/8, H/4, H/2, H
        x = _deconv(x, multiple * width, 5, name=f"deconv{i}")
    x = Conv2D(3, 5, padding="same", name="conv5")(x)
    prediction = tanh_picture(x, "prediction")
    return Inpainter(inputs, prediction, divisor=16, hole_fill=fill, name=name)


@builder()
def gan_direct_conv(
    image_size: ImageSize = 32, *, width: int = 64, fill: str = "black", name: str = "gan_direct_conv"
) -> Inpainter:
    """The GAN's direct convolution generator, cifar_cars table 3.7: seven 5x5 convolutions, tanh.

    It works in [-1, 1], as `gan_autoencoder` does. Arguments and errors as for `direct_conv`.
    """
    check_positive("width", width)
    inputs = picture_inputs(image_size)
    known, location = known_picture(inputs, fill)
    x = located_picture(to_tanh_range(known), location)
    x = _convolutions(x, width, 6)
    x = Conv2D(3, 5, padding="same", name="conv7")(x)
    return Inpainter(inputs, tanh_picture(x, "prediction"), hole_fill=fill, name=name)


def cars_discriminator(
    image_size: ImageSize = 32, *, width: int = 64, dropout: float = 0.5, name: str = "cars_discriminator"
) -> keras.Model:
    """Discriminator of cifar_cars, table 3.8: five 3x3 convolutions on the whole picture.

    It takes {"image", "mask"} like every discriminator; the mask is unused. The picture, in [0, 1] outside,
    is scaled to [-1, 1] inside. The table's sigmoid is part of the loss: the result is a logit.

    Args:
        image_size: side or (height, width) in pixels, at least 3.
        width: channels of every convolution.
        dropout: rate before the last layer, in [0, 1). The thesis does not print its own.
        name: the model's name.

    Raises:
        InputError: `image_size` None or smaller than 3 pixels, `width` not positive, `dropout` not in [0, 1).
    """
    check_positive("width", width)
    size = fixed_size(image_size, 1, "cars_discriminator")
    if min(size) < 3:
        raise InputError(f"`image_size` of cars_discriminator must be at least 3. Received {image_size!r}.")
    if not 0 <= dropout < 1:
        raise InputError(f"`dropout` must be in [0, 1). Received {dropout!r}.")
    inputs = picture_inputs(size)
    keras.layers.Identity(name="unused_mask")(inputs["mask"])  # see `glcic._discriminator`
    x = to_tanh_range(inputs["image"])
    x = _conv(x, width, 3, padding="valid", name="conv1")  # H - 2: the table's "zero" padding, 32 -> 30
    for i in range(2, 6):  # 15, 8, 4, 2 at 32 px
        x = _conv(x, width, 3, strides=2, name=f"conv{i}")
    x = keras.layers.Flatten(name="flatten")(x)
    x = Dropout(dropout, name="dropout")(x)
    return keras.Model(inputs, keras.layers.Dense(1, dtype="float32", name="logit")(x), name=name)


def known_picture(inputs: dict[str, Any], fill: str, divisor: int = 1) -> tuple[Any, Any]:
    """The picture with its hole blanked, float32 [N, H, W, 3], and the location map [N, H, W, 1], 1 = known.

    The picture keeps float32 under mixed precision, because `patch_autoencoder` returns parts of it.
    """
    blank = BlankHole(fill, divisor, dtype="float32", name="blank_hole")
    location = keras.layers.Rescaling(-1.0, 1.0, name="location_map")(inputs["mask"])  # 1 - mask
    return blank([inputs["image"], inputs["mask"]]), location


def located_picture(known: Any, location: Any) -> Any:
    """The blanked picture with the location map as a fourth channel: [N, H, W, 4]."""
    return keras.layers.Concatenate(name="located_picture")([known, location])


def _conv(
    x: Any,
    filters: int,
    kernel: int,
    *,
    strides: int = 1,
    padding: str = "same",
    normalized: bool = False,
    name: str,
) -> Any:
    """Convolution, ReLU and, where a table says so, batch normalization after them."""
    x = Conv2D(filters, kernel, strides, padding, name=name)(x)
    x = keras.layers.ReLU(name=f"{name}_relu")(x)
    return BatchNormalization(name=f"{name}_bn")(x) if normalized else x


def _deconv(x: Any, filters: int, kernel: int, *, strides: int = 2, name: str) -> Any:
    """Transposed convolution, ReLU: multiplies height and width by `strides`."""
    x = keras.layers.Conv2DTranspose(filters, kernel, strides, "same", name=name)(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x)


def _convolutions(x: Any, width: int, count: int) -> Any:
    """The 5x5 convolutions of tables 3.1 and 3.7 before the last one."""
    for i in range(1, count + 1):
        x = _conv(x, width, 5, name=f"conv{i}")
    return x


def _encoder(x: Any, width: int, *, first_stride: int) -> Any:
    """Table 3.2 (first stride 1, ends at H/8 x W/8) and table 3.4 (first stride 2, ends at H/16 x W/16)."""
    x = _conv(x, width, 3, strides=first_stride, normalized=True, name="conv1")
    x = _conv(x, 2 * width, 3, strides=2, normalized=True, name="conv2")
    x = _conv(x, 4 * width, 3, strides=2, normalized=True, name="conv3")
    return _conv(x, 8 * width, 3, strides=2, name="conv4")


def _code(x: Any, latent: int) -> Any:
    """Table 3.5: mean and log variance of the code, and a sample."""
    *moments, code = LATENT
    mean, log_variance = (keras.layers.Dense(latent, dtype="float32", name=name)(x) for name in moments)
    return Sampling(dtype="float32", name=code)([mean, log_variance])


def _prediction(x: Any, kernel: int) -> Any:
    x = Conv2D(3, kernel, padding="same", name="conv5")(x)
    return keras.layers.Activation("sigmoid", dtype="float32", name="prediction")(x)


def _check_patch(patch: int, size: tuple[int, int]) -> None:
    if patch < 4 or patch % 4:
        raise InputError(f"`patch` must be a positive multiple of 4. Received {patch!r}.")
    check_fits((patch, patch), size)


def _check_latent(latent: int, rows: int, columns: int) -> None:
    if latent < 1 or latent % (rows * columns):
        raise InputError(
            f"`latent` must be a positive multiple of {rows * columns}, to be reshaped to {rows} x {columns} "
            f"positions. Received {latent!r}."
        )
