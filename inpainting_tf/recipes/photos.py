"""`photos`: this package's own system for photographs of any kind, with thin and large holes.

Command: python train.py --model=photos --data_dir=FOLDER [--preset=laptop]

The network of `networks.photos` under a reconstruction loss alone, the logarithm of the holes' MSE, with an
annealed learning rate. Parts of any scale are taken of the pictures, half of them pixel by pixel, and the
holes are those that photographs have: scratches, lettering, objects and blocks.
"""

from __future__ import annotations

from inpainting_tf.data import Data
from inpainting_tf.ops.masks import Mask
from inpainting_tf.recipes import presets
from inpainting_tf.recipes.recipe import Masks, Network, Objective, Optimizer, Recipe, Schedule

HOLES = Mask("photograph")

PHOTOS = Recipe(
    name="photos",
    paper="inpainting_tf",
    summary="any photograph: corrects a thin-plate fill of scratches, lettering, objects and blocks",
    network=Network("photos", width=32),
    trainer="reconstruction",
    data=Data("folder", image_size=128, train=None, crop="zoom"),
    mask=Masks(HOLES, HOLES),
    objective=Objective("masked_log_mse"),
    schedule=Schedule(epochs=100, completion_share=1.0, discriminator_share=0.0),
    optimizer=Optimizer(name="adam", learning_rate=1e-3, decay="cosine"),
    batch_size=16,
    presets={
        "gpu": presets.GPU,
        # 94 minutes on one CPU core, at 31 pictures per second.
        "laptop": {"schedule.epochs": 22},
        "smoke": {**presets.SMOKE, "network.width": 8},
    },
)
RECIPES = (PHOTOS,)
