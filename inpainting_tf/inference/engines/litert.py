"""LiteRT (formerly TensorFlow Lite) as an engine: .tflite files, for pictures of one size."""

from __future__ import annotations

import os
import threading
import zipfile

import numpy as np

from inpainting_tf import environment
from inpainting_tf.inference.engine import Runtime
from inpainting_tf.inference.engines import notes

NOTE = f"{notes.NOTE}.json"  # in the zip archive behind the network


def load(path: str | os.PathLike) -> Runtime:
    """A .tflite file of `inpainting_tf.export`, run by ai-edge-litert on all cores, a picture at a time.

    Its predictions are completed pictures.

    Raises:
        InputError: no such file, not one of this package's, or ai-edge-litert is not installed.
    """
    interpreters = environment.needed("ai_edge_litert.interpreter", "litert")
    file = notes.existing(path, ".tflite")
    try:
        with zipfile.ZipFile(file) as archive:
            note = archive.read(NOTE)
        interpreter = interpreters.Interpreter(str(file), num_threads=os.cpu_count())
        run = interpreter.get_signature_runner()
    except (zipfile.BadZipFile, KeyError, ValueError, RuntimeError) as error:
        raise notes.foreign(file, error) from error
    lock = threading.Lock()  # an interpreter has one set of buffers

    def run_all(images: np.ndarray, masks: np.ndarray) -> np.ndarray:
        pairs = zip(images.astype(np.float32), masks.astype(np.float32), strict=True)
        with lock:
            return np.concatenate([run(image=i[None], mask=m[None])["completed"] for i, m in pairs])

    return notes.noted(note, run_all)
