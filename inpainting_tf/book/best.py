"""`best`: this package's own system beside those of the papers, on each paper's holes."""

from __future__ import annotations

from inpainting_tf.book import face_gan, multiscale_context_encoder, skip_connection, unet_vs_cgan
from inpainting_tf.book.claims import Claim
from inpainting_tf.book.entries import Contest, SideBySide, Table
from inpainting_tf.book.pages import Paper

ON_RECTANGLES = (
    *face_gan.THREE,
    "one_autoencoder_local",
    "one_autoencoder_global",
    "context_encoder_rectangles",
)
ON_CENTRE = (*unet_vs_cgan.PRINTED, *unet_vs_cgan.IN_TEXT, "semantic_inpainting")
ON_HALF = (*multiscale_context_encoder.OTHERS, *multiscale_context_encoder.ABLATION)
ON_ANYWHERE = (*skip_connection.HOLE_ONLY, *skip_connection.WHOLE)
# The first is complete, each other lacks a part.
PARTS = ("best_brief", "best_grey", "best_without_skips", "best_undilated", "best_masked_mse")


def _contest(key: str, title: str, name: str, others: tuple[str, ...]) -> Contest:
    ours = (name, f"{name}_short")
    return Contest(key, title, (*ours, *others), ours=ours)


PAPER = Paper(
    "best",
    "Our own system, beside all of it",
    (
        _contest("rectangles", "on the holes of `face_gan`", "best", ON_RECTANGLES),
        _contest("centre", "on the hole of `unet_vs_cgan`", "best_centre", ON_CENTRE),
        _contest("half", "on the hole of `multiscale_context_encoder`", "best_half", ON_HALF),
        _contest(
            "anywhere",
            "trained on the holes of `skip_connection` at random places, tested on the centre",
            "best_anywhere",
            ON_ANYWHERE,
        ),
        Table(
            "parts",
            "what each part of `best` gives",
            PARTS,
            claims=tuple(Claim(PARTS[0], other, "hole_psnr", "the part helps") for other in PARTS[1:]),
            columns=("hole_psnr", "hole_mae", "psnr", "ssim"),
            course="epoch",
        ),
        SideBySide("drawn faces", "best, which knows photographs", ("best",), source="synthetic_faces"),
    ),
    about=(
        "Not a paper's, and no paper's verdict: the network `best` of this package. Its parts were chosen "
        "by 64 pictures that are test pictures now, before there was a validation split; the table of its "
        "parts has the validation pictures' course beside it, by which they would be chosen again. Each "
        "opponent is a statement, for each hole one; both were trained on that opponent's own holes, and "
        "what trained ours had computed no more: multiply-adds of all convolutions and dense layers, "
        "forward and backward, of completion network and discriminator, over the whole training. The loss "
        "of `best` is the logarithm of the holes' squared error, so that hole PSNR favours it: a statement "
        "holds where L1 and SSIM (and LPIPS, where it is measured) say the same."
    ),
    ours=True,
)
