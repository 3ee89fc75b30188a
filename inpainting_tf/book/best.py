"""`best`: this package's own system beside those of the papers, on each paper's hole."""

from __future__ import annotations

from inpainting_tf.book import face_gan, multiscale_context_encoder, skip_connection, unet_vs_cgan
from inpainting_tf.book.claims import Claim
from inpainting_tf.book.entries import SideBySide, Table
from inpainting_tf.book.pages import Paper

WHERE = "the aim of `best`"
ON_RECTANGLES = (
    *face_gan.THREE,
    "one_autoencoder_local",
    "one_autoencoder_global",
    "context_encoder_rectangles",
)
ON_CENTRE = (*unet_vs_cgan.PRINTED, *unet_vs_cgan.IN_TEXT, "semantic_inpainting")
# The first is complete, each other lacks a part.
PARTS = ("best_brief", "best_grey", "best_without_skips", "best_undilated", "best_masked_mse")
ON_HALF = (
    *multiscale_context_encoder.OTHERS,
    *skip_connection.HOLE_ONLY,
    *skip_connection.WHOLE,
    *multiscale_context_encoder.ABLATION,
)


def _beside(key: str, title: str, best: str, others: tuple[str, ...]) -> Table:
    """A table whose claims are ours: that `best` is above every other system."""
    claims = [Claim(best, other, metric, WHERE) for other in others for metric in ("hole_psnr", "ssim")]
    return Table(key, title, (best, *others), claims=tuple(claims), course="minutes")


PAPER = Paper(
    "best",
    "What is best of all of it",
    (
        _beside("rectangles", "on the holes of `face_gan`", "best", ON_RECTANGLES),
        _beside("centre", "on the hole of `unet_vs_cgan`", "best_centre", ON_CENTRE),
        _beside(
            "half",
            "on the hole of `skip_connection` and `multiscale_context_encoder`",
            "best_half",
            ON_HALF,
        ),
        _beside("parts", "what each part of `best` gives", PARTS[0], PARTS[1:]),
        SideBySide("drawn faces", "best, which knows photographs", ("best",), source="synthetic_faces"),
    ),
    about="Not a paper's: the network `best` of this package, trained no longer than what it stands beside.",
)
