"""Keras callbacks of a user's own: called as if the run's epochs were Keras's."""

from __future__ import annotations

import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from running import rows_of, tiny

import inpainting_tf
from inpainting_tf import InputError, runs
from inpainting_tf.runs import checkpoints


class Recorder(keras.callbacks.Callback):
    """Notes every call, and stops the training after the step `stop`."""

    def __init__(self, stop: int | None = None) -> None:
        super().__init__()
        self.calls, self.logs, self.steps, self.stop = [], [], 0, stop

    def on_train_begin(self, logs=None):
        self.calls.append("train")

    def on_train_end(self, logs=None):
        self.calls.append("end")

    def on_epoch_begin(self, epoch, logs=None):
        self.calls.append(f"epoch {epoch}")

    def on_epoch_end(self, epoch, logs=None):
        self.calls.append(f"epoch {epoch} ended")
        self.logs.append(logs)

    def on_train_batch_begin(self, batch, logs=None):
        assert not logs

    def on_train_batch_end(self, batch, logs=None):
        self.calls.append(batch)
        assert logs and all(np.isfinite(value) for value in logs.values())
        self.steps += 1
        self.model.stop_training = self.steps == self.stop


def train(folder: Path, *callbacks, epochs: int = 2, **changes):
    recipe = tiny("direct_conv", schedule__epochs=epochs, **changes)
    return runs.train(recipe, folder, callbacks=callbacks, checkpoint_minutes=60, settings=False)


def epoch(number: int, first: int = 0) -> list:
    return [f"epoch {number}", *range(first, 4), f"epoch {number} ended"]


def test_they_are_called_for_every_epoch_and_batch(tmp_path):
    recorder = Recorder()
    run = train(tmp_path / "run", recorder)
    assert recorder.calls == ["train", *epoch(0), *epoch(1), "end"]
    assert recorder.params == {"epochs": 2, "steps": 4, "verbose": 0}
    for logs, row in zip(recorder.logs, rows_of(run.folder), strict=True):
        assert {"loss", "reconstruction", "val_psnr", "val_hole_psnr", "learning_rate"} <= set(logs)
        assert all(logs[name] == float(row[name]) for name in logs)


def test_a_continued_run_goes_on_counting(tmp_path):
    run = train(tmp_path / "run", Recorder(stop=6), epochs=3)
    assert checkpoints.latest_step(run.checkpoints) == 6
    recorder = Recorder()
    train(tmp_path / "run", recorder, epochs=3)
    assert recorder.calls == ["train", *epoch(1, first=2), *epoch(2), "end"]
    whole = train(tmp_path / "whole", epochs=3)
    for mine, theirs in zip(rows_of(run.folder), rows_of(whole.folder), strict=True):
        assert float(mine["loss"]) == pytest.approx(float(theirs["loss"]), rel=1e-3)


def test_a_phase_has_the_numbers_that_it_computes(trained, tmp_path):
    folder, recorder = shutil.copytree(trained, tmp_path / "run"), Recorder()
    runs.train(tiny(mixed_precision="bfloat16", schedule__epochs=4), folder, callbacks=[recorder])
    assert recorder.calls == ["train", *epoch(3), "end"]
    assert {"adversarial", "discriminator", "fake_score", "val_psnr"} <= set(recorder.logs[0])


def test_one_that_stops_the_training_leaves_a_whole_run(tmp_path, capsys):
    run = train(tmp_path / "run", Recorder(stop=5), epochs=9)
    assert checkpoints.latest_step(run.checkpoints) == 5
    assert "Stopped after step 5 by a callback; the same call continues." in capsys.readouterr().err
    assert inpainting_tf.load(run.folder).count_params() > 0


def test_kerass_own_work_on_the_columns_of_the_history(tmp_path):
    """Each as its documentation has it: the best weights are back at the end, and were written to a file."""
    stop = keras.callbacks.EarlyStopping("val_hole_psnr", mode="max", patience=1, restore_best_weights=True)
    keep = keras.callbacks.ModelCheckpoint(
        str(tmp_path / "best.weights.h5"),
        "val_hole_psnr",
        mode="max",
        save_best_only=True,
        save_weights_only=True,
    )
    log = keras.callbacks.CSVLogger(str(tmp_path / "log.csv"))
    rate = keras.callbacks.LearningRateScheduler(lambda epoch: 0.05 / (1 + epoch))
    run = train(tmp_path / "run", stop, keep, log, rate, epochs=12)
    rows = rows_of(run.folder)
    values = [float(row["val_hole_psnr"]) for row in rows]
    assert [float(row["learning_rate"]) for row in rows] == pytest.approx(
        [0.05 / (1 + n) for n in range(len(rows))]
    )
    assert len(values) < 12 and stop.best_epoch == values.index(max(values)) == len(values) - 2
    best, last = (inpainting_tf.load(run.folder / name) for name in ("model_best.keras", "model.keras"))
    for mine, theirs in zip(best.get_weights(), last.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert [row["val_hole_psnr"] for row in rows_of(tmp_path, "log.csv")] == [
        row["val_hole_psnr"] for row in rows
    ]
    assert (tmp_path / "best.weights.h5").exists()


def test_an_error_of_ones_own_comes_through(tmp_path):
    def fail(epoch, logs):
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        train(tmp_path / "run", keras.callbacks.LambdaCallback(on_epoch_end=fail))
    train(tmp_path / "run")  # the lock is free


@pytest.mark.parametrize("wrong", [["log"], [keras.callbacks.Callback], keras.callbacks.Callback(), None])
def test_what_is_no_callback_is_one_line(wrong, tmp_path):
    with pytest.raises(InputError, match="`callbacks` must be a list of Keras's callbacks") as caught:
        runs.train(tiny("direct_conv"), tmp_path / "run", callbacks=wrong)
    assert "\n" not in str(caught.value) and not (tmp_path / "run").exists()
