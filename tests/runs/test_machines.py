"""A run goes on where it was stopped, on another machine too: in another precision, on the other backend."""

from __future__ import annotations

import numpy as np
import pytest
from test_checkpoints import build, randomize, same

from inpainting_tf.runs import checkpoints

POLICIES = ["mixed_float16", "mixed_bfloat16", "float32"]


@pytest.fixture(scope="module")
def by_policy():
    """As machines with each of them build it, twice."""
    return {policy: (build(policy), build(policy)) for policy in POLICIES}


def trained(model) -> list[np.ndarray]:
    """Networks, step counter and what the optimizers know, but for the scale of the loss."""
    optimizers = (model.optimizer, model.discriminator_optimizer)
    inner = [getattr(optimizer, "inner_optimizer", optimizer) for optimizer in optimizers]
    parts = [model.completion, model.discriminator, *inner]
    return [np.array(each.value) for each in [model.steps, *(v for part in parts for v in part.variables)]]


@pytest.mark.parametrize("there", POLICIES)
@pytest.mark.parametrize("here", POLICIES)
def test_a_checkpoint_continues_in_every_precision(by_policy, there, here, tmp_path, caplog):
    one, two = by_policy[there][0], by_policy[here][1]
    randomize(one, 1)
    checkpoints.save(tmp_path, 3, one, {})
    randomize(two, 2)
    assert checkpoints.restore(tmp_path, two) == {"step": 3}
    assert same(trained(two), trained(one)) and not caplog.records


@pytest.mark.parametrize("there", ["mixed_bfloat16", "float32"])
def test_where_no_loss_was_scaled_the_scale_begins_anew(by_policy, there, tmp_path):
    one, two = by_policy[there][0], by_policy["mixed_float16"][1]
    randomize(one, 1)
    checkpoints.save(tmp_path, 3, one, {})
    for optimizer in (two.optimizer, two.discriminator_optimizer):
        optimizer.dynamic_scale.assign(512.0)
    checkpoints.restore(tmp_path, two)
    for optimizer in (two.optimizer, two.discriminator_optimizer):
        assert float(optimizer.dynamic_scale) == 512.0
