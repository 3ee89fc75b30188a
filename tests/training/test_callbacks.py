"""What happens between steps, on a stand-in for a trainer that knows its phases."""

from __future__ import annotations

import math
import threading
import types

import pytest

from inpainting_tf.errors import Diverged
from inpainting_tf.training import Adversarial, callbacks

NAN = float("nan")
COLUMNS = Adversarial.columns


def logs(phase: str, value: float) -> dict[str, float]:
    """What a step of that phase returns: NaN where it computed nothing."""
    names = COLUMNS["joint"]
    return {name: value if name in COLUMNS[phase] else NAN for name in names}


def attached(callback, boundary: int = 4):
    """The callback with a model whose completion phase ends at `boundary`, the discriminator's two later."""

    def phase(step: int) -> str:
        return tuple(COLUMNS)[(step >= boundary) + (step >= boundary + 2)]

    optimizer = types.SimpleNamespace(learning_rate=0.5)
    model = types.SimpleNamespace(phase=phase, columns=COLUMNS, optimizer=optimizer, sync=lambda: None)
    callback.set_model(model)
    callback.on_train_begin()
    return callback


def run(callback, values: list[float], first: int = 0) -> None:
    for index, value in enumerate(values):
        callback.on_train_batch_end(index, logs(callback.model.phase(first + index), value))


@pytest.mark.parametrize("bad", [NAN, math.inf, -math.inf])
def test_the_first_value_that_is_not_finite_stops_the_training(bad):
    guard = attached(callbacks.StopOnNonFinite(0))
    run(guard, [1.0, 2.0])
    with pytest.raises(Diverged, match=r"'loss'.* at step 3 \(completion phase\)"):
        guard.on_train_batch_end(2, logs("completion", bad))


def test_columns_that_a_phase_does_not_compute_do_not_stop_it():
    run(attached(callbacks.StopOnNonFinite(0)), [1.0] * 9)  # all three phases, each with its NaN columns


def rows(values: list[float], stop_at: int | None = None) -> list[dict]:
    """The history of epochs of three steps; interrupted after `stop_at` steps and continued."""
    found: list[dict] = []
    history = attached(callbacks.History(0, 3, None, found.append))
    run(history, values[:stop_at])
    if stop_at is not None:
        history = attached(callbacks.History(stop_at, 3, history.state(), found.append))
        run(history, values[stop_at:], stop_at)
    return [{name: value for name, value in row.items() if name != "seconds"} for row in found]


def test_an_epochs_row_holds_the_means_of_its_steps():
    found = rows([1.0, 2.0, 6.0, 4.0, 10.0, 20.0])
    assert [(row["epoch"], row["step"], row["phase"]) for row in found] == [
        (1, 3, "completion"), (2, 6, "discriminator"),
    ]  # fmt: skip
    assert found[0]["loss"] == found[0]["reconstruction"] == 3.0 and found[0]["learning_rate"] == 0.5
    assert found[0]["discriminator"] is None and found[0]["adversarial"] is None
    # The second epoch spans two phases: each column is the mean of the steps that computed it.
    assert found[1]["loss"] == 4.0 and found[1]["discriminator"] == 15.0


@pytest.mark.parametrize("stop_at", range(1, 9))
def test_an_interruption_leaves_no_trace_in_the_history(stop_at):
    values = [1.0, 2.0, 6.0, 4.0, 10.0, 20.0, 5.0, 7.0, 9.0]
    assert rows(values, stop_at) == rows(values)


def test_seconds_go_on_counting_after_an_interruption():
    found: list[dict] = []
    state = {"sums": {}, "counts": {}, "seconds": 100.0}
    run(attached(callbacks.History(0, 1, state, found.append)), [1.0])
    assert 100 <= found[0]["seconds"] < 160


def test_checkpoints_are_written_when_their_time_has_come():
    saved: list[int] = []
    run(attached(callbacks.Checkpoints(5, 0.0, saved.append, threading.Event())), [1.0] * 3)
    assert saved == [6, 7, 8]
    saved.clear()
    run(attached(callbacks.Checkpoints(5, 60.0, saved.append, threading.Event())), [1.0] * 3)
    assert saved == []


def test_checkpoints_come_every_so_many_minutes(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(callbacks.time, "monotonic", lambda: clock[0])
    saved: list[int] = []
    keeper = attached(callbacks.Checkpoints(0, 2.0, saved.append, threading.Event()))
    for second in range(30, 300, 30):  # a step every half minute
        clock[0] = float(second)
        run(keeper, [1.0])
    assert saved == [4, 8]


def test_a_stop_that_is_asked_for_saves_first():
    saved, stop = [], threading.Event()
    keeper = attached(callbacks.Checkpoints(0, 60.0, saved.append, stop))
    run(keeper, [1.0])
    stop.set()
    with pytest.raises(KeyboardInterrupt):
        run(keeper, [1.0])
    assert saved == [2]


@pytest.mark.parametrize(("start", "when", "calls"), [(0, 3, 1), (3, 3, 0), (0, None, 0), (2, 3, 1)])
def test_an_action_is_called_once_after_its_step(start, when, calls):
    called = []
    run(attached(callbacks.AtStep(start, when, called.append)), [1.0] * 6)
    assert called == [when] * calls
