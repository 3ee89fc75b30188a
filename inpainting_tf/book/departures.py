"""What a training here does otherwise than its paper: the difference of the two recipes, as a table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from inpainting_tf import recipes, sizes, tables
from inpainting_tf.recipes import Recipe

# Dotted fields in words; others are shown as they are.
WORDS = {
    "batch_size": "pictures per step",
    "data.classes": "classes",
    "data.crop": "what is taken of a picture of another shape",
    "data.flip": "mirrored pictures",
    "data.ids": "numbers of the pictures",
    "data.image_size": "side of the pictures in pixels",
    "data.source": "data set",
    "data.test": "test pictures, at most",
    "data.train": "training and validation pictures, at most",
    "data.validation": "validation pictures, at most",
    "discriminator.width": "channels of the discriminator's first convolution",
    "network.arguments.code": "length of the code",
    "network.arguments.iterations": "steps of the search for a code",
    "network.width": "channels of the first convolution",
    "objective.alpha": "weight of the adversarial term",
    "objective.alpha_global": "weight of the global judge's term",
    "optimizer.decay": "learning rate over the training",
    "optimizer.learning_rate": "learning rate",
    "discriminator_optimizer.learning_rate": "learning rate of the discriminator",
    "schedule.completion_share": "share of the first phase",
    "schedule.discriminator_share": "share of the discriminator's own phase",
    "schedule.epochs": "epochs",
    "schedule.patience": "epochs without a better validation that end it",
}
# How it was computed, and which of several trainings it was.
_NONE = {"preset", "seed", "mixed_precision", "jit_compile", "deterministic"}


def of(recipe: Recipe) -> dict[str, tuple[Any, Any]]:
    """The dotted fields in which a training's recipe differs from its paper's: theirs, and the one here."""
    differences = recipes.get(recipe.name).differences(recipe)
    return {field: values for field, values in differences.items() if field not in _NONE}


def table(trained: Iterable[Recipe]) -> str:
    """A row per departure, with the systems that have it; "" where there is none."""
    trained = list(trained)
    having: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for recipe in trained:
        for field, (paper, here) in of(recipe).items():
            having[(WORDS.get(field, f"`{field}`"), _shown(paper), _shown(here))].append(f"`{recipe.name}`")
    if not having:
        return ""
    rows = [["", "the paper's recipe", "here", "systems"]]
    for (what, paper, here), names in sorted(having.items()):
        rows.append([what, paper, here, "all" if len(names) == len(trained) else ", ".join(names)])
    return tables.table(rows, left=(0, 3))


def _shown(value: Any) -> str:
    """A setting in words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "all"
    return sizes.text(value) if isinstance(value, tuple) else str(value)
