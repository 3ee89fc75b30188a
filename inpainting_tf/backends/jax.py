"""JAX: the same training compiled by XLA, for GPUs and TPUs. TensorFlow is not imported.

JAX differentiates and compiles pure functions, and Keras variables are state. `_pure` turns code that reads
and assigns variables into a function of their values; a step, its branches and its losses are all made so.

`Trainer` adapts a trainer to Keras: on JAX Keras does not call `train_step(data)` but
`train_step(state, data)`, with the values of all variables as `state`, and expects their values after the
step. A trainer defines `train_step(self, data)` and `test_step(self, data)` once, for both backends;
`Trainer` passes the pure functions of the same code to Keras.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import jax
import keras
import numpy as np

from inpainting_tf.backends.jax_devices import mirrored, multi_worker

__all__ = ["mirrored", "multi_worker"]

logging.getLogger("jax._src.xla_bridge").setLevel(logging.WARNING)  # it reports every device it does not find

ERRORS = (jax.errors.JaxRuntimeError,)  # what the framework raises
_WORKERS, _AHEAD = min(8, os.cpu_count() or 1), 8


class Trainer(keras.Model):
    """A model with a `train_step(data)` and a `test_step(data)` of its own that read and assign variables.

    `fit` and `evaluate` run what `make_train_function` and `make_test_function` build from these two. There,
    and only there, their pure functions replace them.
    """

    def compile(self, *args: Any, **kwargs: Any) -> None:
        super().compile(*args, **kwargs)
        self.jit_compile = True  # JAX uncompiled is far too slow

    def make_train_function(self, force: bool = False) -> None:
        with _replaced(self, "train_step", _stateless(self, self.train_step, _groups)):
            super().make_train_function(force)

    def make_test_function(self, force: bool = False) -> None:
        with _replaced(self, "test_step", _stateless(self, self.test_step, _groups_of_a_test)):
            super().make_test_function(force)

    def sync(self) -> None:
        """Makes the variables readable between the steps of `fit`, which keeps their values elsewhere."""
        self.jax_state_sync()


@keras.saving.register_keras_serializable("inpainting_tf")
class Adam(keras.optimizers.Adam):
    """Keras's own, which XLA fuses, under the name that it has on TensorFlow."""


def minimise(
    trainer: Trainer,
    losses: Callable[[], tuple[Any, dict[str, Any]]],
    optimizer: keras.Optimizer,
    network: keras.Model,
) -> dict[str, Any]:
    """One update of a network; see `inpainting_tf.backends.tensorflow.minimise`."""
    trained = network.trainable_variables
    own = {id(variable) for variable in trained}
    others = [variable for variable in _flat(_groups(trainer)) if id(variable) not in own]

    def scaled() -> tuple[Any, Any]:
        loss, logs = losses()
        return optimizer.scale_loss(loss), logs

    def objective(values: list[Any]) -> tuple[Any, tuple[Any, list[Any]]]:
        (loss, logs), after = _pure(scaled, [*trained, *others])([*values, *_values(others)])
        return loss, (logs, after[len(trained) :])

    (_, (logs, moved)), gradients = jax.value_and_grad(objective, has_aux=True)(_values(trained))
    _assign(others, moved)
    updated = optimizer.stateless_apply(_values(optimizer.variables), gradients, _values(trained))
    for variables, values in zip((trained, optimizer.variables), updated, strict=True):
        _assign(variables, values)
    return logs


def gradient(function: Callable[[Any], Any], x: Any) -> Any:
    """The gradient of a scalar function; see `inpainting_tf.backends.tensorflow.gradient`."""
    return jax.grad(function)(x)


def switch(trainer: Trainer, index: Any, branches: Sequence[Callable[[], Any]]) -> Any:
    """The result of branch number `index` (an int32 scalar); only that branch runs."""
    variables = _flat(_groups(trainer))
    result, values = jax.lax.switch(
        index, [_pure(branch, variables) for branch in branches], _values(variables)
    )
    _assign(variables, values)
    return result


def compiled_step(trainer: Trainer) -> Callable[..., dict[str, Any]]:
    """The trainer's step; see `inpainting_tf.backends.tensorflow.compiled_step`.

    The variables are read before the first of several steps and assigned after the last, as by `fit`: some
    hundreds of them take milliseconds of Python, as long as the step of a small batch.
    """
    compiled = jax.jit(_stateless(trainer, trainer.train_step, _groups), donate_argnums=0)

    def step(batch: dict[str, Any], times: int = 1) -> dict[str, Any]:
        groups = _groups(trainer)
        state = tuple(map(_values, groups))
        for _ in range(times):
            logs, state = compiled(state, batch)
        _assign(_flat(groups), _flat(state))
        return logs

    return step


class _Batches(keras.utils.PyDataset):
    """Batches made by threads, in order."""

    def __init__(self, batch: Callable[[int], Any], start: int, stop: int) -> None:
        super().__init__(workers=_WORKERS, max_queue_size=_AHEAD)
        self.batch, self.start, self.stop = batch, start, stop

    def __len__(self) -> int:
        return self.stop - self.start

    def __getitem__(self, index: int) -> tuple[Any]:
        return (self.batch(self.start + index),)

    def __iter__(self) -> Iterator[Any]:
        return map(self.batch, range(self.start, self.stop))


def feed(
    raw: Callable[[int], tuple[np.ndarray, ...]],
    finish: Callable[..., dict[str, Any]],
    start: int,
    stop: int,
) -> _Batches:
    """The batches `finish(*raw(step))` of steps `start` to `stop`, in order, a few ahead, in NumPy."""
    return _Batches(lambda step: finish(*raw(step)), start, stop)


def replicas() -> int:
    """Always 1: a step sees its whole batch, on however many devices its rows are."""
    return 1


def batchwide(draw: Callable[[Any], Any], count: Any) -> Any:
    """Rows that are drawn for a whole batch, which a step sees."""
    return draw(count)


def strategy() -> str:
    """Of TensorFlow alone: Keras's own distributions need no scope."""
    return ""


def make_deterministic() -> None:
    """Makes every operation bit-reproducible. Has no effect once JAX has initialised a device."""
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_gpu_deterministic_ops=true".strip()


def fastest_precision() -> str:
    """ "bfloat16" on a GPU or TPU, where it has float32's range and needs no loss scaling; else "off"."""
    return "off" if jax.default_backend() == "cpu" else "bfloat16"


@contextlib.contextmanager
def _replaced(trainer: Trainer, name: str, method: Callable[..., Any]) -> Iterator[None]:
    """Replaces the trainer's method of that name within the context."""
    own = vars(trainer).get(name)
    setattr(trainer, name, method)
    try:
        yield
    finally:
        delattr(trainer, name)
        if own is not None:
            setattr(trainer, name, own)


def _stateless(
    trainer: Trainer,
    step: Callable[[Any], Any],
    groups_of: Callable[[Trainer], tuple[list[Any], ...]],
) -> Callable[[tuple[list[Any], ...], Any], tuple[Any, tuple[list[Any], ...]]]:
    """A trainer's `step(data)` as Keras calls it on JAX: `(state, data)` to (logs, state afterwards)."""

    def stateless(state: tuple[list[Any], ...], data: Any) -> tuple[Any, tuple[list[Any], ...]]:
        groups = groups_of(trainer)
        logs, values = _pure(step, _flat(groups))(_flat(state), data)
        left = iter(values)
        return logs, tuple([next(left) for _ in group] for group in groups)

    return stateless


def _pure(function: Callable[..., Any], variables: list[Any]) -> Callable[..., tuple[Any, list[Any]]]:
    """`function` with the values of `variables` as first argument; returns its result and the new values."""

    def pure(values: list[Any], *args: Any) -> tuple[Any, list[Any]]:
        with keras.StatelessScope(state_mapping=zip(variables, values, strict=True)) as scope:
            result = function(*args)
        return result, [scope.get_current_value(variable) for variable in variables]

    return pure


def _groups(trainer: Trainer) -> tuple[list[Any], ...]:
    """All variables of a training, grouped as Keras groups a step's state."""
    return (
        trainer.trainable_variables,
        trainer.non_trainable_variables,
        trainer.optimizer.variables,
        trainer.metrics_variables,
    )


def _groups_of_a_test(trainer: Trainer) -> tuple[list[Any], ...]:
    """The same without the optimizer, which Keras leaves out of the state of an evaluation."""
    return (trainer.trainable_variables, trainer.non_trainable_variables, trainer.metrics_variables)


def _flat(groups: Iterable[Iterable[Any]]) -> list[Any]:
    return [item for group in groups for item in group]


def _values(variables: Iterable[Any]) -> list[Any]:
    return [variable.value for variable in variables]


def _assign(variables: Iterable[Any], values: Iterable[Any]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
