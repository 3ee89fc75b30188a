"""Every model of the five papers as a recipe, one module per paper; and our own, `best` and `photos`."""

from __future__ import annotations

from typing import Any

from inpainting_tf import environment, sizes
from inpainting_tf.errors import unknown
from inpainting_tf.inpainter import Inpainter
from inpainting_tf.recipes import (
    best,
    cifar_cars,
    face_gan,
    multiscale_context_encoder,
    photos,
    skip_connection,
    unet_vs_cgan,
)
from inpainting_tf.recipes.assembly import completion_network
from inpainting_tf.recipes.recipe import Recipe

PAPERS = (face_gan, unet_vs_cgan, skip_connection, cifar_cars, multiscale_context_encoder, best, photos)
RECIPES: dict[str, Recipe] = {recipe.name: recipe for paper in PAPERS for recipe in paper.RECIPES}

__all__ = ["RECIPES", "Recipe", "build", "get", "table"]


def get(name: str, preset: str = "paper") -> Recipe:
    """The recipe of that name at the size of a preset: "paper", "gpu", "laptop", "demo" or "smoke".

    Raises:
        InputError: no such model or preset; the message gives the nearest one.

    Example:
        >>> from inpainting_tf import recipes
        >>> recipe = recipes.get("glcic", "laptop").override({"schedule.epochs": 40})
        >>> recipe.data.image_size, recipe.schedule.epochs
        (64, 40)
    """
    if name not in RECIPES:
        raise unknown("model", name, RECIPES)
    return RECIPES[name].with_preset(preset)


def build(name: str, **overrides: Any) -> Inpainter:
    """The untrained completion network of a model.

    Args:
        name: a model's name, e.g. "glcic"; `train.py --list` shows them all.
        overrides: arguments of its builder, e.g. `image_size=64, width=32`; the rest is the paper's.

    Returns:
        An `Inpainter`: a Keras model from {"image": [N, H, W, 3] in [0, 1], "mask": [N, H, W, 1],
        1 = missing} to the whole predicted picture [N, H, W, 3] in [0, 1].

    Raises:
        InputError: no such model, an argument that its builder does not take, or defaults of Keras that
            networks cannot take, see `environment.require_defaults`.

    Example:
        >>> import inpainting_tf
        >>> model = inpainting_tf.build("unet", image_size=(64, 96), width=4)
        >>> model.output_shape
        (None, 64, 96, 3)
    """
    environment.require_defaults()
    return completion_network(get(name), **overrides)


def table() -> str:
    """Every model in a line: name, paper, data set, weights of the completion network, what it is."""
    rows, counts = [("model", "paper", "data set", "weights", "")], {}
    for recipe in RECIPES.values():
        network = repr((recipe.network, recipe.data.image_size))
        if network not in counts:  # several recipes train the same network, and building one takes time
            counts[network] = completion_network(recipe).count_params()
        data = f"{recipe.data.source} {sizes.text(recipe.data.image_size)} px"
        rows.append((recipe.name, recipe.paper, data, f"{counts[network] / 1e6:.2f} M", recipe.summary))
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    return "\n".join("  ".join([*map(str.ljust, row, widths), row[-1]]).rstrip() for row in rows)
