"""`cifar_cars`: figures 3.2 to 3.10, and the table of metrics that the thesis lacks."""

from __future__ import annotations

from inpainting_tf.book.claims import Claim
from inpainting_tf.book.entries import Curves, Sheets, SideBySide, Table
from inpainting_tf.book.pages import Paper

ALPHAS = tuple(
    f"{name}{ending}"
    for name in ("gan_autoencoder", "gan_direct_conv")
    for ending in ("_low_alpha", "_high_alpha")
)
SYSTEMS = ("direct_conv", "autoencoder", "patch_autoencoder", "cvae", "gan_autoencoder", "gan_direct_conv")

PAPER = Paper(
    "cifar_cars",
    "Six ways to repair cars",
    (
        Table(
            "figures 3.2 to 3.10",
            "all six systems, measured (the thesis prints no numbers)",
            (*SYSTEMS, *ALPHAS),
            claims=(
                Claim("autoencoder", "direct_conv", "hole_psnr", "section 3.2: more specific contents"),
                Claim("autoencoder", "patch_autoencoder", "hole_psnr", "section 3.2.1: not very promising"),
                Claim("gan_direct_conv", "gan_autoencoder", "hole_psnr", "section 3.4.1: much better"),
            ),
            course="epoch",
            note=(
                "What the thesis says of its systems is about looks; PSNR does not ask for what could be in "
                "a hole, and the two GANs never see what was in one."
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
