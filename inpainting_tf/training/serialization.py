"""What a trainer's configuration keeps in place of networks and functions, and how it becomes those again."""

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


def saved_game(game: losses.AdversarialLoss) -> str:
    """The name of an adversarial game in `losses.ADVERSARIAL`.

    Raises:
        InputError: it is none of these.
    """
    name = _name_of(game, losses.ADVERSARIAL)
    if name is None:
        known = ", ".join(sorted(losses.ADVERSARIAL))
        raise InputError(
            f"`adversarial` must be one of `ops.losses.ADVERSARIAL` ({known}) for a trainer to be saved. "
            f"Received {game!r}."
        )
    return name


def restored_game(saved: str) -> losses.AdversarialLoss:
    """The game that `saved_game` named; raises InputError for an unknown name."""
    return _of_name("adversarial", saved, losses.ADVERSARIAL)


def _name_of(value: Any, table: Mapping[str, Any]) -> str | None:
    # By equality: Keras keeps a copy of a tuple that is set on a model.
    return next((name for name, known in table.items() if known == value), None)


def _of_name(argument: str, name: str, table: Mapping[str, Any]) -> Any:
    if name not in table:
        raise unknown(argument, name, table)
    return table[name]
