"""Completion networks and discriminators, one module per paper; `get` finds a builder by its name."""

from __future__ import annotations

from collections.abc import Callable

import keras

from inpainting_tf.errors import unknown
from inpainting_tf.inpainter import Builder
from inpainting_tf.networks import best, cifar_cars, context_encoder, dcgan, glcic, multiscale, photos, unet

COMPLETION: dict[str, Builder[...]] = {
    "glcic": glcic.glcic,
    "one_autoencoder": glcic.one_autoencoder,
    "double_autoencoder": glcic.double_autoencoder,
    "direct_conv": cifar_cars.direct_conv,
    "autoencoder": cifar_cars.autoencoder,
    "patch_autoencoder": cifar_cars.patch_autoencoder,
    "cvae": cifar_cars.cvae,
    "gan_autoencoder": cifar_cars.gan_autoencoder,
    "gan_direct_conv": cifar_cars.gan_direct_conv,
    "context_encoder": context_encoder.context_encoder,
    "ce_model0": context_encoder.ce_model0,
    "ce_model1": context_encoder.ce_model1,
    "ce_model2": context_encoder.ce_model2,
    "ce_model3": context_encoder.ce_model3,
    "unet": unet.unet,
    "cgan_generator": unet.cgan_generator,
    "semantic_inpainting": dcgan.semantic_inpainting,
    "multiscale_context_encoder": multiscale.multiscale_context_encoder,
    "best": best.best,
    "photos": photos.photos,
}
DISCRIMINATORS: dict[str, Callable[..., keras.Model]] = {
    "iizuka_discriminator": glcic.iizuka_discriminator,
    "joint_discriminator": glcic.joint_discriminator,
    "local_discriminator": glcic.local_discriminator,
    "global_discriminator": glcic.global_discriminator,
    "cars_discriminator": cifar_cars.cars_discriminator,
    "patch_discriminator": context_encoder.patch_discriminator,
    "map_discriminator": context_encoder.map_discriminator,
    "patch_map_discriminator": context_encoder.patch_map_discriminator,
    "dcgan_discriminator": dcgan.dcgan_discriminator,
    "multiscale_discriminator": multiscale.multiscale_discriminator,
}


def get(name: str) -> Callable[..., keras.Model]:
    """The builder of that name.

    Raises:
        InputError: no such builder; the message gives the nearest one.
    """
    builders: dict[str, Callable[..., keras.Model]] = {**COMPLETION, **DISCRIMINATORS}
    if name not in builders:
        raise unknown("network", name, builders)
    return builders[name]
