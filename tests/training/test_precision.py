"""Mixed precision: which policy, loss scaling of both optimizers, and what stays float32."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from test_phases import at, batch, changed, snapshot, trainer

from inpainting_tf.training import precision

SCALED = keras.optimizers.LossScaleOptimizer


@pytest.mark.parametrize(
    ("setting", "policy"),
    [("off", "float32"), ("float16", "mixed_float16"), ("bfloat16", "mixed_bfloat16")],
)
def test_settings_name_their_policy(setting, policy):
    assert precision.resolve(setting) == policy


def test_auto_is_one_of_the_settings():
    assert precision.resolve("auto") in ("float32", "mixed_bfloat16", "mixed_float16")


def test_a_policy_is_put_back_even_after_an_error():
    before = keras.mixed_precision.dtype_policy().name
    with pytest.raises(RuntimeError), precision.policy("mixed_bfloat16"):
        assert keras.mixed_precision.dtype_policy().name == "mixed_bfloat16"
        raise RuntimeError
    assert keras.mixed_precision.dtype_policy().name == before


def test_both_optimizers_are_scaled_in_float16_alone():
    for policy, scaled in (("float32", False), ("mixed_bfloat16", False), ("mixed_float16", True)):
        model = trainer(policy=policy)
        for optimizer in (model.optimizer, model.discriminator_optimizer):
            assert isinstance(optimizer, SCALED) == scaled, policy


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_weights_and_losses_stay_float32(policy):
    model = at(trainer(policy=policy), "joint")
    logs = model.train_step(batch())
    assert {keras.backend.standardize_dtype(value.dtype) for value in logs.values()} == {"float32"}
    variables = [*model.completion.variables, *model.discriminator.variables]
    assert {keras.backend.standardize_dtype(variable.dtype) for variable in variables} == {"float32"}
    assert model.completion.compute_dtype == policy.removeprefix("mixed_")


def scale_of(optimizer: keras.Optimizer) -> float:
    return float(optimizer.dynamic_scale.value)


@pytest.mark.parametrize("which", ["optimizer", "discriminator_optimizer"])
def test_an_overflow_skips_the_update_and_halves_the_scale(which):
    model = at(trainer(policy="mixed_float16"), "joint")
    optimizer = getattr(model, which)
    optimizer.dynamic_scale.assign(3e38)
    before = snapshot(model)
    logs = model.train_step(batch())
    assert np.isfinite(float(logs["loss"]))
    moved = changed(before, snapshot(model))
    both = ["completion", "discriminator"]
    skipped, updated = both if which == "optimizer" else both[::-1]
    assert skipped not in moved and updated in moved
    assert scale_of(optimizer) == pytest.approx(1.5e38)


def test_scaling_does_not_change_the_update():
    """In float32 arithmetic on half-precision gradients: two scales, the same step to float16's precision."""
    found = []
    for scale in (2.0**4, 2.0**10):
        model = at(trainer(policy="mixed_float16"), "completion")
        model.optimizer.dynamic_scale.assign(scale)
        before = snapshot(model)["completion"]
        model.train_step(batch())
        after = snapshot(model)["completion"]
        found.append(np.concatenate([(new - old).ravel() for old, new in zip(before, after, strict=True)]))
    agreement = np.corrcoef(found)[0, 1]
    assert agreement > 0.9 and np.abs(found[0]).max() < 2e-3
