"""What the tests of SavedModels share: a network, pictures with holes, calls and requests."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from tensorflow.core.framework import tensor_pb2

SIZE = (32, 48)

# Height and width of a picture, and its hole: top, bottom, left, right.
CASES = {
    "as it was trained": (SIZE, (5, 17, 20, 36)),
    "larger": ((64, 96), (10, 20, 30, 40)),
    "a large hole": ((67, 101), (10, 41, 30, 70)),
    "a large hole in the corner": ((67, 101), (0, 31, 0, 25)),
    "in the other corner": ((67, 101), (40, 67, 70, 101)),
    "at the left edge": ((67, 101), (30, 37, 0, 10)),
    "nearly all": ((150, 130), (30, 110, 20, 100)),
    "smaller than trained": ((21, 33), (3, 10, 5, 20)),
    "narrower than trained": ((40, 18), (0, 10, 5, 10)),
    "tiny": ((7, 5), (1, 3, 1, 4)),
    "three pixels": ((3, 1), (1, 2, 0, 1)),
    "a scratch": ((90, 120), (50, 53, 70, 90)),
    "a thick scratch": ((160, 150), (20, 48, 30, 66)),
}


def lively(model: keras.Model) -> keras.Model:
    """With weights that let a change of the picture through all layers, and normalizations that matter."""
    random = np.random.default_rng(0)
    for weight in model.weights:
        if weight.path.endswith("kernel"):
            weight.assign(random.normal(0, np.sqrt(4 / np.prod(weight.shape[:-1])), weight.shape))
        elif weight.path.endswith(("moving_variance", "gamma")):
            weight.assign(random.uniform(0.5, 2.0, weight.shape))
        elif weight.path.endswith(("moving_mean", "beta")):
            weight.assign(random.normal(0.0, 0.2, weight.shape))
    return model


def picture(size: tuple[int, int], seed: int = 0) -> np.ndarray:
    random, (y, x) = np.random.default_rng(seed), np.mgrid[: size[0], : size[1]]
    waves = [np.sin(x / 9 + y / 17), np.sin(y / 5 + seed), np.cos(x / 23 - y / 4)]
    colours = 128 + 100 * np.stack(waves, -1) + random.normal(0, 12, (*size, 3))
    return np.clip(colours, 0, 255).astype(np.uint8)


def hole(size: tuple[int, int], box: tuple[int, int, int, int]) -> np.ndarray:
    missing = np.zeros(size, np.uint8)
    missing[box[0] : box[1], box[2] : box[3]] = 1
    return missing


def functions(folder: Path):
    loaded = tf.saved_model.load(str(folder))
    signatures = loaded.signatures

    def arrays(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
        mask = tf.constant(mask.reshape(*mask.shape[:3], 1))
        return signatures["serving_default"](image=tf.constant(image), mask=mask)["completed"].numpy()

    def files(images: list[bytes], masks: list[bytes]) -> list[bytes]:
        given = {"image_bytes": tf.constant(images), "mask_bytes": tf.constant(masks)}
        return list(signatures["encoded"](**given)["completed_bytes"].numpy())

    arrays.keep = loaded  # signatures do not keep their variables alive
    return arrays, files


def assert_equal(got: np.ndarray, expected: np.ndarray, missing: np.ndarray) -> None:
    """To a level, in the hole; exactly, outside it."""
    assert got.dtype == np.uint8 and got.shape == expected.shape
    assert np.array_equal(got[missing == 0], expected[missing == 0])
    assert np.abs(got.astype(int) - expected).max() <= 1


# Requests

IMAGE, MASK = picture(SIZE), hole(*CASES["as it was trained"])

# The part of tensorflow_serving/apis/*.proto that a request needs: number, name, type of each field.
_MESSAGES = {
    "ModelSpec": [(3, "signature_name", "string")],
    "Input": [(1, "key", "string"), (2, "value", tensor_pb2.TensorProto.DESCRIPTOR.full_name)],
    "PredictRequest": [(1, "model_spec", "ModelSpec"), (2, "inputs", "Input")],
    "PredictLog": [(1, "request", "PredictRequest")],
    "PredictionLog": [(6, "predict_log", "PredictLog")],
}


def _prediction_log():
    """The class of the message, with a map as the list of pairs that it is on the wire."""
    kinds, package = descriptor_pb2.FieldDescriptorProto, "inpainting_tf_tests"
    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    file.dependency.append(tensor_pb2.DESCRIPTOR.name)
    for message, fields in _MESSAGES.items():
        described = file.message_type.add(name=message)
        for number, name, kind in fields:
            repeated = kinds.LABEL_REPEATED if name == "inputs" else kinds.LABEL_OPTIONAL
            if kind == "string":
                described.field.add(name=name, number=number, label=repeated, type=kinds.TYPE_STRING)
            else:
                kind = kind if "." in kind else f"{package}.{kind}"
                own = {"type": kinds.TYPE_MESSAGE, "type_name": f".{kind}"}
                described.field.add(name=name, number=number, label=repeated, **own)
    pool = descriptor_pool.Default()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.PredictionLog"))


PREDICTION_LOG = _prediction_log()


def warmup_requests(folder: Path) -> list[tuple[str, dict[str, np.ndarray]]]:
    """Signature and inputs of each request with which TensorFlow Serving warms up a SavedModel."""
    found = []
    for record in tf.data.TFRecordDataset(str(folder / "assets.extra" / "tf_serving_warmup_requests")):
        log = PREDICTION_LOG.FromString(record.numpy())
        assert log.SerializeToString(deterministic=True) == record.numpy(), "the fields are written in order"
        request = log.predict_log.request
        inputs = {each.key: tf.make_ndarray(each.value) for each in request.inputs}
        found.append((request.model_spec.signature_name, inputs))
    return found


def warmed(folder: Path, loaded) -> dict[str, dict[str, np.ndarray]]:
    """What each signature answers to its warm-up request, given the folder and what was loaded from it."""
    requests = warmup_requests(folder)
    assert sorted(name for name, _ in requests) == sorted(loaded.signatures)
    answers = {}
    for name, inputs in requests:
        given = {key: tf.constant(value) for key, value in inputs.items()}
        answers[name] = {key: each.numpy() for key, each in loaded.signatures[name](**given).items()}
    return answers
