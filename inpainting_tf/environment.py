"""What a number was made with."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform

import keras

PACKAGES = ("inpainting_tf", "keras", "tensorflow", "tensorflow-cpu", "jax", "numpy")


def describe() -> dict[str, str]:
    """Versions of Python and of the installed `PACKAGES`, the Keras backend, the device."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name.removesuffix("-cpu")] = importlib.metadata.version(name)
    return {**found, "backend": keras.backend.backend(), "device": _device()}


def _device() -> str:
    accelerators = [each for each in keras.distribution.list_devices() if not each.startswith("cpu")]
    return ", ".join(accelerators) or f"cpu ({platform.machine()}, {os.cpu_count()} cores)"
