"""Convolutions on a CPU whose weights' gradient is a product of matrices, where oneDNN's own is slower.

That gradient takes 40 % of a training step, and its kernels have two weak places: dilated layers, where they
multiply the padding too, and the deep layers of discriminators, where the weights are many and the positions
few. Products of matrices take a third to nine tenths of their time there (AVX512, one and two cores, float32
and bfloat16). Values are the same but for rounding. On processors with AMX, whose kernels are others, and on
GPUs nothing is replaced.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import tensorflow as tf

from inpainting_tf import environment

CHANNELS = 256  # of a dilated layer, at least: with fewer the products are slower
POSITIONS, WEIGHTS = 64, 500_000  # at most of a deep layer's outputs in a picture; at least of its weights
ROWS = 4096  # positions of a batch at most, which bounds the memory for the patches

_in_training = contextvars.ContextVar("_in_training", default=False)


class Geometry(NamedTuple):
    """How a convolution with "same" padding goes over its input: pairs are (vertical, horizontal)."""

    strides: tuple[int, int]
    dilation: tuple[int, int]


Gradient = Callable[[Any, Any, tuple[int, ...], Geometry], Any]


@contextlib.contextmanager
def in_training() -> Iterator[None]:
    """Convolutions in this context may have a gradient of their own: exported graphs must have none."""
    token = _in_training.set(True)
    try:
        yield
    finally:
        _in_training.reset(token)


@functools.cache
def dilates(dtype: str) -> bool:
    """Whether a dilated convolution has a gradient here: TensorFlow's own kernels for a CPU lack it.

    Those run where oneDNN is off, see `environment.prefer_onednn`, and for types that oneDNN does not compute
    in there. Found by trying it.
    """
    if tf.config.list_physical_devices("GPU"):
        return True
    settings = {"strides": [1, 1, 1, 1], "padding": "SAME", "dilations": [1, 2, 2, 1]}
    shape = [1, 4, 4, 1]
    with tf.init_scope(), tf.device("CPU"):
        picture, kernel = tf.zeros(shape, dtype), tf.zeros([3, 3, 1, 1], dtype)
        try:
            tf.raw_ops.Conv2DBackpropInput(input_sizes=shape, filter=kernel, out_backprop=picture, **settings)
            tf.raw_ops.Conv2DBackpropFilter(
                input=picture, filter_sizes=[3, 3, 1, 1], out_backprop=picture, **settings
            )
        except tf.errors.OpError:
            return False
    return True


def conv2d(inputs: Any, kernel: Any, geometry: Geometry, padding: str) -> Any:
    """`tf.nn.conv2d` of NHWC tensors, dilated by the native kernel."""
    gradient = weights_gradient(inputs.shape, kernel.shape, geometry, padding)
    if gradient is None or not (_in_training.get() and _replaceable()):
        return _conv2d(inputs, kernel, geometry, padding.upper())
    return _with_gradient(inputs, kernel, geometry, gradient)


def weights_gradient(
    inputs: tf.TensorShape, kernel: tf.TensorShape, geometry: Geometry, padding: str
) -> Gradient | None:
    """The faster way to the gradient of a kernel [h, w, in, out] for inputs [N, H, W, in]; None: oneDNN's."""
    if padding != "same" or None in inputs:
        return None
    count, *size, _ = inputs
    positions = [-(-side // stride) for side, stride in zip(size, geometry.strides, strict=True)]
    each = positions[0] * positions[1]
    if max(geometry.dilation) > 1:
        return by_taps if max(geometry.strides) == 1 and min(kernel[2:]) >= CHANNELS else None
    few = each <= POSITIONS and count * each <= ROWS
    return by_patches if few and kernel.num_elements() >= WEIGHTS else None


def by_taps(inputs: Any, outputs: Any, kernel: tuple[int, ...], geometry: Geometry) -> Any:
    """A product for each tap of the kernel, of the positions at which it meets the picture (stride 1).

    Args:
        inputs: [N, H, W, in].
        outputs: the outputs' gradient [N, H, W, out].
        kernel: the shape [h, w, in, out].
        geometry: of the convolution.
    """
    rows, columns = (
        [_meeting(tap * step - step * (taps - 1) // 2, side) for tap in range(taps)]
        for taps, step, side in zip(kernel[:2], geometry.dilation, inputs.shape[1:3], strict=True)
    )
    products = [_product(inputs[:, y, x], outputs[:, v, u]) for y, v in rows for x, u in columns]
    return tf.reshape(tf.stack(products), kernel)


def _meeting(offset: int, side: int) -> tuple[slice, slice]:
    """The inputs and the outputs along an axis which a tap joins that is `offset` away from its output."""
    reach = min(abs(offset), side)
    short, long = slice(0, side - reach), slice(reach, side)
    return (long, short) if offset > 0 else (short, long)


def by_patches(inputs: Any, outputs: Any, kernel: tuple[int, ...], geometry: Geometry) -> Any:
    """One product of all patches under the kernel; arguments as for `by_taps`, any stride and dilation."""
    patches = tf.raw_ops.ExtractImagePatches(
        images=inputs,
        ksizes=[1, *kernel[:2], 1],
        strides=[1, *geometry.strides, 1],
        rates=[1, *geometry.dilation, 1],
        padding="SAME",
    )
    return tf.reshape(_product(patches, outputs), kernel)


def _product(inputs: Any, outputs: Any) -> Any:
    """[..., in], [..., out] -> [in, out], summed over all positions."""
    flat = [tf.reshape(each, (-1, each.shape[-1])) for each in (inputs, outputs)]
    return tf.matmul(*flat, transpose_a=True)


def _conv2d(inputs: Any, kernel: Any, geometry: Geometry, padding: str) -> Any:
    return tf.nn.conv2d(inputs, kernel, list(geometry.strides), padding, dilations=list(geometry.dilation))


def _with_gradient(inputs: Any, kernel: Any, geometry: Geometry, gradient: Gradient) -> Any:
    shape = tuple(kernel.shape)

    @tf.custom_gradient
    def convolved(inputs: Any, kernel: Any) -> Any:
        def gradients(outputs: Any) -> tuple[Any, Any]:
            back = tf.raw_ops.Conv2DBackpropInput(
                input_sizes=tf.shape(inputs),
                filter=kernel,
                out_backprop=outputs,
                strides=[1, *geometry.strides, 1],
                padding="SAME",
                dilations=[1, *geometry.dilation, 1],
            )
            return back, gradient(inputs, outputs, shape, geometry)

        return _conv2d(inputs, kernel, geometry, "SAME"), gradients

    return convolved(tf.convert_to_tensor(inputs), tf.convert_to_tensor(kernel))


@functools.cache
def _replaceable() -> bool:
    """Whether convolutions run on oneDNN's AVX512 kernels, which were measured."""
    if tf.config.list_physical_devices("GPU"):
        return False
    return replaced_on(environment.cpuinfo())


def replaced_on(cpuinfo: str) -> bool:
    """Whether the gradients are replaced on a processor of which `environment.cpuinfo` says this."""
    return "avx512f" in cpuinfo and "amx_bf16" not in cpuinfo
