"""Builds what a recipe names: networks, optimizers, a compiled trainer."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import keras

from inpainting_tf import backends, networks
from inpainting_tf.data import pipeline
from inpainting_tf.data.decoding import Images
from inpainting_tf.data.source import ALIGNED
from inpainting_tf.errors import InputError, unknown
from inpainting_tf.inpainter import Inpainter
from inpainting_tf.ops import losses, masks
from inpainting_tf.recipes.recipe import Network, Objective, Optimizer, Recipe
from inpainting_tf.training import (
    Adversarial,
    BoundaryWeighted,
    Generative,
    Reconstruction,
    Variational,
    Weight,
    precision,
)


def completion_network(recipe: Recipe, **overrides: Any) -> Inpainter:
    """The recipe's completion network, freshly initialised; `overrides` replace the recipe's arguments."""
    return _build(recipe.network, **{"image_size": recipe.data.image_size, **overrides})


def portable_network(recipe: Recipe) -> Inpainter:
    """The completion network as it is saved: in float32, and for any picture size if its builder can."""
    overrides = {"image_size": None} if networks.COMPLETION[recipe.network.builder].any_size else {}
    with precision.policy("float32"):
        network = completion_network(recipe, **overrides)
    side = min(recipe.data.shape)
    aligned = recipe.data.source in ALIGNED or masks.of_faces(recipe.mask.train)
    network.set_training((side, round(masks.shown(recipe.mask.train) * side)), aligned)
    return network


def portable_discriminator(recipe: Recipe) -> keras.Model | None:
    """The discriminator as it is saved, in float32; None where the recipe has none."""
    if recipe.discriminator is None:
        return None
    with precision.policy("float32"):
        return _build(recipe.discriminator, image_size=recipe.data.image_size)


def training_batches(
    recipe: Recipe,
    completion: Inpainter,
    images: Images,
    start: int,
    stop: int,
    share: slice = slice(None),
) -> Any:
    """The recipe's batches of steps `start` to `stop`; see `inpainting_tf.data.pipeline.training_batches`.

    Their holes are prefilled if the network `completion` has a prefill; of each batch the rows `share`.
    """
    return pipeline.training_batches(
        images,
        recipe.mask.train,
        batch_size=recipe.batch_size,
        seed=recipe.seed,
        flip=recipe.data.flip,
        crop=recipe.data.crop,
        start=start,
        stop=stop,
        prefill=completion.facts.prefill,
        share=share,
    )


def trainer(recipe: Recipe, total_steps: int) -> Reconstruction:
    """The recipe's networks and optimizers in a compiled trainer for `total_steps` steps."""
    model = _TRAINERS[recipe.trainer](recipe, completion_network(recipe), total_steps)
    model.compile(*_optimizers(recipe, total_steps), jit_compile=recipe.jit_compile)
    return model


def _optimizers(recipe: Recipe, total_steps: int) -> list[keras.Optimizer]:
    """One for the completion network and, where there is a second network to train, one for that."""
    alone, joint = recipe.schedule.boundaries(total_steps) if recipe.trainer == "adversarial" else (0, 0)
    first = _optimizer("optimizer", recipe.optimizer, total_steps - (joint - alone))
    if recipe.trainer in ("reconstruction", "variational"):
        return [first]
    settings, name = recipe.discriminator_optimizer, "discriminator_optimizer"
    return [first, _optimizer(name, settings, total_steps - alone)]


def _reconstruction(recipe: Recipe, completion: Inpainter, total_steps: int) -> Reconstruction:
    return Reconstruction(completion, _loss(recipe.objective))


def _variational(recipe: Recipe, completion: Inpainter, total_steps: int) -> Variational:
    return Variational(completion, _loss(recipe.objective), recipe.objective.kl_weight or 0.0)


def _generative(recipe: Recipe, completion: Inpainter, total_steps: int) -> Generative:
    return Generative(completion)


def _adversarial(recipe: Recipe, completion: Inpainter, total_steps: int) -> Adversarial:
    objective = recipe.objective
    assert recipe.discriminator is not None, "Recipe.check requires one"
    discriminator = _build(recipe.discriminator, image_size=recipe.data.image_size)
    return Adversarial(
        completion,
        discriminator,
        _loss(objective),
        losses.ADVERSARIAL[objective.adversarial],
        _judges(recipe.discriminator, recipe, discriminator.output.shape[-1], total_steps),
        recipe.schedule.boundaries(total_steps),
        convex=objective.convex,
        composited=objective.judged == "composite",
    )


_TRAINERS: dict[str, Callable[[Recipe, Inpainter, int], Reconstruction]] = {
    "reconstruction": _reconstruction,
    "variational": _variational,
    "adversarial": _adversarial,
    "generative": _generative,
}


def _judges(network: Network, recipe: Recipe, count: int, total_steps: int) -> list[Weight]:
    """The weight of each of the discriminator's judges, from the joint phase on."""
    schedule, objective = recipe.schedule, recipe.objective
    local, further = objective.alpha, objective.alpha_global
    if (further is None) != (count == 1):
        raise InputError(
            "`objective.alpha_global` must be given for a discriminator with two judges, and only there. "
            f"Received {further!r} for {network.builder!r}, which has {count}."
        )
    joint, planned = schedule.boundaries(total_steps)[1], schedule.planned_steps(total_steps)
    ramp, later = round(schedule.ramp_share * planned), joint + round(schedule.global_share * planned)
    weights = [Weight(local, joint, ramp)]
    return weights if further is None else [*weights, Weight(further, later, ramp)]


def _loss(objective: Objective) -> Callable[..., Any]:
    """The reconstruction term as a function of target, prediction and mask."""
    if objective.boundary == 0:
        return losses.RECONSTRUCTION[objective.reconstruction]
    return BoundaryWeighted(objective.reconstruction, objective.boundary, objective.boundary_reach)


def _build(network: Network, **overrides: Any) -> keras.Model:
    builder = networks.get(network.builder)
    arguments = {"width": network.width, **network.arguments, **overrides}
    known = inspect.signature(builder).parameters
    for name in arguments:
        if name not in known:
            raise unknown(f"argument of {network.builder}", name, known)
    return builder(**arguments)


def _optimizer(name: str, settings: Optimizer, updates: int) -> keras.Optimizer:
    """A Keras optimizer whose decay ends after so many updates, with loss scaling under float16.

    `name` begins the paths of its variables, which by default would depend on what the process has built.
    """
    rate = settings.learning_rate
    if settings.decay == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(rate, max(1, updates))
    if settings.name == "adam":
        optimizer = backends.Adam(rate, beta_1=settings.beta_1, name=name)
    else:
        optimizer = keras.optimizers.Adadelta(rate, name=name)
    if keras.mixed_precision.dtype_policy().compute_dtype == "float16":
        # Keras wraps the optimizer given to `compile` alone; with two of them each must be wrapped here.
        return keras.optimizers.LossScaleOptimizer(optimizer, name=f"{name}_loss_scale")
    return optimizer
