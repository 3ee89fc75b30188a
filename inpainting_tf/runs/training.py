"""Starts a training in a run's folder, or continues the one that was interrupted there."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras

from inpainting_tf import backends, data, environment, files, sizes, storage
from inpainting_tf.data import pipeline, records
from inpainting_tf.data.decoding import MEMORY, failures_told
from inpainting_tf.errors import Diverged, InputError
from inpainting_tf.recipes import Recipe, assembly
from inpainting_tf.runs import checkpoints, initial, locking, own_masks, starting
from inpainting_tf.runs.monitoring import MEASURED, Monitor
from inpainting_tf.runs.run import Run, open_run
from inpainting_tf.runs.saving import Saver
from inpainting_tf.training import callbacks, distribution, precision
from inpainting_tf.training.best import Best


def train(
    recipe: Recipe,
    workdir: str | os.PathLike,
    *,
    data_dir: str | os.PathLike | None = None,
    checkpoint_minutes: float = 2.0,
    keep_every: int | None = None,
    keep_epochs: Sequence[int] = (),
    memory: int = MEMORY,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    settings: bool = True,
    strategy: str = "none",
    devices: int | None = None,
) -> Run:
    """Trains a recipe in a folder, or continues the training that was interrupted there.

    Args:
        recipe: the resolved recipe.
        workdir: a new or empty folder, or that of a run of the same recipe, or of fewer epochs of it: then
            the phases stay where they were, and the epochs that are added belong to the last one.
        data_dir: the pictures' folder; None searches the usual ones.
        checkpoint_minutes: time between checkpoints; 0 writes one after every step.
        keep_every: epochs between models that are kept in `kept/`; None keeps none.
        keep_epochs: further epochs whose models are kept; 0 is the model before the training.
        memory: bytes of decoded pictures that are kept; of more, the others are decoded while it trains, the
            same pictures in the same order.
        callbacks: Keras callbacks, called as if the run's epochs were those of `fit`: `logs` at the end of
            an epoch are its row of `history.csv`. `self.model` is the trainer, `self.model.completion` the
            network; `self.model.stop_training = True` ends this call, with everything saved.
        settings: whether to print every setting of the recipe before it starts.
        strategy: "none" trains on one device, "mirrored" on those of this machine, "multi_worker" on those of
            all processes of the environment variable `TF_CONFIG`, each of which calls this with the same
            arguments and a folder that all see. The training is the same on any number of devices, and may
            be continued on another number.
        devices: how many of this machine's; without an accelerator, virtual ones. None for all.

    Raises:
        InputError: an invalid recipe, a folder of another run, no data, a full disk, ...
        Diverged: a loss or a weight is not finite; the last good checkpoint stays.
        HostLost: another process ended; the last checkpoint stays.
        OutOfMemory: pictures or batches are too large; the last checkpoint stays.
        KeyboardInterrupt: after Ctrl-C or SIGTERM, once a checkpoint is written.

    Example:
        >>> from inpainting_tf import recipes, runs
        >>> tiny = {"network.width": 4, "data.image_size": 16, "schedule.epochs": 1}
        >>> run = runs.train(recipes.get("direct_conv", "smoke").override(tiny), "runs/tiny", settings=False)
        >>> sorted(file.name for file in run.folder.glob("*.keras"))
        ['model.keras', 'model_best.keras']
    """
    environment.require_defaults()
    _check(keep_every, keep_epochs, callbacks)
    # Absolute: a callback or a library may change the working folder while it trains.
    folder = Path(workdir).expanduser().absolute()
    starting.require_place(folder)
    recipe = initial.resolved(recipe.check())
    if recipe.deterministic:
        backends.make_deterministic()
    used = distribution.devices(strategy, devices)
    share = distribution.rows(used, recipe.batch_size)
    owned = used.host == 0  # by this process: the others write nothing
    lock = locking.locked(folder) if owned else contextlib.nullcontext()
    with (
        distribution.losses_told(used, f"The same command on all of them continues in {folder}."),
        lock,
        precision.policy(precision.resolve(recipe.mixed_precision)),
    ):
        with distribution.first_host_first(used):
            run = starting.run_in(folder, recipe, owned=owned)
        if owned:
            files.sweep(folder)
        with backends.memory_told(lambda: _memory_advice(run)):
            keras.utils.set_random_seed(recipe.seed)
            training = _Training(run, data_dir, _keeps(keep_every, keep_epochs), memory, used, share)
            if settings and owned:
                print(_settings(run.recipe), file=sys.stderr)
            training.fit(checkpoint_minutes, callbacks)
    return run


def _check(
    keep_every: int | None, keep_epochs: Sequence[int], extra: Sequence[keras.callbacks.Callback]
) -> None:
    if keep_every is not None and keep_every < 1:
        raise InputError(f"`keep_every` must be none or at least 1. Received {keep_every!r}.")
    if any(epoch < 0 for epoch in keep_epochs):
        raise InputError(f"`keep_epochs` must be 0 or more. Received {min(keep_epochs)!r}.")
    listed = extra if isinstance(extra, list | tuple) else [extra]
    strangers = [each for each in listed if not isinstance(each, keras.callbacks.Callback)]
    if strangers or listed is not extra:
        stranger = (strangers or listed)[0]
        raise InputError(f"`callbacks` must be a list of Keras's callbacks. Received {stranger!r}.")
    if strategy := backends.strategy():
        raise InputError(
            f"`runs.train` opens the scope of its `strategy` itself. Received the scope of a {strategy}: "
            "call it outside of it."
        )


def _keeps(every: int | None, epochs: Sequence[int]) -> Callable[[int], bool]:
    """Whether the model of an epoch is kept."""
    return lambda epoch: epoch in epochs or (every is not None and epoch > 0 and epoch % every == 0)


def _memory_advice(run: Run) -> str:
    again = "the same --workdir can be used again"
    if starting.has_results(run):
        again = f"in a new --workdir, where --init={run.folder} starts from what this run has learnt"
    size = sizes.text(run.recipe.data.image_size)
    return (
        f"batches of {run.recipe.batch_size} pictures of {size} px. "
        f"Try a smaller --batch_size or --image_size; {again}."
    )


class _Training:
    """One process's share of a run."""

    def __init__(
        self,
        run: Run,
        data_dir: str | os.PathLike | None,
        keeps: Callable[[int], bool],
        memory: int,
        devices: backends.Devices,
        share: slice,
    ) -> None:
        self.run, recipe = run, run.recipe
        self.devices, self.share, self.owned = devices, share, devices.host == 0
        known = run.pictures()
        self.data = self._load_data(data_dir, known, memory)
        self.masks = own_masks.record(recipe)
        own_masks.require_same(self.masks, known.get("masks", {}))
        self.per_epoch = pipeline.steps_per_epoch(len(self.data.train.images), recipe.batch_size)
        self.total = self.per_epoch * recipe.schedule.epochs
        with devices.scope():
            self.trainer = assembly.trainer(recipe, self.total)
        with distribution.first_host_first(devices):
            checkpoints.recover(run.checkpoints)
        # By all at once: on JAX every assignment waits for that of the others.
        state = checkpoints.restore(run.checkpoints, self.trainer) or {"step": 0}
        distribution.require_same(devices, state["step"], run.folder)
        self.start, self.policy = state["step"], keras.mixed_precision.dtype_policy().name
        self.former_policy = state.get("precision", self.policy)
        self.begun = f"continues at step {self.start}" if self.start else "starts"
        if recipe.init is not None and not self.start:
            self.begun += f" from {initial.assign(recipe.init, recipe, self.trainer, self.data.test.names)}"
        self.history = callbacks.History(self.start, self.per_epoch, state.get("history"), self._epoch_ended)
        self.best = Best(state.get("best"))
        self.saver = Saver(run, self.trainer, self.best, keeps)
        if not self.owned:
            return
        if not known:
            self._record(data_dir)
        elif recipe != open_run(run.folder).recipe:
            self._record_recipe()

    def _load_data(
        self, data_dir: str | os.PathLike | None, known: dict[str, Any], memory: int
    ) -> data.Dataset:
        place = data_dir or known.get("data_dir")
        loaded = data.load(self.run.recipe.data, place, names=known or None, memory=memory)
        for which, names in loaded.names().items():
            before = known.get(which, names)
            lost = set() if before == names else set(before) - set(names)
            if lost:  # with fewer pictures every later batch would differ
                raise InputError(
                    f"{len(lost)} {which} pictures of this run cannot be read any more, e.g. {min(lost)}. "
                    f"Restore them in {loaded.origin}, or start again in a new --workdir."
                )
        return loaded

    def _record(self, data_dir: str | os.PathLike | None) -> None:
        """Writes recipe, data and environment, once nothing is left that could be refused."""
        where = None if data_dir is None else str(data_dir)
        if where is not None and not storage.is_uri(where):
            where = str(Path(where).expanduser().resolve())
        self._record_recipe()
        names, own = self.data.names(), {"masks": self.masks} if self.masks else {}
        listed = {which: records.stored(each) for which, each in names.items()}
        record = {"data_dir": where, "origin": self.data.origin, **listed, **own}
        if (settings := self.run.recipe.data).source == "folder":  # whose names others may have, too
            record["fingerprint"] = data.fingerprint(settings, data_dir, names["test"])
        files.write_json(self.run.folder / "data.json", record)
        files.write_json(self.run.folder / "environment.json", environment.describe())

    def _record_recipe(self) -> None:
        files.write_json(self.run.folder / "recipe.json", self.run.recipe.to_json())

    @property
    def stopped_early(self) -> bool:
        """Whether it has waited for a better epoch for as long as its recipe says."""
        last = list(self.trainer.columns)[-1]
        return self.best.waited(self.run.recipe.schedule.patience, last)

    def fit(self, checkpoint_minutes: float, extra: Sequence[keras.callbacks.Callback]) -> None:
        """The steps that are left, then the figures."""
        done = self.start >= self.total or self.stopped_early
        self._tell(f"{self.data.account}\n{_headline(self, done)}".lstrip())
        if done:
            return
        if not self.start and self.owned:
            self.saver.keep(0, 0)
        self.users = callbacks.PerEpoch(extra, self.start, self.per_epoch, self.run.recipe.schedule.epochs)
        self._tell(f"Curves: tensorboard --logdir={shlex.quote(str(self.run.board))}")
        with self._monitoring(), _stop_request() as stop:
            keeper = callbacks.Checkpoints(self.start, checkpoint_minutes, self._save, stop)
            self._steps([distribution.Together(self.start, self.devices, stop), keeper])

    @contextlib.contextmanager
    def _monitoring(self) -> Iterator[None]:
        if not self.owned:
            yield
            return
        network = distribution.Apart(self.trainer, self.devices)
        self.monitor = Monitor(self.run, network, self.data.validation, self.start)
        with contextlib.closing(self.monitor):
            yield

    def _tell(self, text: str) -> None:
        if self.owned:
            print(text, file=sys.stderr)

    def _steps(self, last: Sequence[keras.callbacks.Callback]) -> None:
        recipe, images, network = self.run.recipe, self.data.train.images, self.trainer.completion
        batches = assembly.training_batches(recipe, network, images, self.start, self.total, self.share)
        progress = callbacks.Progress(
            self.start, self.total, self.per_epoch, recipe.batch_size, shown=self.owned
        )
        guard = callbacks.StopOnNonFinite(self.start)
        alone = recipe.schedule.boundaries(self.total)[0] if recipe.discriminator else None
        snapshot = callbacks.AtStep(self.start, alone, self._completion_phase_ended)
        between = [guard, progress, self.users, self.history, snapshot, *last]
        try:
            # One Keras epoch over all steps that are left: our own epochs may begin in the middle.
            with failures_told(images), self.devices.fitting():
                steps = self.total - self.start if self.devices.replicas > 1 else None
                batches = self.devices.spread(batches)  # which may not know their number
                self.trainer.fit(
                    batches, epochs=1, steps_per_epoch=steps, verbose=0, shuffle=False, callbacks=between
                )
            self._save(self.history.step)
        except Diverged as error:
            raise Diverged(f"{error} {_after_divergence(self.run)}") from error
        finally:
            progress.close()
        if self.history.step < self.total:
            self._tell(_stopped(self))

    def _save(self, step: int) -> None:
        if self.owned:
            self.saver.save(step, {"history": self.history.state(), "precision": self.policy})

    def _completion_phase_ended(self, step: int) -> None:
        if self.owned:
            self.saver.model(self.run.completion_phase_file, step)

    def _epoch_ended(self, row: dict[str, Any]) -> None:
        if self.owned:
            row = self.monitor.epoch_ended(row)
        row = distribution.of_first_host(self.devices, row, MEASURED)
        if self.owned:
            self.saver.epoch_ended(row)
        else:
            self.best.update(row)
        self.users.epoch_ended(row)
        if self.stopped_early:
            self.trainer.stop_training = True


def _after_divergence(run: Run) -> str:
    if not starting.has_results(run):
        return "No checkpoint had been written yet: try a lower --learning_rate."
    kept = checkpoints.latest_step(run.checkpoints)
    return (
        f"The checkpoint of step {kept} is kept in {run.folder}. "
        "Try a lower --learning_rate in a new --workdir."
    )


def _stopped(training: _Training) -> str:
    """Why a training ended before its last step."""
    step, best = training.history.step, training.best
    if not training.stopped_early:
        return f"Stopped after step {step} by a callback; the same call continues."
    return (
        f"Stopped after epoch {step // training.per_epoch}: {training.run.recipe.schedule.patience} epochs "
        f"without a better validation than epoch {best.epoch}'s, which is in {training.run.best_file}."
    )


def _settings(recipe: Recipe) -> str:
    settings = recipe.settings()
    width = max(map(len, settings))
    return "\n".join(f"  {name:{width}}  {value}" for name, value in settings.items())


def _headline(training: _Training, done: bool) -> str:
    recipe, trainer = training.run.recipe, training.trainer
    weights = trainer.completion.count_params() / 1e6
    policy = training.policy
    if training.former_policy != policy:
        policy += f" (until now {training.former_policy})"
    begun = training.begun
    if done:
        begun = "is already trained"
        if training.start < training.total:
            begun += f", as its patience ended it after epoch {training.start // training.per_epoch},"
    planned = recipe.schedule.planned
    longer = f"; beyond the {planned} planned epochs in the last phase" if planned else ""
    return (
        f"{recipe.name} {begun} in {training.run.folder}: {training.data.counts()} pictures of "
        f"{training.data.origin}, {sizes.text(recipe.data.image_size)} px, "
        f"{weights:.2f} M weights in the completion network, {policy}, "
        f"{training.total} steps of {recipe.batch_size} pictures{_spread(training.devices)}{longer}."
    )


def _spread(devices: backends.Devices) -> str:
    processes = f" of {devices.hosts} processes" if devices.hosts > 1 else ""
    return f" on {devices.replicas} devices{processes}" if devices.replicas > 1 else ""


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
