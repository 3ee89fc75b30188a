"""`face_gan`: tables 4.1 to 4.3, figures 4.1 to 4.12, 5.1 to 5.3."""

from __future__ import annotations

from inpainting_tf.book.claims import Claim
from inpainting_tf.book.entries import (
    Bars,
    Course,
    Curves,
    Ratings,
    Removal,
    Sheets,
    SideBySide,
    Table,
    WrongColours,
)
from inpainting_tf.book.pages import Paper
from inpainting_tf.ops import metrics

THREE = ("glcic", "one_autoencoder", "double_autoencoder")
PLAIN = ("one_autoencoder_plain", "double_autoencoder_plain")
# All test pictures with sunglasses.
SUNGLASSES = ("000447.jpg", "003049.jpg", "004242.jpg")
AS_PRINTED = ("PSNR by eq. 3.16", metrics.as_printed_face_gan)

PAPER = Paper(
    "face_gan",
    "Faces repaired by GANs with one and two autoencoders",
    (
        Table(
            "table 4.1",
            "the local against the global discriminator",
            ("one_autoencoder_local", "one_autoencoder_global", "one_autoencoder"),
            claims=(
                Claim("one_autoencoder_global", "one_autoencoder_local", "psnr", "table 4.1"),
                Claim("one_autoencoder_global", "one_autoencoder_local", "ssim", "table 4.1"),
                Claim("one_autoencoder", "one_autoencoder_local", "psnr", "section 4.1", in_words=True),
                Claim("one_autoencoder", "one_autoencoder_global", "psnr", "section 4.1", in_words=True),
            ),
            as_printed=AS_PRINTED,
        ),
        Table(
            "table 4.2",
            "picture by picture",
            ("glcic", "one_autoencoder"),
            note=(
                "The thesis prints four pictures: 17.76, 19.54, 16.64 and 14.39 dB for Iizuka et al.'s "
                "network; 58.13, 18.40, 31.44 and 19.47 dB for its own. Here it is all test pictures; each "
                "has its row in `per_image.csv`."
            ),
            printed="table 4.3",
            claims=(Claim("one_autoencoder", "glcic", "psnr", "table 4.2, averages"),),
            as_printed=AS_PRINTED,
        ),
        Table(
            "table 4.3",
            "three completion networks",
            (*THREE, "one_autoencoder_mse", *PLAIN, "glcic_gentle"),
            claims=(
                Claim("one_autoencoder", "glcic", "psnr", "table 4.3"),
                Claim("double_autoencoder", "one_autoencoder", "psnr", "table 4.3"),
                Claim("one_autoencoder", "glcic", "ssim", "table 4.3"),
                Claim("double_autoencoder", "one_autoencoder", "ssim", "table 4.3"),
                Claim("one_autoencoder", "double_autoencoder", "seconds", "section 4.2"),
                Claim("one_autoencoder", "one_autoencoder_mse", "psnr", "section 3.4.3: the joint loss"),
            ),
            as_printed=AS_PRINTED,
            course="epoch",
            note=(
                "`one_autoencoder_mse` is the network under the MSE alone for as many epochs. The plain "
                "ones lack the batch normalization that the thesis does not print, and are trained once. "
                "`glcic_gentle` has a schedule of ours, with a short joint phase and half of alpha; no "
                "claim is about it."
            ),
        ),
        Course(
            "training time",
            "what the trainings took",
            THREE,
            claims=(
                Claim("one_autoencoder", "glcic", "operations", "section 4.1: training time is cut down"),
                Claim("one_autoencoder", "double_autoencoder", "operations", "section 6.2: slow to train"),
            ),
        ),
        Curves("figures 4.1, 4.2", "completion and discriminator losses", THREE),
        Sheets("figure 4.3", "results of the new model", ("one_autoencoder",)),
        Sheets(
            "figure 4.4", "Pathak et al.'s Context Encoder on the same data", ("context_encoder_rectangles",)
        ),
        Sheets("figure 4.5", "the local discriminator alone", ("one_autoencoder_local",)),
        Sheets(
            "figure 4.6", "failures of the local discriminator", ("one_autoencoder_local",), which="failed"
        ),
        Sheets("figure 4.7", "the global discriminator alone", ("one_autoencoder_global",)),
        Sheets("figure 4.8", "Iizuka et al.'s network", ("glcic",)),
        Sheets("figure 4.9", "one autoencoder", ("one_autoencoder",), which="good"),
        Sheets("figure 4.10", "two autoencoders", ("double_autoencoder",)),
        Removal(
            "figure 4.11",
            "sunglasses removed",
            ("double_autoencoder",),
            SUNGLASSES,
            (
                Claim(
                    "double_autoencoder",
                    "sunglasses",
                    "naturalness",
                    where="figure 4.11",
                    words="`double_autoencoder` recovers the eyes behind sunglasses",
                ),
            ),
        ),
        WrongColours("figure 4.12", "a failure: wrong colours", ("double_autoencoder",)),
        Bars("figure 5.1", "PSNR of the three networks", THREE, metrics=("psnr",)),
        Bars("figure 5.2", "SSIM of the three networks", THREE, metrics=("ssim",)),
        Ratings(
            "figure 5.3",
            "how natural people find the fills",
            THREE,
            claims=tuple(
                Claim("double_autoencoder", other, "naturalness", "figure 5.3") for other in THREE[:2]
            ),
        ),
        SideBySide(
            "drawn faces", "the same networks, which know photographs", THREE, source="synthetic_faces"
        ),
    ),
)
