"""`skip_connection`: tables 1 and 2, figures 7 and 8."""

from __future__ import annotations

from inpainting_tf.book.claims import Claim
from inpainting_tf.book.entries import Course, Epochs, Poses, Progress, SideBySide, Table
from inpainting_tf.book.pages import Paper

HOLE_ONLY, WHOLE = ("ce_model0", "ce_model1"), ("ce_model2", "ce_model3")

PAPER = Paper(
    "skip_connection",
    "Context Encoders with and without skip connections",
    (
        Table(
            "table 1",
            "experiment 1: with and without the channel-wise fully connected layer",
            HOLE_ONLY,
            claims=(
                Claim(
                    "ce_model0",
                    "ce_model1",
                    "raw_lpips",
                    "section 5.1: no significant difference",
                    tie=True,
                    instead="ssim",
                ),
            ),
            course="epoch",
            note=(
                "The report judges by LPIPS alone. It has columns here, and decides, where its weights are "
                "given (`--lpips_weights`); else the table is judged by other metrics. Here and in table 2 "
                "the last epoch that it prints is measured, 36 or 38 of 40."
            ),
        ),
        Table(
            "table 2",
            "experiment 2: the whole picture, with and without skip connections",
            WHOLE,
            claims=(
                Claim("ce_model3", "ce_model2", "raw_lpips", "table 2", instead="raw_ssim"),
                Claim("ce_model3", "ce_model2", "raw_psnr", "section 5.2: the known part is sharp"),
            ),
            columns=("raw_psnr", "raw_ssim", "hole_psnr", "psnr", "ssim"),
            course="epoch",
            note=(
                "The report ranks by LPIPS of the whole prediction, as blurred known pixels are its point. "
                "Without the weights of LPIPS the table is judged by other metrics of the whole prediction."
            ),
        ),
        Epochs("tables 1, 2, epochs", "the epochs that the report prints", (*HOLE_ONLY, *WHOLE)),
        Course(
            "convergence",
            "when the trainings settle",
            (*HOLE_ONLY, *WHOLE),
            claims=(Claim("ce_model3", "ce_model2", "settled", "section 5.2: convergence speed"),),
        ),
        Poses(
            "front faces",
            "faces that are turned away, and front faces",
            WHOLE,
            claims=(
                Claim(
                    "ce_model3",
                    "ce_model3",
                    "hole_psnr",
                    "section 6: relatively poor for front faces",
                    words="`ce_model3` fills turned faces better than front ones",
                ),
            ),
        ),
        SideBySide("figure 7", "models 0 and 1", HOLE_ONLY),
        Progress("figure 7, epochs", "models 0 and 1 over the training", HOLE_ONLY),
        SideBySide("figure 8", "models 2 and 3, whole predictions", WHOLE, raw=True),
        Progress("figure 8, epochs", "models 2 and 3 over the training", WHOLE),
        Table(
            "beside them",
            "Pathak et al.'s Context Encoder and all four models on one hole",
            ("context_encoder", *HOLE_ONLY, *WHOLE),
            note="Not a table of the report: its two tables cannot be of the same measurement (see below).",
        ),
        SideBySide(
            "drawn faces",
            "the same networks, which know photographs",
            ("context_encoder", *HOLE_ONLY, *WHOLE),
            source="synthetic_faces",
        ),
    ),
)
