"""Starts a training in a run's folder, or continues the one that was interrupted there."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from inpainting_tf import backends, data, environment, figures, files, sizes
from inpainting_tf.data import pipeline
from inpainting_tf.errors import Diverged, InputError
from inpainting_tf.ops import metrics
from inpainting_tf.ops.images import composite, to_uint8
from inpainting_tf.recipes import Recipe, assembly
from inpainting_tf.runs import checkpoints, locking, own_masks, starting
from inpainting_tf.runs.events import Events
from inpainting_tf.runs.run import Run, open_run
from inpainting_tf.training import callbacks, precision

SHOWN = 6  # validation pictures in the sample sheets
SAMPLES = 10  # sample sheets of a run, at most


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
        workdir: a new or empty folder, or that of a run of the same recipe, or of fewer epochs of it: then
            the phases stay where they were, and the epochs that are added belong to the last one.
        data_dir: the pictures' folder; None searches the usual ones.
        checkpoint_minutes: time between checkpoints; 0 writes one after every step.
        settings: whether to print every setting of the recipe before it starts.

    Raises:
        InputError: an invalid recipe, a folder of another run, no data, a full disk, ...
        Diverged: a loss or a weight is not finite; the last good checkpoint stays.
        KeyboardInterrupt: after Ctrl-C or SIGTERM, once a checkpoint is written.

    Example:
        >>> from inpainting_tf import recipes, runs
        >>> tiny = {"network.width": 4, "data.image_size": 16, "schedule.epochs": 1}
        >>> run = runs.train(recipes.get("direct_conv", "smoke").override(tiny), "runs/tiny", settings=False)
        >>> sorted(file.name for file in run.folder.glob("*.keras"))
        ['model.keras']
    """
    environment.require_defaults()
    # Absolute: a callback or a library may change the working folder while it trains.
    folder = Path(workdir).expanduser().absolute()
    starting.require_place(folder)
    recipe.check()
    if recipe.deterministic:
        backends.make_deterministic()
    with locking.locked(folder), precision.policy(precision.resolve(recipe.mixed_precision)):
        run = starting.run_in(folder, recipe)
        files.sweep(folder)
        keras.utils.set_random_seed(recipe.seed)
        training = _Training(run, data_dir)
        if settings:
            print(_settings(run.recipe), file=sys.stderr)
        training.fit(checkpoint_minutes)
    return run


class _Training:
    """One process's share of a run."""

    def __init__(self, run: Run, data_dir: str | os.PathLike | None) -> None:
        self.run, recipe = run, run.recipe
        known = run.pictures()
        self.data = self._load_data(data_dir, known)
        self.masks = own_masks.record(recipe, self.data.test.images.shape[1:3])
        own_masks.require_same(self.masks, known.get("masks", {}))
        self.per_epoch = pipeline.steps_per_epoch(len(self.data.train.images), recipe.batch_size)
        self.total = self.per_epoch * recipe.schedule.epochs
        self.trainer = assembly.trainer(recipe, self.total)
        state = checkpoints.restore(run.checkpoints, self.trainer) or {"step": 0, "history": None}
        self.start, self.policy = state["step"], keras.mixed_precision.dtype_policy().name
        self.former_policy = state.get("precision", self.policy)
        self.rows: list[dict[str, Any]] = [r for r in run.history() if int(r["step"]) <= self.start]
        self.history = callbacks.History(self.start, self.per_epoch, state["history"], self._epoch_ended)
        self.network = assembly.portable_network(recipe)
        if not known:
            self._record(data_dir)
        elif recipe != open_run(run.folder).recipe:
            self._record_recipe()

    def _load_data(self, data_dir: str | os.PathLike | None, known: dict[str, Any]) -> data.Dataset:
        loaded = data.load(self.run.recipe.data, data_dir or known.get("data_dir"), names=known or None)
        for which, names in loaded.names().items():
            lost = set(known.get(which, names)) - set(names)
            if lost:  # with fewer pictures every later batch would differ
                raise InputError(
                    f"{len(lost)} {which} pictures of this run cannot be read any more, e.g. {min(lost)}. "
                    f"Restore them in {loaded.origin}, or start again in a new --workdir."
                )
        return loaded

    def _record(self, data_dir: str | os.PathLike | None) -> None:
        """Writes recipe, data and environment, once nothing is left that could be refused."""
        where = None if data_dir is None else str(Path(data_dir).expanduser().resolve())
        self._record_recipe()
        own = {"masks": self.masks} if self.masks else {}
        record = {"data_dir": where, "origin": self.data.origin, **self.data.names(), **own}
        files.write_json(self.run.folder / "data.json", record)
        files.write_json(self.run.folder / "environment.json", environment.describe())

    def _record_recipe(self) -> None:
        files.write_json(self.run.folder / "recipe.json", self.run.recipe.to_json())

    def fit(self, checkpoint_minutes: float) -> None:
        """The steps that are left, then the figures."""
        recipe, done = self.run.recipe, self.start >= self.total
        print(_headline(self), file=sys.stderr)
        if not done:
            images, network = self.data.train.images, self.trainer.completion
            batches = assembly.training_batches(recipe, network, images, self.start, self.total)
            self.board = Events(self.run.board, self.start)
            with contextlib.closing(self.board), _stop_request() as stop:
                self._steps(batches, callbacks.Checkpoints(self.start, checkpoint_minutes, self._save, stop))

    def _steps(self, batches: Any, keeper: callbacks.Checkpoints) -> None:
        progress = callbacks.Progress(self.start, self.total, self.per_epoch, self.run.recipe.batch_size)
        guard = callbacks.StopOnNonFinite(self.start)
        alone = self.run.recipe.schedule.boundaries(self.total)[0] if self.run.recipe.discriminator else None
        phase_file = self.run.completion_phase_file
        snapshot = callbacks.AtStep(self.start, alone, lambda step: self._write(phase_file, step))
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
        state = {"history": self.history.state(), "precision": self.policy}
        checkpoints.save(self.run.checkpoints, step, self.trainer, state)

    def _write(self, file: Path, step: int) -> None:
        self.trainer.sync()
        self.network.set_weights(self.trainer.completion.get_weights())
        checkpoints.require_finite(self.network.variables, step)
        with files.replacing(file) as temporary:
            self.network.save(temporary)

    def _epoch_ended(self, row: dict[str, Any]) -> None:
        epochs = self.run.recipe.schedule.epochs
        pictured = row["epoch"] % -(-epochs // SAMPLES) == 0 or row["epoch"] == epochs
        if pictured and self.data.validation.names:
            row |= self._sample(row["epoch"], row["step"])
        self.rows.append({"val_psnr": None, "val_hole_psnr": None} | row)
        columns = ["epoch", *(c for c in self.rows[-1] if c not in ("epoch", "seconds")), "seconds"]
        files.write_csv(self.run.folder / "history.csv", [{c: r[c] for c in columns} for r in self.rows])
        self.board.scalars({k: v for k, v in row.items() if isinstance(v, float)}, row["step"])
        if pictured:
            figures.loss_curves(self.rows, self.run.figures / "loss_curves.png")

    def _sample(self, epoch: int, step: int) -> dict[str, float]:
        """Fills the validation pictures: a sheet, TensorBoard pictures, and two metrics for the history."""
        image, mask, completed = self._validated()
        columns = {
            "input": figures.input_view(image[:SHOWN], mask[:SHOWN]),
            "filled": completed[:SHOWN],
            "original": image[:SHOWN],
        }
        title = f"{self.run.recipe.name}, validation pictures after epoch {epoch}"
        figures.sheet(columns, self.run.figures / f"samples_epoch_{epoch:04d}.png", title=title)
        self._progress(epoch, columns)
        strip = np.concatenate([np.concatenate(list(column), 0) for column in columns.values()], 1)
        self.board.picture("input_filled_original", to_uint8(strip), step)
        return {
            "val_psnr": float(np.mean(metrics.psnr(image, completed))),
            "val_hole_psnr": float(np.mean(metrics.hole_psnr(image, completed, mask))),
        }

    def _validated(self) -> tuple[np.ndarray, ...]:
        """The validation pictures, their holes, and the pictures as the network completes them now."""
        recipe, (images, names) = self.run.recipe, (self.data.validation.images, self.data.validation.names)
        self.trainer.sync()
        done = []
        for batch in pipeline.test_batches(
            images, recipe.mask.test, batch_size=recipe.batch_size, names=names
        ):
            image, mask = batch["image"], batch["mask"]
            prediction = self.trainer.completion.fill(image * (1 - mask), mask)
            done.append((image, mask, composite(image, prediction, mask)))
        image, mask, completed = map(np.concatenate, zip(*done, strict=True))
        return image, mask, completed

    def _progress(self, epoch: int, columns: dict[str, np.ndarray]) -> None:
        """The same pictures as they were filled after each sampled epoch, side by side."""
        folder = self.run.samples
        with files.replacing(folder / f"epoch_{epoch:04d}.npy") as temporary, open(temporary, "wb") as file:
            np.save(file, to_uint8(columns["filled"]))
        sampled = {int(file.stem[-4:]): file for file in folder.glob("epoch_*.npy")}
        course = {f"epoch {n}": np.load(file) for n, file in sorted(sampled.items()) if n <= epoch}
        columns = {"input": columns["input"], **course, "original": columns["original"]}
        title = f"{self.run.recipe.name}, the same pictures as the training went on"
        figures.sheet(columns, self.run.figures / "progress.png", title=title)


def _settings(recipe: Recipe) -> str:
    settings = recipe.settings()
    width = max(map(len, settings))
    return "\n".join(f"  {name:{width}}  {value}" for name, value in settings.items())


def _headline(training: _Training) -> str:
    recipe, trainer = training.run.recipe, training.trainer
    weights = trainer.completion.count_params() / 1e6
    policy = training.policy
    if training.former_policy != policy:
        policy += f" (until now {training.former_policy})"
    begun = f"continues at step {training.start}" if training.start else "starts"
    if training.start >= training.total:
        begun = "is already trained"
    planned = recipe.schedule.planned
    longer = f"; beyond the {planned} planned epochs in the last phase" if planned else ""
    return (
        f"{recipe.name} {begun} in {training.run.folder}: {training.data.counts()} pictures of "
        f"{training.data.origin}, {sizes.text(recipe.data.image_size)} px, "
        f"{weights:.2f} M weights in the completion network, {policy}, "
        f"{training.total} steps of {recipe.batch_size} pictures{longer}."
    )


@contextlib.contextmanager
def _stop_request() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C or SIGTERM sets, to let a step finish; the second one kills."""
    requested = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield requested
        return

    def request(number: int, frame: Any) -> None:
        requested.set()
        signal.signal(number, former[signal.Signals(number)])

    former = {number: signal.signal(number, request) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield requested
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
