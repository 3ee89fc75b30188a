"""A run's folder: start or continue a training there, and load what came out of it.

recipe.json     the resolved recipe             history.csv   losses, an epoch per row
data.json       the pictures of each split      checkpoints/  to continue from
environment.json   versions and device that it was started with
model.keras     the completion network alone    figures/      loss curves, samples while it trained
completion_phase.keras   the same, as it was before it met a discriminator
tensorboard/    scalars and pictures            metrics.json, per_image.csv   from an evaluation
samples/        test pictures as they were filled after some epochs, uint8 [N, H, W, 3]
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import json
import os
import signal
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
from absl import logging

from inpainting_tf import backends, data, environment, figures, files, models
from inpainting_tf.runs import checkpoints, packed
from inpainting_tf.ops import metrics
from inpainting_tf.data import pipeline
from inpainting_tf.errors import Diverged, InputError, unknown
from inpainting_tf.runs.events import Events
from inpainting_tf.ops.images import composite, to_uint8
from inpainting_tf.inference import Network, network_fill
from inpainting_tf.recipes import Recipe, assembly
from inpainting_tf.training import callbacks, precision

VALIDATION = 64  # test pictures that are looked at while a run trains
SHOWN = 6  # of these, in the sample sheets
SAMPLES = 10  # how many times in a run, at most
ENGINES = ("keras", "openvino")
_LOCK = ".lock"


@dataclasses.dataclass(frozen=True)
class Run:
    """A run's folder and its recipe."""

    folder: Path
    recipe: Recipe

    @property
    def model_file(self) -> Path:
        return self.folder / "model.keras"

    @property
    def completion_phase_file(self) -> Path:
        return self.folder / "completion_phase.keras"

    @property
    def checkpoints(self) -> Path:
        return self.folder / "checkpoints"

    @property
    def figures(self) -> Path:
        return self.folder / "figures"

    @property
    def minutes(self) -> float:
        """How long it was trained, up to the last row of `history.csv`, which must be there."""
        return float(self.history()[-1]["seconds"]) / 60

    def pictures(self) -> dict[str, Any]:
        """`data.json`: "data_dir", "origin" and the names of each split; empty before the first start."""
        file = self.folder / "data.json"
        return json.loads(file.read_text()) if file.exists() else {}

    def history(self) -> list[dict[str, str]]:
        """The rows of `history.csv`, as text."""
        file = self.folder / "history.csv"
        if not file.exists():
            return []
        with open(file, newline="") as rows:
            return list(csv.DictReader(rows))


def open_run(workdir: str | os.PathLike) -> Run:
    """The run in a folder, or the one behind a model that comes with the package.

    Raises:
        InputError: the folder holds no run, or one that this version cannot read.
    """
    folder = models.folder(workdir) or Path(workdir).expanduser()
    file = folder / "recipe.json"
    if not file.is_file():
        raise InputError(
            f"`workdir` must be the folder of a run. Received {str(folder)!r}: no recipe.json in it."
        )
    try:
        return Run(folder, Recipe.from_json(json.loads(file.read_text())))
    except (ValueError, TypeError, AttributeError) as error:
        raise InputError(f"{file} cannot be read ({error}). Choose another --workdir.") from error


def load(path: str | os.PathLike, *, engine: str = "keras") -> keras.Model | Network:
    """A completion network: one that comes with the package, a run's, a packed run's, or a `.keras` file's.

    Args:
        path: a name in `inpainting_tf.models.NAMES`, a run's folder, packed or not, or a model file that this
            package wrote. (A folder that has such a name: "./faces".)
        engine: "keras", or "openvino" for several times the speed on a CPU, in bfloat16 where it has that.

    Returns:
        A float32 Keras model that takes any picture size its network can work with; with "openvino" what
        `inpaint` takes just as well.

    Raises:
        InputError: nothing there, not a model of this package, an engine that is unknown or not installed.
    """
    if engine not in ENGINES:
        raise unknown("engine", engine, ENGINES)
    model = _load(models.folder(path) or Path(path).expanduser())
    if engine == "keras":
        return model
    from inpainting_tf.inference.engines import openvino

    return openvino.compile(model)


def shown_name(path: str | os.PathLike) -> str:
    """What a network that `load` takes is called in tables and on pages: its folder's name, or its file's."""
    place = Path(path).expanduser().resolve()
    return place.parent.name if place.name == "model.keras" else place.name.removesuffix(".keras")


def _load(path: Path) -> keras.Model:
    if packed.found(path):
        return _unpacked(path)
    file = path / "model.keras" if path.is_dir() else path
    if not file.is_file():
        raise InputError(
            f"`path` must be {', '.join(models.NAMES)}, a run's folder or a .keras file. "
            f"Received {str(path)!r}: no such model."
        )
    try:
        model = keras.models.load_model(file, compile=False)
    except (ValueError, OSError, TypeError, KeyError, zipfile.BadZipFile) as error:
        reason = str(error).strip().partition("\n")[0]
        raise InputError(f"{str(file)!r} is not a Keras model that can be loaded: {reason}") from error
    inputs = getattr(model, "input", None)  # a model of another make may have none
    if not isinstance(inputs, dict) or set(inputs) != {"image", "mask"}:
        raise InputError(f"{str(file)!r} is not a completion network: it must take 'image' and 'mask'.")
    return model


def _unpacked(folder: Path) -> keras.Model:
    model, weights = assembly.portable_network(open_run(folder).recipe), packed.read(folder)
    try:
        model.set_weights(weights)
    except ValueError as error:
        raise InputError(f"The weights in {str(folder)!r} are not those of its recipe: {error}") from error
    return model


def pack(run: Run, folder: str | os.PathLike) -> Run:
    """Copies what is worth keeping of a finished run: weights in half precision, recipe, history, names.

    `load` and `eval.py --workdir` take the copy as they take the run. It does not say where the pictures
    were; `data_dir` does that when they are needed. Where a recipe trains on all the pictures there are,
    their names are left out.

    Raises:
        InputError: no finished model in the run, or the folder cannot be written.
    """
    weights, copy = load(run.folder).get_weights(), Run(Path(folder).expanduser(), run.recipe)
    files.write_json(copy.folder / "recipe.json", run.recipe.to_json())
    splits = ("test",) if run.recipe.data.train is None else ("train", "test")
    files.write_json(copy.folder / "data.json", {split: run.pictures()[split] for split in splits})
    for kept in ("history.csv", "environment.json"):
        if (run.folder / kept).exists():
            files.write_text(copy.folder / kept, (run.folder / kept).read_text())
    packed.write(weights, copy.folder)
    return copy


def train(
    recipe: Recipe,
    workdir: str | os.PathLike,
    *,
    data_dir: str | os.PathLike | None = None,
    checkpoint_minutes: float = 2.0,
    settings: bool = True,
) -> Run:
    """Trains a recipe in a folder, or continues the training that was interrupted there.

    Args:
        recipe: the resolved recipe.
        workdir: a new or empty folder, or that of a run of the same recipe.
        data_dir: where the pictures are; None looks at the usual places.
        checkpoint_minutes: how much work a kill may cost; 0 keeps every step.
        settings: whether to tell every setting of the recipe before it starts.

    Raises:
        InputError: a recipe that makes no sense, a folder of another run, no data, a full disk, ...
        Diverged: a loss or a weight is not finite; the last good checkpoint stays.
        KeyboardInterrupt: after Ctrl-C or SIGTERM, once a checkpoint is written.
    """
    run = _run_of(recipe.check(), Path(workdir).expanduser())
    if recipe.deterministic:
        backends.make_deterministic()
    with _locked(run.folder), precision.policy(precision.resolve(recipe.mixed_precision)):
        keras.utils.set_random_seed(recipe.seed)
        training = _Training(run, data_dir)
        if settings:
            print(_settings(recipe), file=sys.stderr)
        training.fit(checkpoint_minutes)
    return run


def _run_of(recipe: Recipe, folder: Path) -> Run:
    """The run of this recipe in `folder`, which is not touched yet: data or networks may still be refused."""
    if packed.found(folder):
        raise InputError(f"`workdir` must not be a packed run, which cannot go on. Received {str(folder)!r}.")
    if (folder / "recipe.json").exists():
        run = open_run(folder)
        differences = run.recipe.differences(recipe)
        if differences:
            field, (there, here) = next(iter(differences.items()))
            raise InputError(
                f"`workdir` {str(folder)!r} holds another run: {field} is {there!r} there and {here!r} here. "
                "Choose another --workdir."
            )
        return run
    if folder.exists() and (not folder.is_dir() or any(entry.name != _LOCK for entry in folder.iterdir())):
        raise InputError(
            f"`workdir` must be new, empty or a run's folder. Received {str(folder)!r}: it is not."
        )
    return Run(folder, recipe)


class _Training:
    """One process's share of a run."""

    def __init__(self, run: Run, data_dir: str | os.PathLike | None) -> None:
        self.run, recipe = run, run.recipe
        known = run.pictures()
        self.data = self._load_data(data_dir, known)
        self.per_epoch = pipeline.steps_per_epoch(len(self.data.train.images), recipe.batch_size)
        self.total = self.per_epoch * recipe.schedule.epochs
        self.trainer = assembly.trainer(recipe, self.total)
        state = checkpoints.restore(run.checkpoints, self.trainer) or {"step": 0, "history": None}
        self.start = state["step"]
        self.rows: list[dict[str, Any]] = [r for r in run.history() if int(r["step"]) <= self.start]
        self.history = callbacks.History(self.start, self.per_epoch, state["history"], self._epoch_ended)
        self.network = assembly.portable_network(recipe)
        if not known:
            self._record(data_dir)

    def _load_data(self, data_dir: str | os.PathLike | None, known: dict[str, Any]) -> data.Dataset:
        loaded = data.load(self.run.recipe.data, data_dir or known.get("data_dir"), names=known or None)
        for which, names in loaded.names().items():
            lost = set(known.get(which, names)) - set(names)
            if lost:  # with fewer pictures every later step would be another one
                raise InputError(
                    f"{len(lost)} {which} pictures of this run cannot be read any more, e.g. {min(lost)}. "
                    f"Restore them in {loaded.origin}, or start again in a new --workdir."
                )
        return loaded

    def _record(self, data_dir: str | os.PathLike | None) -> None:
        """Makes the folder a run's, now that nothing but time stands between the recipe and its model."""
        where = None if data_dir is None else str(Path(data_dir).expanduser().resolve())
        files.write_json(self.run.folder / "recipe.json", self.run.recipe.to_json())
        record = {"data_dir": where, "origin": self.data.origin, **self.data.names()}
        files.write_json(self.run.folder / "data.json", record)
        files.write_json(self.run.folder / "environment.json", environment.describe())

    def fit(self, checkpoint_minutes: float) -> None:
        """The steps that are left, then the figures."""
        recipe, done = self.run.recipe, self.start >= self.total
        print(_headline(self), file=sys.stderr)
        if not done:
            images, network = self.data.train.images, self.trainer.completion
            batches = assembly.training_batches(recipe, network, images, self.start, self.total)
            self.board = Events(self.run.folder / "tensorboard", self.start)
            with contextlib.closing(self.board), _stop_request() as stop:
                self._steps(batches, callbacks.Checkpoints(self.start, checkpoint_minutes, self._save, stop))

    def _steps(self, batches: Any, keeper: callbacks.Checkpoints) -> None:
        progress = callbacks.Progress(self.start, self.total, self.per_epoch, self.run.recipe.batch_size)
        guard = callbacks.StopOnNonFinite(self.start)
        alone = self.run.recipe.schedule.boundaries(self.total)[0] if self.run.recipe.discriminator else None
        phase_file = self.run.completion_phase_file
        snapshot = callbacks.AtStep(self.start, alone, lambda: self._write(phase_file, alone))
        between = [guard, progress, self.history, snapshot, keeper]
        try:
            # One Keras epoch over all steps that are left: our own epochs may begin in the middle.
            self.trainer.fit(batches, epochs=1, verbose=0, shuffle=False, callbacks=between)
            self._save(self.total)
        except Diverged as error:
            kept = checkpoints.latest_step(self.run.checkpoints)
            advice = (
                f"The checkpoint of step {kept} is kept" if kept else "No checkpoint had been written yet"
            )
            raise Diverged(
                f"{error} {advice} in {self.run.folder}. Try a lower --learning_rate in a new --workdir."
            ) from error
        finally:
            progress.close()

    def _save(self, step: int) -> None:
        # The model first: a kill between the two must not leave a finished training without its model.
        self._write(self.run.model_file, step)
        checkpoints.save(self.run.checkpoints, step, self.trainer, {"history": self.history.state()})

    def _write(self, file: Path, step: int) -> None:
        self.trainer.sync()
        self.network.set_weights(self.trainer.completion.get_weights())
        checkpoints.require_finite(self.network.variables, step)
        with files.replacing(file) as temporary:
            self.network.save(temporary)

    def _epoch_ended(self, row: dict[str, Any]) -> None:
        epochs = self.run.recipe.schedule.epochs
        pictured = row["epoch"] % -(-epochs // SAMPLES) == 0 or row["epoch"] == epochs
        if pictured:
            row |= self._sample(row["epoch"], row["step"])
        self.rows.append({"val_psnr": None, "val_hole_psnr": None} | row)
        columns = ["epoch", *(c for c in self.rows[-1] if c not in ("epoch", "seconds")), "seconds"]
        files.write_csv(self.run.folder / "history.csv", [{c: r[c] for c in columns} for r in self.rows])
        self.board.scalars({k: v for k, v in row.items() if isinstance(v, float)}, row["step"])
        if pictured:
            figures.loss_curves(self.rows, self.run.figures / "loss_curves.png")

    def _sample(self, epoch: int, step: int) -> dict[str, float]:
        """Fills the first test pictures: a sheet, TensorBoard pictures, and two figures for the history."""
        images = self.data.test.images[:VALIDATION]
        batch = next(pipeline.test_batches(images, self.run.recipe.mask.test, batch_size=VALIDATION))
        image, mask = batch["image"], batch["mask"]
        self.trainer.sync()
        prediction = network_fill(self.trainer.completion)(image * (1 - mask), mask)
        completed = composite(image, prediction, mask)
        columns = {"input": figures.input_view(image, mask), "filled": completed, "original": image}
        columns = {name: pictures[:SHOWN] for name, pictures in columns.items()}
        title = f"{self.run.recipe.name}, test pictures after epoch {epoch}"
        figures.sheet(columns, self.run.figures / f"samples_epoch_{epoch:04d}.png", title=title)
        self._progress(epoch, columns)
        strip = np.concatenate([np.concatenate(list(column), 0) for column in columns.values()], 1)
        self.board.picture("input_filled_original", to_uint8(strip), step)
        return {
            "val_psnr": float(np.mean(metrics.psnr(image, completed))),
            "val_hole_psnr": float(np.mean(metrics.hole_psnr(image, completed, mask))),
        }

    def _progress(self, epoch: int, columns: dict[str, np.ndarray]) -> None:
        """The same pictures as they were filled after each sampled epoch, side by side."""
        folder = self.run.folder / "samples"
        with files.replacing(folder / f"epoch_{epoch:04d}.npy") as temporary, open(temporary, "wb") as file:
            np.save(file, to_uint8(columns["filled"]))
        sampled = {int(file.stem[-4:]): file for file in folder.glob("epoch_*.npy")}
        course = {f"epoch {n}": np.load(file) for n, file in sorted(sampled.items()) if n <= epoch}
        columns = {"input": columns["input"], **course, "original": columns["original"]}
        title = f"{self.run.recipe.name}, the same test pictures as the training went on"
        figures.sheet(columns, self.run.figures / "progress.png", title=title)


def _settings(recipe: Recipe) -> str:
    settings = recipe.settings()
    width = max(map(len, settings))
    return "\n".join(f"  {name:{width}}  {value}" for name, value in settings.items())


def _headline(training: _Training) -> str:
    recipe, trainer = training.run.recipe, training.trainer
    weights = trainer.completion.count_params() / 1e6
    policy = keras.mixed_precision.dtype_policy().name
    begun = f"continues at step {training.start}" if training.start else "starts"
    if training.start >= training.total:
        begun = "is already trained"
    return (
        f"{recipe.name} {begun} in {training.run.folder}: {len(training.data.train.images)} training and "
        f"{len(training.data.test.images)} test pictures of {training.data.origin}, "
        f"{recipe.data.image_size} px, {weights:.2f} M weights in the completion network, {policy}, "
        f"{training.total} steps of {recipe.batch_size} pictures."
    )


@contextlib.contextmanager
def _stop_request() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C or SIGTERM sets, to let a step finish; the second one kills."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return

    def ask(number: int, frame: Any) -> None:
        asked.set()
        signal.signal(number, former[number])

    former = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keeps a second process out of the run's folder; the lock goes with the process, however it ends."""
    with contextlib.ExitStack() as stack:
        with files.writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            lock = stack.enter_context(open(folder / _LOCK, "a"))
        _lock(lock, folder)
        yield


def _lock(file: Any, folder: Path) -> None:
    try:
        import fcntl
    except ImportError:  # Windows: no such lock
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise InputError(f"`workdir` {str(folder)!r} is in use by another process.") from error
    except OSError as error:  # a network file system without locks
        logging.warning("%s cannot be locked (%s): start no second training in it.", folder, error.strerror)
