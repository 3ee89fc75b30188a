"""How long trainings take, to tell how much time is left."""

from __future__ import annotations

# At laptop scale, on two CPU cores with other work, in minutes; a variant that was not measured counts like
# what it varies. What counts is how they compare: machines and other scales are measured against them. Who
# is not here counts `OTHERS`.
LAPTOP_MINUTES = {
    "glcic": 10,
    "one_autoencoder": 10,
    "double_autoencoder": 18,
    "one_autoencoder_local": 9,
    "one_autoencoder_global": 9,
    "unet": 5,
    "unet_l1": 5,
    "unet_l1_dssim": 5,
    "unet_mse_dssim": 5,
    "unet_swish": 5,
    "unet_l1_swish": 5,
    "unet_l1_dssim_swish": 5,
    "unet_mse_dssim_swish": 5,
    "cgan": 14,
    "cgan_swish": 14,
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
    "multiscale_local": 16,
    "best": 8,
    "best_centre": 4,
    "best_half": 6,
    "best_brief": 3,
    "best_grey": 3,
    "best_without_skips": 3,
    "best_undilated": 3,
    "best_masked_mse": 3,
}
OTHERS = 12
