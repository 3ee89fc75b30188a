"""The environment of a result: versions, device, and process defaults that would change it."""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import os
import platform
import sys
import types
from pathlib import Path

from inpainting_tf.errors import InputError

PACKAGES = ("inpainting_tf", "keras", "tensorflow", "tensorflow-cpu", "jax", "numpy")


# Settings of ~/.keras/keras.json that networks, losses and data assume.
KERAS_DEFAULTS = {"image_data_format": "channels_last", "floatx": "float32", "epsilon": 1e-7}


def pin_defaults() -> None:
    """Sets Keras's defaults to `KERAS_DEFAULTS`, in a command, which has a process of its own.

    Raises:
        InputError: Keras cannot be imported, as KERAS_BACKEND is unknown or not installed.
    """
    try:
        from keras import config
    except (ImportError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        raise InputError(
            "KERAS_BACKEND must be tensorflow or jax, and that must be installed. "
            f"Received {os.environ.get('KERAS_BACKEND', 'tensorflow')!r}: {reason}."
        ) from error
    for name, value in KERAS_DEFAULTS.items():
        getattr(config, f"set_{name}")(value)


def forget_unknown_matplotlib_backend() -> None:
    """Unsets an MPLBACKEND that matplotlib does not have: it could not be imported, and Keras with it.

    Figures are drawn into files and need none.
    """
    if "MPLBACKEND" not in os.environ or "matplotlib" in sys.modules:
        return
    name = os.environ.pop("MPLBACKEND")
    matplotlib = importlib.import_module("matplotlib")
    with contextlib.suppress(ValueError):
        matplotlib.rcParams["backend"] = name  # as its import does
        os.environ["MPLBACKEND"] = name


def prefer_onednn() -> None:
    """Has TensorFlow compute convolutions by oneDNN on every x86-64 processor under Linux, to train faster.

    TensorFlow does so by itself on those with AVX512-VNNI, AVX-VNNI or AMX. With AVX2 alone, training steps
    are 1.6 to 2.2 times as fast by it, but the fill of a single picture takes eight times as long: it is for
    commands that train. To be called before TensorFlow is imported; a TF_ENABLE_ONEDNN_OPTS that is set
    holds.
    """
    if sys.platform == "linux" and platform.machine() == "x86_64":
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def require_defaults() -> None:
    """Checks Keras's defaults, in a call from a program, where they must not be changed.

    Raises:
        InputError: one of Keras's defaults is not that of `KERAS_DEFAULTS`.
    """
    from keras import config

    for name, value in KERAS_DEFAULTS.items():
        if (found := getattr(config, name)()) != value:
            raise InputError(
                f"Keras's `{name}` must be {value}. Received {found}: "
                f"call keras.config.set_{name}({value!r}), or change ~/.keras/keras.json."
            )


def cpuinfo() -> str:
    """What /proc/cpuinfo says of the processor: its name, its flags; "" on systems other than Linux."""
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return ""


def describe() -> dict[str, str]:
    """Versions of Python and of the installed `PACKAGES`, the Keras backend, the device."""
    import keras

    found = {"python": platform.python_version()}
    for name in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name.removesuffix("-cpu")] = importlib.metadata.version(name)
    return {**found, "backend": keras.backend.backend(), "device": _device()}


def _device() -> str:
    import keras

    accelerators = [each for each in keras.distribution.list_devices() if not each.startswith("cpu")]
    return ", ".join(accelerators) or f"cpu ({platform.machine()}, {os.cpu_count()} cores)"


def needed(package: str, extra: str) -> types.ModuleType:
    """Imports an optional package.

    Raises:
        InputError: it is not installed; the message names the extra to install.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"{package} is needed for this: pip install 'inpainting_tf[{extra}]'. Received: {reason}."
        ) from error
