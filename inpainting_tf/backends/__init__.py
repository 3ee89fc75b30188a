"""What depends on Keras's backend: two modules with the same names, one of which is chosen at import.

Trainer        the base class of `inpainting_tf.training`: Keras's way of calling `train_step` and `test_step`
Adam           the optimizer, in as few passes as the framework has
minimise       differentiates a loss and applies the gradients
gradient       differentiates a function of a tensor, in training or in a network's forward pass
switch         one of several branches, chosen while the compiled step runs
compiled_step  a trainer's step as a compiled function of a batch
feed           batches prepared ahead of the steps
memory_told    turns an error for want of memory into one line
strategy       the scope of a distribution that is open
batchwide      random rows of a whole batch, of which each device takes its own
replicas       the devices that share a batch, each of which sees its own part alone
mirrored, multi_worker    several devices, of this machine or of several; see `Devices`
make_deterministic, fastest_precision

Everything else is written on `keras.ops` or NumPy (but for the fast layers' branch in `layers.py`).
"""

from __future__ import annotations

import contextlib
import importlib
import types
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import keras

from inpainting_tf.backends.devices import Devices as Devices
from inpainting_tf.errors import InputError, OutOfMemory

name = keras.backend.backend()


def _refusal(what: str) -> Callable[..., NoReturn]:
    def refuse(*args: Any, **kwargs: Any) -> NoReturn:
        raise InputError(f"{what} takes KERAS_BACKEND=tensorflow or jax. Received {name!r}.")

    return refuse


_FUNCTIONS = (
    "Adam",
    "compiled_step",
    "fastest_precision",
    "feed",
    "make_deterministic",
    "minimise",
    "mirrored",
    "multi_worker",
    "strategy",
    "switch",
)
# In the messages of frameworks that had not enough memory, on the host or on a device.
_NO_MEMORY = (
    "RESOURCE_EXHAUSTED",
    "MemoryError",
    "OOM when allocating",
    "out of memory",
    "Out of memory",
    "OUT_OF_MEMORY",
    "ALLOC_FAILED",
    "Dst tensor is not initialized",
)

_backend: Any
if name in ("tensorflow", "jax"):
    _backend = importlib.import_module(f"{__name__}.{name}")
else:  # fills holes, but for the networks that search
    _backend = types.SimpleNamespace(
        Trainer=keras.Model,
        ERRORS=(),
        batchwide=lambda draw, count: draw(count),
        replicas=lambda: 1,
        gradient=_refusal("The search for a latent code"),
        **dict.fromkeys(_FUNCTIONS, _refusal("Training")),
    )

Adam = _backend.Adam
Trainer = _backend.Trainer
batchwide = _backend.batchwide
compiled_step = _backend.compiled_step
fastest_precision = _backend.fastest_precision
feed = _backend.feed
gradient = _backend.gradient
make_deterministic = _backend.make_deterministic
minimise = _backend.minimise
mirrored = _backend.mirrored
multi_worker = _backend.multi_worker
replicas = _backend.replicas
switch = _backend.switch
strategy = _backend.strategy


@contextlib.contextmanager
def memory_told(advice: Callable[[], str]) -> Iterator[None]:
    """Turns an error for want of memory, on the host or on a device, into an `OutOfMemory` of one line.

    Args:
        advice: called when it happens; what did not fit, and what to do.
    """
    try:
        yield
    except Exception as error:
        if not out_of_memory(error):
            raise
        raise OutOfMemory(f"Not enough memory for {advice()}") from error


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that there was not enough memory, on the host or on a device."""
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, _backend.ERRORS) and any(words in str(error) for words in _NO_MEMORY)
