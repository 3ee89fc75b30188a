"""`best`: what this package makes of the five papers, on the faces and holes of three of them.

Command: python train.py --model=best --dataset=celeba --data_dir=FOLDER [--preset=laptop]

The network of `networks.best` under the reconstruction loss alone, with an annealed step. In the laptop
preset a training takes no longer than that of the systems it stands beside.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from inpainting_tf.data import Data
from inpainting_tf.masks import Mask
from inpainting_tf.recipes import multiscale_context_encoder, presets, unet_vs_cgan
from inpainting_tf.recipes.recipe import Masks, Network, Optimizer, Recipe, Schedule


def _laptop(epochs: int) -> dict[str, Any]:
    return {**presets.LAPTOP_FACES, "network.width": 32, "schedule.epochs": epochs}


BEST = Recipe(
    name="best",
    paper="inpainting_tf",
    summary="skip connections, dilated residual blocks; corrects a smooth fill (holes of face_gan)",
    network=Network("best"),
    data=Data("celeba", 128, train=4750, test=250),
    schedule=Schedule(epochs=100, completion_share=1.0, discriminator_share=0.0),
    optimizer=Optimizer(name="adam", learning_rate=1e-3, decay="cosine"),
    presets={
        "gpu": presets.GPU,
        "laptop": _laptop(25),
        "smoke": {**presets.SMOKE, "network.width": 8},
    },
)


def _on(hole: Mask, name: str, paper: str, epochs: int) -> Recipe:
    """`best` on the hole of another paper."""
    sizes = {**BEST.presets, "laptop": _laptop(epochs)}
    summary = f"best on the hole of {paper}"
    return dataclasses.replace(BEST, name=name, summary=summary, mask=Masks(hole, hole), presets=sizes)


BEST_CENTRE = _on(unet_vs_cgan.HOLE, "best_centre", "unet_vs_cgan", 15)
BEST_HALF = _on(multiscale_context_encoder.HOLE, "best_half", "multiscale_context_encoder", 15)

RECIPES = (BEST, BEST_CENTRE, BEST_HALF)
