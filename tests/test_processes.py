"""A function in a process of its own: what it returns, what it raises, and how either process may die.

`processes.py` needs the standard library alone. Here it is imported without the package around it, so that
its processes start in no time.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from running import PATIENCE, ROOT

HELPERS = """
import os, pathlib, signal, threading, time

class Strange(Exception):
    pass

class Unloadable(Exception):
    def __init__(self, one, two):
        super().__init__("only one")

def add(a, b):
    return a + b, os.getpid()

def fail(message):
    raise Strange(message)

def unloadable():
    raise Unloadable(1, 2)

def unsendable():
    return threading.Lock()

def wait(folder):
    folder = pathlib.Path(folder)
    asked = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: asked.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    (folder / "began").touch()
    asked.wait(600)
    time.sleep(0.2)
    (folder / "saved").touch()
    raise KeyboardInterrupt("saved")
"""
PARENT = """
import signal, sys
import helpers, processes
if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):  # the tests may have been started without Ctrl-C
        signal.signal(number, signal.default_int_handler)
    processes.run(helpers.wait, sys.argv[1])
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """With `processes` and `helpers`, as modules of their own."""
    folder = tmp_path_factory.mktemp("modules")
    (folder / "processes.py").symlink_to(ROOT / "inpainting_tf" / "processes.py")
    (folder / "helpers.py").write_text(HELPERS, encoding="utf-8")
    (folder / "parent.py").write_text(PARENT, encoding="utf-8")
    return folder


@pytest.fixture
def modules(folder, monkeypatch):
    monkeypatch.syspath_prepend(folder)
    import helpers
    import processes

    return processes, helpers


def test_a_result_comes_from_another_process(modules):
    processes, helpers = modules
    total, number = processes.run(helpers.add, 2, 3)
    assert total == 5 and number != os.getpid()


def test_more_than_a_pipe_holds(modules):
    processes, _ = modules
    assert processes.run(bytes, 1_000_000) == bytes(1_000_000)


def test_an_exception_is_raised_here_with_what_it_was_there(modules):
    processes, helpers = modules
    with pytest.raises(helpers.Strange, match="too bad") as caught:
        processes.run(helpers.fail, "too bad")
    assert "in fail" in str(caught.value.__cause__)


@pytest.mark.parametrize("status", [0, 3])
def test_a_process_that_ends_without_a_word(modules, status):
    processes, _ = modules
    with pytest.raises(processes.Died, match=f"exit status {status}$"):
        processes.run(os._exit, status)


def test_a_process_that_is_killed(modules):
    processes, _ = modules
    with pytest.raises(processes.Died, match=r"exit status -9$"):
        processes.run(signal.raise_signal, signal.SIGKILL)


@pytest.mark.parametrize("function", ["unloadable", "unsendable"])
def test_what_does_not_travel_is_an_error_all_the_same(modules, function):
    processes, helpers = modules
    with pytest.raises(TypeError):
        processes.run(getattr(helpers, function))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_waits_for_what_the_other_saves(folder, tmp_path, number):
    parent = begun(folder, tmp_path)
    parent.send_signal(number)
    _, errors = parent.communicate(timeout=PATIENCE)
    assert (tmp_path / "saved").exists(), errors
    assert parent.returncode != 0 and "KeyboardInterrupt" in errors


def test_a_process_does_not_outlive_its_parent(folder, tmp_path):
    parent = begun(folder, tmp_path)
    parent.kill()
    _, errors = parent.communicate(timeout=PATIENCE)  # returns when the other one has closed stderr, too
    assert (tmp_path / "saved").exists() and errors == ""


def begun(folder: Path, place: Path) -> subprocess.Popen:
    """A process that waits for another one, which is at work."""
    parent = subprocess.Popen(
        [sys.executable, str(folder / "parent.py"), str(place)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    end = time.monotonic() + PATIENCE
    while not (place / "began").exists():
        assert parent.poll() is None and time.monotonic() < end, "it does not begin"
        time.sleep(0.01)
    return parent
