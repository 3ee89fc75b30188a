"""`face_gan`: face inpainting with one- and double-autoencoder GANs on CelebA (tables 4.1-4.3).

Command: python train.py --model=glcic --dataset=celeba --data_dir=FOLDER [--preset=laptop]

The thesis trains for 500 epochs, T_C = 100, and prints T_D = 400, which would leave no joint phase; T_D is
2 % of T_train here, Iizuka et al.'s proportion. Neither optimizer nor batch size nor alpha is printed: Adam,
16 and Iizuka's 4e-4 are ours (`--set optimizer.name=adadelta --set optimizer.learning_rate=1` is Iizuka's
optimizer).
"""

from __future__ import annotations

import dataclasses

from inpainting_tf.data import FACES
from inpainting_tf.recipes import presets
from inpainting_tf.recipes.recipe import Network, Objective, Optimizer, Recipe, Schedule

# 64x64 at half width.
LAPTOP = {**presets.LAPTOP_FACES, "network.width": 32, "schedule.epochs": 30}
# The paper's pictures and networks in larger batches; `scripts/paper_scale.py` sets the epochs.
GPU = {**presets.CENTRED, "batch_size": 64}
SMOKE = {**presets.SMOKE, "network.width": 8, "schedule.epochs": 4}
PRESETS = {
    "gpu": GPU,
    "laptop": {**LAPTOP, "discriminator.width": 32},
    # All three phases within four epochs.
    "smoke": {
        **SMOKE,
        "discriminator.width": 8,
        "schedule.completion_share": 0.5,
        "schedule.discriminator_share": 0.25,
    },
}

# The thesis resizes its pictures.
PICTURES = dataclasses.replace(FACES, crop="resize", flip=False)

GLCIC = Recipe(
    name="glcic",
    paper="face_gan",
    summary="Iizuka et al. 2017: dilated completion network, local and global discriminator",
    network=Network("glcic"),
    discriminator=Network("iizuka_discriminator"),
    trainer="adversarial",
    data=PICTURES,
    schedule=Schedule(epochs=500, completion_share=0.2, discriminator_share=0.02),
    optimizer=Optimizer(name="adam", learning_rate=1e-3),
    discriminator_optimizer=Optimizer(name="adam", learning_rate=2e-4, beta_1=0.5),
    batch_size=16,
    presets=PRESETS,
    printed={"table 4.3": {"psnr": 17.09, "ssim": 0.84}},
)

# With few pictures the discriminators soon overfit; a short joint phase with half the weight and annealed
# learning rates keeps the adversarial loss from costing much PSNR.
GENTLE = dataclasses.replace(
    GLCIC,
    name="glcic_gentle",
    summary="GLCIC under a gentler adversarial loss: our schedule, not the thesis's",
    objective=Objective(alpha=2e-4),
    schedule=Schedule(epochs=500, completion_share=0.86, discriminator_share=0.02),
    optimizer=dataclasses.replace(GLCIC.optimizer, decay="cosine"),
    discriminator_optimizer=dataclasses.replace(GLCIC.discriminator_optimizer, learning_rate=1e-4),
    # Drawn faces, a few minutes on two CPU cores: `make demo`.
    presets={
        **PRESETS,
        "demo": {
            **PRESETS["laptop"],
            "network.width": 16,
            "discriminator.width": 16,
            "data.source": "synthetic_faces",
            "data.image_size": 48,
            "data.train": 1200,
            "data.validation": 60,
            "data.test": 60,
            "data.ids": None,
            "schedule.epochs": 90,
        },
    },
    printed={},
)

ONE_AUTOENCODER = dataclasses.replace(
    GLCIC,
    name="one_autoencoder",
    summary="18-layer autoencoder (table 3.1), lighter discriminators (tables 3.2, 3.3)",
    network=Network("one_autoencoder"),
    discriminator=Network("joint_discriminator"),
    printed={"table 4.3": {"psnr": 31.86, "ssim": 0.89}},
)

# The thesis's research question: does the joint loss give more than the MSE?
MSE_ALONE = dataclasses.replace(
    ONE_AUTOENCODER,
    name="one_autoencoder_mse",
    summary="one_autoencoder under the MSE alone, for as many epochs (section 3.4.3)",
    discriminator=None,
    trainer="reconstruction",
    schedule=Schedule(epochs=500, completion_share=1.0, discriminator_share=0.0),
    presets={"gpu": GPU, "laptop": LAPTOP, "smoke": SMOKE},
    printed={},
)

DOUBLE_AUTOENCODER = dataclasses.replace(
    ONE_AUTOENCODER,
    name="double_autoencoder",
    summary="two autoencoders in a row, 36 layers (table 3.4)",
    network=Network("double_autoencoder"),
    printed={"table 4.3": {"psnr": 36.74, "ssim": 0.91}},
)

LOCAL_ONLY = dataclasses.replace(
    ONE_AUTOENCODER,
    name="one_autoencoder_local",
    summary="one_autoencoder with the local discriminator alone (table 4.1)",
    discriminator=Network("local_discriminator"),
    printed={"table 4.1": {"psnr": 13.00, "ssim": 0.88}},
)

GLOBAL_ONLY = dataclasses.replace(
    ONE_AUTOENCODER,
    name="one_autoencoder_global",
    summary="one_autoencoder with the global discriminator alone (table 4.1)",
    discriminator=Network("global_discriminator"),
    printed={"table 4.1": {"psnr": 19.82, "ssim": 0.90}},
)


def _as_printed(base: Recipe) -> Recipe:
    """Without the batch normalization that tables 3.1 to 3.4 do not have."""
    plain = [
        dataclasses.replace(network, arguments={"batch_norm": False})
        for network in (base.network, base.discriminator)
        if network is not None
    ]
    name, summary = f"{base.name}_plain", f"{base.name} without batch normalization, as printed"
    return dataclasses.replace(
        base, name=name, summary=summary, network=plain[0], discriminator=plain[1], printed={}
    )


PLAIN = tuple(map(_as_printed, (ONE_AUTOENCODER, DOUBLE_AUTOENCODER)))

RECIPES = (GLCIC, ONE_AUTOENCODER, DOUBLE_AUTOENCODER, LOCAL_ONLY, GLOBAL_ONLY, MSE_ALONE, *PLAIN, GENTLE)
