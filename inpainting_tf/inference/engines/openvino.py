"""OpenVINO: a faster engine for completion networks on x86 processors, from Keras or an .onnx file."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from inpainting_tf import environment
from inpainting_tf.errors import unknown
from inpainting_tf.inference.engine import Fill, Runtime
from inpainting_tf.inference.engines import notes

if TYPE_CHECKING:
    import keras

PRECISIONS = {"bfloat16": "bf16", "float32": "f32"}


def compile(model: keras.Model, *, precision: str = "bfloat16") -> Runtime:
    """A completion network that OpenVINO runs on the CPU; its facts are those of the model.

    Args:
        model: a float32 completion network, from `inpainting_tf.load`.
        precision: "float32", which agrees with TensorFlow to rounding; or "bfloat16", several times faster
            where the processor has it (AMX or AVX512-BF16) and at most a few of 255 grey levels off. Other
            processors compute in float32 then too.

    Raises:
        InputError: an unknown precision, a network that cannot be converted, or openvino is not installed.
    """
    from inpainting_tf.inference.engines import graphs  # loads Keras

    _check(precision)
    graphs.check(model)
    core = _without_telemetry().Core()
    with graphs.converting(model, "OpenVINO"):
        run = _compiled(core, _read(core, model), precision)
    return Runtime(run, model.facts)


def load(path: str | os.PathLike, *, precision: str = "bfloat16", threads: int | None = None) -> Runtime:
    """An .onnx file of `inpainting_tf.export`, run by OpenVINO; Keras is not loaded for it.

    Args:
        path: the file.
        precision: see `compile`.
        threads: that compute; None: one for each core.

    Raises:
        InputError: an unknown precision, no such file, not one of this package's, or openvino is not
            installed.
    """
    _check(precision)
    core, file = _without_telemetry().Core(), notes.existing(path, ".onnx")
    try:
        network = core.read_model(str(file))
    except RuntimeError as error:
        raise notes.foreign(file, error) from error
    place = ["framework", notes.NOTE]  # where OpenVINO keeps the file's metadata
    if not network.has_rt_info(place):
        raise notes.foreign(file, f"it has no metadata {notes.NOTE!r}.")
    return notes.noted(network.get_rt_info(place).astype(str), _compiled(core, network, precision, threads))


def _check(precision: str) -> None:
    if precision not in PRECISIONS:
        raise unknown("precision", precision, PRECISIONS)


def _compiled(core: Any, network: Any, precision: str, threads: int | None = None) -> Fill:
    has_bfloat16 = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    hint = PRECISIONS[precision if has_bfloat16 else "float32"]
    # Always set: without a hint, OpenVINO uses bfloat16 where the processor has it.
    settings = {"INFERENCE_PRECISION_HINT": hint, "INFERENCE_NUM_THREADS": threads or 0}
    compiled = core.compile_model(network, "CPU", settings)
    lock = threading.Lock()  # a compiled model has one set of buffers

    def run(images: np.ndarray, masks: np.ndarray) -> np.ndarray:
        inputs = {"image": images.astype(np.float32), "mask": masks.astype(np.float32)}
        with lock:
            return compiled(inputs)[compiled.outputs[-1]]  # of a file with two, the prediction

    return run


def _without_telemetry() -> types.ModuleType:
    """The package openvino, imported without openvino-telemetry, which would report the import.

    Without that package, openvino falls back to a stub; None in `sys.modules` makes it appear uninstalled.
    """
    sys.modules.setdefault("openvino_telemetry", cast(types.ModuleType, None))
    return environment.needed("openvino", "openvino")


def _read(core: Any, model: keras.Model) -> Any:
    """The network as OpenVINO's graph, by the runtime's own reader, which takes a file."""
    from inpainting_tf.inference.engines import graphs  # loads Keras

    constant = graphs.frozen(graphs.prediction(model, graphs.signature(model)))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "network.pb"
        file.write_bytes(constant.graph.as_graph_def().SerializeToString())
        read = core.read_model(str(file))
        for each in read.inputs:
            name = each.get_any_name().partition(":")[0]
            each.get_tensor().set_names({name})
        return read
