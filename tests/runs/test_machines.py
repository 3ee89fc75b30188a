"""A run goes on where it was stopped, on another machine too: in another precision, on the other backend."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from running import environment, python, rows_of, tiny
from test_checkpoints import build, randomize, same

from inpainting_tf import backends, runs
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


# One run on all of them


# Six steps of the network, three of the discriminator, three of both.
PHASES = {
    "schedule__completion_share": 0.5,
    "schedule__discriminator_share": 0.25,
    "mixed_precision": "auto",
}


class Stop(keras.callbacks.Callback):
    """Ends a machine's share of the training."""

    def on_train_batch_end(self, batch, logs=None):
        self.model.stop_training = batch % 2 == 1


LEG = """if True:
    import sys
    sys.path[:0] = sys.argv[1:3]
    from test_machines import leg
    for precision in sys.argv[4:]:
        leg(sys.argv[3], precision)
"""


def leg(folder, precision: str) -> None:
    """Two steps on a machine whose fastest precision this is, of a run that leaves it to the machine."""
    former, backends.fastest_precision = backends.fastest_precision, lambda: precision
    try:
        runs.train(tiny("gan_direct_conv", **PHASES), folder, callbacks=[Stop()], settings=False)
    finally:
        backends.fastest_precision = former


def newest(folder: Path) -> tuple[dict, dict[str, np.ndarray]]:
    """State and variables of the last checkpoint."""
    path = sorted((folder / "checkpoints").glob("step-*"))[-1]
    with np.load(path / "variables.npz") as stored:
        return json.loads((path / "state.json").read_text(encoding="utf-8")), dict(stored)


@pytest.mark.slow
def test_one_run_moves_from_machine_to_machine(tmp_path, capsys):
    """TensorFlow on a GPU -> JAX on a GPU, a CPU -> TensorFlow on a CPU, a GPU, a CPU; through all phases."""
    moved, stayed, here = tmp_path / "moved", tmp_path / "stayed", Path(__file__).parent
    leg(moved, "float16")
    assert newest(moved)[1]["optimizer/loss_scale/dynamic_scale"] > 1
    python(LEG, here, here.parent, moved, "bfloat16", "off", env=environment(KERAS_BACKEND="jax"))
    state, variables = newest(moved)
    assert (state["step"], state["precision"]) == (6, "float32")
    assert not [name for name in variables if "loss_scale" in name]
    for precision in ("off", "float16", "bfloat16"):
        leg(moved, precision)
    told = capsys.readouterr().err
    assert "continues at step 8 " in told and "mixed_float16 (until now float32)" in told
    assert "mixed_bfloat16 (until now mixed_float16)" in told and "cannot be read" not in told
    runs.train(tiny("gan_direct_conv", **PHASES | {"mixed_precision": "off"}), stayed)
    (_, mine), (_, theirs) = newest(moved), newest(stayed)
    assert mine.keys() == theirs.keys()
    counters = [name for name in mine if name.endswith(("iteration", "steps"))]
    assert len(counters) == 3 and all(mine[name] == theirs[name] for name in counters)
    assert [row["phase"] for row in rows_of(moved)] == ["completion", "discriminator", "joint"]
    for one, two in zip(rows_of(moved), rows_of(stayed), strict=True):
        assert (one["step"], one["phase"]) == (two["step"], two["phase"])
        for name in ("loss", "discriminator", "val_hole_psnr"):
            assert (one[name] == two[name] == "") or float(one[name]) == pytest.approx(
                float(two[name]), rel=0.05
            )
