"""ONNX Runtime as an engine: .onnx files, for pictures of any size that the network takes."""

from __future__ import annotations

import os

import numpy as np

from inpainting_tf import environment
from inpainting_tf.inference.engine import Runtime
from inpainting_tf.inference.engines import graphs


def load(path: str | os.PathLike) -> Runtime:
    """An .onnx file of `inpainting_tf.export`, run by ONNX Runtime on the CPU.

    Its predictions are completed pictures.

    Raises:
        InputError: no such file, not one of this package's, or onnxruntime is not installed.
    """
    onnxruntime = environment.needed("onnxruntime", "onnx")
    onnxruntime.disable_telemetry_events()
    file = graphs.existing(path, ".onnx")
    try:
        session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's have no common base
        raise graphs.foreign(file, error) from error
    note = session.get_modelmeta().custom_metadata_map.get(graphs.NOTE)
    if note is None:
        raise graphs.foreign(file, f"it has no metadata {graphs.NOTE!r}.")

    def run(images: np.ndarray, masks: np.ndarray) -> np.ndarray:
        inputs = {"image": images.astype(np.float32), "mask": masks.astype(np.float32)}
        return session.run(["completed"], inputs)[0]

    return graphs.noted(note, run)
