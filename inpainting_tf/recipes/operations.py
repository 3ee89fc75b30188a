"""Counts what a training computes: a measure of its cost that no machine and no other work on it changes."""

from __future__ import annotations

import math
from typing import Any

import keras

from inpainting_tf.recipes import assembly
from inpainting_tf.recipes.recipe import Recipe

# Multiply-adds of a training step in forward passes of (C, D). A pass backward is one for the weights and one
# for the inputs. joint: C forward and backward; D forward and backward on real and on completed pictures;
# then on completed ones again, forward and backward for the inputs alone.
PASSES = {"completion": (3, 0), "discriminator": (1, 2 * 3), "joint": (3, 2 * 3 + 2)}


def multiply_adds(network: Any) -> int:
    """Multiply-adds of a forward pass over one picture.

    Sum over convolutions and dense layers: numbers in the kernel x positions of the output (of the input, for
    a transposed convolution). Taps on padding are included, a tenth of glcic's at 128 px, where the dilations
    are large; normalization, activations and losses are not.
    """
    total = 0
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2DTranspose):
            total += math.prod(layer.kernel.shape) * math.prod(layer.input.shape[1:3])
        elif isinstance(layer, keras.layers.Conv2D):
            total += math.prod(layer.kernel.shape) * math.prod(layer.output.shape[1:3])
        elif isinstance(layer, keras.layers.Dense):
            total += math.prod(layer.kernel.shape)
    return total


def of_step(trainer: Any, phase: str) -> int:
    """Multiply-adds of a step of a phase for one picture."""
    counted = zip(PASSES[phase], (trainer.trained, getattr(trainer, "discriminator", None)), strict=True)
    return sum(passes * multiply_adds(network) for passes, network in counted if passes and network)


def of_training(recipe: Recipe, pictures: int, epochs: int) -> float:
    """Multiply-adds of a training on so many pictures in so many epochs, all of its phases.

    Of a network that searches for a code it is the training of its generator and discriminator: the search
    comes with each picture that is filled.
    """
    trainer, total = assembly.trainer(recipe, 1000), 1000
    ends = {"completion": total}
    if recipe.trainer == "generative":
        ends = {"joint": total}
    elif recipe.trainer == "adversarial":
        alone, joint = recipe.schedule.boundaries(total)
        ends = {"completion": alone, "discriminator": joint, "joint": total}
    steps, begin = 0.0, 0
    for phase, end in ends.items():
        steps += (end - begin) / total * of_step(trainer, phase)
        begin = end
    return steps * pictures * epochs
