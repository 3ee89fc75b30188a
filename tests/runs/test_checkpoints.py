"""Checkpoints: everything comes back, damaged ones are passed over, a failed write costs nothing."""

from __future__ import annotations

import contextlib
import errno
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from running import environment, python, tiny

from inpainting_tf.errors import Diverged, InputError
from inpainting_tf.recipes import assembly
from inpainting_tf.runs import checkpoints
from inpainting_tf.training import precision

STATE = {"history": {"sums": {"loss": 0.1 + 0.2}, "counts": {"loss": 2}, "seconds": 1.5}}


def build(policy="float32", **changes):
    with precision.policy(policy):
        return assembly.trainer(tiny(**changes), total_steps=12)


@pytest.fixture(scope="module")
def trainer():
    return build()


@pytest.fixture(scope="module")
def other():
    """As a process that continues builds it: same recipe, other values."""
    return build()


def variables(model) -> list:
    """Listed by hand: what a step changes."""
    parts = [model.completion, model.discriminator, model.optimizer, model.discriminator_optimizer]
    return [model.steps, *(variable for part in parts for variable in part.variables)]


def values(model) -> list[np.ndarray]:
    return [np.array(variable.value) for variable in variables(model)]


def randomize(model, seed: int) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    for variable in variables(model):
        variable.assign((random.random(variable.shape) * 100).astype(variable.dtype))
    return values(model)


def same(one: list[np.ndarray], two: list[np.ndarray]) -> bool:
    return len(one) == len(two) and all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# What comes back


def test_networks_optimizers_steps_and_state_come_back(trainer, other, tmp_path):
    saved = randomize(trainer, 1)
    checkpoints.save(tmp_path, 7, trainer, STATE)
    assert not same(randomize(other, 2), saved)
    assert checkpoints.restore(tmp_path, other) == {"step": 7, **STATE}
    assert same(values(other), saved)
    assert int(other.steps) == int(trainer.steps) > 0
    for optimizer in ("optimizer", "discriminator_optimizer"):
        assert int(getattr(other, optimizer).iterations) == int(getattr(trainer, optimizer).iterations)


def test_loss_scales_come_back(tmp_path):
    one, two = build("mixed_float16"), build("mixed_float16")
    one.optimizer.dynamic_scale.assign(1024.0)
    one.discriminator_optimizer.dynamic_scale.assign(2048.0)
    checkpoints.save(tmp_path, 1, one, {})
    checkpoints.restore(tmp_path, two)
    assert float(two.optimizer.dynamic_scale) == 1024.0
    assert float(two.discriminator_optimizer.dynamic_scale) == 2048.0


def test_without_a_checkpoint_nothing_is_restored(trainer, tmp_path):
    before = values(trainer)
    assert checkpoints.restore(tmp_path / "none", trainer) is None
    assert checkpoints.latest_step(tmp_path / "none") == 0
    assert same(values(trainer), before)


def test_the_last_two_are_kept_and_the_newest_is_used(trainer, other, tmp_path):
    for step in (8, 9, 10):
        saved = randomize(trainer, step)
        checkpoints.save(tmp_path, step, trainer, {})
    assert names(tmp_path) == ["step-00000009", "step-00000010"]
    assert checkpoints.latest_step(tmp_path) == 10
    assert checkpoints.restore(tmp_path, other)["step"] == 10
    assert same(values(other), saved)


def test_the_same_step_again_replaces_the_former(trainer, other, tmp_path):
    randomize(trainer, 1)
    checkpoints.save(tmp_path, 3, trainer, {})
    saved = randomize(trainer, 2)
    checkpoints.save(tmp_path, 3, trainer, {})
    assert names(tmp_path) == ["step-00000003"]
    checkpoints.restore(tmp_path, other)
    assert same(values(other), saved)


def test_other_things_in_the_folder_are_let_be(trainer, tmp_path):
    (tmp_path / "step-00000099").write_text("a file", encoding="utf-8")
    (tmp_path / "step-last").mkdir()
    (tmp_path / "notes").mkdir()
    checkpoints.save(tmp_path, 1, trainer, {})
    assert checkpoints.latest_step(tmp_path) == 1
    assert names(tmp_path) == ["notes", "step-00000001", "step-00000099", "step-last"]


# What is not written


@pytest.mark.parametrize("where", ["completion", "discriminator", "slot", "discriminator slot"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_is_not_finite_is_refused(trainer, other, tmp_path, where, value):
    saved = randomize(trainer, 1)
    checkpoints.save(tmp_path, 4, trainer, {})
    broken = {
        "completion": trainer.completion.trainable_variables[3],
        "discriminator": trainer.discriminator.trainable_variables[-1],
        "slot": trainer.optimizer.variables[-1],
        "discriminator slot": trainer.discriminator_optimizer.variables[-1],
    }[where]
    spoilt = np.array(broken.value)
    spoilt.flat[-1] = value
    broken.assign(spoilt)
    with pytest.raises(Diverged, match=f"{broken.path} is not finite after step 5"):
        checkpoints.save(tmp_path, 5, trainer, {})
    assert names(tmp_path) == ["step-00000004"]
    checkpoints.restore(tmp_path, other)
    assert same(values(other), saved)


@pytest.mark.parametrize("room", [0, 1_000, 100_000])
def test_a_full_disk_is_one_line_and_costs_no_checkpoint(trainer, other, tmp_path, file_size_limit, room):
    saved = randomize(trainer, 1)
    checkpoints.save(tmp_path, 1, trainer, {})
    with file_size_limit(room), pytest.raises(InputError, match=r"step-00000002' could not be") as caught:
        checkpoints.save(tmp_path, 2, trainer, {})
    assert "\n" not in str(caught.value)
    assert names(tmp_path) == ["step-00000001"]
    checkpoints.restore(tmp_path, other)
    assert same(values(other), saved)


def test_a_stop_while_writing_leaves_nothing(trainer, tmp_path, monkeypatch):
    def half(file, **arrays):
        file.write_bytes(b"half")
        raise KeyboardInterrupt

    checkpoints.save(tmp_path, 1, trainer, {})
    monkeypatch.setattr(np, "savez", half)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.save(tmp_path, 2, trainer, {})
    assert names(tmp_path) == ["step-00000001"]


# What is damaged


def truncate(path):
    (path / "variables.npz").write_bytes((path / "variables.npz").read_bytes()[:-5000])


def flip_a_bit(path):
    content = bytearray((path / "variables.npz").read_bytes())
    content[len(content) // 2] ^= 1
    (path / "variables.npz").write_bytes(bytes(content))


DAMAGES = {
    "truncated": truncate,
    "flipped bit": flip_a_bit,
    "empty": lambda path: (path / "variables.npz").write_bytes(b""),
    "text": lambda path: (path / "variables.npz").write_text("text", encoding="utf-8"),
    "no variables": lambda path: (path / "variables.npz").unlink(),
    "no state": lambda path: (path / "state.json").unlink(),
    "half a state": lambda path: (path / "state.json").write_text('{"step": 2, "hist', encoding="utf-8"),
    "zeros": lambda path: (path / "state.json").write_bytes(bytes(64)),
}


@pytest.fixture(scope="module")
def two_checkpoints(trainer, tmp_path_factory):
    """A folder with those of steps 1 and 2, and the values at step 1."""
    folder = tmp_path_factory.mktemp("checkpoints")
    saved = randomize(trainer, 1)
    checkpoints.save(folder, 1, trainer, {})
    randomize(trainer, 2)
    checkpoints.save(folder, 2, trainer, {})
    return folder, saved


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_one_is_passed_over_with_a_warning(two_checkpoints, other, tmp_path, damage, caplog):
    folder, saved = two_checkpoints
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    DAMAGES[damage](tmp_path / "step-00000002")
    randomize(other, 3)
    assert checkpoints.restore(tmp_path, other) == {"step": 1}
    assert same(values(other), saved)
    (record,) = caplog.records
    assert "Skipped the checkpoint" in record.getMessage() and "cannot be read" in record.getMessage()
    assert "step-00000002" in record.getMessage() and "\n" not in record.getMessage()


def test_one_that_may_not_be_read_is_not_passed_over(two_checkpoints, other, monkeypatch):
    """It is sound: to continue from an older one would lose work."""

    def denied(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    before = randomize(other, 3)
    monkeypatch.setattr(np, "load", denied)
    with pytest.raises(InputError, match=r"step-00000002' may not be read: change its permissions"):
        checkpoints.restore(two_checkpoints[0], other)
    assert same(values(other), before)


@pytest.mark.parametrize("damage", ["truncated", "flipped bit"])
def test_when_none_is_sound_nothing_is_overwritten(two_checkpoints, other, tmp_path, damage):
    shutil.copytree(two_checkpoints[0], tmp_path, dirs_exist_ok=True)
    for path in tmp_path.iterdir():
        DAMAGES[damage](path)
    before = randomize(other, 3)
    with pytest.raises(InputError, match=r"None of the checkpoints in .* can be read") as caught:
        checkpoints.restore(tmp_path, other)
    assert "\n" not in str(caught.value) and "Remove" not in str(caught.value)
    assert same(values(other), before), "half of a damaged checkpoint went into the model"
    assert names(tmp_path) == ["step-00000001", "step-00000002"]


def test_the_checkpoint_of_another_network_is_refused(two_checkpoints):
    wider = build(network__width=6)
    before = values(wider)
    message = (
        r"step-00000002' holds other variables than the model: 'completion/conv1/kernel' is \[5, 5, 4, 4\]"
    )
    with pytest.raises(InputError, match=message):
        checkpoints.restore(two_checkpoints[0], wider)
    assert same(values(wider), before)


# Names


def stored_in(path) -> dict[str, np.ndarray]:
    with np.load(path / "variables.npz") as stored:
        return {name: stored[name] for name in stored.files}


def alter(folder, change) -> None:
    """Rewrites the newest checkpoint with the variables that `change` makes of its own."""
    path = folder / "step-00000002"
    np.savez(path / "variables.npz", **change(stored_in(path)))


def test_variables_are_matched_by_name_and_not_by_order(two_checkpoints, other, tmp_path):
    folder = shutil.copytree(two_checkpoints[0], tmp_path / "a")
    assert checkpoints.restore(folder, other)["step"] == 2
    straight = values(other)
    alter(folder, lambda stored: dict(reversed(stored.items())))
    randomize(other, 3)
    checkpoints.restore(folder, other)
    assert same(values(other), straight)


def test_two_equally_shaped_variables_that_are_exchanged_come_back_exchanged(
    two_checkpoints, other, tmp_path
):
    folder = shutil.copytree(two_checkpoints[0], tmp_path / "a")
    checkpoints.restore(folder, other)
    one, two = (other.completion.get_layer(name).kernel for name in ("conv3", "conv4"))
    before = np.array(one.value), np.array(two.value)
    names = "completion/conv3/kernel", "completion/conv4/kernel"
    alter(folder, lambda stored: stored | {names[0]: stored[names[1]], names[1]: stored[names[0]]})
    checkpoints.restore(folder, other)
    assert not np.array_equal(*before)
    assert same([np.array(one.value), np.array(two.value)], [before[1], before[0]])


DIFFERENCES = {
    "'completion/conv3/kernel' is missing": lambda stored: {
        name: array for name, array in stored.items() if name != "completion/conv3/kernel"
    },
    "'completion/conv3/gain' is in it, which the model does not have": lambda stored: (
        stored | {"completion/conv3/gain": np.zeros(4)}
    ),
    "'trainer/steps' is [2] there and [] here": lambda stored: stored | {"trainer/steps": np.zeros(2)},
}


@pytest.mark.parametrize("message", DIFFERENCES)
def test_other_variables_are_refused_by_name(two_checkpoints, other, tmp_path, message, caplog):
    folder = shutil.copytree(two_checkpoints[0], tmp_path / "a")
    alter(folder, DIFFERENCES[message])
    before = randomize(other, 3)
    with pytest.raises(
        InputError, match=re.escape(f"holds other variables than the model: {message}.")
    ) as caught:
        checkpoints.restore(folder, other)
    assert "\n" not in str(caught.value) and "emove" not in str(caught.value)
    assert not caplog.records, "it is not damaged"
    assert same(values(other), before)


def test_one_of_an_earlier_version_is_told_as_such(two_checkpoints, other, tmp_path, caplog):
    folder = shutil.copytree(two_checkpoints[0], tmp_path / "a")
    alter(folder, lambda stored: {f"arr_{number}": each for number, each in enumerate(stored.values())})
    before = randomize(other, 3)
    with pytest.raises(
        InputError, match=r"step-00000002' was written by an earlier version of inpainting_tf"
    ) as told:
        checkpoints.restore(folder, other)
    assert "damaged" not in str(told.value) and "emove" not in str(told.value) and not caplog.records
    assert same(values(other), before)
    assert names(folder) == ["step-00000001", "step-00000002"]


NAMES = """if True:
    import sys
    sys.path.insert(0, sys.argv[1])
    import keras
    from inpainting_tf import recipes
    from inpainting_tf.recipes import assembly
    from inpainting_tf.runs import checkpoints
    from inpainting_tf.training import precision
    keras.Sequential([keras.Input((4,)), keras.layers.Dropout(0.5)]).compile()  # so that numbers differ
    for name in sys.argv[2:]:
        small = {"network.width": 4, "data.image_size": 32, "data.train": 5, "batch_size": 5}
        with precision.policy("mixed_float16"):
            trainer = assembly.trainer(recipes.get(name, "smoke").override(small), 12)
        print(name, *checkpoints.named_variables(trainer))
"""
KINDS = ["glcic", "semantic_inpainting", "cvae", "context_encoder", "gan_autoencoder", "best"]


@pytest.mark.slow
def test_names_are_unique_and_the_same_in_another_process_and_backend():
    """`named_variables` raises where two variables have one name."""
    folder = Path(__file__).parents[1]
    found = python(NAMES, folder, *KINDS)
    assert found.count("\n") == len(KINDS)
    assert python(NAMES, folder, *reversed(KINDS)).splitlines() == found.splitlines()[::-1]
    assert python(NAMES, folder, *KINDS[:3], env=environment(KERAS_BACKEND="jax")) == "\n".join(
        [*found.splitlines()[:3], ""]
    )
    for part in (
        "optimizer/iteration",
        "discriminator_optimizer/loss_scale/dynamic_scale",
        "seed_generator_0/",
    ):
        assert part in found


def test_an_exchange_that_was_cut_off_is_put_right(two_checkpoints, other, tmp_path):
    folder = shutil.copytree(two_checkpoints[0], tmp_path / "a")
    (folder / "step-00000002").rename(folder / ".replaced-step-00000002")
    assert checkpoints.restore(folder, other)["step"] == 2
    assert names(folder) == ["step-00000001", "step-00000002"]


def test_what_a_killed_process_left_half_written_is_ignored_and_removed(trainer, other, tmp_path):
    checkpoints.save(tmp_path, 1, trainer, {})
    (tmp_path / ".writing-0123456789ab").mkdir()
    (tmp_path / ".writing-0123456789ab" / "variables.npz").write_bytes(b"half")
    assert checkpoints.latest_step(tmp_path) == 1
    assert checkpoints.restore(tmp_path, other)["step"] == 1
    checkpoints.save(tmp_path, 2, trainer, {})
    assert names(tmp_path) == ["step-00000001", "step-00000002"]


def test_the_state_is_plain_json(trainer, tmp_path):
    randomize(trainer, 1)
    checkpoints.save(tmp_path, 1, trainer, STATE)
    assert json.loads((tmp_path / "step-00000001" / "state.json").read_text(encoding="utf-8")) == {
        "step": 1,
        **STATE,
    }
    with contextlib.closing(np.load(tmp_path / "step-00000001" / "variables.npz")) as stored:
        assert len(stored.files) == len(variables(trainer))
