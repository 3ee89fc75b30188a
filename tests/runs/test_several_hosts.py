"""A run by two processes: begun by one, killed, finished by one."""

from __future__ import annotations

import shutil
from pathlib import Path

import hosts
import numpy as np
import pytest
from running import rows_of, tiny, tiny_flags
from test_callbacks_of_users import Recorder

from inpainting_tf import runs
from inpainting_tf.runs import checkpoints

pytestmark = pytest.mark.slow

MODEL, CHANGES = "direct_conv", {"batch_size": 4, "schedule__epochs": 4}  # 20 steps


def train(folder: Path, **settings) -> runs.Run:
    recipe = tiny(MODEL, **CHANGES)
    return runs.train(recipe, folder, checkpoint_minutes=60, settings=False, **settings)


def variables(folder: Path) -> dict[str, np.ndarray]:
    step = checkpoints.latest_step(folder / "checkpoints")
    with np.load(folder / "checkpoints" / f"step-{step:08d}" / "variables.npz") as stored:
        return dict(stored)


@pytest.fixture(scope="module")
def begun(tmp_path_factory) -> Path:
    """Three steps by one process."""
    return train(tmp_path_factory.mktemp("begun") / "run", callbacks=[Recorder(stop=3)]).folder


@pytest.fixture(scope="module")
def alone(begun, tmp_path_factory) -> Path:
    """The whole run by one process."""
    return train(shutil.copytree(begun, tmp_path_factory.mktemp("alone") / "run")).folder


# Of JAX the first process, at which the others meet; tests/training/test_distribution.py has the second.
@pytest.mark.parametrize(("backend", "lost"), [("tensorflow", 1), ("jax", 0)])
def test_two_processes_go_on_where_one_stopped_and_one_where_two_were_killed(
    backend, lost, begun, alone, tmp_path
):
    pytest.importorskip(backend)
    folder = shutil.copytree(begun, tmp_path / "run")
    options = (*tiny_flags(MODEL, **CHANGES), "--checkpoint_minutes=0", "--strategy=multi_worker")
    with hosts.two_processes(backend, tmp_path, "train.py", *options, f"--workdir={folder}") as two:
        ready = lambda: checkpoints.latest_step(folder / "checkpoints") >= 6  # noqa: E731
        status, told = hosts.kill_one(two, lost, tmp_path, ready)
    reached = checkpoints.latest_step(folder / "checkpoints")
    if reached < 20:
        assert status == 1 and "Traceback" not in told
        assert "error: Another of the 2 processes does not answer any more. The same command on all" in told
    start = (tmp_path / "0.txt").read_text("utf-8")
    assert "continues at step 3" in start and "on 2 devices of 2 processes" in start
    assert not [path for path in folder.rglob("*") if path.name.startswith(".writing")]
    train(folder)
    mine, theirs = variables(folder), variables(alone)
    assert set(mine) == set(theirs)
    for name, value in theirs.items():
        np.testing.assert_allclose(mine[name], value, 1e-4, 1e-4, err_msg=name)
    for row, other in zip(rows_of(folder), rows_of(alone), strict=True):
        for column in ("step", "loss", "val_psnr", "val_hole_psnr"):
            assert float(row[column]) == pytest.approx(float(other[column]), rel=1e-4), column
