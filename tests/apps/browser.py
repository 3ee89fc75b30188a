"""For the end-to-end tests of the web pages: a page served by a process of its own, and a real Chromium."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from running import PATIENCE, ROOT

SECONDS = 120  # until something on a page that ought to have happened counts as hanging
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = (
    "--no-sandbox",  # Chromium refuses to run as root with it, as in a container
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Runs a module as `python -m` does and tells on stdout which machines it asks for or connects to.
_WATCHED = """
import runpy, sys

def watch(event, args):
    if event == "socket.getaddrinfo":
        print("ASKED", args[0], flush=True)
    elif event == "socket.connect" and isinstance(args[1], tuple):
        print("ASKED", args[1][0], flush=True)

sys.addaudithook(watch)
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""
_HERE = {"127.0.0.1", "::1", "localhost", "0.0.0.0", "None"}


@dataclasses.dataclass(frozen=True)
class Server:
    """A page that is being served.

    Attributes:
        url: its address.
        process: what serves it.
        log: the file that its output goes to.
    """

    url: str
    process: subprocess.Popen
    log: Path

    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def asked(self) -> set[str]:
        """Machines other than this one that the process looked up or connected to."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return {line.split(maxsplit=1)[1] for line in lines if line.startswith("ASKED ")} - _HERE


@contextlib.contextmanager
def served(module: str, *options: str, log: Path) -> Iterator[Server]:
    """`python -m module --port=... options` in the background, from its first line with an address on.

    Args:
        module: one that serves a page, with the flags of `inpainting_tf.commands.page_flags`.
        options: of its command line.
        log: a file for what it prints.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", _WATCHED, module, f"--port={port}", *options]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
    try:
        url = f"http://127.0.0.1:{port}/"
        _wait_for(f"The page is at {url}", process, log)
        yield Server(url, process, log)
    finally:
        process.terminate()
        process.wait(PATIENCE)


@contextlib.contextmanager
def chromium() -> Iterator[Any]:
    """A headless Chromium as Playwright's `Browser`; skips where one of the two is missing.

    Chromium is found on the path, or named by the environment variable CHROMIUM.
    """
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install playwright")
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        pytest.skip("needs Chromium: apt-get install chromium, or its path in CHROMIUM")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=list(_FLAGS))
        yield browser
        browser.close()


@contextlib.contextmanager
def opened(browser: Any, url: str, size: tuple[int, int] = (1400, 1300)) -> Iterator[tuple[Any, list[str]]]:
    """A page in a window of (width, height), as Playwright's `Page`, and the addresses that it asks for."""
    with contextlib.closing(
        browser.new_context(viewport=dict(zip(("width", "height"), size, strict=True)))
    ) as tab:
        page = tab.new_page()
        page.set_default_timeout(1000 * SECONDS)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(url)
        yield page, asked


def screenshot(page: Any, name: str, folder: Path) -> Path:
    """A picture of the whole page, kept in the folder INPAINTING_SCREENSHOTS where that is set."""
    place = Path(os.environ.get("INPAINTING_SCREENSHOTS") or folder)
    place.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=place / f"{name}.png", full_page=True)
    return place / f"{name}.png"


def _wait_for(text: str, process: subprocess.Popen, log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while text not in log.read_text(encoding="utf-8", errors="replace"):
        if process.poll() is not None or time.monotonic() > end:
            raise AssertionError(f"not served: {log.read_text(encoding='utf-8', errors='replace')[-2000:]}")
        time.sleep(0.2)
