"""A run by two processes: begun by one, killed, finished by one."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from running import PATIENCE, ROOT, environment, rows_of, tiny, tiny_flags
from test_callbacks_of_users import Recorder

from inpainting_tf import runs
from inpainting_tf.runs import checkpoints

pytestmark = pytest.mark.slow

MODEL, CHANGES = "direct_conv", {"batch_size": 4, "schedule__epochs": 4}  # 20 steps


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@contextlib.contextmanager
def two_processes(backend: str, folder: Path, logs: Path, *flags: str) -> Iterator[list[subprocess.Popen]]:
    """train.py as two processes that train together; their output goes to `logs`."""
    workers = [f"127.0.0.1:{port}" for port in free_ports(2)]
    command = [sys.executable, str(ROOT / "train.py"), *flags, "--strategy=multi_worker"]
    with contextlib.ExitStack() as stack:
        children = []
        for index in range(2):
            task = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
            env = environment(KERAS_BACKEND=backend, TF_CONFIG=json.dumps(task))
            output = stack.enter_context(open(logs / f"{index}.txt", "wb"))
            call = [*command, f"--workdir={folder}"]
            children.append(subprocess.Popen(call, env=env, stdout=output, stderr=output))
            stack.callback(children[-1].wait)
            stack.callback(children[-1].kill)
        yield children


def train(folder: Path, **settings) -> runs.Run:
    recipe = tiny(MODEL, **CHANGES)
    return runs.train(recipe, folder, checkpoint_minutes=60, settings=False, **settings)


def variables(folder: Path) -> dict[str, np.ndarray]:
    step = checkpoints.latest_step(folder / "checkpoints")
    with np.load(folder / "checkpoints" / f"step-{step:08d}" / "variables.npz") as stored:
        return dict(stored)


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> Path:
    """The whole run by one process."""
    return train(tmp_path_factory.mktemp("alone") / "run").folder


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_two_processes_go_on_where_one_stopped_and_one_where_two_were_killed(backend, alone, tmp_path):
    pytest.importorskip(backend)
    folder = train(tmp_path / "run", callbacks=[Recorder(stop=3)]).folder
    with two_processes(
        backend, folder, tmp_path, *tiny_flags(MODEL, **CHANGES), "--checkpoint_minutes=0"
    ) as two:
        end = time.monotonic() + PATIENCE
        while checkpoints.latest_step(folder / "checkpoints") < 6:
            assert two[0].poll() is None and time.monotonic() < end, (tmp_path / "0.txt").read_text("utf-8")
            time.sleep(0.01)
        two[1].kill()
        status = two[0].wait(PATIENCE)
    told = (tmp_path / "0.txt").read_text("utf-8")
    reached = checkpoints.latest_step(folder / "checkpoints")
    if reached < 20:
        assert status == 1 and "Traceback" not in told
        assert "error: Another of the 2 processes does not answer any more. The same command on all" in told
    assert "continues at step 3" in told and "on 2 devices of 2 processes" in told
    assert not [path for path in folder.rglob("*") if path.name.startswith(".writing")]
    train(folder)
    mine, theirs = variables(folder), variables(alone)
    assert set(mine) == set(theirs)
    for name, value in theirs.items():
        np.testing.assert_allclose(mine[name], value, 1e-4, 1e-4, err_msg=name)
    for row, other in zip(rows_of(folder), rows_of(alone), strict=True):
        for column in ("step", "loss", "val_psnr", "val_hole_psnr"):
            assert float(row[column]) == pytest.approx(float(other[column]), rel=1e-4), column
