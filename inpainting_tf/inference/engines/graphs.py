"""Shared by engines and exchange formats: a network as a TensorFlow graph."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import keras

from inpainting_tf.errors import InputError


def check(model: keras.Model) -> None:
    """Raises InputError, in one line, for a network that no exchange format can hold."""
    if keras.backend.backend() != "tensorflow":
        raise InputError(
            "Networks are converted on the TensorFlow backend: set KERAS_BACKEND=tensorflow. "
            f"Received {keras.backend.backend()!r}."
        )
    if model.search is not None:
        raise InputError(
            f"`model` must fill a hole in one pass to be converted. Received {model.name!r}, which searches "
            "with gradients: use it from Python."
        )
    others = sorted({layer.compute_dtype for layer in model.layers} - {"float32"})
    if others:
        raise InputError(
            "`model` must compute in float32 to be converted: load it with inpainting_tf.load. "
            f"Received {', '.join(others)}."
        )


def signature(model: keras.Model, batch: int | None = None, size: tuple | None = None) -> list[Any]:
    """The specifications of image and mask; `size` (height, width) is the model's own by default."""
    import tensorflow as tf

    height, width = size or model.input["image"].shape[1:3]
    return [
        tf.TensorSpec((batch, height, width, 3), tf.float32, name="image"),
        tf.TensorSpec((batch, height, width, 1), tf.float32, name="mask"),
    ]


def prediction(model: keras.Model, inputs: list[Any]) -> Any:
    """A `tf.function` (image, mask) -> {"prediction": the whole predicted picture}."""
    return _function(model, inputs, lambda image, mask, predicted: {"prediction": predicted})


def completed(model: keras.Model, inputs: list[Any], select: Callable[..., Any] | None = None) -> Any:
    """A `tf.function` (image, mask) -> {"completed": known pixels as they are, the hole predicted}.

    Args:
        model: a completion network.
        inputs: see `signature`.
        select: composites (missing, prediction, image); `tf.where` by default.
    """
    import tensorflow as tf

    select = select or tf.where
    return _function(
        model, inputs, lambda image, mask, predicted: {"completed": select(mask > 0.5, predicted, image)}
    )


def both(model: keras.Model, inputs: list[Any]) -> Any:
    """A `tf.function` with the outputs of `completed` and of `prediction`."""
    import tensorflow as tf

    def outputs(image: Any, mask: Any, predicted: Any) -> dict[str, Any]:
        return {"completed": tf.where(mask > 0.5, predicted, image), "prediction": tf.identity(predicted)}

    return _function(model, inputs, outputs)


def _function(model: keras.Model, inputs: list[Any], outputs: Callable[..., dict[str, Any]]) -> Any:
    """A `tf.function` (image, mask) -> outputs(image, mask, the whole predicted picture)."""
    import tensorflow as tf

    @tf.function(input_signature=inputs, autograph=False)
    def complete(image: Any, mask: Any) -> dict[str, Any]:
        return outputs(image, mask, model({"image": image, "mask": mask}, training=False))

    return complete


def frozen(function: Any) -> Any:
    """The one concrete function of a `tf.function`, with its weights as constants."""
    # Not a public name of TensorFlow, but the one that its converters and their documentation use.
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    return convert_variables_to_constants_v2(function.get_concrete_function())


@contextlib.contextmanager
def converting(model: keras.Model, target: str) -> Iterator[None]:
    """Turns whatever a converter raises into an `InputError` of one line."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # converters raise exceptions of many kinds
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = lines[0] if lines else type(error).__name__
        raise InputError(f"`model` {model.name!r} cannot be converted to {target}: {reason}") from error
