"""`best`: this package's own system after the five papers, on the faces and holes of three of them.

Command: python train.py --model=best --dataset=celeba --data_dir=FOLDER [--preset=laptop]

The network of `networks.best` under a reconstruction loss alone, the logarithm of the holes' MSE, with an
annealed learning rate. In the laptop preset it computes no more than the systems it is compared with.
`PARTS` is the ablation: a shorter training, and the same with one part replaced.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from inpainting_tf.data import FACES
from inpainting_tf.ops.masks import Mask
from inpainting_tf.recipes import multiscale_context_encoder, presets, skip_connection, unet_vs_cgan
from inpainting_tf.recipes.recipe import Masks, Network, Objective, Optimizer, Recipe, Schedule


def _laptop(epochs: int) -> dict[str, Any]:
    return {**presets.LAPTOP_FACES, "network.width": 32, "schedule.epochs": epochs}


BEST = Recipe(
    name="best",
    paper="inpainting_tf",
    summary="skip connections, dilated residual blocks; corrects a smooth fill (holes of face_gan)",
    network=Network("best"),
    trainer="reconstruction",
    data=FACES,
    objective=Objective("masked_log_mse"),
    schedule=Schedule(epochs=100, completion_share=1.0, discriminator_share=0.0),
    optimizer=Optimizer(name="adam", learning_rate=1e-3, decay="cosine"),
    presets={
        "gpu": presets.GPU,
        "laptop": _laptop(16),
        "smoke": {**presets.SMOKE, "network.width": 8},
    },
)


def _variant(name: str, summary: str, epochs: int, **changes: Any) -> Recipe:
    """`best` with changes, and so many epochs in the laptop preset."""
    sizes = {**BEST.presets, "laptop": _laptop(epochs)}
    return dataclasses.replace(BEST, name=name, summary=summary, presets=sizes, **changes)


def _on(name: str, train: Mask, test: Mask, where: str, epochs: int, short: int) -> tuple[Recipe, Recipe]:
    """`best` on the holes of another paper: a training, and one that computes no more than the cheapest."""
    summary = f"best on the holes of {where}"
    return (
        _variant(name, summary, epochs, mask=Masks(train, test)),
        _variant(f"{name}_short", f"{summary}, briefly", short, mask=Masks(train, test)),
    )


# Each opponent is met by the longest of them that computes no more than it: `recipes.operations`.
SHORT = _variant("best_short", "best, briefly", 2)
ON_CENTRE = _on("best_centre", unet_vs_cgan.HOLE, unet_vs_cgan.HOLE, "unet_vs_cgan", 8, 3)
ON_HALF = _on(
    "best_half", multiscale_context_encoder.HOLE, multiscale_context_encoder.HOLE, "context_encoder", 12, 1
)
# Trained at random places and tested on the centre, as models 0 to 3.
ON_ANYWHERE = _on("best_anywhere", skip_connection.ANYWHERE, skip_connection.CENTRED, "skip_connection", 6, 2)


def _brief(name: str, what: str, **changes: Any) -> Recipe:
    """`best` with less training, changed in one thing."""
    return _variant(name, f"best after a brief training{what}", 5, **changes)


PARTS = (
    _brief("best_brief", ""),
    _brief("best_grey", ", from a grey hole", network=Network("best", arguments={"fill": "grey"})),
    _brief(
        "best_without_skips",
        ", without skip connections",
        network=Network("best", arguments={"skips": False}),
    ),
    _brief("best_undilated", ", undilated", network=Network("best", arguments={"dilations": [1, 1, 1, 1]})),
    _brief("best_masked_mse", ", under the MSE itself", objective=Objective("masked_mse")),
)
RECIPES = (BEST, SHORT, *ON_CENTRE, *ON_HALF, *ON_ANYWHERE, *PARTS)
