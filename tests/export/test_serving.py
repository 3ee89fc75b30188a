"""What TensorFlow Serving and its clients rely on: names, warm-up, REST, JPEG, `inpaint` with a server."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest
import tensorflow as tf
from encoding import decoded, encoded
from exported import CASES, IMAGE, MASK, assert_equal, hole, picture, warmed

import inpainting_tf
from inpainting_tf import InputError
from inpainting_tf.export.folding import fold
from inpainting_tf.inference import inpainting
from inpainting_tf.inference.engines import served as engine

FILES = {"image_bytes": (tf.string, [None]), "mask_bytes": (tf.string, [None])}
SIGNATURES = {
    "serving_default": {
        "image": (tf.uint8, [None, None, None, 3]),
        "mask": (tf.uint8, [None, None, None, 1]),
        "completed": (tf.uint8, [None, None, None, 3]),
    },
    "encoded": FILES | {"completed_bytes": (tf.string, [None])},
    "encoded_jpeg": FILES | {"completed_bytes": (tf.string, [None])},
    "predict": {
        "image": (tf.float32, [None, None, None, 3]),
        "mask": (tf.float32, [None, None, None, 1]),
        "prediction": (tf.float32, [None, None, None, 3]),
    },
}


def test_names_types_and_the_batch_dimension(loaded):
    described = {
        name: {
            key: (tensor.dtype, tensor.shape.as_list())
            for tensors in (signature.structured_input_signature[1], signature.structured_outputs)
            for key, tensor in tensors.items()
        }
        for name, signature in loaded.signatures.items()
    }
    assert described == SIGNATURES


def test_each_signature_is_warmed_up_by_a_request_that_succeeds(folder, loaded):
    answers = warmed(folder, loaded)
    completed = answers["serving_default"]["completed"]
    assert completed.shape == (3, 64, 64, 3) and (completed[:, 40:] == 128).all()
    assert (completed[0] != 128).any() and np.argwhere((completed[2] != 128).any(-1)).tolist() == [[32, 32]]
    assert (completed[1, 32:36, 32:36] != 128).any() and (completed[1, :32] == 128).all()
    for image, expected in zip(answers["encoded"]["completed_bytes"], completed, strict=True):
        assert np.array_equal(decoded(image), expected)
    assert all(image.startswith(b"\xff\xd8") for image in answers["encoded_jpeg"]["completed_bytes"])
    assert answers["predict"]["prediction"].shape == (1, 32, 32, 3)


def test_jpeg_files_for_those_who_wait(served, loaded):
    cases = [CASES["larger"], CASES["tiny"]]
    images, masks = [encoded(picture(size)) for size, _ in cases], [encoded(hole(*case)) for case in cases]
    answers = loaded.signatures["encoded_jpeg"](
        image_bytes=tf.constant(images), mask_bytes=tf.constant(masks)
    )["completed_bytes"].numpy()
    for data, lossless in zip(answers, served[1](images, masks), strict=True):
        expected = encoded(decoded(lossless), "JPEG", quality=95, subsampling=0)
        assert np.abs(decoded(data).astype(int) - decoded(expected)).max() <= 1


# REST


def answer(loaded, body: str) -> str:
    """What TensorFlow Serving's REST interface answers to a request in its row format (api_rest.md)."""
    request = json.loads(body)
    signature = loaded.signatures[request.get("signature_name", "serving_default")]
    rows = [{name: plain(value) for name, value in row.items()} for row in request["instances"]]
    specifications = signature.structured_input_signature[1].items()
    inputs = {name: tf.constant([row[name] for row in rows], spec.dtype) for name, spec in specifications}
    ((name, output),) = signature(**inputs).items()  # one output: its name is left out
    assert len(output) == len(rows)
    values = output.numpy().tolist()
    if name.endswith("_bytes"):
        values = [{"b64": base64.b64encode(value).decode()} for value in values]
    return json.dumps({"predictions": values})


def plain(value):
    return base64.b64decode(value["b64"]) if isinstance(value, dict) else value


def test_a_rest_request_with_files(served, loaded):
    files = {"image_bytes": encoded(IMAGE), "mask_bytes": encoded(MASK)}
    row = {name: {"b64": base64.b64encode(data).decode()} for name, data in files.items()}
    body = json.dumps({"signature_name": "encoded", "instances": [row, row]})
    for prediction in json.loads(answer(loaded, body))["predictions"]:
        got = decoded(base64.b64decode(prediction["b64"]))
        assert np.array_equal(got, served[0](IMAGE[None], MASK[None])[0])


def test_a_rest_request_with_numbers(served, loaded):
    row = {"image": IMAGE.tolist(), "mask": MASK[..., None].tolist()}
    (prediction,) = json.loads(answer(loaded, json.dumps({"instances": [row]})))["predictions"]
    assert np.array_equal(prediction, served[0](IMAGE[None], MASK[None])[0])


# The same picture as from Python, with the network on a server

OPTIONS = {
    "all that `inpaint` does": {},
    "the prediction alone": {"blend": "none"},
    "the whole picture": {"direct": True},
}


def photograph() -> tuple[np.ndarray, np.ndarray]:
    """A picture with a hole that gets detail, a scratch for several windows and a feathered edge."""
    image, mask = picture((120, 160)), np.zeros((120, 160), np.float32)
    mask[20:60, 30:80] = 1
    mask[90:93, 5:150] = 1
    mask[60:64, 30:80] = 0.5
    return image, mask


@pytest.mark.parametrize("case", OPTIONS)
def test_inpaint_with_a_server_is_inpaint(model, folder, loaded, case):
    (image, mask), options = photograph(), OPTIONS[case]

    def predict(images, masks):
        given = {"image": tf.constant(images), "mask": tf.constant(masks)}
        return loaded.signatures["predict"](**given)["prediction"].numpy()

    filled = engine.load(folder, predict).inpaint(image, mask, **options)
    assert np.array_equal(filled, inpainting_tf.inpaint(fold(model), image, mask, **options))
    alone = loaded.signatures["serving_default"](
        image=tf.constant(image[None]), mask=tf.constant((mask > 0)[None, ..., None].astype(np.uint8))
    )
    assert (filled != alone["completed"].numpy()[0])[mask == 1].any(), "nothing was done here"
    assert len(inpainting._plan(model.facts, mask > 0, False).windows) > 2


def test_the_file_beside_the_model_is_enough_and_rest_will_do(model, folder, loaded, tmp_path):
    (image, mask), copy = photograph(), tmp_path / "about.json"
    copy.write_bytes((folder / "inpainting_tf.json").read_bytes())

    def predict(images, masks):
        rows = [{"image": i.tolist(), "mask": m.tolist()} for i, m in zip(images, masks, strict=True)]
        body = json.dumps({"signature_name": "predict", "instances": rows})
        return np.float32(json.loads(answer(loaded, body))["predictions"])

    filled = engine.load(copy, predict).inpaint(image, mask, detail="none")
    assert_equal(filled, inpainting_tf.inpaint(model, image, mask, detail="none"), mask)


NOT_EXPORTED = {
    "of version 0.1": '{"network": "glcic", "direct": false}',
    "not JSON": "glcic",
    "a list": "[]",
}


@pytest.mark.parametrize("case", NOT_EXPORTED)
def test_a_folder_without_facts_is_refused(tmp_path, case):
    with pytest.raises(
        InputError, match=r"`path` must be a SavedModel's inpainting_tf.json file.*there is none"
    ):
        engine.load(tmp_path, None)
    (tmp_path / "inpainting_tf.json").write_text(NOT_EXPORTED[case], encoding="utf-8")
    with pytest.raises(InputError, match="not of a SavedModel with the signature `predict`: export"):
        engine.load(tmp_path, None)
