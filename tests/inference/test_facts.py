"""What follows from what is known of a network."""

from __future__ import annotations

import json

import pytest

from inpainting_tf.errors import InputError
from inpainting_tf.inference import Facts
from inpainting_tf.inference.geometry import Scale


@pytest.mark.parametrize(
    ("facts", "scale"),
    [
        (Facts(), None),
        (Facts((64, 96), 32), Scale((64, 96), 32)),  # a hole of half the shorter side, for want of better
        (Facts(trained_on=(64, 12)), Scale((64, 64), 12)),
        (Facts(trained_on=(64, 40)), Scale((64, 64), 32)),  # its surroundings must be seen, too
        (Facts((32, 48), trained_on=(64, 12)), Scale((32, 48), 12)),
    ],
)
def test_the_scale_is_that_of_the_training_or_of_the_only_size(facts, scale):
    assert facts.scale == scale


def test_a_size_is_fixed_where_both_sides_are():
    assert Facts((32, 48)).fixed_size == (32, 48)
    assert Facts().fixed_size is None and Facts((32, None)).fixed_size is None


def test_sizes_that_are_taken_and_refused():
    Facts((32, 48), 16).check_size((32, 48))
    Facts(divisor=16).check_size((32, 48))
    with pytest.raises(InputError, match="32 x 48 pixels for this model"):
        Facts((32, 48), 16).check_size((48, 32))
    for size in ((32, 40), (40, 32)):
        with pytest.raises(InputError, match="divisible by 16"):
            Facts(divisor=16).check_size(size)


def test_only_a_classical_method_is_a_prefill():
    assert Facts(hole_fill="telea").prefill == "telea"
    assert Facts(hole_fill="mean").prefill is None and Facts().prefill is None


def test_facts_come_back_from_json():
    for facts in (Facts(), Facts((32, None), 16, "telea", (64, 12), aligned=True)):
        assert Facts.from_json(json.loads(json.dumps(facts.to_json()))) == facts
    noted = {"size": [32, 48], "divisor": 8, "prefill": "telea", "scale": {"size": [64, 64], "hole": 12}}
    assert Facts.from_json(noted) == Facts((32, 48), 8, "telea", (64, 12))
    assert Facts.from_json(noted | {"prefill": None, "scale": None}) == Facts((32, 48), 8)
