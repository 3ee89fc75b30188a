"""`unet_vs_cgan`: U-Nets under four losses and two activations against a conditional GAN, CelebA (table 1).

Command: python train.py --model=unet --dataset=celeba --data_dir=FOLDER [--preset=laptop]

The hole is the centre, 30 % of width and height, painted white; the whole picture is generated. The report
gives Adam, four fifths of the pictures for training, "until convergence": the U-Nets train until the
validation stops improving (`schedule.patience`); the GANs, whose losses do not tell, for a number of epochs
that is ours, as are batch size and rates. Its table has L1 where its text has MSE, so both are here: `unet`
is MSE with ReLU.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from inpainting_tf.data import Data
from inpainting_tf.ops.masks import Mask
from inpainting_tf.recipes import presets
from inpainting_tf.recipes.recipe import Masks, Network, Objective, Optimizer, Recipe, Schedule

HOLE = Mask("centre", 0.3, 0.3)

GPU = {**presets.GPU, **presets.FACES}
# 64x64 at half width.
_LAPTOP = {**presets.LAPTOP_FACES, "network.width": 16}
LAPTOP = {**_LAPTOP, "schedule.epochs": 60, "schedule.patience": 5}
LAPTOP_GAN = {**_LAPTOP, "schedule.epochs": 30}
SMOKE = {**presets.SMOKE, "network.width": 4}

UNET = Recipe(
    name="unet",
    paper="unet_vs_cgan",
    summary="U-Net with ReLU, MSE over the whole picture (the report's text)",
    network=Network("unet", width=32),
    trainer="reconstruction",
    data=Data("celeba", 128, train=None, test=40_520, crop="resize", flip=False),
    mask=Masks(HOLE, HOLE),
    objective=Objective(reconstruction="mse"),
    schedule=Schedule(epochs=200, completion_share=1.0, discriminator_share=0.0, patience=10),
    optimizer=Optimizer(name="adam", learning_rate=1e-3),
    batch_size=64,
    presets={"gpu": GPU, "laptop": LAPTOP, "smoke": SMOKE},
)

_LOSSES = {
    "mse": "MSE (the report's text)",
    "l1": "L1 (table 1)",
    "mse_dssim": "(MSE + DSSIM) / 2 (the report's text)",
    "l1_dssim": "(L1 + DSSIM) / 2 (table 1)",
}
_PRINTED = {
    "unet_l1": 6.1784,
    "unet_l1_swish": 6.0932,
    "unet_l1_dssim": 6.1780,
    "unet_l1_dssim_swish": 6.0650,
    "cgan": 6.1528,
    "cgan_swish": 6.0693,
}


def _variant(base: Recipe, name: str, summary: str, activation: str, **changes: Any) -> Recipe:
    network = dataclasses.replace(base.network, arguments={"activation": activation})
    printed = {"table 1": {"raw_psnr": _PRINTED[name]}} if name in _PRINTED else {}
    return dataclasses.replace(base, name=name, summary=summary, network=network, printed=printed, **changes)


def _unet(loss: str, activation: str) -> Recipe:
    """`unet` under another loss or with another activation, of table 1 or of the report's text."""
    name = "unet" + ("" if loss == "mse" else f"_{loss}") + ("_swish" if activation == "swish" else "")
    summary = f"U-Net with {'Swish' if activation == 'swish' else 'ReLU'}, {_LOSSES[loss]}"
    return _variant(UNET, name, summary, activation, objective=Objective(reconstruction=loss))


# The adversarial loss alone: with alpha 1, the reconstruction term's weight is 1 - alpha = 0.
_CGAN = dataclasses.replace(
    UNET,
    network=Network("cgan_generator", width=32),
    discriminator=Network("dcgan_discriminator"),
    trainer="adversarial",
    data=dataclasses.replace(UNET.data, image_size=64),
    objective=Objective("mse", "non_saturating", alpha=1.0, convex=True, judged="prediction"),
    schedule=Schedule(epochs=50, completion_share=0.0, discriminator_share=0.0),
    optimizer=Optimizer(name="adam", learning_rate=2e-4, beta_1=0.5),
    discriminator_optimizer=Optimizer(name="adam", learning_rate=2e-4, beta_1=0.5),
    presets={
        "gpu": GPU,
        "laptop": {**LAPTOP_GAN, "discriminator.width": 32},
        "smoke": {**SMOKE, "discriminator.width": 4},
    },
)
CGAN = _variant(_CGAN, "cgan", "conditional GAN with ReLU, adversarial loss alone (table 1)", "relu")
CGAN_SWISH = _variant(_CGAN, "cgan_swish", "conditional GAN with Swish (table 1)", "swish")

# Figure 5: a DCGAN, then a search for the code of each picture; both networks are in the completion network.
SEMANTIC_INPAINTING = dataclasses.replace(
    _CGAN,
    name="semantic_inpainting",
    summary="Yeh et al. 2017: a DCGAN, search for the latent code, Poisson blending (figure 5)",
    network=Network("semantic_inpainting"),
    discriminator=None,
    trainer="generative",
    objective=Objective(),
    printed={"figure 5": {"raw_psnr": 19.4}},  # Yeh et al.'s own, which section 3 cites
    presets={
        "gpu": GPU,
        "laptop": {**LAPTOP_GAN, "network.width": 32, "network.arguments.iterations": 100},
        "smoke": {**SMOKE, "network.arguments.latent": 8, "network.arguments.iterations": 5},
    },
)

UNETS = tuple(_unet(loss, activation) for loss in _LOSSES for activation in ("relu", "swish"))
RECIPES = (*UNETS, CGAN, CGAN_SWISH, SEMANTIC_INPAINTING)
