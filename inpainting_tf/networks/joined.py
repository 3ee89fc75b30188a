"""Two batches through a discriminator: in one call, where that changes nothing but the time."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from inpainting_tf import backends
from inpainting_tf.networks import layers

# Layers that treat each picture apart, and batch normalization, which can treat each batch apart.
_APART = (
    keras.layers.Activation,
    keras.layers.Concatenate,
    keras.layers.Conv2D,
    keras.layers.Dense,
    keras.layers.Flatten,
    keras.layers.GroupNormalization,
    keras.layers.Identity,
    keras.layers.InputLayer,
    keras.layers.LeakyReLU,
    keras.layers.ReLU,
    keras.layers.Rescaling,
    layers.BatchNormalization,
    layers.Conv2D,
    layers.CropAroundHole,
)


def judged(
    network: keras.Model, first: dict[str, Any], second: dict[str, Any], training: bool
) -> tuple[Any, Any]:
    """What a network makes of two batches of equal size, the first one before the second.

    In training on one device of TensorFlow, the deep layers' weights are read once for both. Statistics of
    batches and their moving means are those of two calls.
    """
    if not (training and joinable(network)):
        return network(first, training=training), network(second, training=training)
    both = {name: ops.concatenate([first[name], second[name]]) for name in first}
    with layers.normalized_apart(2):
        found = network(both, training=training)
    one, other = ops.split(found, 2)
    return one, other


def joinable(network: keras.Model) -> bool:
    """Whether one call is as good as two: not with random layers, nor with layers that are not known."""
    alone = backends.name == "tensorflow" and backends.replicas() == 1
    return alone and all(type(each) in _APART for each in _leaves(network))


def _leaves(operation: Any) -> list[Any]:
    """The operations in a functional or a sequential model; of any other model itself, which is not known."""
    parts = operation.layers if isinstance(operation, keras.Sequential) else None
    parts = getattr(operation, "operations", parts)
    return [operation] if parts is None else [leaf for each in parts for leaf in _leaves(each)]
