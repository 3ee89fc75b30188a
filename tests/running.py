"""What the tests of runs share: a recipe of seconds, and the commands, in this process or in their own."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import io
import os
import runpy
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image

import inpainting_tf
from inpainting_tf import recipes
from inpainting_tf.commands import main
from inpainting_tf.data import synthetic_faces
from inpainting_tf.runs import checkpoints

ROOT = Path(__file__).parents[1]
PATIENCE = 600  # seconds until a process that ought to be done counts as hanging

PROGRAMS = {"inpaint": main.inpaint, "inpainting-tf": main.inpainting_tf}  # as setup.cfg installs them

# Networks of a few layers in glcic's place: tracing a graph of 100 layers takes as long as all else together.
SHALLOW = {"network.builder": "gan_direct_conv", "discriminator.builder": "local_discriminator"}
# 12 steps: six of completion, three of the discriminator alone, three of both.
TINY = {
    "network.width": 4,
    "discriminator.width": 4,
    "data.image_size": 16,
    "data.train": 25,
    "data.validation": 5,
    "data.test": 5,
    "batch_size": 5,
    "schedule.epochs": 3,
    "mixed_precision": "off",
}


def lively(seed: int = 0) -> inpainting_tf.Inpainter:
    """Untrained, for any size, with gains that let a change of the picture through all its layers."""
    network, random = inpainting_tf.build("glcic", image_size=None, width=4), np.random.default_rng(seed)
    for weight in network.weights:
        if weight.path.endswith("kernel"):
            spread = np.sqrt(4 / np.prod(weight.shape[:-1]))
            weight.assign(random.normal(0, spread, weight.shape))
    return network


def tiny(model: str = "glcic", **changes: Any) -> recipes.Recipe:
    """The smoke preset of a model, tiny; `changes` have two underscores for the dot."""
    return recipes.get(model, "smoke").override(_tiny(model, changes))


def tiny_flags(model: str = "glcic", **changes: Any) -> list[str]:
    """The same as options of train.py."""
    fields = _tiny(model, changes)
    return [f"--model={model}", "--preset=smoke", *(f"--set={k}={v}" for k, v in fields.items())]


def _tiny(model: str, changes: dict[str, Any]) -> dict[str, Any]:
    fields = (
        (SHALLOW if model == "glcic" else {})
        | TINY
        | {name.replace("__", "."): value for name, value in changes.items()}
    )
    alone = recipes.RECIPES[model].discriminator is None
    return {k: v for k, v in fields.items() if not (alone and k.startswith("discriminator."))}


@dataclasses.dataclass(frozen=True)
class Result:
    """What a command left: its exit status and what it printed."""

    status: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        """The lines that tell of a mistake."""
        return [line for line in self.err.splitlines() if line.startswith("error: ")]

    def refuses(self, *words: str, status: int = 2) -> bool:
        """Whether it ended with `status` and one line that holds all the words, and without a traceback."""
        line = self.errors[0] if len(self.errors) == 1 else ""
        told = bool(line) and all(word in line for word in words)
        return told and self.status == status and "Traceback" not in self.err


def command(program: str, *args: Any) -> Result:
    """Runs a program in this process, as a user would on the command line.

    Args:
        program: a script of the checkout, or what is installed: `inpaint`, `inpainting-tf train`.
        args: its options.
    """
    out, err, status = io.StringIO(), io.StringIO(), 0
    name, *words = program.split()
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        _arguments(name, *words, *map(str, args)),
    ):
        try:
            if name in PROGRAMS:
                PROGRAMS[name]()
            else:
                runpy.run_path(str(ROOT / name), run_name="__main__")
        except SystemExit as end:
            status = end.code or 0
    return Result(status, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def _arguments(*words: str) -> Iterator[None]:
    former, sys.argv = sys.argv, list(words)
    try:
        yield
    finally:
        sys.argv = former


def process(script: str, *args: Any, env: dict[str, str] | None = None, **options: Any) -> Result:
    """Runs a script in a process of its own and waits for its end."""
    done = subprocess.run(
        [sys.executable, str(ROOT / script), *map(str, args)],
        env=env or environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        **options,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def python(code: str, *args: Any, env: dict[str, str] | None = None) -> str:
    """What a fresh interpreter prints that runs `code`; an error there is one here."""
    call = [sys.executable, "-c", code, *map(str, args)]
    return subprocess.run(
        call, env=env or environment(), capture_output=True, encoding="utf-8", timeout=PATIENCE, check=True
    ).stdout


def without_tensorflow(folder: Path) -> dict[str, str]:
    """For `environment`: a process with it uses JAX, and fails wherever it imports TensorFlow or TFDS."""
    for name in ("tensorflow", "tensorflow_datasets"):
        (folder / f"{name}.py").write_text(
            f"raise ModuleNotFoundError('No module named {name}', name='{name}')", encoding="utf-8"
        )
    return {"KERAS_BACKEND": "jax", "PYTHONPATH": str(folder)}


def environment(**changes: str) -> dict[str, str]:
    """That of a user in the checkout, on the CPU: the promise of equal bits is made for it alone."""
    path = os.pathsep.join(
        filter(None, [changes.pop("PYTHONPATH", None), str(ROOT), os.environ.get("PYTHONPATH")])
    )
    return {**os.environ, "PYTHONPATH": path, "CUDA_VISIBLE_DEVICES": "-1", **changes}


@contextlib.contextmanager
def training(options: Sequence[str], folder: Path, log: Path, **changes: str) -> Iterator[subprocess.Popen]:
    """train.py at work in a process of its own, which does not outlive the block."""
    call = [sys.executable, str(ROOT / "train.py"), *options, f"--workdir={folder}"]
    with open(log, "wb") as output:
        child = subprocess.Popen(call, env=environment(**changes), stdout=output, stderr=output)
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def stop(options: Sequence[str], folder: Path, log: Path, step: int, number: int, **changes: str) -> int:
    """Trains until the checkpoint of `step` is there, sends the signal, and returns the exit status."""
    with training(options, folder, log, **changes) as child:
        end = time.monotonic() + PATIENCE
        while checkpoints.latest_step(folder / "checkpoints") < step:
            assert child.poll() is None, f"ended before its checkpoint:\n{log.read_text(encoding='utf-8')}"
            assert time.monotonic() < end, f"no checkpoint:\n{log.read_text(encoding='utf-8')}"
            time.sleep(0.01)
        child.send_signal(number)
        return child.wait(PATIENCE)


def drawn_faces(folder: Path, count: int) -> None:
    """Writes a user's pictures: `count` files of 48 x 48 pixels."""
    folder.mkdir()
    for number in range(count):
        Image.fromarray(synthetic_faces.face(number, 48)).save(folder / f"{number}.png")


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below `folder` with its bytes, but for the lock."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def rows_of(folder: Path, name: str = "history.csv") -> list[dict[str, str]]:
    """The rows of a CSV file in `folder`, as text."""
    with open(folder / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def events_of(folder: Path, tag: str) -> list[Any]:
    """What TensorBoard shows of `tag`, (event, value): a restart hides what came at its step or later."""
    found = []
    for file in sorted((folder / "tensorboard").iterdir()):
        with contextlib.suppress(tf.errors.DataLossError):  # cut off by a kill
            for event in tf.compat.v1.train.summary_iterator(str(file)):
                if event.HasField("session_log"):
                    found = [(former, value) for former, value in found if former.step < event.step]
                found += [(event, value) for value in event.summary.value if value.tag == tag]
    return found
