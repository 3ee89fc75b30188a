"""Which models a run keeps, and when it stops for want of a better one."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from running import command, contents, rows_of, tiny, tiny_flags

import inpainting_tf
from inpainting_tf import InputError, models, runs
from inpainting_tf.runs import checkpoints
from inpainting_tf.training import callbacks
from inpainting_tf.training.best import Best

# Its rate is too high: from the third epoch on the validation goes up and down.
RESTLESS = {"schedule__epochs": 8, "optimizer__learning_rate": 0.04, "data__flip": True}


def restless(patience=None, **changes):
    return tiny("direct_conv", schedule__patience=patience, **RESTLESS | changes)


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Path:
    """A run that kept the model of every epoch, with patience."""
    folder = tmp_path_factory.mktemp("kept") / "run"
    return runs.train(restless(3), folder, keep_every=1, settings=False).folder


def measured(folder: Path) -> list[float]:
    return [float(row["val_hole_psnr"]) for row in rows_of(folder)]


def weights(file: Path) -> list[np.ndarray]:
    return inpainting_tf.load(file).get_weights()


def same(one: list[np.ndarray], two: list[np.ndarray]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


# Early stopping


def test_a_run_stops_once_its_patience_is_at_an_end(kept):
    values = measured(kept)
    assert 4 < len(values) < 8
    best = values.index(max(values))
    assert best > 0 and len(values) - 1 - best == 3, "the first epoch that is three after the best"
    for stop in range(3, len(values) - 1):  # and no earlier one would have been
        assert stop - values.index(max(values[: stop + 1])) < 3
    assert checkpoints.latest_step(kept / "checkpoints") == 4 * len(values)
    assert same(weights(kept / "model.keras"), weights(kept / "kept" / f"epoch_{len(values):04d}.keras"))


def test_a_run_that_stopped_is_finished_until_it_has_more_patience(kept, tmp_path, capsys):
    folder = shutil.copytree(kept, tmp_path / "run")
    before, epochs = contents(folder), len(measured(folder))
    flags = tiny_flags("direct_conv", **RESTLESS)
    again = command("train.py", *flags, "--patience=3", f"--workdir={folder}")
    assert again.status == 0 and contents(folder) == before
    assert f"is already trained, as its patience ended it after epoch {epochs}, in" in again.err
    more = command("train.py", *flags, "--patience=none", f"--workdir={folder}")
    assert more.status == 0 and f"continues at step {4 * epochs} " in more.err
    assert len(measured(folder)) == 8 and measured(folder)[:epochs] == measured(kept)
    assert runs.open_run(folder).recipe.schedule.patience is None


def test_a_run_says_why_it_stopped(tmp_path, capsys):
    runs.train(restless(1), tmp_path / "run", settings=False)
    values = measured(tmp_path / "run")
    best = values.index(max(values)) + 1
    told = capsys.readouterr().err
    assert (
        f"Stopped after epoch {len(values)}: 1 epochs without a better validation than epoch {best}'s" in told
    )


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--patience=0"], "`patience` must be none or at least 1. Received 0."),
        (["--patience=-3"], "`patience` must be none or at least 1. Received -3."),
        (["--patience=two"], "`schedule.patience` must be a whole number. Received 'two'."),
        (["--patience=3", "--set=data.validation=0"], "`patience` must be none without validation pictures"),
        (["--keep_every=0"], "keep_every"),
        (["--keep_every=often"], "keep_every"),
        (["--keep_epochs=0", "--keep_epochs=-1"], "`keep_epochs` must be 0 or more. Received -1."),
    ],
)
def test_what_makes_no_sense_is_one_line(flags, words, tmp_path):
    ended = command("train.py", *tiny_flags("direct_conv"), *flags, f"--workdir={tmp_path / 'run'}")
    assert ended.refuses(words) and not (tmp_path / "run").exists()


def test_keeping_no_epoch_is_none(tmp_path):
    with pytest.raises(InputError, match=r"`keep_every` must be none or at least 1\. Received 0\."):
        runs.train(restless(), tmp_path / "run", keep_every=0)


# Models


def test_the_best_model_is_that_of_the_best_epoch(kept):
    best = measured(kept).index(max(measured(kept))) + 1
    assert same(weights(kept / "model_best.keras"), weights(kept / "kept" / f"epoch_{best:04d}.keras"))
    assert not same(weights(kept / "model_best.keras"), weights(kept / "model.keras"))


def test_the_best_of_an_adversarial_run_is_that_of_its_joint_phase(trained):
    """Of the tiny run's three epochs the last one alone is joint."""
    assert same(weights(trained / "model_best.keras"), weights(trained / "model.keras"))
    assert not same(weights(trained / "model_best.keras"), weights(trained / "completion_phase.keras"))


def test_every_nth_epoch_is_kept_on_request(tmp_path):
    flags = tiny_flags("direct_conv", schedule__epochs=5)
    done = command("train.py", *flags, "--keep_every=2", f"--workdir={tmp_path / 'run'}")
    assert done.status == 0
    assert sorted(file.name for file in (tmp_path / "run" / "kept").iterdir()) == [
        "epoch_0002.keras",
        "epoch_0004.keras",
    ]


def test_chosen_epochs_are_kept_beside_every_nth_and_0_is_untrained(tmp_path):
    recipe = tiny("direct_conv", schedule__epochs=3)
    run = runs.train(recipe, tmp_path / "run", keep_every=2, keep_epochs=[0, 3, 9], settings=False)
    kept = sorted(file.name for file in (run.folder / "kept").iterdir())
    assert kept == [f"epoch_{epoch:04d}.keras" for epoch in (0, 2, 3)]
    assert same(weights(run.kept_file(3)), weights(run.model_file))
    untrained = weights(run.kept_file(0))
    assert not same(untrained, weights(run.kept_file(2)))
    longer = runs.train(tiny("direct_conv", schedule__epochs=4), run.folder, keep_epochs=[0], settings=False)
    assert same(weights(longer.kept_file(0)), untrained), "a run that goes on is not untrained"


def test_without_validation_there_is_no_best(tmp_path):
    run = runs.train(tiny("direct_conv", data__validation=0, schedule__epochs=1), tmp_path / "run")
    assert not run.best_file.exists() and run.model_file.exists()


def test_models_of_one_run_are_told_apart(kept):
    names = [
        models.shown_name(path) for path in (kept, kept / "model_best.keras", kept / "kept/epoch_0001.keras")
    ]
    assert names == ["run", "run_best", "run_epoch_0001"]


# Interrupted


@pytest.mark.parametrize("step", [6, 12, 13])
def test_an_interruption_changes_no_model(kept, step, tmp_path, monkeypatch):
    """Within an epoch, at its end, and after the best one."""
    stopped = tmp_path / "stopped"

    def copied(keeper, number, *_):  # as a kill would leave it, without a training of its own
        if number == step:
            keeper.save(number)
            shutil.copytree(tmp_path / "whole", stopped)

    with monkeypatch.context() as patch:
        patch.setattr(callbacks.Checkpoints, "on_step", copied)
        runs.train(restless(3), tmp_path / "whole", keep_every=1, settings=False)
    assert (stopped / "model_best.keras").exists() and (stopped / "kept").exists()
    run = runs.train(restless(3), stopped, keep_every=1, settings=False)
    assert measured(run.folder) == pytest.approx(measured(kept), abs=1e-3)
    for name in ("model.keras", "model_best.keras"):
        for mine, theirs in zip(weights(stopped / name), weights(kept / name), strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-3, atol=1e-4)


def test_the_best_of_a_checkpoint_is_restored_with_it(kept):
    newest = sorted((kept / "checkpoints").glob("step-*"))[-1]
    state = checkpoints._read(newest)[0]["best"]
    values = measured(kept)
    assert vars(Best(state)) == {
        "phase": "completion",
        "epoch": values.index(max(values)) + 1,
        "value": max(values),
        "measured": len(values),
    }
