"""`multiscale_context_encoder`: tables VI and VII, figures 10 to 16."""

from __future__ import annotations

from inpainting_tf.book.claims import Claim
from inpainting_tf.book.entries import Course, EncoderAccuracy, Progress, SideBySide, Table
from inpainting_tf.book.pages import Paper

ABLATION = ("multiscale_encoder_decoder", "multiscale_local", "multiscale_context_encoder")
WITH_8X8 = ("multiscale_encoder_decoder_8x8", "multiscale_context_encoder_8x8")
OTHERS = ("context_encoder", "glcic_centred")
OURS = "multiscale_context_encoder"
INVENTED = (
    "the weights of the losses, the lengths of the phases, and the encoder's kernels and strides are lost "
    "with the paper's tables. Ours shrink a picture of 32 pixels to one position at the fourth convolution."
)

PAPER = Paper(
    "multiscale_context_encoder",
    "A Context Encoder with local and global discriminators",
    (
        Table(
            "table VI",
            "PatchMatch, Context Encoder, GLCIC and the paper's system",
            (*OTHERS, OURS),
            claims=(
                *(Claim(OURS, other, "psnr", "quantitative assessment") for other in (*OTHERS, "patchmatch")),
                *(Claim(OURS, other, "ssim", "quantitative assessment") for other in (*OTHERS, "patchmatch")),
            ),
            course="epoch",
            note="The table's numbers were lost with the paper's figures; its words rank the systems.",
        ),
        Table(
            "table VII",
            "without discriminators, with the local one, with both",
            (*ABLATION, *WITH_8X8),
            claims=(
                Claim("multiscale_local", "multiscale_encoder_decoder", "psnr", "figure 12, table VII"),
                Claim(OURS, "multiscale_local", "psnr", "figure 12, table VII"),
                Claim(OURS, "multiscale_encoder_decoder", "ssim", "figure 12, table VII"),
            ),
            course="epoch",
            note="The systems with 8x8 in their names keep that many positions before the last convolution.",
            invented=INVENTED,
        ),
        Course(
            "training time",
            "what the trainings took",
            (*OTHERS, OURS),
            claims=(
                Claim(OURS, "glcic_centred", "operations", "section on figure 11: GLCIC is time-consuming"),
            ),
        ),
        Progress("figure 10", "outputs over the training, after each tenth of it", (OURS,)),
        SideBySide(
            "figure 11", "table VI's systems side by side", (*OTHERS, OURS), baselines=("patchmatch",)
        ),
        SideBySide("figure 12", "the three systems of table VII", ABLATION),
        EncoderAccuracy("figure 13", "two encoders as classifiers of CIFAR-10"),
        SideBySide("figures 14, 15", "another data set: drawn faces", (f"{OURS}_drawn",)),
        SideBySide(
            "figure 16",
            "pictures of another kind than those it was trained on",
            (*OTHERS, OURS),
            source="synthetic_faces",
        ),
    ),
)
