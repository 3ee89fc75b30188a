"""ONNX Runtime as an engine: .onnx files, for pictures of any size that the network takes."""

from __future__ import annotations

import os

import numpy as np

from inpainting_tf import environment
from inpainting_tf.inference.engine import Runtime
from inpainting_tf.inference.engines import notes


def load(path: str | os.PathLike, *, threads: int | None = None) -> Runtime:
    """An .onnx file of `inpainting_tf.export`, run by ONNX Runtime on the CPU.

    The predictions of a file of version 0.1 are completed pictures.

    Args:
        path: the file.
        threads: that compute; None: one for each core.

    Raises:
        InputError: no such file, not one of this package's, or onnxruntime is not installed.
    """
    onnxruntime = environment.needed("onnxruntime", "onnx")
    onnxruntime.disable_telemetry_events()
    file = notes.existing(path, ".onnx")
    options = onnxruntime.SessionOptions()
    # Threads that wait in a loop take the processor from whatever else runs, and from each other: where
    # another program was busy, they made it half as fast.
    options.intra_op_num_threads = threads or 0
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's have no common base
        raise notes.foreign(file, error) from error
    note = session.get_modelmeta().custom_metadata_map.get(notes.NOTE)
    if note is None:
        raise notes.foreign(file, f"it has no metadata {notes.NOTE!r}.")

    outputs = {each.name for each in session.get_outputs()}
    wanted = ["prediction" if "prediction" in outputs else "completed"]

    def run(images: np.ndarray, masks: np.ndarray) -> np.ndarray:
        inputs = {"image": images.astype(np.float32), "mask": masks.astype(np.float32)}
        return session.run(wanted, inputs)[0]

    return notes.noted(note, run)
