"""`best`: what this package makes of the five papers, on the pictures and holes of `face_gan`.

Command: python train.py --model=best --dataset=celeba --data_dir=FOLDER [--preset=laptop]

The network of `networks.best` under the reconstruction loss alone, with an annealed step.
"""

from __future__ import annotations

from inpainting_tf.data import Data
from inpainting_tf.recipes import presets
from inpainting_tf.recipes.recipe import Network, Optimizer, Recipe, Schedule

BEST = Recipe(
    name="best",
    paper="inpainting_tf",
    summary="skip connections, dilated residual blocks; corrects a smooth fill",
    network=Network("best"),
    data=Data("celeba", 128, train=4750, test=250),
    schedule=Schedule(epochs=100, completion_share=1.0, discriminator_share=0.0),
    optimizer=Optimizer(name="adam", learning_rate=1e-3, decay="cosine"),
    presets={
        "gpu": presets.GPU,
        "laptop": {**presets.LAPTOP_FACES, "network.width": 32, "schedule.epochs": 25},
        "smoke": {**presets.SMOKE, "network.width": 8},
    },
)

RECIPES = (BEST,)
