"""What networks for any size share: they compute the same at any size, and nearly so in half precision."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np


def assert_any_size_and_half_precision(
    build: Callable[..., keras.Model], network: keras.Model, inputs: dict[str, np.ndarray], first: str
) -> None:
    """Checks the network that `build(size)` made, on inputs of its size.

    Args:
        build: takes the size or None.
        network: with weights to compare by.
        inputs: a batch.
        first: the name of a layer that computes in half precision.
    """
    expected, size = network.predict_on_batch(inputs), inputs["image"].shape[1:3]
    free = build(None)
    free.set_weights(network.get_weights())
    np.testing.assert_allclose(free.predict_on_batch(inputs), expected, atol=1e-6)
    keras.mixed_precision.set_dtype_policy("mixed_bfloat16")
    try:
        half = build(size)
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    half.set_weights(network.get_weights())
    prediction = half.predict_on_batch(inputs)
    assert half.get_layer(first).compute_dtype == "bfloat16" and prediction.dtype == np.float32
    np.testing.assert_allclose(prediction, expected, atol=0.02)
