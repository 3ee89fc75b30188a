"""How long trainings take, to tell how much time is left."""

from __future__ import annotations

# At laptop scale, on two CPU cores with other work, in minutes, as far as they were measured. What counts is
# how they compare: machines and other scales are measured against them. Who is not here counts `OTHERS`.
LAPTOP_MINUTES = {
    "semantic_inpainting": 19,
    "context_encoder": 15,
    "ce_model0": 20,
    "ce_model1": 20,
    "ce_model2": 8,
    "ce_model3": 13,
    "direct_conv": 13,
    "autoencoder": 11,
    "patch_autoencoder": 6,
    "cvae": 10,
    "gan_autoencoder": 15,
    "gan_direct_conv": 10,
    "multiscale_context_encoder": 25,
    "cgan": 14,
    "unet": 8,
}
OTHERS = 20
