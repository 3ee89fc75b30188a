"""The devices of a training: `Devices` is one of them; each backend has those of a machine and of several."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np


class Devices:
    """One device, and what is asked of several.

    A training on several is data parallel: each device has all variables and a part of each batch.

    Attributes:
        hosts: processes that train together.
        host: the number of this one, from 0.
        replicas: devices of all hosts; each has the same number of them.
    """

    hosts, host, replicas = 1, 0, 1

    def scope(self) -> contextlib.AbstractContextManager[Any]:
        """A context in which the variables that are made are on every device."""
        return contextlib.nullcontext()

    def fitting(self) -> contextlib.AbstractContextManager[Any]:
        """A context in which `fit` is called."""
        return contextlib.nullcontext()

    def apart(self) -> contextlib.AbstractContextManager[Any]:
        """A context within `fit` in which this process makes and uses variables of its own."""
        return contextlib.nullcontext()

    def spread(self, batches: Any) -> Any:
        """This host's batches, as `backends.feed` makes them, as `fit` takes them on these devices."""
        return batches

    def gathered(self, values: np.ndarray) -> np.ndarray:
        """Every host's float64 [n] as [hosts, n]; waits until all have called it."""
        return values[None]

    def lost(self, error: BaseException) -> bool:
        """Whether an error says that another host does not answer."""
        return False
