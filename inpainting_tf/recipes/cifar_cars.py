"""`cifar_cars`: six systems that fill a 12x12 hole in 32x32 pictures of cars (CIFAR-10, tables 3.1-3.8).

Command: python train.py --model=direct_conv [--data_dir=FOLDER] [--classes=automobile] [--preset=laptop]

The thesis prints no numbers. Of the training it names Adam and random batches; epochs, batch sizes, learning
rates and the weights alpha and of the divergence are ours. Each use of a picture draws a new hole.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from inpainting_tf.data import Data
from inpainting_tf.ops.masks import Mask
from inpainting_tf.recipes import presets
from inpainting_tf.recipes.recipe import Masks, Network, Objective, Optimizer, Recipe, Schedule

HOLE = Mask("rectangle", 12 / 32, 12 / 32)

SMOKE = {**presets.SMOKE, "data.classes": None, "network.width": 8}

DIRECT_CONV = Recipe(
    name="direct_conv",
    paper="cifar_cars",
    summary="five 5x5 convolutions at full resolution (table 3.1)",
    network=Network("direct_conv"),
    trainer="reconstruction",
    data=Data("cifar10", 32, classes="automobile", train=None, test=1000, flip=False),
    mask=Masks(HOLE, HOLE),
    objective=Objective(reconstruction="mse"),
    schedule=Schedule(epochs=200, completion_share=1.0, discriminator_share=0.0),
    optimizer=Optimizer(name="adam", learning_rate=1e-3),
    batch_size=32,
    presets={
        "gpu": presets.GPU,
        "laptop": {**presets.LAPTOP, **presets.ANNEALED, "schedule.epochs": 60},
        "smoke": SMOKE,
    },
)


def _variant(name: str, summary: str, epochs: int, **changes: Any) -> Recipe:
    """`direct_conv` with another network, and so many epochs in the laptop preset: at most 15 minutes."""
    laptop = {**DIRECT_CONV.presets["laptop"], "schedule.epochs": epochs}
    sizes = {**DIRECT_CONV.presets, "laptop": laptop}
    return dataclasses.replace(DIRECT_CONV, name=name, summary=summary, presets=sizes, **changes)


AUTOENCODER = _variant(
    "autoencoder",
    "autoencoder with a 4x4x256 code, whole picture (tables 3.2, 3.3)",
    60,
    network=Network("autoencoder", width=32),
)

PATCH_AUTOENCODER = _variant(
    "patch_autoencoder",
    "autoencoder that predicts the missing 12x12 patch alone (section 3.2.1)",
    40,
    network=Network("patch_autoencoder", width=32, arguments={"patch": 12}),
    objective=Objective(reconstruction="masked_mse"),
)

CVAE = _variant(
    "cvae",
    "conditional variational autoencoder, 1024-d code (tables 3.4-3.6)",
    60,
    network=Network("cvae", width=32),
    trainer="variational",
    objective=Objective(reconstruction="mse", kl_weight=1e-5),
)

# L_G = alpha BCE(labels, D(G(h))) + (1 - alpha) MSE over all pixels, those of the hole blanked, in the range
# of a tanh. Both networks train from step 0. With equal rates, and the whole prediction judged, holes filled
# with noise or coloured blobs.
_SLOW = Optimizer(name="adam", learning_rate=2e-4, beta_1=0.5)
_FAST = dataclasses.replace(_SLOW, learning_rate=1e-3)
# alpha is "adjusted for different networks" in the thesis, and not printed: three values of it, so that no
# ranking rests on one.
ALPHAS = {"": 0.01, "_low_alpha": 0.001, "_high_alpha": 0.1}


def _gans(name: str, summary: str, epochs: int, **changes: Any) -> tuple[Recipe, ...]:
    """A GAN under each of `ALPHAS`, with constant learning rates."""
    return tuple(
        dataclasses.replace(
            _variant(f"{name}{ending}", f"{summary}, alpha = {alpha:g}", epochs),
            discriminator=Network("cars_discriminator", width=64),
            trainer="adversarial",
            objective=Objective("tanh_blanked_mse", "non_saturating", alpha=alpha, convex=True),
            schedule=Schedule(epochs=200, completion_share=0.0, discriminator_share=0.0),
            presets={
                "gpu": presets.GPU,
                "laptop": {**presets.LAPTOP, "schedule.epochs": epochs},
                "smoke": SMOKE,
            },
            **changes,
        )
        for ending, alpha in ALPHAS.items()
    )


GANS_AUTOENCODER = _gans(
    "gan_autoencoder",
    "GAN with a small autoencoder as generator (section 3.4.1)",
    40,
    network=Network("gan_autoencoder", width=32),
    optimizer=_FAST,  # at this rate D's loss falls to 0 at once
    discriminator_optimizer=_SLOW,
)
GANS_DIRECT_CONV = _gans(
    "gan_direct_conv",
    "GAN with seven 5x5 convolutions as generator (tables 3.7, 3.8)",
    30,
    network=Network("gan_direct_conv"),
    optimizer=_SLOW,
    discriminator_optimizer=_FAST,  # at the generator's rate its accuracy stays at chance
)

RECIPES = (DIRECT_CONV, AUTOENCODER, PATCH_AUTOENCODER, CVAE, *GANS_AUTOENCODER, *GANS_DIRECT_CONV)
