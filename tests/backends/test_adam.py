"""The optimizer in one kernel per variable is Keras's own."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from inpainting_tf import backends

RATE = keras.optimizers.schedules.CosineDecay(0.1, 8)
SETTINGS = {
    "plain": {},
    "all that a recipe sets": {"beta_1": 0.5, "learning_rate": RATE},
    "all that Keras adds": {
        "beta_2": 0.9,
        "epsilon": 1e-2,
        "clipnorm": 1.0,
        "weight_decay": 0.1,
        "use_ema": True,
    },
    "without a kernel": {"amsgrad": True},
}


def updated(optimizer: keras.Optimizer, steps: int = 5) -> list[np.ndarray]:
    """Two variables and what the optimizer keeps of them, after steps that were compiled."""
    random = np.random.default_rng(0)
    variables = [keras.Variable(random.normal(size=shape).astype("float32")) for shape in ((3, 2), (4,))]
    optimizer.build(variables)
    step = tf.function(lambda gradients: optimizer.apply(gradients, variables))
    for _ in range(steps):
        step([tf.constant(random.normal(size=v.shape), tf.float32) for v in variables])
    return [np.array(v) for v in (*variables, *optimizer.variables)]


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_it_is_keras_own(settings):
    settings = {"learning_rate": 0.1, **settings}
    ours, theirs = (updated(made(**settings)) for made in (backends.Adam, keras.optimizers.Adam))
    assert len(ours) == len(theirs) > 5 and ours[2] == 5
    for mine, other in zip(ours, theirs, strict=True):
        # The kernel takes 1 - beta_2 in float32, where 0.001 has a relative error of 5e-5.
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-6)


def test_each_variable_takes_one_kernel():
    optimizer, variables = backends.Adam(0.1), [keras.Variable(np.ones(n, "float32")) for n in (2, 3)]
    optimizer.build(variables)
    step = tf.function(lambda: optimizer.apply([tf.ones(2), tf.ones(3)], variables))
    kinds = [each.type for each in step.get_concrete_function().graph.get_operations()]
    assert kinds.count("ResourceApplyAdam") == 2 and "Sqrt" not in kinds


def test_it_is_saved_under_its_name():
    optimizer = backends.Adam(0.01, beta_1=0.5, name="optimizer")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(optimizer))
    assert type(again) is backends.Adam and again.get_config() == optimizer.get_config()
