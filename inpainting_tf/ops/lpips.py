"""LPIPS, the learned perceptual distance of Zhang et al. 2018: AlexNet, version 0.1.

Both pictures pass the convolutions of an AlexNet trained on ImageNet. After each of the five, the features of
every position are scaled to length 1; their squared differences, times a learned weight per channel, are
averaged over the positions. The sum over the five is 0 for equal pictures; it predicts perceived differences.

The weights are not part of this package. Get ``alexnet-owt-7be5be79.pth``, torchvision's AlexNet, and
``lpips/weights/v0.1/alex.pth`` of the project richzhang/PerceptualSimilarity, which is also in the Python
package ``lpips`` (v0.0 beside it is another metric), and convert them once:

    python scripts/convert_lpips.py --alexnet=alexnet-owt-7be5be79.pth --linear=alex.pth
"""

from __future__ import annotations

import functools
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from inpainting_tf.errors import InputError
from inpainting_tf.ops.metrics import pair

Array = Any  # a NumPy array or a tensor of the Keras backend
Metric = Callable[[Array, Array], Array]

# The file of weights, float32: kernels [height, width, in, out]; biases and linear weights [out].
SHAPES = {
    "conv1_kernel": (11, 11, 3, 64), "conv1_bias": (64,), "linear1": (64,),
    "conv2_kernel": (5, 5, 64, 192), "conv2_bias": (192,), "linear2": (192,),
    "conv3_kernel": (3, 3, 192, 384), "conv3_bias": (384,), "linear3": (384,),
    "conv4_kernel": (3, 3, 384, 256), "conv4_bias": (256,), "linear4": (256,),
    "conv5_kernel": (3, 3, 256, 256), "conv5_bias": (256,), "linear5": (256,),
}  # fmt: skip
SMALLEST = 31  # pixels: the smallest side that leaves a position after the second pooling

# Of each convolution: stride, zeros added on each side, whether its input is max-pooled (3x3, stride 2).
_LAYERS = ((4, 2, False), (1, 2, True), (1, 1, True), (1, 1, False), (1, 1, False))
_INDICES = (0, 3, 6, 8, 10)  # in torchvision's `AlexNet.features`
_SHIFT = np.array([-0.030, -0.088, -0.188], "float32")  # RGB, of pictures in [-1, 1]
_SCALE = np.array([0.458, 0.448, 0.450], "float32")
_EPSILON = 1e-10


def load(path: str | os.PathLike) -> Metric:
    """The metric with the weights in ``path``.

    Args:
        path: a file that scripts/convert_lpips.py made: an ``.npz`` of the arrays of `SHAPES`.

    Returns:
        ``metric(a, b)``: two float batches [N, H, W, 3] in [0, 1], RGB, as NumPy arrays or tensors -> float32
        [N], 0 or more; symmetric, with gradients. It raises `InputError` for shapes that do not fit, integer
        pictures and sides below `SMALLEST`.

    Raises:
        InputError: the file is absent or damaged, or holds other arrays.
    """
    weights = {name: ops.convert_to_tensor(array) for name, array in _read(path).items()}
    return functools.partial(_distance, weights)


def convert(alexnet: Mapping[str, np.ndarray], linear: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays of `SHAPES`, from the state dicts that torchvision and the authors publish.

    Args:
        alexnet: ``features.N.weight`` [out, in, height, width] and ``features.N.bias`` [out] of the five
            convolutions; anything else in it is left out.
        linear: ``lin0.model.1.weight`` to ``lin4.model.1.weight``, [1, channels, 1, 1].

    Raises:
        InputError: an array is missing, has another shape, or cannot be a weight of LPIPS.
    """
    arrays = {}
    for index, place in enumerate(_INDICES):
        height, width, *channels = SHAPES[f"conv{index + 1}_kernel"]
        kernel = _taken("alexnet", alexnet, f"features.{place}.weight", (*channels[::-1], height, width))
        arrays[f"conv{index + 1}_kernel"] = np.ascontiguousarray(kernel.transpose(2, 3, 1, 0))
        arrays[f"conv{index + 1}_bias"] = _taken("alexnet", alexnet, f"features.{place}.bias", channels[1:])
        weights = _taken("linear", linear, f"lin{index}.model.1.weight", (1, channels[1], 1, 1))
        arrays[f"linear{index + 1}"] = weights.ravel()
    if wrong := _wrong(arrays):
        raise InputError(f"`alexnet` and `linear` must be the weights of LPIPS. Received others: {wrong}.")
    return arrays


def _taken(argument: str, state: Mapping[str, np.ndarray], key: str, shape: Sequence[int]) -> np.ndarray:
    """``state[key]`` as float32, if it has the shape."""
    found = np.shape(state[key]) if key in state else "none"
    if found != tuple(shape):
        raise InputError(
            f"`{argument}` must hold {key} of shape {tuple(shape)}. Received {found}: take the file that "
            "scripts/convert_lpips.py names."
        )
    return np.asarray(state[key], "float32")


def _read(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """The arrays of `SHAPES` in the file ``path``, after the checks."""
    arrays: dict[str, np.ndarray] = {}
    try:
        with open(Path(path).expanduser(), "rb") as file, zipfile.ZipFile(file):  # no single .npy, no pickle
            file.seek(0)
            found = np.load(file, allow_pickle=False)
            arrays = {name: found[name] for name in SHAPES if name in found}
        wrong = _wrong(arrays)
    except OSError as error:
        wrong = error.strerror or str(error)
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError):
        wrong = "it is not a whole .npz file"
    if wrong:
        raise InputError(
            f"`lpips_weights` must be a file with the weights of LPIPS. Received {os.fspath(path)!r}: "
            f"{wrong}. Make one with scripts/convert_lpips.py, whose first lines name its inputs."
        )
    return arrays


def _wrong(arrays: Mapping[str, np.ndarray]) -> str | None:
    """Why ``arrays`` are not the weights of LPIPS, as text; None if they are."""
    for name, shape in SHAPES.items():
        if name not in arrays:
            return f"it lacks {name}"
        array = np.asarray(arrays[name])
        if array.dtype != np.float32 or array.shape != shape:
            return f"{name} is {array.dtype} {array.shape}, not float32 {shape}"
        if not np.isfinite(array).all():
            return f"{name} is not finite"
        if name.startswith("linear") and array.min() < 0:
            return f"{name} is negative in places"
    return None


def _distance(weights: Mapping[str, Array], a: Array, b: Array) -> Array:
    a, b = pair(a, b)
    _check_size(a.shape)
    total = 0.0
    for number, taps in enumerate(zip(_features(weights, a), _features(weights, b), strict=True), 1):
        one, other = map(_unit, taps)
        weighted = ops.square(one - other) * weights[f"linear{number}"]
        total += ops.mean(ops.sum(weighted, axis=-1), axis=(1, 2))
    return total


def _check_size(shape: tuple) -> None:
    *size, channels = shape[1:]
    if channels != 3:
        raise InputError(f"`a` and `b` must have 3 channels, RGB, for LPIPS. Received {channels}.")
    if any(side is not None and side < SMALLEST for side in size):
        raise InputError(
            f"`a` and `b` must be at least {SMALLEST}x{SMALLEST} pixels for LPIPS. "
            f"Received {size[0]}x{size[1]}: enlarge the pictures, or leave LPIPS out."
        )


def _features(weights: Mapping[str, Array], pictures: Array) -> Iterator[Array]:
    """The output of each of the five ReLUs of AlexNet: [N, H, W, 3] in [0, 1] -> 5 x [N, h, w, C]."""
    x = (2.0 * pictures - 1.0 - _SHIFT) / _SCALE
    for number, (stride, padding, pooled) in enumerate(_LAYERS, 1):
        if pooled:
            x = ops.max_pool(x, 3, 2, padding="valid", data_format="channels_last")
        # As in PyTorch: Keras's "same" adds other numbers of zeros where the stride is not 1.
        x = ops.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
        kernel = weights[f"conv{number}_kernel"]
        x = ops.conv(x, kernel, strides=stride, padding="valid", data_format="channels_last")
        x = ops.relu(x + weights[f"conv{number}_bias"])
        yield x


def _unit(features: Array) -> Array:
    """Each position's features, scaled to length 1; 0 stays 0.

    At 0 the root's gradient is infinite, but the ReLU before it has gradient 0.
    """
    length = ops.sqrt(ops.sum(ops.square(features), axis=-1, keepdims=True))
    return features / (length + _EPSILON)
