"""From a recipe to what it names: networks, optimizers, a compiled trainer."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from inpainting_tf import networks
from inpainting_tf.data import pipeline
from inpainting_tf.errors import InputError, unknown
from inpainting_tf.inpainter import Inpainter
from inpainting_tf.networks.layers import PREFILLS
from inpainting_tf.ops import losses, masks
from inpainting_tf.recipes.recipe import Network, Objective, Optimizer, Recipe
from inpainting_tf.training import Adversarial, Generative, Reconstruction, Variational, Weight, precision


def completion_network(recipe: Recipe, **overrides: Any) -> Inpainter:
    """The recipe's completion network, freshly initialised; `overrides` go before the recipe's arguments."""
    return _build(recipe.network, **{"image_size": recipe.data.image_size, **overrides})


def portable_network(recipe: Recipe) -> Inpainter:
    """The completion network as it is saved: in float32, and for any picture size if it exists for any."""
    overrides = {"image_size": None} if networks.get(recipe.network.builder).any_size else {}
    with precision.policy("float32"):
        network = completion_network(recipe, **overrides)
    size = recipe.data.image_size
    network.trained_on = (size, round(masks.extent(recipe.mask.train)[0] * size))
    return network


def training_batches(recipe: Recipe, images: np.ndarray, start: int, stop: int) -> Any:
    """The recipe's batches of steps `start` to `stop`; see `inpainting_tf.data.pipeline.training_batches`."""
    fill = recipe.network.arguments.get("fill")
    return pipeline.training_batches(
        images,
        recipe.mask.train,
        batch_size=recipe.batch_size,
        seed=recipe.seed,
        flip=recipe.data.flip,
        start=start,
        stop=stop,
        prefill=fill if fill in PREFILLS else None,
    )


def trainer(recipe: Recipe, total_steps: int) -> Reconstruction:
    """The recipe's networks and optimizers in a compiled trainer for `total_steps` steps."""
    completion, objective = completion_network(recipe), recipe.objective
    reconstruction = _reconstruction(objective)
    alone, joint = recipe.schedule.boundaries(total_steps) if recipe.discriminator else (0, 0)
    optimizer = _optimizer(recipe.optimizer, total_steps - (joint - alone))
    second = _optimizer(recipe.discriminator_optimizer, total_steps - alone)
    if recipe.discriminator is not None:
        model = _adversarial(recipe, completion, reconstruction, total_steps)
        model.compile(optimizer, second, jit_compile=recipe.jit_compile)
    elif completion.search is not None:
        model = Generative(completion)
        model.compile(optimizer, second, jit_compile=recipe.jit_compile)
    else:
        model = (
            Reconstruction(completion, reconstruction)
            if objective.kl_weight is None
            else Variational(completion, reconstruction, objective.kl_weight)
        )
        model.compile(optimizer, jit_compile=recipe.jit_compile)
    return model


def _adversarial(
    recipe: Recipe, completion: keras.Model, reconstruction: Callable[..., Any], total_steps: int
) -> Adversarial:
    objective = recipe.objective
    discriminator = _build(recipe.discriminator, image_size=recipe.data.image_size)
    return Adversarial(
        completion,
        discriminator,
        reconstruction,
        losses.ADVERSARIAL[objective.adversarial],
        _judges(recipe, discriminator.output.shape[-1], total_steps),
        recipe.schedule.boundaries(total_steps),
        convex=objective.convex,
        composited=objective.judged == "composite",
    )


def _judges(recipe: Recipe, count: int, total_steps: int) -> list[Weight]:
    """The weight of each of the discriminator's judges, from the joint phase on."""
    schedule, objective = recipe.schedule, recipe.objective
    if (objective.alpha_global is None) != (count == 1):
        raise InputError(
            "`objective.alpha_global` must be given for a discriminator with two judges, and only there. "
            f"Received {objective.alpha_global!r} for {recipe.discriminator.builder!r}, which has {count}."
        )
    joint, ramp = schedule.boundaries(total_steps)[1], round(schedule.ramp_share * total_steps)
    later = joint + round(schedule.global_share * total_steps)
    weights = [Weight(objective.alpha, joint, ramp)]
    return weights if count == 1 else [*weights, Weight(objective.alpha_global, later, ramp)]


def _reconstruction(objective: Objective) -> Callable[..., Any]:
    """The reconstruction term as a function of target, prediction and mask."""
    loss = losses.RECONSTRUCTION[objective.reconstruction]
    if objective.boundary == 0:
        return loss

    def weighted(target: Any, prediction: Any, mask: Any) -> Any:
        weights = losses.boundary_weights(mask, objective.boundary, objective.boundary_reach)
        return loss(target, prediction, mask, weights)

    return weighted


def _build(network: Network, **overrides: Any) -> keras.Model:
    builder = networks.get(network.builder)
    arguments = {"width": network.width, **network.arguments, **overrides}
    known = inspect.signature(builder).parameters
    for name in arguments:
        if name not in known:
            raise unknown(f"argument of {network.builder}", name, known)
    return builder(**arguments)


def _optimizer(settings: Optimizer, updates: int) -> keras.Optimizer:
    """A Keras optimizer whose decay ends after so many updates, with loss scaling under float16."""
    rate = settings.learning_rate
    if settings.decay == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(rate, max(1, updates))
    if settings.name == "adam":
        optimizer = keras.optimizers.Adam(rate, beta_1=settings.beta_1)
    else:
        optimizer = keras.optimizers.Adadelta(rate)
    if keras.mixed_precision.dtype_policy().compute_dtype == "float16":
        # Keras wraps the optimizer given to `compile` alone; with two of them each must be wrapped here.
        return keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer
