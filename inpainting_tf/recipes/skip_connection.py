"""`skip_connection`: Context Encoders with and without skip connections, CelebA 128x128 (tables 1, 2).

Command: python train.py --model=ce_model3 --dataset=celeba --data_dir=FOLDER [--preset=laptop]

Models 0 to 3 train on a 64x64 hole at a random place and are tested on the centred one, with Adam at 2e-4 for
40 epochs, 0.999 of an L2 and 0.001 of an adversarial L1 between maps. The L2 is that of pictures in [-1, 1],
the range of the decoder's tanh. The report gives neither batch size nor
number of test pictures; 64 and 2,000 are ours. `context_encoder` is the system that three
of the papers compare with (Pathak et al. 2016), on the centred hole.
"""

from __future__ import annotations

import dataclasses

from inpainting_tf.data import Data
from inpainting_tf.ops.masks import Mask
from inpainting_tf.recipes import face_gan, presets
from inpainting_tf.recipes.recipe import Masks, Network, Objective, Optimizer, Recipe, Schedule

ANYWHERE, CENTRED = Mask("rectangle", 0.5, 0.5), Mask("centre", 0.5, 0.5)

GPU = {**presets.GPU, **presets.FACES}
# 64x64 at half width, for the paper's 40 epochs.
LAPTOP = {**presets.LAPTOP_FACES, "network.width": 32, "discriminator.width": 32}
SMOKE = {**presets.SMOKE, "network.width": 4, "discriminator.width": 4}

CE_MODEL0 = Recipe(
    name="ce_model0",
    paper="skip_connection",
    summary="Context Encoder, hole only, channel-wise fully connected layer (table 1)",
    network=Network("ce_model0"),
    discriminator=Network("patch_map_discriminator"),
    trainer="adversarial",
    data=Data("celeba", 128, train=None, test=2000, flip=False),
    mask=Masks(ANYWHERE, CENTRED),
    objective=Objective("tanh_masked_mse", "l1", alpha=0.001, convex=True),
    schedule=Schedule(epochs=40, completion_share=0.0, discriminator_share=0.0),
    optimizer=Optimizer(name="adam", learning_rate=2e-4),
    discriminator_optimizer=Optimizer(name="adam", learning_rate=2e-4),
    batch_size=64,
    presets={"gpu": GPU, "laptop": LAPTOP, "smoke": SMOKE},
    printed={
        "table 1": {"lpips_x100": {"epoch 0": 9.96, "epoch 12": 3.21, "epoch 24": 2.99, "epoch 36": 2.91}}
    },
)

CE_MODEL1 = dataclasses.replace(
    CE_MODEL0,
    name="ce_model1",
    summary="Context Encoder, hole only, no fully connected layer (table 1)",
    network=Network("ce_model1"),
    printed={
        "table 1": {"lpips_x100": {"epoch 0": 9.98, "epoch 12": 3.32, "epoch 24": 2.98, "epoch 36": 2.83}}
    },
)

CE_MODEL2 = dataclasses.replace(
    CE_MODEL1,
    name="ce_model2",
    summary="Context Encoder that makes the whole picture (table 2)",
    network=Network("ce_model2"),
    discriminator=Network("map_discriminator"),
    objective=Objective("tanh_mse", "l1", alpha=0.001, convex=True, judged="prediction"),
    printed={
        "table 2": {"lpips_x100": {"epoch 0": 10.26, "epoch 12": 2.00, "epoch 24": 1.67, "epoch 38": 1.60}}
    },
)

CE_MODEL3 = dataclasses.replace(
    CE_MODEL2,
    name="ce_model3",
    summary="the same with skip connections, the report's final design (table 2)",
    network=Network("ce_model3"),
    printed={
        "table 2": {"lpips_x100": {"epoch 0": 10.65, "epoch 12": 1.10, "epoch 24": 1.06, "epoch 38": 1.04}}
    },
)

# Pathak et al. train the generator with ten times the discriminator's rate.
CONTEXT_ENCODER = dataclasses.replace(
    CE_MODEL0,
    name="context_encoder",
    summary="Pathak et al. 2016: channel-wise fully connected layer, discriminator on the patch",
    network=Network("context_encoder"),
    discriminator=Network("patch_discriminator"),
    mask=Masks(CENTRED, CENTRED),
    objective=Objective("tanh_masked_mse", "non_saturating", alpha=0.001, convex=True),
    optimizer=Optimizer(name="adam", learning_rate=2e-3, beta_1=0.5),
    discriminator_optimizer=Optimizer(name="adam", learning_rate=2e-4, beta_1=0.5),
    printed={},
)

# `face_gan` trains the same network on its own pictures and holes.
CONTEXT_ENCODER_RECTANGLES = dataclasses.replace(
    CONTEXT_ENCODER,
    name="context_encoder_rectangles",
    paper="face_gan",
    summary="Pathak et al. 2016 on the pictures and holes of face_gan (figure 4.4)",
    data=face_gan.GLCIC.data,
    mask=face_gan.GLCIC.mask,
)

RECIPES = (CONTEXT_ENCODER, CONTEXT_ENCODER_RECTANGLES, CE_MODEL0, CE_MODEL1, CE_MODEL2, CE_MODEL3)
