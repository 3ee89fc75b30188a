"""LiteRT files: what ai-edge-litert makes of them is what Keras makes of the network, in three precisions."""

from __future__ import annotations

import functools
import sys

import numpy as np
import pytest
from exchange import SIZES, assert_completed, expected, network, pictures, refusal

import inpainting_tf
from inpainting_tf import InputError, networks
from inpainting_tf.export import litert
from inpainting_tf.inference.engines import litert as engine

inpaint = functools.partial(inpainting_tf.inpaint, blend="none")  # what the network says and nothing else

interpreters = pytest.importorskip(
    "ai_edge_litert.interpreter", reason="needs pip install 'inpainting_tf[litert]'"
)
# The largest and the mean difference inside the holes, whose values deviate by 0.09 to 0.2. float16 weights
# are off by 2 ** -12 of themselves, which became 0.0026 and 0.00043 at most in these networks. Integers have
# 255 steps for all values of a layer: 0.078 and 0.0127. Each has twice that.
TOLERANCES = {"float32": (1e-5, 2e-6), "float16": (0.005, 0.001), "int8": (0.15, 0.025)}


def write(name, path, precision="float32"):
    samples = dict(zip(("images", "masks"), pictures(name, 16, seed=5), strict=True))
    samples = samples if precision == "int8" else {}
    return litert.write(network(name), path, image_size=SIZES[name], precision=precision, **samples)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """The GLCIC network in float32."""
    return write("glcic", tmp_path_factory.mktemp("litert") / "glcic.tflite")


# The smooth fill of `best` is refused in integers.
PAIRS = [
    (name, precision) for name in SIZES for precision in TOLERANCES if (name, precision) != ("best", "int8")
]


@pytest.mark.parametrize(("name", "precision"), PAIRS)
def test_agrees_with_keras(name, precision, tmp_path):
    written = write(name, tmp_path / "network.tflite", precision)
    images, masks = pictures(name, 3, seed=2)
    assert_completed(engine.load(written).fill(images, masks), name, 2, *TOLERANCES[precision])


def test_a_smooth_fill_is_no_matter_of_integers(tmp_path):
    with pytest.raises(InputError, match="must not be 'int8' for a network with a smooth fill"):
        write("best", tmp_path / "network.tflite", "int8")
    assert not any(tmp_path.iterdir())


def test_weights_of_half_and_a_quarter_of_the_size(file, tmp_path):
    sizes = [
        write("glcic", tmp_path / f"{precision}.tflite", precision).stat().st_size for precision in TOLERANCES
    ]
    weights = 4 * network("glcic").count_params()
    assert sizes[0] > weights > sizes[1] > sizes[2]
    assert sizes[0] - sizes[1] > 0.4 * weights and sizes[0] - sizes[2] > 0.6 * weights


def test_the_signature(file):
    runner = interpreters.Interpreter(str(file)).get_signature_runner()
    height, width = SIZES["glcic"]
    details = {**runner.get_input_details(), **runner.get_output_details()}
    shapes = {name: (tuple(each["shape"]), each["dtype"]) for name, each in details.items()}
    assert shapes == {
        "image": ((1, height, width, 3), np.float32),
        "mask": ((1, height, width, 1), np.float32),
        "completed": ((1, height, width, 3), np.float32),
    }


def test_integers_take_and_give_floats(tmp_path):
    runner = interpreters.Interpreter(
        str(write("glcic", tmp_path / "int8.tflite", "int8"))
    ).get_signature_runner()
    details = (*runner.get_input_details().values(), *runner.get_output_details().values())
    assert {each["dtype"] for each in details} == {np.float32}


def test_the_same_bytes_each_time(file, tmp_path):
    assert write("glcic", tmp_path / "again.tflite").read_bytes() == file.read_bytes()


def test_pictures_are_inpainted_as_by_keras(file):
    random = np.random.default_rng(4)
    image, mask = random.integers(0, 256, (39, 50, 3), np.uint8), np.zeros((39, 50), bool)
    mask[10:22, 8:20] = True
    fixed = networks.get("glcic")(image_size=SIZES["glcic"], width=4)
    fixed.set_weights(network("glcic").get_weights())
    filled, reference = (
        inpaint(engine.load(file), image, mask),
        inpaint(fixed, image, mask),
    )
    assert np.array_equal(filled[~mask], image[~mask])
    assert np.abs(filled.astype(int) - reference).max() <= 1  # the last bit of a float may tip the rounding


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_what_the_network_knows_goes_along(precision, tmp_path):
    model, size = networks.get("direct_conv")(image_size=None, width=4, fill="telea"), (32, 48)
    model.set_training((64, 24))
    images, masks = pictures("direct_conv", 2)
    samples = {"images": images, "masks": masks} if precision == "int8" else {}
    path = tmp_path / "network.tflite"
    loaded = engine.load(litert.write(model, path, image_size=size, precision=precision, **samples))
    facts = loaded.facts
    assert facts.size == size and facts.trained_on == (64, 24) and facts.prefill == "telea"
    completed, reference = loaded.fill(images, masks), expected(model, images, masks)
    np.testing.assert_allclose(completed, reference, atol=TOLERANCES[precision][0])


def test_calibration_sees_the_holes_as_the_network_will(tmp_path):
    """The pre-fill of the samples is made before the network sees them."""
    model = networks.get("direct_conv")(image_size=None, width=4, fill="telea")
    images, masks = pictures("direct_conv", 4)
    garbage = np.where(masks > 0, np.float32(50.0), images)
    files = [
        litert.write(
            model, tmp_path / f"{n}.tflite", image_size=(32, 48), precision="int8", images=each, masks=masks
        )
        for n, each in enumerate((images, garbage))
    ]
    assert files[0].read_bytes() == files[1].read_bytes()


IMAGES, MASKS = np.zeros((2, 32, 48, 3), np.float32), np.zeros((2, 32, 48, 1), np.float32)
REFUSED = {
    "precision": ({"precision": "int4"}, "'int4'. Did you mean 'int8'"),
    "no samples": ({"precision": "int8"}, "must be given for int8"),
    "no masks": ({"precision": "int8", "images": IMAGES}, "must be given for int8"),
    "empty": ({"precision": "int8", "images": IMAGES[:0], "masks": MASKS[:0]}, "must be given for int8"),
    "another size": (
        {"precision": "int8", "images": IMAGES.swapaxes(1, 2), "masks": MASKS.swapaxes(1, 2)},
        "(2, 48, 32, 3)",
    ),
    "idle samples": ({"images": IMAGES, "masks": MASKS}, "int8 only"),
    "stride": ({"image_size": (30, 48)}, "divisible by 4"),
    "no size": ({"image_size": (None, None)}, "must be the (height, width)"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_arguments_that_are_refused(case, tmp_path):
    arguments, message = REFUSED[case]
    arguments = {"image_size": (32, 48)} | arguments
    assert message in refusal(litert.write, network("glcic"), tmp_path / "a.tflite", **arguments)
    assert not list(tmp_path.iterdir())


def test_networks_that_are_refused(tmp_path):
    search = networks.get("semantic_inpainting")(image_size=(16, 32), width=4)
    message = refusal(litert.write, search, tmp_path / "a.tflite", image_size=(16, 32))
    assert "searches with gradients" in message
    message = refusal(litert.write, network("context_encoder"), tmp_path / "a.tflite", image_size=(64, 32))
    assert "32 x 64" in message


def test_files_that_are_refused(file, tmp_path):
    assert "there is none" in refusal(engine.load, tmp_path / "absent.tflite")
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(file.read_bytes()[:1000])
    assert "not a completion network" in refusal(engine.load, broken)


def test_a_missing_package_is_named(file, monkeypatch):
    monkeypatch.setitem(
        sys.modules, "ai_edge_litert.interpreter", None
    )  # as Python has it for what is absent
    assert "pip install 'inpainting_tf[litert]'" in refusal(engine.load, file)
