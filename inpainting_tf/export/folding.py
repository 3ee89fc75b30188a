"""Batch normalization folded into the layers before it: the same network in fewer operations.

In inference a normalization is a product and a sum for each channel, and these can be part of the kernel and
the bias of the linear layer that it follows. Runs on every Keras backend.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import keras
import numpy as np

from inpainting_tf.inpainter import Inpainter

_LINEAR = (keras.layers.Conv2D, keras.layers.Conv2DTranspose, keras.layers.Dense)


def fold(model: keras.Model) -> keras.Model:
    """A copy of a network with its batch normalizations folded, and the same predictions.

    A `BatchNormalization` is folded where it follows a `Conv2D`, a `Conv2DTranspose` or a `Dense` layer (or a
    subclass's) that has no activation and whose output has no other use. Other layers are unchanged, and so
    are those of models within the model.

    Args:
        model: a network in float32. It is not changed.

    Returns:
        A network for inference whose layers keep their names, equal to `model` but for float32 rounding; an
        `Inpainter` where `model` is one.
    """
    pairs = _pairs(model)
    gone = set(pairs.values())

    def cloned(layer: keras.Layer) -> keras.Layer:
        bias = {"use_bias": True} if layer.name in pairs else {}
        return type(layer).from_config(layer.get_config() | bias)

    def called(layer: keras.Layer, *args: Any, **kwargs: Any) -> Any:
        return args[0] if layer.name in gone else layer(*args, **kwargs)

    copy = keras.models.clone_model(model, clone_function=cloned, call_function=called)
    for layer in model.layers:
        if layer.weights and layer.name not in gone:
            follower = pairs.get(layer.name)
            merged = _merged(layer, model.get_layer(follower)) if follower else layer.get_weights()
            copy.get_layer(layer.name).set_weights(merged)
    return model.with_graph(copy) if isinstance(model, Inpainter) else copy


def _pairs(model: keras.Model) -> dict[str, str]:
    """Names of layers that a batch normalization can be folded into -> name of that normalization."""
    nodes = [node for operation in model.operations for node in operation._inbound_nodes]
    uses = Counter(id(tensor) for node in nodes for tensor in node.input_tensors)
    uses.update(map(id, model.outputs))
    pairs = {}
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization) and len(layer._inbound_nodes) == 1:
            source = layer.input._keras_history.operation
            if uses[id(layer.input)] == 1 and _takes(source, layer):
                pairs[source.name] = layer.name
    return pairs


def _takes(layer: Any, normalization: keras.layers.BatchNormalization) -> bool:
    return (
        isinstance(layer, _LINEAR)
        and len(layer._inbound_nodes) == 1
        and layer.activation is keras.activations.linear
        and getattr(layer, "data_format", "channels_last") == "channels_last"
        and normalization.axis in (-1, len(normalization.input.shape) - 1)
    )


def _merged(layer: keras.Layer, normalization: keras.layers.BatchNormalization) -> list[np.ndarray]:
    """The kernel and the bias of the one layer equal to both; computed in float64."""

    def weight(variable: Any, otherwise: float) -> np.ndarray:
        return np.asarray(otherwise if variable is None else variable, "float64")

    mean, variance = weight(normalization.moving_mean, 0), weight(normalization.moving_variance, 1)
    gain = weight(normalization.gamma, 1) / np.sqrt(variance + normalization.epsilon)
    bias = weight(normalization.beta, 0) + gain * (weight(layer.bias, 0) - mean)
    # A transposed convolution's kernel has its output channels before its input channels.
    across = gain[:, None] if isinstance(layer, keras.layers.Conv2DTranspose) else gain
    return [(weight(layer.kernel, 0) * across).astype("float32"), bias.astype("float32")]
