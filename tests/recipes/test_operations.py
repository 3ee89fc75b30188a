"""What a training computes, counted by hand."""

from __future__ import annotations

import math

import pytest

from inpainting_tf import recipes
from inpainting_tf.recipes import assembly, operations


def test_a_convolution_counts_its_kernel_at_every_position_of_its_output():
    recipe = recipes.get("direct_conv", "smoke").override({"network.width": 4})
    network = assembly.completion_network(recipe)
    by_hand = 32 * 32 * 25 * (4 * 4 + 3 * 4 * 4 + 4 * 3)  # five 5x5 convolutions at full resolution
    assert operations.multiply_adds(network) == by_hand
    assert operations.of_training(recipe, 40, 3) == pytest.approx(3 * by_hand * 40 * 3)


def test_the_phases_count_by_their_shares_of_the_training():
    recipe = recipes.get("glcic", "smoke").override({"network.width": 4, "discriminator.width": 4})
    trainer = assembly.trainer(recipe, 100)
    c, d = (operations.multiply_adds(each) for each in (trainer.completion, trainer.discriminator))
    steps = {"completion": 3 * c, "discriminator": c + 6 * d, "joint": 3 * c + 8 * d}
    assert {phase: operations.of_step(trainer, phase) for phase in steps} == steps
    shares = {"completion": 0.5, "discriminator": 0.25, "joint": 0.25}
    expected = math.fsum(shares[phase] * steps[phase] for phase in steps)
    assert operations.of_training(recipe, 10, 4) == pytest.approx(40 * expected)


def test_twice_the_side_costs_four_times_as_much():
    small, large = (recipes.get("best", "smoke").override({"data.image_size": side}) for side in (32, 64))
    assert operations.of_training(large, 1, 1) == 4 * operations.of_training(small, 1, 1)
