"""JAX does what TensorFlow does, to the last digits that matter, and does it where there is no TensorFlow."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
from running import (
    PATIENCE,
    drawn_faces,
    environment,
    process,
    rows_of,
    stop,
    tiny_flags,
    training,
    without_tensorflow,
)

import inpainting_tf
from inpainting_tf import runs
from inpainting_tf.runs import checkpoints

pytest.importorskip("jax", reason="takes pip install jax")
pytestmark = pytest.mark.slow

TEN_STEPS = "tests/backends/ten_steps.py"
KERAS_HABITS = "tests/backends/keras_habits.py"


@pytest.fixture(scope="module")
def jax_only(tmp_path_factory) -> dict[str, str]:
    """What makes a process use JAX, and fail wherever it imports TensorFlow."""
    cache = tmp_path_factory.mktemp("compiled")  # or else each process would compile the same again
    return {
        **without_tensorflow(tmp_path_factory.mktemp("no_tensorflow")),
        "JAX_COMPILATION_CACHE_DIR": str(cache),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }


@pytest.fixture(scope="module")
def ten_steps(tmp_path_factory, jax_only) -> Path:
    """The folder in which both backends have left ten steps of every trainer and phase."""
    folder = tmp_path_factory.mktemp("ten_steps")
    for env in (environment(), environment(**jax_only)):  # TensorFlow's start is JAX's too
        done = process(TEN_STEPS, folder, env=env)
        assert done.status == 0, done.err
    return folder


@pytest.mark.parametrize(
    ("case", "computed", "moved"),
    [
        ("reconstruction", {"loss", "reconstruction"}, 60),
        ("variational", {"loss", "reconstruction", "kl"}, 25),
        ("generative", {"loss", "adversarial", "discriminator", "real_score", "fake_score"}, 90),
        ("completion", {"loss", "reconstruction"}, 45),
        ("discriminator", {"discriminator", "real_score", "fake_score"}, 40),
        ("joint", {"loss", "reconstruction", "adversarial", "discriminator", "real_score", "fake_score"}, 90),
    ],
)
def test_ten_steps_are_the_same_on_both(ten_steps, case, computed, moved):
    with np.load(ten_steps / f"tensorflow-{case}.npz") as one, np.load(ten_steps / f"jax-{case}.npz") as two:
        assert set(one.files) == set(two.files)
        pairs = {name: (one[name], two[name]) for name in one.files}
    for name, (mine, theirs) in pairs.items():
        if name.startswith("masks/"):
            np.testing.assert_array_equal(mine, theirs)
        elif name.startswith("images/"):
            np.testing.assert_allclose(mine, theirs, atol=1e-7)
        elif name.startswith("losses/"):
            assert np.isfinite(mine).all() == (name.removeprefix("losses/") in computed)
            np.testing.assert_allclose(mine, theirs, atol=1e-5, rtol=1e-5, err_msg=name)
        else:
            np.testing.assert_allclose(mine, theirs, atol=1e-4, rtol=1e-4, err_msg=name)
    start = checkpoints_of(ten_steps / case)
    changed = sum((start[name] != pairs[f"variables/{name}"][0]).any() for name in start)
    assert changed > moved, "equal because nothing happened"


def test_all_phases_are_one_trace(ten_steps):
    for backend in ("tensorflow", "jax"):
        with np.load(ten_steps / f"{backend}-joint.npz") as found:
            assert found["traces"] == 1, backend


def test_float16_with_loss_scaling_trains_alike(ten_steps):
    with np.load(ten_steps / "tensorflow-float16.npz") as one, np.load(ten_steps / "jax-float16.npz") as two:
        for name in ("reconstruction", "discriminator", "real_score"):
            mine, theirs = one[f"losses/{name}"], two[f"losses/{name}"]
            np.testing.assert_allclose(mine, theirs, rtol=0.05, err_msg=name)
            assert len(set(theirs)) == len(theirs), "every step was taken"


def checkpoints_of(folder: Path) -> dict[str, np.ndarray]:
    """The variables in the newest checkpoint, by their names."""
    newest = sorted(folder.glob("step-*"))[-1]
    with np.load(newest / "variables.npz") as stored:
        return dict(stored)


def test_evaluation_saving_losses_and_metrics_are_as_on_tensorflow(jax_only, tmp_path):
    done = process(KERAS_HABITS, tmp_path, env=environment(**jax_only))
    assert done.status == 0, done.err


JOINT, TOTAL = 12, 20
SCHEDULE = {"epochs": 5, "completion_share": 0.4, "discriminator_share": 0.2}
OPTIONS = [
    *tiny_flags("gan_autoencoder", **{f"schedule__{k}": v for k, v in SCHEDULE.items()}),
    "--set=discriminator.arguments.dropout=0",  # each backend has noise of its own
    "--deterministic",
    "--checkpoint_minutes=0",
]


@pytest.fixture(scope="module")
def trained_on_jax(tmp_path_factory, jax_only) -> Path:
    """A finished run; TensorFlow could not be imported."""
    folder = tmp_path_factory.mktemp("runs") / "jax"
    done = process("train.py", *OPTIONS, f"--workdir={folder}", env=environment(**jax_only))
    assert done.status == 0, done.err
    return folder


@pytest.fixture(scope="module")
def interrupted_on_jax(tmp_path_factory, jax_only, trained_on_jax) -> Path:
    """The same run, asked to stop in its joint phase."""
    folder = tmp_path_factory.mktemp("runs") / "interrupted"
    log = folder.parent / "log.txt"
    assert stop(OPTIONS, folder, log, JOINT + 2, signal.SIGTERM, **jax_only) == 130, log.read_text(
        encoding="utf-8"
    )
    assert JOINT + 2 <= checkpoints.latest_step(folder / "checkpoints") < TOTAL
    assert "Traceback" not in log.read_text(encoding="utf-8")
    return folder


def test_a_run_has_all_that_it_has_on_tensorflow(trained_on_jax, trained):
    def names(folder: Path) -> set[str]:
        return {path.name for path in folder.iterdir()} | {path.name for path in folder.glob("figures/l*")}

    assert names(trained_on_jax) == names(trained)
    rows = rows_of(trained_on_jax)
    assert [int(row["step"]) for row in rows] == [4, 8, 12, 16, 20]
    assert [row["phase"] for row in rows] == ["completion", "completion", "discriminator", "joint", "joint"]
    assert all(np.isfinite(float(row["loss"])) for row in rows if row["phase"] != "discriminator")
    assert all(0 < float(row["fake_score"]) < 1 for row in rows if row["phase"] != "completion")
    assert np.isfinite(float(rows[-1]["val_hole_psnr"])) and float(rows[-1]["learning_rate"]) > 0


def history(folder: Path) -> list[dict[str, str]]:
    """Its rows, without the time that each took."""
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows_of(folder)]


def test_a_run_continues_to_the_same_bits(interrupted_on_jax, trained_on_jax, jax_only, tmp_path):
    folder = shutil.copytree(interrupted_on_jax, tmp_path / "again")
    done = process("train.py", *OPTIONS, f"--workdir={folder}", env=environment(**jax_only))
    assert done.status == 0 and "continues at step" in done.err, done.err
    mine, theirs = checkpoints_of(folder / "checkpoints"), checkpoints_of(trained_on_jax / "checkpoints")
    assert [name for name in theirs if mine[name].tobytes() != theirs[name].tobytes()] == []
    assert history(folder) == history(trained_on_jax)


def test_a_run_that_jax_began_is_finished_by_tensorflow(interrupted_on_jax, trained_on_jax, tmp_path):
    folder, log = shutil.copytree(interrupted_on_jax, tmp_path / "other"), tmp_path / "log.txt"
    with training(OPTIONS, folder, log) as child:
        assert child.wait(PATIENCE) == 0, log.read_text(encoding="utf-8")
    assert "continues at step" in log.read_text(encoding="utf-8")
    mine, theirs = rows_of(folder)[-1], rows_of(trained_on_jax)[-1]
    for name in ("loss", "discriminator", "val_psnr"):
        assert float(mine[name]) == pytest.approx(float(theirs[name]), rel=0.02), name


def test_what_jax_trained_fills_the_same_on_both(trained_on_jax, jax_only, tmp_path):
    figures = []
    for name, env in (("tensorflow", environment()), ("jax", environment(**jax_only))):
        output = tmp_path / name
        done = process("eval.py", f"--workdir={trained_on_jax}", f"--output={output}", env=env)
        assert done.status == 0, done.err
        figures.append(json.loads((output / "metrics.json").read_text(encoding="utf-8")))
    for name in ("psnr", "hole_psnr", "ssim", "mae", "raw_psnr"):
        assert figures[0][name] == pytest.approx(figures[1][name], rel=1e-4), name
    assert inpainting_tf.load(trained_on_jax).count_params() > 0


def test_prepared_pictures_are_all_that_a_full_size_training_needs(jax_only, tmp_path):
    drawn_faces(tmp_path / "faces", 30)
    env, data = environment(**jax_only), tmp_path / "prepared"
    settings = [
        "--dataset=folder",
        f"--data_dir={tmp_path / 'faces'}",
        "--image_size=16",
        "--train=25",
        "--validation=5",
        "--test=5",
    ]
    done = process("inpainting_tf/prepare.py", *settings, f"--output={data}", env=env)
    assert done.status == 0, done.err
    options = [*tiny_flags("gan_autoencoder", data__source="folder"), f"--data_dir={data}", "--minutes=0.02"]
    done = process(
        "scripts/paper_scale.py",
        *options,
        f"--workdir={tmp_path}/runs",
        f"--results={tmp_path}/results",
        env=env,
    )
    assert done.status == 0, done.err
    result = tmp_path / "results" / "gan_autoencoder"
    assert runs.open_run(tmp_path / "runs" / "gan_autoencoder").pictures()["data_dir"] == str(data)
    assert json.loads((result / "metrics.json").read_text(encoding="utf-8"))["versions"]["backend"] == "jax"
    assert inpainting_tf.load(result).count_params() > 0  # by TensorFlow


def test_another_backend_is_refused_in_one_line():
    done = process("train.py", "--model=glcic", "--preset=smoke", env=environment(KERAS_BACKEND="numpy"))
    assert done.refuses("Training takes KERAS_BACKEND=tensorflow or jax. Received 'numpy'")
