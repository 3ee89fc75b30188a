"""OpenVINO as an engine: the network's predictions, in two precisions, without a word to its makers."""

from __future__ import annotations

import functools
import importlib.util
import sys

import numpy as np
import pytest
from exchange import SIZES, network, pictures, refusal

import inpainting_tf
from inpainting_tf import models, networks
from inpainting_tf.inference.engines import openvino

format_ = pytest.importorskip("onnx", reason="needs pip install 'inpainting_tf[onnx]'")

inpaint = functools.partial(inpainting_tf.inpaint, blend="none")  # what the network says and nothing else

# Not imported: that would report it to Intel, which `openvino.compile` takes care to prevent.
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("openvino") is None, reason="needs pip install 'inpainting_tf[openvino]'"
)
# bfloat16 has 8 significant bits, half a unit of which is 0.002 of a value. Through these networks' 12 to 17
# layers it was 0.032 at most and 0.0041 on average, in holes whose values deviate by 0.09 to 0.2. Twice that:
BFLOAT16, BFLOAT16_MEAN = 0.06, 0.008


@pytest.fixture(scope="module")
def glcic():
    return openvino.compile(network("glcic"), precision="float32")


def has_bfloat16():
    return "BF16" in sys.modules["openvino"].Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


@pytest.mark.parametrize("name", SIZES)
def test_float32_agrees_with_keras_everywhere(name):
    images, masks = pictures(name, 3, seed=2)
    reference = network(name).fill(images, masks)
    raw = openvino.compile(network(name), precision="float32").fill(images, masks)
    assert raw.dtype == np.float32
    np.testing.assert_allclose(raw, reference, atol=1e-5)
    assert raw[np.broadcast_to(masks > 0, raw.shape)].std() > 0.05


@pytest.mark.parametrize("name", SIZES)
def test_bfloat16_is_near(name):
    images, masks = pictures(name, 3, seed=2)
    hole = np.broadcast_to(masks > 0, images.shape)
    reference = network(name).fill(images, masks)
    difference = np.abs(openvino.compile(network(name)).fill(images, masks) - reference)[hole]
    assert difference.max() <= BFLOAT16 and difference.mean() <= BFLOAT16_MEAN
    if has_bfloat16():  # or else float32 was used under its name
        assert difference.max() > 1e-4


def test_any_number_and_size(glcic):
    random = np.random.default_rng(3)
    for count, height, width in ((1, 48, 20), (3, 16, 64), (2, 48, 20)):
        images = random.random((count, height, width, 3), np.float32)
        masks = np.zeros((count, height, width, 1), np.float32)
        masks[:, 4:12, 7:18] = 1
        np.testing.assert_allclose(glcic.fill(images, masks), network("glcic").fill(images, masks), atol=1e-5)


def test_an_earlier_result_stays_as_it_was(glcic):
    images, masks = pictures("glcic", 2)
    first = glcic.fill(images[:1], masks[:1])
    before = first.copy()
    glcic.fill(images[1:], masks[1:])
    assert np.array_equal(first, before)


def test_pictures_are_inpainted_as_by_keras(glcic):
    random = np.random.default_rng(4)
    image, mask = random.integers(0, 256, (39, 50, 3), np.uint8), np.zeros((39, 50), bool)
    mask[10:22, 8:30] = True
    filled, reference = (
        inpaint(glcic, image, mask),
        inpaint(network("glcic"), image, mask),
    )
    assert np.array_equal(filled[~mask], image[~mask])
    assert np.abs(filled.astype(int) - reference).max() <= 1  # the last bit of a float may tip the rounding


def test_what_the_network_knows_goes_along():
    model = networks.get("direct_conv")(image_size=None, width=4, fill="telea")
    model.set_training((64, 24))
    compiled = openvino.compile(model, precision="float32")
    assert compiled.facts == model.facts
    assert compiled.facts.scale.hole == 24 and compiled.facts.prefill == "telea"
    images, masks = pictures("direct_conv", 2)
    np.testing.assert_allclose(compiled.fill(images, masks), model.fill(images, masks), atol=1e-5)


def test_sizes_are_refused_as_by_keras(glcic):
    message = refusal(glcic.fill, np.zeros((1, 30, 48, 3), "float32"), np.zeros((1, 30, 48, 1), "float32"))
    assert "divisible by 4" in message


def test_a_stored_network_is_read_as_it_is(tmp_path):
    """Of a shipped model, for which Keras is not loaded."""
    file = models.exported("faces")
    loaded, reference = openvino.load(file, precision="float32"), inpainting_tf.load("faces", engine="onnx")
    images, masks = pictures("glcic", 2)
    assert loaded.facts == reference.facts
    np.testing.assert_allclose(loaded.fill(images, masks), reference.fill(images, masks), atol=1e-5)
    assert type(inpainting_tf.load("faces", engine="openvino")) is type(loaded)
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(file.read_bytes()[:1000])
    assert "not a completion network" in refusal(openvino.load, broken)
    assert "there is none" in refusal(openvino.load, tmp_path / "absent.onnx")
    stored = format_.load(str(file))
    del stored.metadata_props[:]
    format_.save(stored, str(broken))
    assert "no metadata" in refusal(openvino.load, broken)


def test_what_is_refused():
    search = networks.get("semantic_inpainting")(image_size=(16, 32), width=4)
    assert "searches with gradients" in refusal(openvino.compile, search)
    assert "'bfloat16'" in refusal(openvino.compile, network("glcic"), precision="bfloat_16")


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)  # as Python has it for what cannot be imported
    message = refusal(openvino.compile, network("glcic"))
    assert "pip install 'inpainting_tf[openvino]'" in message


def test_nothing_is_reported(glcic):
    assert "openvino" in sys.modules
    assert sys.modules["openvino_telemetry"] is None, "imported, it sends an event of its own accord"
