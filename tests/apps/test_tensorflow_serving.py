"""TensorFlow Serving's REST requests, answered by the server for programs."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest

pytest.importorskip("fastapi", reason="needs the extra `serve`")

from asking import IMAGE, MASK, PREDICT, ask, expected, hole, picture, post, refused
from encoding import decoded, encoded

import inpainting_tf


def b64(data: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(data).decode()}


ROW = {"image_bytes": b64(IMAGE), "mask_bytes": b64(MASK)}


def predict(**body):
    return post(PREDICT, content=json.dumps(body))


def test_rows_and_columns_of_files(here):
    other = {"image_bytes": b64(encoded(picture((33, 40)))), "mask_bytes": b64(encoded(hole((33, 40))))}
    columns = {name: [ROW[name], other[name]] for name in ROW}
    rows, inputs, jpeg = ask(
        here,
        predict(signature_name="encoded", instances=[ROW, other]),
        predict(signature_name="encoded", inputs=columns),
        predict(signature_name="encoded_jpeg", instances=[ROW]),
    )
    assert list(rows.json()) == ["predictions"] and rows.json()["predictions"] == inputs.json()["outputs"]
    first, second = (base64.b64decode(each["b64"]) for each in rows.json()["predictions"])
    assert np.array_equal(decoded(first), expected()) and decoded(second).shape == (33, 40, 3)
    assert base64.b64decode(jpeg.json()["predictions"][0]["b64"]).startswith(b"\xff\xd8")


def test_rows_of_numbers(here):
    row = {"image": picture().tolist(), "mask": hole()[..., None].tolist()}
    images, masks = np.full((2, 64, 64, 3), 0.5, np.float32), np.zeros((2, 64, 64, 1), np.float32)
    masks[:, 20:30, 30:50] = 1
    rows = [{"image": i.tolist(), "mask": m.tolist()} for i, m in zip(images, masks, strict=True)]
    completed, predicted = ask(
        here,
        predict(instances=[row]),
        predict(signature_name="predict", instances=rows),
        upload=2**23,
    )
    assert np.array_equal(completed.json()["predictions"], [expected()])
    prediction = np.array(predicted.json()["predictions"], np.float32)
    np.testing.assert_allclose(prediction, inpainting_tf.load("faces").fill(images, masks), atol=1e-6)


def test_wrong_predictions(here):
    ragged = {"image": [[[1, 2, 3]], [[1, 2]]], "mask": hole()[..., None].tolist()}
    bodies = {
        "": "must be JSON",
        "[]": "either `instances` or `inputs`",
        '{"instances": []}': "Each picture must have",
        '{"instances": [1]}': "list of objects with image and mask",
        '{"instances": [{"image": 1}]}': "Each picture must have image and mask",
        '{"inputs": {"image": [1]}}': "lists of image and mask",
        '{"signature_name": "x", "instances": []}': "`signature_name` must be one of",
        json.dumps({"instances": [ragged]}): "whole numbers from 0 to 255 of 3 levels",
        json.dumps({"signature_name": "encoded", "instances": [ROW | {"image_bytes": "x"}]}): "base64",
        json.dumps(
            {"signature_name": "encoded", "instances": [ROW | {"image_bytes": b64(b"x")}]}
        ): "not a picture",
        "[" * 100_000: "must be JSON",
    }
    answers = ask(here, *(post(PREDICT, content=body) for body in bodies))
    for answer, words in zip(answers, bodies.values(), strict=True):
        refused(answer, 400, words)
    names = ["/v1/models/other:predict", "/v1/models/faces/versions/2:predict"]
    for answer in ask(here, *(post(name, content="{}") for name in names)):
        refused(answer, 404, "The model must be 'faces', version 1")


def test_the_models_status(here):
    paths = ["/v1/models/faces", "/v1/models/faces/versions/1", "/v1/models/other"]
    one, version, other = ask(here, *(lambda client, path=path: client.get(path) for path in paths))
    assert one.json()["model_version_status"][0]["state"] == "AVAILABLE" and version.json() == one.json()
    refused(other, 404, "Received 'other'")
