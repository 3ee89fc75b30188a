"""Kills preparing, training and evaluating at random moments: what they leave is that of undisturbed work.

python scripts/kills.py --kills=100

Each command is begun again after a kill, as a user would begin it, until it has ended well; then all that it
left must be what an undisturbed one leaves, bit for bit. A tiny GLCIC on generated faces writes a checkpoint
after every step, so that most kills fall into the writing of files. Exit status 1 for any difference.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import multiprocessing
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from absl import flags

sys.path.insert(0, str(Path(__file__).parents[1]))

from inpainting_tf import files
from inpainting_tf.commands import cli, main

SETTINGS = {
    "network.width": 4,
    "data.image_size": 16,
    "data.train": 25,
    "data.validation": 5,
    "data.test": 5,
    "batch_size": 5,
    "schedule.epochs": 12,
    "schedule.patience": 2,
    "optimizer.decay": "cosine",
}
LONGEST = 600.0  # seconds after which a command counts as hanging
IN_A_ROUND = 4  # kills of a stage: the short ones would else have them all
# What a clock puts into files.
CLOCKED = ("seconds", "seconds_per_image")


class Stage(NamedTuple):
    """A command of a user, what it is called here, and whether it has left all that it leaves."""

    name: str
    options: Callable[[Path], list[str]]
    done: Callable[[Path], bool]


def define_flags(define: cli.Define) -> None:
    define.integer("kills", 100, "How often to kill.", lower_bound=1)
    define.integer("seed", 0, "Of the moments.", lower_bound=0)
    define.string("model", "glcic", "What to train.")
    define.float("minutes", 60.0, "Begin no further kill after this time.", lower_bound=0)
    define.string("workdir", None, "Where to work; default: a temporary folder.")


def stages(model: str) -> list[Stage]:
    """Preparing, training and evaluating; a prepared folder is not written twice, the others may be."""
    from inpainting_tf import recipes

    fields = SETTINGS | ({"discriminator.width": 4} if recipes.RECIPES[model].discriminator else {})
    settings = [f"--set={field}={value}" for field, value in fields.items()]
    pictures = ["--dataset=synthetic_faces", "--image_size=16", "--train=25", "--validation=5", "--test=5"]
    recipe = [f"--model={model}", "--preset=smoke", "--deterministic", *settings]
    often = ["--checkpoint_minutes=0", "--keep_every=1"]

    def data(folder: Path) -> str:
        return f"--data_dir={folder / 'prepared'}"

    def work(folder: Path) -> str:
        return f"--workdir={folder / 'run'}"

    return [
        Stage(
            "prepare",
            lambda folder: [*pictures, f"--output={folder / 'prepared'}"],
            lambda folder: (folder / "prepared").exists(),
        ),
        Stage("train", lambda folder: [*recipe, *often, data(folder), work(folder)], lambda _: False),
        Stage("evaluate", lambda folder: [data(folder), work(folder)], lambda _: False),
    ]


class Killer:
    """Starts commands, and kills them at moments drawn from a seed.

    Attributes:
        left: kills that are still to do.
        kills: how often each stage was killed.
    """

    def __init__(self, kills: int, seed: int, until: float, log: Path) -> None:
        self.left, self.until, self.log = kills, until, log
        self.kills: dict[str, int] = {}
        self._random = np.random.default_rng(seed)
        self._context = multiprocessing.get_context("forkserver")  # saves the import, not the start
        self._context.set_forkserver_preload(["keras", "inpainting_tf.runs", "inpainting_tf.evaluation"])

    def complete(self, stage: Stage, folder: Path, duration: float | None) -> float:
        """Runs a stage again and again until it ends well; returns the seconds of the last time.

        Args:
            duration: how long it takes undisturbed: kills fall into this time. None: it is not killed.
        """
        for number in itertools.count():
            moment = None
            kill = number < IN_A_ROUND and self.left > 0 and time.monotonic() < self.until
            if duration is not None and kill:
                moment = float(self._random.uniform(0, duration))
            began = time.monotonic()
            if not self._killed(stage, folder, moment):
                break
            self.left -= 1
            self.kills[stage.name] = self.kills.get(stage.name, 0) + 1
            print(f"{sum(self.kills.values())}: {stage.name} killed after {moment:.2f} s", flush=True)
            if stage.done(folder):
                break
        return time.monotonic() - began

    def _killed(self, stage: Stage, folder: Path, moment: float | None) -> bool:
        process = self._context.Process(target=_command, args=(stage.name, stage.options(folder), self.log))
        process.start()
        process.join(LONGEST if moment is None else moment)
        alive = process.is_alive()
        process.kill()
        process.join()
        if alive and moment is not None:
            return True
        if alive or process.exitcode:
            raise SystemExit(f"{stage.name} failed:\n{self.log.read_text(encoding='utf-8')}")
        return False


def _command(name: str, options: list[str], log: Path) -> None:
    """In a process of its own: the command as it is installed, with its output in a file."""
    with open(log, "w", encoding="utf-8") as stream:
        sys.stdout = sys.stderr = stream
        sys.argv = ["inpainting-tf", name, *options]
        main.inpainting_tf()


def differences(one: Path, two: Path) -> list[str]:
    """The files in which two folders differ, but for clocks, TensorBoard's files and half-written ones."""
    mine, theirs = (dict(_contents(folder)) for folder in (one, two))
    return [name for name in sorted(mine.keys() | theirs.keys()) if mine.get(name) != theirs.get(name)]


def _contents(folder: Path) -> Iterator[tuple[str, Any]]:
    for file in sorted(folder.rglob("*")):
        name = str(file.relative_to(folder))
        half = any(files.is_temporary(each) for each in (file, *file.parents))
        if file.is_file() and not half and file.name != ".lock" and "tensorboard" not in file.parts:
            yield name, _content(file, folder)


def _content(file: Path, folder: Path) -> Any:
    """What must be equal in a file."""
    if file.suffix == ".keras":
        from inpainting_tf.runs import loading

        return [weight.numpy().tobytes() for weight in loading.keras_model(file).weights]
    if file.suffix == ".npz":
        with np.load(file) as stored:
            return {name: stored[name].tobytes() for name in stored.files}
    if file.suffix == ".csv":
        rows = csv.DictReader(io.StringIO(file.read_text(encoding="utf-8")))
        return [_without_clocks(row) for row in rows]
    if file.suffix == ".json":
        return _without_clocks(json.loads(file.read_text(encoding="utf-8").replace(str(folder), "")))
    return file.read_bytes()


def _without_clocks(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_clocks(each) for name, each in value.items() if name not in CLOCKED}
    return value


def half_written(folder: Path) -> int:
    """How many files and folders were cut off while they were written."""
    return sum(files.is_temporary(file) for file in folder.rglob(".*"))


def run(args: flags.FlagValues) -> int:
    home = Path(args.workdir or tempfile.mkdtemp(prefix="kills-")).resolve()
    home.mkdir(parents=True, exist_ok=True)
    killer = Killer(args.kills, args.seed, time.monotonic() + 60 * args.minutes, home / "log.txt")
    print(f"Seed {args.seed}, in {home}", flush=True)
    todo, reference = stages(args.model), home / "reference"
    shutil.rmtree(reference, ignore_errors=True)
    seconds = {stage.name: killer.complete(stage, reference, None) for stage in todo}
    print("Undisturbed: " + ", ".join(f"{name} {s:.1f} s" for name, s in seconds.items()), flush=True)
    rounds = halves = 0
    while killer.left > 0 and time.monotonic() < killer.until:
        folder = home / "killed"
        shutil.rmtree(folder, ignore_errors=True)
        for stage in todo:
            took = killer.complete(stage, folder, seconds[stage.name])
            seconds[stage.name] = max(took, seconds[stage.name])  # on a busy machine
        rounds, halves = rounds + 1, halves + half_written(folder)
        if found := differences(reference, folder):
            print(f"Different after round {rounds}, which stays in {folder}: {', '.join(found)}")
            return 1
    done = ", ".join(f"{count} of {name}" for name, count in killer.kills.items())
    print(f"{sum(killer.kills.values())} kills ({done}) in {rounds} rounds: every result is bit-identical.")
    print(f"{halves} files were cut off while they were written.")
    if args.workdir is None:
        shutil.rmtree(home)
    return 0


if __name__ == "__main__":
    cli.main(sys.modules[__name__])
