"""Completion networks and discriminators, one module per paper; `get` finds a builder by its name."""

from __future__ import annotations

from collections.abc import Callable

import keras

from inpainting_tf.errors import unknown
from inpainting_tf.networks import glcic

COMPLETION = {
    "glcic": glcic.glcic,
    "one_autoencoder": glcic.one_autoencoder,
    "double_autoencoder": glcic.double_autoencoder,
}
DISCRIMINATORS = {
    "iizuka_discriminator": glcic.iizuka_discriminator,
    "joint_discriminator": glcic.joint_discriminator,
    "local_discriminator": glcic.local_discriminator,
    "global_discriminator": glcic.global_discriminator,
}


def get(name: str) -> Callable[..., keras.Model]:
    """The builder of that name.

    Raises:
        InputError: no such builder; the message gives the nearest one.
    """
    builders = COMPLETION | DISCRIMINATORS
    if name not in builders:
        raise unknown("network", name, builders)
    return builders[name]
