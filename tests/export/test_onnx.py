"""ONNX files: what ONNX Runtime makes of them is what Keras makes of the network, in any size it takes."""

from __future__ import annotations

import functools
import sys

import keras
import numpy as np
import pytest
from exchange import SIZES, assert_completed, expected, network, pictures, refusal

import inpainting_tf
from inpainting_tf import networks
from inpainting_tf.export import onnx
from inpainting_tf.inference.engines import onnx as engine

inpaint = functools.partial(inpainting_tf.inpaint, blend="none")  # what the network says and nothing else

pytest.importorskip("tf2onnx", reason="needs pip install 'inpainting_tf[onnx]'")
runtime = pytest.importorskip("onnxruntime", reason="needs pip install 'inpainting_tf[onnx]'")


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """The GLCIC network, for any size."""
    return onnx.write(network("glcic"), tmp_path_factory.mktemp("onnx") / "glcic.onnx")


@pytest.mark.parametrize("name", SIZES)
def test_agrees_with_keras(name, tmp_path):
    written = onnx.write(network(name), tmp_path / "network.onnx")
    images, masks = pictures(name, 3, seed=2)
    found = engine.load(written).fill(images, masks)
    np.testing.assert_allclose(found, network(name).fill(images, masks), atol=1e-5)
    session = runtime.InferenceSession(str(written), providers=["CPUExecutionProvider"])
    completed = session.run(["completed"], {"image": images, "mask": masks})[0]
    assert_completed(completed, name, 2, atol=1e-5)


def test_half_the_size_is_nearly_the_same(file, tmp_path):
    half = onnx.write(network("glcic"), tmp_path / "half.onnx", precision="float16")
    assert half.stat().st_size < 0.8 * file.stat().st_size
    images, masks = pictures("glcic", 3, seed=2)
    difference = np.abs(engine.load(half).fill(images, masks) - engine.load(file).fill(images, masks))
    assert 0 < difference.max() < 1 / 255
    assert "`precision`" in refusal(onnx.write, network("glcic"), tmp_path / "a.onnx", precision="int8")


def test_any_number_and_size(file):
    session = runtime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    random = np.random.default_rng(3)
    for count, height, width in ((1, 48, 20), (3, 16, 64)):
        image, mask = (
            random.random((count, height, width, 3), np.float32),
            np.zeros((count, height, width, 1)),
        )
        mask[:, 4:12, 7:18] = 1
        inputs = {"image": image, "mask": mask.astype(np.float32)}
        completed = session.run(["completed"], inputs)[0]
        np.testing.assert_allclose(completed, expected(network("glcic"), **named(inputs)), atol=1e-5)


def named(inputs):
    return {"images": inputs["image"], "masks": inputs["mask"]}


def test_names_and_axes(file):
    session = runtime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    free = ["batch", "height", "width"]
    shapes = {each.name: each.shape for each in (*session.get_inputs(), *session.get_outputs())}
    returned = ("image", "completed", "prediction")
    assert shapes == {"mask": [*free, 1]} | {name: [*free, 3] for name in returned}


def test_the_fixed_size_is_in_the_file(tmp_path):
    loaded = engine.load(onnx.write(network("context_encoder"), tmp_path / "fixed.onnx"))
    assert loaded.facts.size == SIZES["context_encoder"]
    message = refusal(loaded.fill, np.zeros((1, 64, 32, 3), "float32"), np.zeros((1, 64, 32, 1), "float32"))
    assert "32 x 64" in message


def test_pictures_are_inpainted_as_by_keras(file):
    random = np.random.default_rng(4)
    image, mask = random.integers(0, 256, (39, 50, 3), np.uint8), np.zeros((39, 50), bool)
    mask[10:22, 8:30] = True
    filled, reference = (
        inpaint(engine.load(file), image, mask),
        inpaint(network("glcic"), image, mask),
    )
    assert np.array_equal(filled[~mask], image[~mask])
    assert np.abs(filled.astype(int) - reference).max() <= 1  # the last bit of a float may tip the rounding


def test_what_the_network_knows_goes_along(tmp_path):
    model = networks.get("direct_conv")(image_size=None, width=4, fill="telea")
    model.set_training((64, 24))
    loaded = engine.load(onnx.write(model, tmp_path / "network.onnx"))
    assert loaded.facts == model.facts
    assert loaded.facts.scale.hole == 24 and loaded.facts.prefill == "telea"
    images, masks = pictures("direct_conv", 2)
    np.testing.assert_allclose(loaded.fill(images, masks), model.fill(images, masks), atol=1e-5)


def test_networks_that_are_refused(tmp_path):
    search = networks.get("semantic_inpainting")(image_size=(16, 32), width=4)
    assert "searches with gradients" in refusal(onnx.write, search, tmp_path / "a.onnx")
    policy = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy("mixed_bfloat16")
    try:
        mixed = networks.get("glcic")(image_size=None, width=4)
    finally:
        keras.mixed_precision.set_dtype_policy(policy)
    assert "float32" in refusal(onnx.write, mixed, tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())


def test_files_that_are_refused(file, tmp_path):
    assert "there is none" in refusal(engine.load, tmp_path / "absent.onnx")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(file.read_bytes()[:1000])
    assert "not a completion network" in refusal(engine.load, broken)
    format_ = pytest.importorskip("onnx")
    other = format_.load(str(file))
    del other.metadata_props[:]
    format_.save(other, str(broken))
    assert "no metadata" in refusal(engine.load, broken)


@pytest.mark.parametrize(("package", "call"), [("tf2onnx", "write"), ("onnxruntime", "load")])
def test_a_missing_package_is_named(package, call, file, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)  # as Python has it for what cannot be imported
    arguments = {"write": (network("glcic"), tmp_path / "a.onnx"), "load": (file,)}[call]
    message = refusal({"write": onnx.write, "load": engine.load}[call], *arguments)
    assert package in message and "pip install 'inpainting_tf[onnx]'" in message
