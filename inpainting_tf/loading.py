"""Loads a completion network for use, on the engine that is the quickest for it.

A shipped model is stored twice: as a packed run, which is a Keras model again, and as an ONNX file, which
ONNX Runtime runs at once. Neither Keras nor TensorFlow is loaded for that, which would take seconds.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from inpainting_tf import environment, models
from inpainting_tf.errors import InputError, unknown
from inpainting_tf.inference import Engine


def load(path: str | os.PathLike, *, engine: str = "auto", threads: int | None = None) -> Engine:
    """A trained completion network.

    Args:
        path: a name in `inpainting_tf.models.NAMES`, a run's folder, packed or not, or a `.keras` file that
            this package wrote; or an `.onnx` or `.tflite` file that it exported, which its own runtime runs.
            A run in a folder of such a name goes before the model.
        engine: "auto": ONNX Runtime for the shipped models, where it is installed, and Keras for others;
            "onnx": ONNX Runtime, for the shipped models; "keras": an `Inpainter`, to train, change or save;
            "openvino": several times Keras's speed on a CPU, in bfloat16 where supported.
        threads: that compute, on ONNX Runtime, and on OpenVINO from an `.onnx` file; None: one for each core.
            Keras takes them from `processes.limit_threads`.

    Returns:
        An engine with `facts`, `fill` and `inpaint`, for any picture size that its network takes; on Keras an
        `Inpainter` in float32. ONNX Runtime agrees with it to rounding.

    Raises:
        InputError: no such path, not a model of this package, an engine that is unknown or not installed.

    Example:
        >>> import inpainting_tf
        >>> model = inpainting_tf.load("photos")
        >>> model.facts.trained_on  # pictures of 128 px, holes up to 48 px unreduced
        (128, 48)
    """
    if engine not in models.ENGINES:
        raise unknown("engine", engine, models.ENGINES)
    file = _exported(path, engine)
    if file is not None:
        return _runtime(file, engine, threads)
    if engine == "onnx":
        raise InputError(
            f"`engine` 'onnx' takes {', '.join(models.NAMES)}, or an .onnx file that "
            f"`inpainting-tf export --format=onnx` wrote. Received {str(path)!r}."
        )
    environment.require_defaults()
    from inpainting_tf.runs import loading

    network = loading.inpainter(path)
    if engine != "openvino":
        return network
    from inpainting_tf.inference.engines import openvino

    return openvino.compile(network)


def load_for_command(path: str | os.PathLike, *, engine: str = "auto", threads: int | None = None) -> Engine:
    """`load` in a process of its own, a command's or a worker's, where Keras's defaults may be set.

    Raises:
        InputError: those of `load`.
    """
    if takes_keras(path, engine):
        environment.pin_defaults()
    return load(path, engine=engine, threads=threads)


def takes_keras(path: str | os.PathLike, engine: str = "auto") -> bool:
    """Whether `load` imports Keras for this path and engine."""
    return _exported(path, engine) is None


def _exported(path: str | os.PathLike, engine: str) -> Path | None:
    """The file for a runtime of its own: the path, or that of a shipped model."""
    place = Path(path).expanduser()
    if place.suffix in (".onnx", ".tflite"):
        return place
    has_runtime = importlib.util.find_spec("onnxruntime") is not None
    wanted = engine in ("onnx", "openvino") or (engine == "auto" and has_runtime)
    return models.exported(path) if wanted else None


def _runtime(file: Path, engine: str, threads: int | None) -> Engine:
    if file.suffix == ".onnx" and engine == "openvino":
        from inpainting_tf.inference.engines import openvino

        return openvino.load(file, threads=threads)
    if file.suffix == ".onnx":
        from inpainting_tf.inference.engines import onnx

        return onnx.load(file, threads=threads)
    from inpainting_tf.inference.engines import litert

    return litert.load(file)
