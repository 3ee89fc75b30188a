"""`unet_vs_cgan`: table 1, figures 4 and 5."""

from __future__ import annotations

from inpainting_tf.book.claims import Claim
from inpainting_tf.book.entries import Course, Sheets, SideBySide, Table
from inpainting_tf.book.pages import Paper

PRINTED = ("unet_l1", "unet_l1_swish", "unet_l1_dssim", "unet_l1_dssim_swish", "cgan", "cgan_swish")
IN_TEXT = ("unet", "unet_swish", "unet_mse_dssim", "unet_mse_dssim_swish")
WHERE = "table 1"

PAPER = Paper(
    "unet_vs_cgan",
    "U-Nets against a conditional GAN",
    (
        Table(
            "table 1",
            "losses and activations of U-Nets, and a GAN",
            (*PRINTED, *IN_TEXT),
            claims=(
                Claim("unet_l1", "cgan", "raw_psnr", WHERE),
                Claim("unet_l1_swish", "cgan_swish", "raw_psnr", WHERE),
                Claim("unet_l1", "unet_l1_swish", "raw_psnr", WHERE),
                Claim("unet_l1_dssim", "unet_l1_dssim_swish", "raw_psnr", WHERE),
                Claim("cgan", "cgan_swish", "raw_psnr", WHERE),
                Claim("unet_l1", "unet_l1_dssim", "raw_psnr", "section 4, slightly"),
                Claim("unet_l1_swish", "unet_l1_dssim_swish", "raw_psnr", "section 4, slightly"),
            ),
            columns=("raw_psnr", "raw_ssim", "hole_psnr", "psnr", "ssim"),
            course="epoch",
            note=(
                "The U-Nets train until their validation has not improved for some epochs; the best epoch "
                "of each is measured (below). The report measures the whole generated picture: raw PSNR is "
                "what to compare with. At the paper's size its U-Nets work at 128x128 and its GANs at "
                "64x64; the classical fills are those of the first system's size."
            ),
        ),
        Course(
            "training time",
            "what the trainings took",
            PRINTED,
            claims=(Claim("unet_l1", "cgan", "operations", "section 4: training time as well"),),
        ),
        SideBySide("figure 4", "all systems on the validation pictures", (*PRINTED, *IN_TEXT)),
        Table(
            "figure 5",
            "semantic inpainting (Yeh et al. 2017)",
            ("semantic_inpainting", "unet_l1", "cgan"),
            claims=(
                Claim(
                    "semantic_inpainting",
                    "unet_l1",
                    "psnr",
                    "section 3: 19.4 against 6.2 dB",
                    in_words=True,
                    forms=(Claim("semantic_inpainting", "unet_l1", "hole_psnr", "the same in the hole"),),
                ),
            ),
            note=(
                "The 19.4 dB are Yeh et al.'s own, of composites of their own pictures; the report's 6.2 dB "
                "are of whole predictions, which the semantic system does not make: its output has the "
                "known pixels, so that its raw numbers are those of the composite. The claim is judged by "
                "composites of both, and in the hole. Each fill is searched for, hence its time per picture."
            ),
        ),
        Sheets("figure 5, pictures", "semantic inpainting (Yeh et al. 2017)", ("semantic_inpainting",)),
        SideBySide(
            "drawn faces",
            "some of the same networks, which know photographs",
            ("unet_l1", "unet_l1_dssim", "cgan", "semantic_inpainting"),
            source="synthetic_faces",
        ),
    ),
)
