"""Callbacks between the steps of a run: progress bar, guard against divergence, history, checkpoints, users'.

For Keras a run is one long epoch; these callbacks count the global steps. They are independent of folders:
the functions that `runs` passes to them write the files.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import keras
from tqdm import tqdm

from inpainting_tf.errors import Diverged


class StepCallback(keras.callbacks.Callback):
    """Calls `on_step(step, phase, logs)` with the number of steps done and the losses its phase computed."""

    def __init__(self, start: int) -> None:
        super().__init__()
        self.step = start

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        phase = self.model.phase(self.step)
        self.step += 1
        values = {name: float((logs or {})[name]) for name in self.model.columns[phase]}
        self.on_step(self.step, phase, values)

    def on_step(self, step: int, phase: str, logs: dict[str, float]) -> None:
        raise NotImplementedError


class StopOnNonFinite(StepCallback):
    """Raises `Diverged` at the first step with a loss that is not finite. Must precede the others."""

    def on_step(self, step: int, phase: str, logs: dict[str, float]) -> None:
        for name, value in logs.items():
            if not math.isfinite(value):
                raise Diverged(f"The value of {name!r} became {value} at step {step} ({phase} phase).")


class Progress(StepCallback):
    """One bar for the whole run: epoch, phase, losses, pictures per second and the time left."""

    def __init__(self, start: int, total: int, per_epoch: int, batch_size: int, shown: bool = True) -> None:
        super().__init__(start)
        self.total, self.per_epoch, self.batch_size, self.shown = total, per_epoch, batch_size, shown

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        pictures = {"initial": self.step * self.batch_size, "total": self.total * self.batch_size}
        layout = "{desc} {percentage:3.0f}% |{bar}| {elapsed}, {remaining} left, {rate_fmt}"
        self.bar = tqdm(
            **pictures,
            unit=" pictures",
            bar_format=layout,
            mininterval=0.5,
            smoothing=0.05,
            dynamic_ncols=True,
            disable=not self.shown,
        )

    def on_step(self, step: int, phase: str, logs: dict[str, float]) -> None:
        epoch = (step - 1) // self.per_epoch + 1
        shown = ("reconstruction", "kl", "adversarial", "discriminator")
        losses = " ".join(f"{name} {logs[name]:.3g}" for name in shown if name in logs)
        epochs = math.ceil(self.total / self.per_epoch)
        self.bar.set_description_str(f"epoch {epoch}/{epochs} {phase} {losses}", refresh=False)
        self.bar.update(self.batch_size)

    def close(self) -> None:
        """Ends the bar's line."""
        if hasattr(self, "bar"):
            self.bar.close()


class History(StepCallback):
    """Averages the losses over each epoch and passes the row to `on_epoch` when it ends.

    Args:
        state: what `state` returned when the run was interrupted, or None at its beginning.
        per_epoch: steps in an epoch.
        on_epoch: called with the row, a dict of `epoch`, `step`, `phase`, the losses, `learning_rate`,
        `seconds`.
    """

    def __init__(
        self,
        start: int,
        per_epoch: int,
        state: dict[str, Any] | None,
        on_epoch: Callable[[dict[str, Any]], None],
    ) -> None:
        super().__init__(start)
        self.per_epoch, self.on_epoch = per_epoch, on_epoch
        state = state or {"sums": {}, "counts": {}, "seconds": 0.0}
        self.sums, self.counts, self.before = dict(state["sums"]), dict(state["counts"]), state["seconds"]
        self.since = time.monotonic()

    def state(self) -> dict[str, Any]:
        """The state from which a continued run computes the same row of this epoch."""
        return {"sums": self.sums, "counts": self.counts, "seconds": self._seconds()}

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.since = time.monotonic()

    def on_step(self, step: int, phase: str, logs: dict[str, float]) -> None:
        for name, value in logs.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
            self.counts[name] = self.counts.get(name, 0) + 1
        if step % self.per_epoch == 0:
            row = {"epoch": step // self.per_epoch, "step": step, "phase": phase}
            row |= {name: self._mean(name) for name in list(self.model.columns.values())[-1]}
            self.model.sync()
            rate = keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)
            row |= {"learning_rate": float(rate), "seconds": self._seconds()}
            self.sums, self.counts = {}, {}
            self.on_epoch(row)

    def _mean(self, name: str) -> float | None:
        return self.sums[name] / self.counts[name] if name in self.sums else None

    def _seconds(self) -> float:
        return round(self.before + time.monotonic() - self.since, 1)


class AtStep(StepCallback):
    """Calls `action(when)` once, after global step `when`; never if that is None."""

    def __init__(self, start: int, when: int | None, action: Callable[[int], None]) -> None:
        super().__init__(start)
        self.when, self.action = when, action

    def on_step(self, step: int, phase: str, logs: dict[str, float]) -> None:
        if step == self.when:
            self.action(step)


class Checkpoints(StepCallback):
    """Calls `save(step)` whenever `minutes` have passed, and before it stops the training if `stop` is set.

    Raises:
        KeyboardInterrupt: after the step in which `stop` was set, with the checkpoint written.
    """

    def __init__(
        self, start: int, minutes: float, save: Callable[[int], None], stop: threading.Event
    ) -> None:
        super().__init__(start)
        self.minutes, self.save, self.stop = minutes, save, stop

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.last = time.monotonic()

    def on_step(self, step: int, phase: str, logs: dict[str, float]) -> None:
        stop = self.stop.is_set()
        if stop or time.monotonic() - self.last >= 60 * self.minutes:
            self.save(step)
            self.last = time.monotonic()
        if stop:
            raise KeyboardInterrupt("The same command continues from the last checkpoint.")


class PerEpoch(keras.callbacks.Callback):
    """Calls a user's Keras callbacks as `fit` would if a run's epochs were Keras's.

    Epochs are counted from 0 over the whole run, batches from 0 in each; `logs` are the losses of the step's
    phase, and at an epoch's end its row of `history.csv`, as far as there are numbers. Where a run continues
    within an epoch, `on_epoch_begin` is called for it again. `epoch_ended` must be called between two steps.

    Args:
        callbacks: of `runs.train`.
        start: the step at which this process begins.
        per_epoch: steps in an epoch.
        epochs: of the whole run.
    """

    def __init__(
        self, callbacks: Sequence[keras.callbacks.Callback], start: int, per_epoch: int, epochs: int
    ) -> None:
        super().__init__()
        self.all = keras.callbacks.CallbackList([*callbacks], epochs=epochs, steps=per_epoch, verbose=0)
        self.step, self.per_epoch, self.begun = start, per_epoch, False
        self.logs: dict[str, float] = {}

    def set_model(self, model: keras.Model) -> None:
        super().set_model(model)
        self.all.set_model(model)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.all.on_train_begin()

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        epoch, position = divmod(self.step, self.per_epoch)
        if not self.begun:
            self.all.on_epoch_begin(epoch)
            self.begun = True
        self.all.on_train_batch_begin(position)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.logs = _numbers(logs or {})
        self.all.on_train_batch_end(self.step % self.per_epoch, self.logs)
        self.step += 1

    def epoch_ended(self, row: dict[str, Any]) -> None:
        """Passes on the end of an epoch with its row."""
        self.logs, self.begun = _numbers({k: v for k, v in row.items() if k not in ("epoch", "step")}), False
        self.all.on_epoch_end(row["epoch"] - 1, self.logs)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.all.on_train_end(self.logs)


def _numbers(values: dict[str, Any]) -> dict[str, float]:
    """Those of the values that are finite numbers: a phase computes not all of them."""
    found = {name: float(value) for name, value in values.items() if not isinstance(value, str | None)}
    return {name: value for name, value in found.items() if math.isfinite(value)}
