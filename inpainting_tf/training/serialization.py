"""Serialization of a trainer's networks and functions in its configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from inpainting_tf.errors import InputError, unknown
from inpainting_tf.ops import losses


def saved_loss(reconstruction: Any) -> Any:
    """A reconstruction term as JSON: its name in `losses.RECONSTRUCTION`, or an object as Keras writes it."""
    name = _name_of(reconstruction, losses.RECONSTRUCTION)
    return name or keras.saving.serialize_keras_object(reconstruction)


def restored_loss(saved: Any) -> Any:
    """The reconstruction term that `saved_loss` wrote.

    Raises:
        InputError: a name that `losses.RECONSTRUCTION` does not have.
    """
    if isinstance(saved, str):
        return _of_name("reconstruction", saved, losses.RECONSTRUCTION)
    return keras.saving.deserialize_keras_object(saved)


def saved_adversarial(loss: losses.AdversarialLoss) -> str:
    """The name of an adversarial loss in `losses.ADVERSARIAL`.

    Raises:
        InputError: it is none of these.
    """
    name = _name_of(loss, losses.ADVERSARIAL)
    if name is None:
        known = ", ".join(sorted(losses.ADVERSARIAL))
        raise InputError(
            f"`adversarial` must be one of `ops.losses.ADVERSARIAL` ({known}) for a trainer to be saved. "
            f"Received {loss!r}."
        )
    return name


def restored_adversarial(saved: str) -> losses.AdversarialLoss:
    """The adversarial loss of that name; raises InputError for an unknown one."""
    return _of_name("adversarial", saved, losses.ADVERSARIAL)


def _name_of(value: Any, table: Mapping[str, Any]) -> str | None:
    # By equality: Keras copies a tuple that is set on a model.
    return next((name for name, known in table.items() if known == value), None)


def _of_name(argument: str, name: str, table: Mapping[str, Any]) -> Any:
    if name not in table:
        raise unknown(argument, name, table)
    return table[name]
