"""The server as people start it: replicas, one of which is killed, and an end that finishes what runs."""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

pytest.importorskip("fastapi", reason="needs the extra `serve`")

import httpx
from encoding import decoded, encoded
from running import PATIENCE, ROOT, command, environment

import inpainting_tf
from inpainting_tf.apps import serving

sys.path.insert(0, str(ROOT / "benchmarks"))
load = importlib.import_module("load")

SIZE = (64, 96)


def files() -> dict[str, bytes]:
    """A picture with so many scratches that it takes a while, and its mask."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    picture = np.stack([rows * 3, columns * 2, 0 * rows + 50], -1).astype(np.uint8)
    mask = np.where((rows % 16 == 3) & (columns > 4), 255, 0).astype(np.uint8)
    return {"image": encoded(picture), "mask": encoded(mask)}


FILES = files()


@contextlib.contextmanager
def started(*flags: str):
    """The command in a process of its own; yields it and a client."""
    with contextlib.closing(serving.bound("127.0.0.1", None)) as free:
        port = free.getsockname()[1]
    call = [sys.executable, "-m", "inpainting_tf", "serve", "--model=faces", f"--port={port}", *flags]
    with subprocess.Popen(
        call, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8"
    ) as process:
        try:
            for line in process.stdout:
                if "The server is at" in line:
                    break
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as client:
                yield process, client
        finally:
            process.kill()


def finished(process) -> str:
    """What it still prints, once it is told to end."""
    process.send_signal(signal.SIGTERM)
    told, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, told
    return told


def test_threads_of_one_process_end_after_what_runs():
    with started("--replicas=0") as (process, client):
        answers = []
        asking = threading.Thread(target=lambda: answers.append(client.post("/v1/repair", files=FILES)))
        asking.start()
        while "in_progress 1.0" not in client.get("/metrics").text and not answers:
            time.sleep(0.01)
        assert finished(process).endswith("Stopped.\n")
        asking.join()
        assert [each.status_code for each in answers] == [200]


@pytest.mark.slow
def test_a_replica_that_ends_loses_what_it_held_and_is_replaced():
    pytest.importorskip("ray.serve", reason="needs Ray Serve")
    with started("--replicas=2") as (process, client):
        whole = client.post("/v1/repair", files=FILES)
        picture, mask = (decoded(data) for data in FILES.values())
        expected = inpainting_tf.inpaint(
            inpainting_tf.load("faces"), picture, mask[..., 0] if mask.ndim == 3 else mask
        )
        assert np.array_equal(decoded(whole.content), expected)
        held = [threading.Thread(target=lambda: answers.append(client.post("/v1/repair", files=FILES)))] * 0
        answers: list[httpx.Response] = []
        for _ in range(6):
            held.append(
                threading.Thread(target=lambda: answers.append(client.post("/v1/repair", files=FILES)))
            )
            held[-1].start()
        os.kill(replicas_of(process.pid)[0], signal.SIGKILL)
        for each in held:
            each.join()
        statuses = [each.status_code for each in answers]
        assert set(statuses) <= {200, 503} and statuses.count(503) <= 2
        assert all("error" in each.json() for each in answers if each.status_code == 503)
        while len(replicas_of(process.pid)) < 2:
            time.sleep(0.2)
        assert client.post("/v1/repair", files=FILES).content == whole.content
        assert client.get("/readyz").status_code == 200
        assert finished(process).endswith("Stopped.\n")


def replicas_of(pid: int) -> list[int]:
    """The processes of Ray below a process that are replicas, by their titles."""
    return [each for each, line in load.tree(pid).items() if "ServeReplica:repair" in line]


def test_mistakes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call = "inpainting-tf serve"
    assert command(call, "--model=nosuch").refuses("nosuch")
    assert command(call, "--replicas=-1").refuses("--replicas")
    with contextlib.closing(serving.bound("127.0.0.1", None)) as taken:
        port = taken.getsockname()[1]
        assert command(call, f"--port={port}").refuses("--host and --port must be", str(port))
    assert command(call, "--address=127.0.0.1:1").refuses("--address must be that of a running Ray cluster")
    monkeypatch.setitem(sys.modules, "ray.serve", None)
    assert command(call).refuses("ray.serve is needed for this: pip install 'inpainting_tf[serve]'")
    monkeypatch.setitem(sys.modules, "fastapi", None)
    assert command(call, "--replicas=0").refuses(
        "fastapi is needed for this: pip install 'inpainting_tf[serve]'"
    )
