"""Layers that Keras lacks, and two that are slow in Keras on TensorFlow.

`Conv2D` and `BatchNormalization` have the names, weights and results of the stock layers, so their weight
files are interchangeable; on other backends than TensorFlow they *are* the stock layers.
"""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator
from typing import Any

import keras
from keras import ops

from inpainting_tf import backends
from inpainting_tf.errors import InputError
from inpainting_tf.ops.filling import mean_fill, smooth_fill, thin_plate_fill

_ON_TENSORFLOW = keras.backend.backend() == "tensorflow"
if _ON_TENSORFLOW:
    import tensorflow as tf

    from inpainting_tf.backends import tensorflow_convolution

_register = keras.saving.register_keras_serializable("inpainting_tf")

COLOURS = {"grey": 0.5, "black": 0.0, "white": 1.0}
_CONTINUED = {"mean": mean_fill, "smooth": smooth_fill, "thin_plate": thin_plate_fill}
FILLS = (*COLOURS, *_CONTINUED)
# Methods of `inpainting_tf.classical`: the caller of a network with such a fill prefills the hole by it.
PREFILLS = ("telea", "navier_stokes", "biharmonic")


@_register
class Conv2D(keras.layers.Conv2D):
    """`keras.layers.Conv2D` with workarounds for slow or faulty kernels of TensorFlow.

    Its dilated form runs on the native kernel: stock Keras uses space-to-batch, which is several times slower
    on a CPU. In training, the gradient of some layers' weights is computed as a product of matrices
    (`backends.tensorflow_convolution`). And features of one pixel in height or width are convolved with the
    kernel's middle row or column alone: the others multiply padding only, and in bfloat16 on a CPU their
    gradient was uninitialised memory (TensorFlow 2.21 with oneDNN, stride 2).

    Same arguments, values and gradients as the stock layer.
    """

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        kernel = self._effective(kernel, inputs.shape)
        native = _ON_TENSORFLOW and self.data_format == "channels_last" and self.groups == 1
        if not native or not tensorflow_convolution.dilates(self.compute_dtype):
            return super().convolution_op(inputs, kernel)
        geometry = tensorflow_convolution.Geometry(self.strides, self.dilation_rate)
        return tensorflow_convolution.conv2d(inputs, kernel, geometry, self.padding)

    def _effective(self, kernel: Any, shape: tuple[int | None, ...]) -> Any:
        """The kernel without the taps that multiply padding only."""
        if self.padding != "same" or self.data_format != "channels_last":
            return kernel
        (height, width), (rows, columns) = shape[1:3], self.kernel_size
        if height == 1 and rows % 2:
            kernel = kernel[rows // 2 : rows // 2 + 1]
        if width == 1 and columns % 2:
            kernel = kernel[:, columns // 2 : columns // 2 + 1]
        return kernel


_parts = contextvars.ContextVar("_parts", default=1)


@contextlib.contextmanager
def normalized_apart(parts: int) -> Iterator[None]:
    """`BatchNormalization` in this context takes a training batch as so many equal ones, in their order."""
    token = _parts.set(parts)
    try:
        yield
    finally:
        _parts.reset(token)


@_register
class BatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` on TensorFlow's fused kernel.

    Takes [N, H, W, C] in any float type and keeps its statistics in float32. Agrees with the stock layer to
    2e-5 in float32, moving variance included (the fused kernel returns the unbiased variance, which is
    converted). On several devices it is the stock layer with the statistics of the whole batch.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        super().build(input_shape)
        if backends.replicas() > 1:
            self.synchronized = True

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        parts = _parts.get() if training else 1
        if parts == 1:
            return self._normalized(inputs, training, mask)
        return ops.concatenate([self._normalized(each, training, mask) for each in ops.split(inputs, parts)])

    def _normalized(self, inputs: Any, training: bool | None, mask: Any) -> Any:
        renormed = getattr(self, "renorm", False)  # Keras has had it since 3.12
        plain = mask is not None or renormed or self.synchronized or not (self.scale and self.center)
        if not _ON_TENSORFLOW or plain or len(inputs.shape) != 4 or self.axis not in (-1, 3):
            return super().call(inputs, training=training, mask=mask)
        inputs = ops.cast(inputs, self.compute_dtype)
        if not (training and self.trainable):
            return self._fused(inputs, self.moving_mean, self.moving_variance, is_training=False)[0]
        outputs, mean, variance = self._fused(inputs, None, None, is_training=True)
        count = ops.cast(ops.prod(ops.shape(inputs)[:3]), variance.dtype)
        self._move(self.moving_mean, mean)
        self._move(self.moving_variance, variance * (count - 1.0) / count)
        return outputs

    def _fused(self, inputs: Any, mean: Any, variance: Any, is_training: bool) -> Any:
        float32 = [None if v is None else ops.cast(v, "float32") for v in (mean, variance)]
        return tf.compat.v1.nn.fused_batch_norm(
            inputs,
            ops.cast(self.gamma, "float32"),
            ops.cast(self.beta, "float32"),
            *float32,
            epsilon=self.epsilon,
            is_training=is_training,
        )

    def _move(self, variable: Any, value: Any) -> None:
        variable.assign(variable * self.momentum + ops.cast(value, variable.dtype) * (1.0 - self.momentum))


@_register
class Dropout(keras.layers.Dropout):
    """`keras.layers.Dropout` whose noise on several devices is that of one device."""

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or self.rate == 0 or backends.replicas() == 1:
            return super().call(inputs, training=training)

        def drawn(rows: Any) -> Any:
            kept = ops.ones((rows, *ops.shape(inputs)[1:]), inputs.dtype)
            return keras.random.dropout(kept, self.rate, seed=self.seed_generator)

        return inputs * backends.batchwide(drawn, ops.shape(inputs)[0])


@_register
class ChannelwiseDense(keras.layers.Layer):
    """Fully connected layer within each channel: Pathak et al. 2016, section 3.1.

    Takes [N, h, w, C] and returns the same shape. Every position of a channel is connected to all positions
    of that channel and to no other channel: C matrices of (h * w) x (h * w), where a dense layer over all
    would have C * C. Each output has a bias. There is no activation.

    Raises:
        InputError: h, w or C is not known when the layer is built.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        height, width, channels = input_shape[1:]
        if height is None or width is None or channels is None:
            raise InputError(
                f"`inputs` of {self.name} must have a fixed height and width. Received {tuple(input_shape)}."
            )
        positions = height * width
        limit = (3 / positions) ** 0.5  # Glorot's, of one matrix: Keras would count C as part of its fan
        self.kernel = self.add_weight(
            (channels, positions, positions), keras.initializers.RandomUniform(-limit, limit), name="kernel"
        )
        self.bias = self.add_weight((height, width, channels), "zeros", name="bias")

    def call(self, inputs: Any) -> Any:
        flat = ops.reshape(inputs, (-1, self.kernel.shape[1], inputs.shape[-1]))
        connected = ops.einsum("npc,cpq->nqc", flat, self.kernel)
        return ops.reshape(connected, (-1, *inputs.shape[1:])) + self.bias

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return tuple(input_shape)


@_register
class BlankHole(keras.layers.Layer):
    """Replaces the missing pixels by the hole fill, so that nothing under the hole reaches the network.

    Call with `[image, mask]`: image [N, H, W, C] in [0, 1], mask [N, H, W, 1] with 1 = missing.
    Returns [N, H, W, C]: the known pixels unchanged, the missing ones replaced.

    Args:
        fill: "black" (0), "grey" (0.5, the zero of networks that work in [-1, 1]), "white" (1), "mean" (the
            mean colour of the picture's own known pixels), "smooth" or "thin_plate" (functions of
            `inpainting_tf.ops.filling`). One of
            `PREFILLS` leaves the picture unchanged: its hole is already filled by that method.
        divisor: height and width must be multiples of it (the network's total stride).

    Raises:
        InputError: unknown `fill`, or a picture whose size is not a multiple of `divisor`.
    """

    def __init__(self, fill: str = "mean", divisor: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if fill not in (*FILLS, *PREFILLS):
            raise InputError(f"`fill` must be one of {', '.join((*FILLS, *PREFILLS))}. Received {fill!r}.")
        self.fill = fill
        self.divisor = divisor

    def call(self, inputs: list[Any]) -> Any:
        image, mask = inputs
        check_divisible(image.shape[1:3], self.divisor)
        if self.fill in PREFILLS:
            return image
        missing = mask > 0.5
        # `where` and not a product: a NaN under the hole times zero would still be a NaN.
        known = ops.where(missing, ops.zeros_like(image), image)
        if self.fill in COLOURS:
            return ops.where(missing, ops.full_like(image, COLOURS[self.fill]), known)
        fill = _CONTINUED[self.fill](known, missing)
        return ops.where(missing, ops.cast(fill, image.dtype), known)

    def compute_output_shape(self, input_shape: list[tuple[int | None, ...]]) -> tuple[int | None, ...]:
        check_divisible(input_shape[0][1:3], self.divisor)  # some backends call it with sizes of their own
        return tuple(input_shape[0])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "fill": self.fill, "divisor": self.divisor}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> BlankHole:
        # Version 0.1 stored facts of the network in this layer; `runs.loading` reads them from the file.
        return cls(**{name: value for name, value in config.items() if name != "trained_on"})


@_register
class Composite(keras.layers.Layer):
    """Call with `[image, prediction, mask]`: the known pixels of `image`, the prediction in the hole."""

    def call(self, inputs: list[Any]) -> Any:
        image, prediction, mask = inputs
        return ops.where(mask > 0.5, prediction, image)


@_register
class Refine(keras.layers.Layer):
    """Call with `[picture, change]`: sigmoid(logit(picture) + change), both pictures in [0, 1].

    A change of 0 keeps the picture, up to its darkest and brightest 2 %.
    """

    def call(self, inputs: list[Any]) -> Any:
        picture, change = inputs
        picture = ops.clip(picture, 0.02, 0.98)  # else no finite change would affect black or white
        return ops.sigmoid(change + ops.log(picture) - ops.log(1.0 - picture))


@_register
class CropAroundHole(keras.layers.Layer):
    """Cuts the local discriminator's window: centred on the hole's bounding box, moved inside the picture.

    Call with `[image, mask]`, [N, H, W, C] and [N, H, W, 1] with 1 = missing; returns [N, h, w, C].
    Where a mask is empty, the window is the centre of the picture.

    Args:
        size: (h, w) of the window in pixels.
    """

    def __init__(self, size: tuple[int, int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = tuple(size)

    def call(self, inputs: list[Any]) -> Any:
        image, mask = inputs
        rows = _window(ops.max(mask, axis=(2, 3)), self.size[0])
        columns = _window(ops.max(mask, axis=(1, 3)), self.size[1])
        # Selection matrices instead of gathers: exact, differentiable, and fast on every backend. (Where a
        # GPU rounds float32 products to TF32, it does so in the convolutions after it too.)
        image = ops.einsum("nhH,nHWc->nhWc", ops.cast(rows, image.dtype), image)
        return ops.einsum("nwW,nhWc->nhwc", ops.cast(columns, image.dtype), image)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size}


@_register
class PastePatch(keras.layers.Layer):
    """Pastes a patch over the window around the hole, that of `CropAroundHole`.

    Call with `[image, patch, mask]`: image [N, H, W, C], patch [N, h, w, C], mask [N, H, W, 1] with
    1 = missing. Returns [N, H, W, C]: the patch inside the window, the image outside it, both unchanged.

    Raises:
        InputError: a patch larger than the image.
    """

    def call(self, inputs: list[Any]) -> Any:
        image, patch, mask = inputs
        check_fits(patch.shape[1:3], image.shape[1:3])
        rows = _window(ops.max(mask, axis=(2, 3)), patch.shape[1])
        columns = _window(ops.max(mask, axis=(1, 3)), patch.shape[2])
        # The selection matrices of `CropAroundHole`, transposed.
        pasted = ops.einsum("nhH,nhwc->nHwc", ops.cast(rows, patch.dtype), patch)
        pasted = ops.einsum("nwW,nHwc->nHWc", ops.cast(columns, patch.dtype), pasted)
        inside = ops.logical_and(ops.any(rows, axis=1)[:, :, None], ops.any(columns, axis=1)[:, None, :])
        return ops.where(inside[..., None], pasted, image)

    def compute_output_shape(self, input_shape: list[tuple[int | None, ...]]) -> tuple[int | None, ...]:
        check_fits(input_shape[1][1:3], input_shape[0][1:3])
        return tuple(input_shape[0])


@_register
class Sampling(keras.layers.Layer):
    """Samples a code from a normal distribution by the reparameterization trick.

    Call with `[mean, log_variance]`, [N, D] each: returns mean + exp(log_variance / 2) * noise in training,
    with new standard normal noise at each call, and the mean in inference.

    Args:
        seed: of the noise; None derives one from Keras's global seed.
    """

    def __init__(self, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs: list[Any], training: bool = False) -> Any:
        mean, log_variance = inputs
        if not training:
            return mean

        def drawn(rows: Any) -> Any:
            return keras.random.normal((rows, mean.shape[1]), dtype=mean.dtype, seed=self.seed_generator)

        noise = backends.batchwide(drawn, ops.shape(mean)[0])
        return mean + ops.exp(log_variance / 2) * noise

    def compute_output_shape(self, input_shape: list[tuple[int | None, ...]]) -> tuple[int | None, ...]:
        return tuple(input_shape[0])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed}


def _window(missing: Any, size: int) -> Any:
    """[N, length] of 0/1 along one axis -> [N, size, length], which selects the window around the ones."""
    length = missing.shape[1]
    positions = ops.arange(length, dtype="int32")
    first = ops.min(ops.where(missing > 0.5, positions, length), axis=1)
    last = ops.max(ops.where(missing > 0.5, positions, -1), axis=1)
    start = ops.clip((first + last + 1 - size) // 2, 0, length - size)
    wanted = start[:, None] + ops.arange(size, dtype="int32")[None, :]
    return ops.equal(wanted[:, :, None], positions[None, None, :])


def check_divisible(size: Any, divisor: int) -> None:
    """Raises InputError unless both known sides of `size` (height, width) are multiples of `divisor`."""
    if any(side is not None and side % divisor for side in size):
        shown = " x ".join("any" if side is None else str(side) for side in size)
        raise InputError(
            f"`image` must have a height and width divisible by {divisor}. Received {shown} pixels."
        )


def check_fits(patch: Any, image: Any) -> None:
    """Raises InputError where a known side of `patch` (height, width) is longer than that of `image`."""
    if any(small > large for small, large in zip(patch, image, strict=True) if small and large):
        raise InputError(
            f"`patch` must not be larger than the picture, {image[0]} x {image[1]} pixels. "
            f"Received {patch[0]} x {patch[1]}."
        )
