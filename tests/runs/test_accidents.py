"""Not enough memory, and where a training cannot run: one line, and nothing lost."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from running import command, environment, python, tiny, tiny_flags

from inpainting_tf import InputError, backends, runs
from inpainting_tf.commands import cli
from inpainting_tf.errors import OutOfMemory
from inpainting_tf.evaluation import comparison
from inpainting_tf.runs import checkpoints

HUGE = 2**50  # more than any machine's memory


class Greedy(keras.callbacks.Callback):
    """Asks for more memory than there is, after the step `when`, as a larger step would."""

    def __init__(self, allocate, when: int) -> None:
        super().__init__()
        self.allocate, self.left = allocate, when

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            self.allocate()


def on_the_device():
    with tf.device("CPU:0"):
        tf.zeros([HUGE], tf.uint8)


ALLOCATIONS = {
    "device": on_the_device,
    "compiled step": lambda: tf.function(lambda n: tf.reduce_sum(tf.random.uniform([n])))(tf.constant(HUGE)),
    "host": lambda: np.empty(HUGE, np.uint8),
    "pipeline": lambda: next(iter(tf.data.Dataset.range(1).map(
        lambda _: tf.numpy_function(lambda: np.ones(HUGE, np.uint8), [], tf.uint8)
    ))),
}  # fmt: skip


@pytest.mark.parametrize("place", ALLOCATIONS)
def test_too_little_memory_is_one_line_and_a_smaller_batch_takes_the_folder(place, tmp_path):
    recipe = tiny("direct_conv", schedule__epochs=1)
    with pytest.raises(OutOfMemory) as caught:
        runs.train(recipe, tmp_path / "run", callbacks=[Greedy(ALLOCATIONS[place], 2)], settings=False)
    assert str(caught.value) == (
        "Not enough memory for batches of 5 pictures of 16 px. Try a smaller --batch_size or --image_size; "
        "the same --workdir can be used again."
    )
    if place == "device":
        again = runs.train(recipe.override({"batch_size": 4}), tmp_path / "run", settings=False)
        assert [row["step"] for row in again.history()] == ["5"]


def test_what_a_run_has_learnt_is_kept_and_can_be_started_from(tmp_path):
    recipe, greedy = tiny("direct_conv", schedule__epochs=1), Greedy(on_the_device, 3)
    with pytest.raises(OutOfMemory, match=rf"in a new --workdir, where --init={tmp_path / 'run'} starts"):
        runs.train(recipe, tmp_path / "run", checkpoint_minutes=0, callbacks=[greedy], settings=False)
    assert checkpoints.latest_step(tmp_path / "run" / "checkpoints") == 2
    smaller = recipe.override({"batch_size": 4, "init": str(tmp_path / "run")})
    assert runs.train(smaller, tmp_path / "other", settings=False).model_file.exists()


def test_pictures_that_no_memory_holds_are_one_line(tmp_path):
    options = ["--batch_size=1", "--set=network.width=200000000", f"--workdir={tmp_path / 'run'}"]
    ended = command("train.py", *tiny_flags("direct_conv"), *options)
    assert ended.refuses("Not enough memory", "--batch_size", "--image_size", status=1)


def test_an_evaluation_without_enough_memory_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(comparison, "compare", lambda *_, **__: on_the_device())
    drawn = ["--baseline=telea", "--dataset=synthetic_faces", "--image_size=16", f"--output={tmp_path}"]
    ended = command("eval.py", *drawn, "--batch_size=300")
    assert ended.refuses("Not enough memory for 300 pictures at once. Try a smaller --batch", status=1)


def test_other_errors_of_the_framework_are_not_taken_for_it():
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        tf.reshape(tf.zeros([3]), [2])
    assert not backends.out_of_memory(caught.value)
    assert not backends.out_of_memory(ValueError("Out of memory"))
    assert cli.status_of(lambda: (_ for _ in ()).throw(OutOfMemory("too large"))) == 1


def test_a_scope_of_several_devices_is_refused_in_one_line(tmp_path):
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope(), pytest.raises(InputError) as caught:
        runs.train(tiny("direct_conv"), tmp_path / "run")
    told = "`runs.train` opens the scope of its `strategy` itself. Received the scope of a MirroredStrategy"
    assert str(caught.value) == f"{told}: call it outside of it."
    assert not (tmp_path / "run").exists()


ON_JAX = """if True:
    import sys
    sys.path[:0] = sys.argv[1:3]
    import jax.numpy as jnp
    from running import tiny
    from inpainting_tf import runs
    from test_accidents import Greedy
    from test_callbacks_of_users import Recorder
    recorder = Recorder()
    greedy = Greedy(lambda: jnp.zeros([2**45]).block_until_ready(), 6)
    try:
        runs.train(tiny("direct_conv"), sys.argv[3], callbacks=[recorder, greedy], settings=False)
    except MemoryError as error:
        print(error)
    print(*recorder.calls)
"""


@pytest.mark.slow
def test_jax_tells_the_same_and_calls_callbacks_alike(tmp_path):
    here = Path(__file__).parent
    told = python(ON_JAX, here, here.parent, tmp_path / "run", env=environment(KERAS_BACKEND="jax"))
    first, calls = told.splitlines()
    assert first.startswith(
        "Not enough memory for batches of 5 pictures of 16 px. Try a smaller --batch_size"
    )
    assert calls == "train epoch 0 0 1 2 3 epoch 0 ended epoch 1 0 1"
