"""`--init`: a training that starts from the weights of a trained network."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from absl import logging

from inpainting_tf import models, sizes
from inpainting_tf.data import records
from inpainting_tf.errors import InputError
from inpainting_tf.inpainter import Inpainter
from inpainting_tf.recipes import Recipe, assembly
from inpainting_tf.runs import loading, packed
from inpainting_tf.runs.run import Run, open_run
from inpainting_tf.training import Adversarial, Reconstruction

# Arguments of builders on which weights depend, and their flags.
_FLAGS = {"width": "--width", "image_size": "--image_size"}


def resolved(recipe: Recipe) -> Recipe:
    """The recipe with an `init` that means the same in every folder: a shipped model, or an absolute path."""
    if recipe.init is None:
        return recipe
    place = models.locate(recipe.init)
    name = place.name if models.is_shipped(place) else str(place.resolve())
    return dataclasses.replace(recipe, init=name)


def assign(init: str, recipe: Recipe, trainer: Reconstruction, test: Iterable[str]) -> str:
    """Loads the networks of `init` into a trainer; returns what was loaded, in words.

    The completion network's weights are those that `loading.load` has; where `init` is a run, packed or not,
    which kept its discriminator, and the trainer has one, that is loaded too. Optimizers begin anew.

    Args:
        init: a shipped model's name, a run's folder, packed or not, or a `.keras` file.
        recipe: of the training.
        trainer: freshly built.
        test: the names of the test pictures, none of which should have been among those of `init`.

    Raises:
        InputError: no such model, or networks of another kind, width or size.
    """
    try:
        network = loading.inpainter(init)
    except InputError as error:
        raise InputError(f"`init` must be a trained network. Received {init!r}: {error}") from error
    if fault := packed.difference(packed.of(network), trainer.completion):
        raise InputError(f"{_begin(init)} {_misfit(network, recipe) or fault}.")
    packed.assign(packed.of(network), trainer.completion)
    folder, judged = models.locate(init), False
    if (folder / "recipe.json").is_file():
        run = open_run(folder)
        _warn_of_seen(init, run, recipe, test)
        judged = isinstance(trainer, Adversarial) and _assign_discriminator(init, run, recipe, trainer)
    return f"the weights of {init}{' and its discriminator' if judged else ''}"


def _assign_discriminator(init: str, run: Run, recipe: Recipe, trainer: Adversarial) -> bool:
    """Loads the discriminator that a run kept; whether it kept one."""
    stored = loading.discriminator(run)
    if stored is None:
        return False
    if fault := packed.difference(stored, trainer.discriminator):
        raise InputError(
            f"{_begin(init)} {_other_discriminator(run.recipe, recipe) or fault}. Name a .keras file to "
            "start from its completion network alone."
        )
    packed.assign(stored, trainer.discriminator)
    return True


def _begin(init: str) -> str:
    return f"`init` must be a network like the one that is trained. Received {init!r}:"


def _misfit(network: Inpainter, recipe: Recipe) -> str:
    """In what a network's builder and arguments differ from a recipe's, in words; empty if in nothing."""
    there, here = network.built_by, assembly.completion_network(recipe).built_by
    if there.builder != here.builder:
        return there.builder and f"{_a(there.builder)}, not {_a(here.builder)}"
    return _differing(there.arguments, here.arguments)


def _other_discriminator(there: Recipe, here: Recipe) -> str:
    """The same for the discriminators of two recipes."""
    one, two = there.discriminator, here.discriminator
    assert one is not None and two is not None, "both are trained adversarially"
    if one.builder != two.builder:
        return f"its discriminator is {_a(one.builder)}, not {_a(two.builder)}"
    settings = [
        {"width": network.width, "image_size": recipe.data.image_size, **network.arguments}
        for network, recipe in ((one, there), (two, here))
    ]
    fault = _differing(*settings)
    return fault and f"its discriminator has {fault}"


def _a(name: str) -> str:
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _differing(there: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    """The first argument in which two calls differ, with a flag's name where it has one; empty if in none."""
    for name in (*_FLAGS, *there):
        one, two = there.get(name), here.get(name)
        if name == "image_size":
            one, two = one and sizes.text(one), two and sizes.text(two)
        if one == two or name == "name" or (name == "image_size" and one is None):  # None: for any size
            continue
        advice = f" (pass {_FLAGS[name]}={one})" if name in _FLAGS else ""
        return f"{name} {one}, not {two}{advice}"
    return ""


def _warn_of_seen(init: str, run: Run, recipe: Recipe, test: Iterable[str]) -> None:
    """Warns if test pictures are among those that a run was trained on: every figure would flatter."""
    if run.recipe.data.source != recipe.data.source:
        return
    trained = records.lookup(run.pictures().get("train", ()))
    seen = {name for name in test if name in trained}
    if seen:
        logging.warning(
            "%d of the test pictures, e.g. %s, have the names of pictures that %s was trained on. If they "
            "are the same, the figures on the test pictures are too good.",
            len(seen),
            min(seen),
            init,
        )
