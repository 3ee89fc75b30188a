"""Several processes of this machine that train together, each as if on a host of its own."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from running import PATIENCE, ROOT, environment


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@contextlib.contextmanager
def two_processes(backend: str, logs: Path, script: str, *options: str) -> Iterator[list[subprocess.Popen]]:
    """A script as two processes, which do not outlive the block; their output goes to `logs`."""
    workers = [f"127.0.0.1:{port}" for port in free_ports(2)]
    with contextlib.ExitStack() as stack:
        children = []
        for index in range(2):
            task = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
            env = environment(KERAS_BACKEND=backend, TF_CONFIG=json.dumps(task))
            output = stack.enter_context(open(logs / f"{index}.txt", "wb"))
            call = [sys.executable, str(ROOT / script), *options]
            children.append(subprocess.Popen(call, env=env, stdout=output, stderr=output))
            stack.callback(children[-1].wait)
            stack.callback(children[-1].kill)
        yield children


def kill_one(processes: list[subprocess.Popen], lost: int, logs: Path, ready) -> tuple[int, str]:
    """Kills a process once `ready()`; returns the exit status of the other and what it printed."""
    end = time.monotonic() + PATIENCE
    while not ready():
        assert processes[0].poll() is None and time.monotonic() < end, (logs / "0.txt").read_text("utf-8")
        time.sleep(0.01)
    processes[lost].kill()
    status = processes[1 - lost].wait(PATIENCE)
    return status, (logs / f"{1 - lost}.txt").read_text("utf-8")
