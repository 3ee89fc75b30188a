"""`cifar_cars`: figures 3.2 to 3.10, and the table of metrics that the thesis lacks."""

from __future__ import annotations

import dataclasses
import itertools

from inpainting_tf.book.claims import Claim
from inpainting_tf.book.entries import Curves, Overfitting, Sheets, SideBySide, Table
from inpainting_tf.book.pages import Paper

_ENDINGS = ("", "_low_alpha", "_high_alpha")
ALPHAS = tuple(f"{name}{ending}" for name in ("gan_direct_conv", "gan_autoencoder") for ending in _ENDINGS)
# alpha is "adjusted for different networks": any value of the one network may stand beside any of the other.
BETTER_GAN, *OTHER_ALPHAS = (
    Claim(f"gan_direct_conv{mine}", f"gan_autoencoder{theirs}", "hole_psnr", "section 3.4.1: much better")
    for mine, theirs in itertools.product(_ENDINGS, _ENDINGS)
)
SYSTEMS = ("direct_conv", "autoencoder", "patch_autoencoder", "cvae", "gan_autoencoder", "gan_direct_conv")

PAPER = Paper(
    "cifar_cars",
    "Six ways to repair cars",
    (
        Table(
            "figures 3.2 to 3.10",
            "all six systems, measured (the thesis prints no numbers)",
            SYSTEMS,
            claims=(
                Claim("autoencoder", "direct_conv", "hole_psnr", "section 3.2: more specific contents"),
                Claim("autoencoder", "patch_autoencoder", "hole_psnr", "section 3.2.1: not very promising"),
            ),
            course="epoch",
            note=(
                "What the thesis says of its systems is about looks; PSNR does not ask for what could be in "
                "a hole, and the two GANs never see what was in one."
            ),
        ),
        Table(
            "section 3.4",
            "the two GANs over alpha, the weight of the adversarial term",
            ALPHAS,
            claims=(dataclasses.replace(BETTER_GAN, forms=tuple(OTHER_ALPHAS)),),
            note=(
                "The thesis adjusts alpha for each network and prints no value: 0.01 without an ending, "
                "0.001 (low) and 0.1 (high). A ranking that one of its values turns is open."
            ),
        ),
        Overfitting(
            "section 3.2.1",
            "overfitting",
            ("direct_conv", "autoencoder", "patch_autoencoder"),
            claims=(
                Claim(
                    "patch_autoencoder",
                    "patch_autoencoder",
                    "hole_psnr",
                    "section 3.2.1: the biggest problem is overfitting",
                    words="`patch_autoencoder` fills its training pictures better than others",
                ),
            ),
        ),
        Sheets("figure 3.2", "direct convolution", ("direct_conv",)),
        Sheets("figure 3.3", "the autoencoder", ("autoencoder",)),
        Sheets(
            "figure 3.5", "the autoencoder that predicts the patch alone", ("patch_autoencoder",), "patches"
        ),
        Sheets("figure 3.6", "the CVAE", ("cvae",), "patches"),
        Sheets("figure 3.6, draws", "several fills of the CVAE", ("cvae",), "diverse"),
        Sheets("figure 3.8", "the GAN with the autoencoder", ("gan_autoencoder",)),
        Sheets("figure 3.9", "good fills of the GAN with direct convolutions", ("gan_direct_conv",), "good"),
        Sheets("figure 3.10", "its failures", ("gan_direct_conv",), "failed"),
        SideBySide("all systems", "side by side", SYSTEMS),
        Curves("losses", "over the training", SYSTEMS),
    ),
)
# Figures 3.4 and 3.7 are other people's drawings of networks: those of `patch_autoencoder` and `glcic`.
DRAWINGS = ("figure 3.4", "figure 3.7")
