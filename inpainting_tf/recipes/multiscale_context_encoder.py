"""`multiscale_context_encoder`: an improved Context Encoder, two discriminators, a curriculum.

Command: python train.py --model=multiscale_context_encoder --data_dir=FOLDER [--preset=laptop]

Adam at 3e-4 with beta_1 0.5, batches of 100, a centred 64x64 hole in 128x128. In three phases: the
reconstruction loss alone; the local discriminator besides, its weight rising slowly from 0; then the global
one too. The weights (table I), the phases' lengths and the epochs are lost with the paper's figures: they are
ours. The squared error is that of pictures in [-1, 1], the range of the decoder's tanh. The paper trains
on streets of Paris and ImageNet; here on any folder of pictures (`--dataset=folder`).
"""

from __future__ import annotations

import dataclasses

from inpainting_tf.data import FACES
from inpainting_tf.ops.masks import Mask
from inpainting_tf.recipes import face_gan, presets
from inpainting_tf.recipes.recipe import Masks, Network, Objective, Optimizer, Recipe, Schedule

HOLE = Mask("centre", 0.5, 0.5)

# 64x64, half the width, a quarter of the code.
LAPTOP = {
    **presets.LAPTOP_FACES,
    "network.width": 32,
    "network.arguments.code": 1000,
    "schedule.epochs": 60,
}
LAPTOP_ADVERSARIAL = {**LAPTOP, "discriminator.width": 32}
SMOKE = {**presets.SMOKE, "network.width": 4, "network.arguments.code": 16, "schedule.epochs": 4}

ENCODER_DECODER = Recipe(
    name="multiscale_encoder_decoder",
    paper="multiscale_context_encoder",
    summary="improved Context Encoder, reconstruction loss alone (table VII)",
    network=Network("multiscale_context_encoder", arguments={"code": 4000}),
    trainer="reconstruction",
    data=dataclasses.replace(FACES, flip=False),
    mask=Masks(HOLE, HOLE),
    objective=Objective("tanh_masked_mse"),
    schedule=Schedule(epochs=500, completion_share=1.0, discriminator_share=0.0),
    optimizer=Optimizer(name="adam", learning_rate=3e-4, beta_1=0.5),
    batch_size=100,
    presets={"gpu": presets.GPU, "laptop": LAPTOP, "smoke": SMOKE},
)

LOCAL = dataclasses.replace(
    ENCODER_DECODER,
    name="multiscale_local",
    summary="improved Context Encoder with a local discriminator (table VII)",
    discriminator=Network("multiscale_discriminator", arguments={"judges": "local"}),
    trainer="adversarial",
    objective=Objective("tanh_masked_mse", "non_saturating", alpha=1e-3),
    schedule=Schedule(epochs=500, completion_share=0.6, discriminator_share=0.0, ramp_share=0.1),
    discriminator_optimizer=Optimizer(name="adam", learning_rate=3e-4, beta_1=0.5),
    presets={
        "gpu": presets.GPU,
        "laptop": LAPTOP_ADVERSARIAL,
        "smoke": {**SMOKE, "discriminator.width": 4},
    },
)

MULTISCALE_CONTEXT_ENCODER = dataclasses.replace(
    LOCAL,
    name="multiscale_context_encoder",
    summary="improved Context Encoder, local and global discriminator, curriculum (tables VI, VII)",
    discriminator=Network("multiscale_discriminator"),
    objective=dataclasses.replace(LOCAL.objective, alpha_global=1e-3),
    schedule=dataclasses.replace(LOCAL.schedule, global_share=0.15),
)


# Beside table VII, which rests on strides that the paper lost: features of 8x8 before the last convolution.
def _with_8x8(base: Recipe) -> Recipe:
    network = dataclasses.replace(base.network, arguments={**base.network.arguments, "positions": 8})
    summary = f"{base.summary}, with features of 8x8"
    return dataclasses.replace(base, name=f"{base.name}_8x8", summary=summary, network=network)


WITH_8X8 = tuple(map(_with_8x8, (ENCODER_DECODER, MULTISCALE_CONTEXT_ENCODER)))

# Figures 14 and 15 show other data sets; this one needs none.
DRAWN = dataclasses.replace(
    MULTISCALE_CONTEXT_ENCODER,
    name="multiscale_context_encoder_drawn",
    summary="the same on drawn faces (in place of figures 14 and 15)",
    data=dataclasses.replace(LOCAL.data, source="synthetic_faces"),
    presets={
        **MULTISCALE_CONTEXT_ENCODER.presets,
        "laptop": {**MULTISCALE_CONTEXT_ENCODER.presets["laptop"], "schedule.epochs": 20},
    },
)

# The system that table VI compares with, on this paper's hole.
GLCIC_CENTRED = dataclasses.replace(
    face_gan.GLCIC,
    name="glcic_centred",
    paper="multiscale_context_encoder",
    summary="GLCIC on the centred hole (table VI)",
    data=ENCODER_DECODER.data,
    mask=Masks(HOLE, HOLE),
    printed={},
)

RECIPES = (MULTISCALE_CONTEXT_ENCODER, LOCAL, ENCODER_DECODER, DRAWN, GLCIC_CENTRED, *WITH_8X8)
