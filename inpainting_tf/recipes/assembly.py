"""From a recipe to what it names: networks, optimizers, a compiled trainer."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import keras

from inpainting_tf import losses, networks
from inpainting_tf.errors import unknown
from inpainting_tf.layers import PREFILLS
from inpainting_tf.recipes.recipe import Network, Objective, Optimizer, Recipe
from inpainting_tf.training import Adversarial, Reconstruction, Variational, precision


def completion_network(recipe: Recipe, **overrides: Any) -> keras.Model:
    """The recipe's completion network, freshly initialised; `overrides` go before the recipe's arguments."""
    return _build(recipe.network, **{"image_size": recipe.data.image_size, **overrides})


def portable_network(recipe: Recipe) -> keras.Model:
    """The completion network as it is saved: in float32, and for any picture size if it exists for any."""
    overrides = {} if recipe.network.builder in networks.FIXED_SIZE else {"image_size": None}
    with precision.policy("float32"):
        return completion_network(recipe, **overrides)


def prefill(recipe: Recipe) -> str | None:
    """The classical method that fills the hole before the network sees it, if there is one."""
    fill = recipe.network.arguments.get("fill")
    return fill if fill in PREFILLS else None


def trainer(recipe: Recipe, total_steps: int) -> Reconstruction:
    """The recipe's networks and optimizers in a compiled trainer for `total_steps` steps."""
    completion = completion_network(recipe)
    reconstruction, objective = _reconstruction(recipe.objective), recipe.objective
    if recipe.discriminator is None:
        model = (
            Reconstruction(completion, reconstruction)
            if objective.kl_weight is None
            else Variational(completion, reconstruction, objective.kl_weight)
        )
        model.compile(_optimizer(recipe.optimizer, total_steps), jit_compile=recipe.jit_compile)
        return model
    model = Adversarial(
        completion,
        _build(recipe.discriminator, image_size=recipe.data.image_size),
        reconstruction,
        losses.ADVERSARIAL[objective.adversarial],
        objective.alpha,
        recipe.schedule.boundaries(total_steps),
        convex=objective.convex,
        composited=objective.judged == "composite",
    )
    alone, joint = model.boundaries
    model.compile(
        _optimizer(recipe.optimizer, total_steps - (joint - alone)),
        _optimizer(recipe.discriminator_optimizer, total_steps - alone),
        jit_compile=recipe.jit_compile,
    )
    return model


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
