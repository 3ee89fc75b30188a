"""Warm-up requests: TensorFlow Serving answers them while it loads a model, not while the first user waits.

They are a TFRecord file of `PredictionLog` messages (tensorflow_serving/apis/prediction_log.proto), whose few
fields are written here: the package that has these messages would be a dependency for a dozen lines.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

FILE = "assets.extra/tf_serving_warmup_requests"  # in the SavedModel's folder
_LENGTH_DELIMITED = 2  # protobuf's wire type of strings and messages

Tensors = Mapping[str, Any]  # and arrays, by the names of a signature's inputs


def examples(window: tuple[int, int], picture: tuple[int, int]) -> dict[str, Tensors]:
    """A request to each signature of `inpainting_tf.export.saved_model`.

    Grey pictures with holes of the three kinds that are looked at differently: a large, a small one, a speck.

    Args:
        window: the (height, width) of what the network receives.
        picture: the (height, width) of the pictures, at least that.
    """
    (height, width), (top, left) = picture, (picture[0] // 2, picture[1] // 2)
    image, mask = np.full((3, height, width, 3), 128, np.uint8), np.zeros((3, height, width, 1), np.uint8)
    mask[0, height // 4 : top, width // 4 : left] = 255
    mask[1, top : top + window[0] // 8, left : left + window[1] // 8] = 255
    mask[2, top, left] = 255
    files = {
        "image_bytes": [tf.io.encode_jpeg(image[0]).numpy(), *map(_png, image[1:])],
        "mask_bytes": [*map(_png, mask)],
    }
    rows, columns = (slice(side) for side in window)
    part, hole = image[:1, rows, columns] / np.float32(255), mask[:1, rows, columns] / np.float32(255)
    return {
        "serving_default": {"image": image, "mask": mask},
        "encoded": files,
        "encoded_jpeg": files,
        "predict": {"image": part, "mask": hole},
    }


def write(folder: Path, requests: Mapping[str, Tensors]) -> None:
    """Writes the file into a SavedModel's folder.

    Args:
        folder: of the SavedModel.
        requests: for each signature its inputs by their names. They must succeed: a model whose warm-up fails
            is not served.
    """
    file = folder / FILE
    file.parent.mkdir()
    with tf.io.TFRecordWriter(str(file)) as records:
        for signature, inputs in requests.items():
            records.write(_prediction_log(signature, inputs))


def _png(image: np.ndarray) -> bytes:
    return tf.io.encode_png(image).numpy()


def _prediction_log(signature: str, inputs: Tensors) -> bytes:
    """A PredictionLog(predict_log=PredictLog(request=PredictRequest(model_spec=..., inputs=...)))."""
    spec = _message((3, signature.encode()))
    entries = [
        (2, _message((1, name.encode()), (2, tf.make_tensor_proto(tensor).SerializeToString())))
        for name, tensor in inputs.items()
    ]
    request = _message((1, spec), *entries)
    return _message((6, _message((1, request))))


def _message(*fields: tuple[int, bytes]) -> bytes:
    """A message of strings, bytes and messages by the numbers of their fields."""
    return b"".join(
        _varint(number << 3 | _LENGTH_DELIMITED) + _varint(len(content)) + content
        for number, content in fields
    )


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; the eighth tells that more follow."""
    low, more = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + _varint(more) if more else bytes([low])
