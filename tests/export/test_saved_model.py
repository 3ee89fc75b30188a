"""What TensorFlow Serving is given: the picture of the Python call, in a process that knows nothing of us."""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from encoding import decoded, encoded
from exported import (
    CASES,
    IMAGE,
    MASK,
    SIZE,
    assert_equal,
    functions,
    hole,
    lively,
    picture,
    warmed,
    warmup_requests,
)
from running import PATIENCE, command, environment, process, without_tensorflow

import inpainting_tf
from inpainting_tf import InputError, networks
from inpainting_tf.export import saved_model
from inpainting_tf.inference import inpainting

inpaint = functools.partial(inpainting_tf.inpaint, blend="none")  # what the network says and nothing else

# The same picture as from Python

ELSEWHERE = """
import sys

sys.modules.update(dict.fromkeys(("keras", "tf_keras", "inpainting_tf")))  # importing them is an error now
import numpy as np
import tensorflow as tf

signature = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
given, completed = np.load(sys.argv[2]), {}
for name in given:
    image, mask = given[name][None, ..., :3], given[name][None, ..., 3:]
    completed[name] = signature(image=tf.constant(image), mask=tf.constant(mask))["completed"].numpy()[0]
np.savez(sys.argv[3], **completed)
"""


@pytest.fixture(scope="module")
def from_elsewhere(folder, tmp_path_factory):
    """What a process without Keras and this package makes of all `CASES`."""
    place = tmp_path_factory.mktemp("elsewhere")
    given = {name: np.dstack([picture(size), hole(size, box)]) for name, (size, box) in CASES.items()}
    np.savez(place / "given.npz", **given)
    call = [sys.executable, "-c", ELSEWHERE, folder, place / "given.npz", place / "completed.npz"]
    env = environment() | {"PYTHONPATH": ""}
    subprocess.run(call, cwd=place, env=env, check=True, timeout=PATIENCE)
    return np.load(place / "completed.npz")


@pytest.mark.parametrize("case", CASES)
def test_the_same_picture_without_keras_and_this_package(model, from_elsewhere, case):
    size, box = CASES[case]
    image, missing = picture(size), hole(size, box)
    assert len(inpainting._plan(model.facts, missing > 0, False).windows) == 1, "a case for another test"
    expected = inpaint(model, image, missing)
    assert_equal(from_elsewhere[case], expected, missing)
    assert expected[missing > 0].std() > 0


def test_a_slanted_hole_is_as_large_as_it_is_thick(model, served):
    (y, x), image = np.mgrid[:150, :190], picture((150, 190))
    missing = np.uint8((np.abs(2.0 * (y - 75) - (x - 95)) < 28) & (np.abs(x - 95) < 27))
    (window,) = inpainting._plan(model.facts, missing > 0, False).windows
    assert window.shape == (32, 32) and 2 < (window.rows[1] - window.rows[0]) / 32 < 54 / 8 - 1
    assert_equal(served[0](image[None], missing[None])[0], inpaint(model, image, missing), missing)


SEVERAL = {"a scratch": [(50, 53, 10, 190)], "a cross": [(50, 53, 10, 190), (5, 95, 98, 102)]}
SEVERAL["two"] = [(3, 9, 10, 16), (90, 98, 170, 190)]


@pytest.mark.parametrize("case", SEVERAL)
def test_holes_that_python_looks_at_through_several_windows_are_filled_too(served, case):
    image, missing = picture((100, 200)), sum(hole((100, 200), box) for box in SEVERAL[case]) > 0
    painted = np.where(missing[..., None], 255 - image, image)
    left, right = (image.copy() for _ in range(2))
    left[:, :10], right[:, 190:] = 255 - image[:, :10], 255 - image[:, 190:]
    filled = served[0](np.stack([image, painted, left, right]), np.stack([missing.astype(np.uint8)] * 4))
    assert np.array_equal(filled[0], filled[1]), "what is under the hole does not matter"
    assert np.array_equal(filled[0][~missing], image[~missing])
    for other in filled[2:]:
        assert (filled[0] != other)[missing].any(), "the network sees what is around both ends"


def test_a_batch_is_its_pictures(model, served):
    images = np.stack([picture((67, 101), seed) for seed in range(3)])
    boxes = [(10, 41, 30, 70), (5, 11, 80, 90), (60, 67, 0, 9)]
    masks = np.stack([hole((67, 101), box) for box in boxes]) * np.array([1, 7, 255], np.uint8)[:, None, None]
    filled = served[0](images, masks)
    for got, image, missing in zip(filled, images, masks, strict=True):
        assert_equal(got, inpaint(model, image, missing), missing)


def test_specks_small_and_large_holes_come_in_one_batch(tmp_path):
    network = lively(inpainting_tf.build("glcic", image_size=None, width=4))
    network.set_training((128, 24))
    folder = saved_model.write(network, tmp_path / "1")
    arrays, _ = functions(folder)
    masks = dict(warmup_requests(folder))["serving_default"]["mask"][..., 0] > 0
    plans = [inpainting._plan(network.facts, mask, False) for mask in masks]
    shapes = [plan.windows[0].shape for plan in plans]
    assert shapes == [(128, 128), (64, 64), (32, 32)], "warm-up takes all ways"
    images = np.stack([picture((140, 151), seed) for seed in range(4)])
    boxes = [(10, 15, 30, 35), (20, 80, 30, 75), (111, 120, 0, 22), (80, 83, 40, 44)]
    masks = np.stack([hole((140, 151), box) for box in boxes])
    for chosen in ([0, 1, 2, 3], [1], [0, 2], [3, 1]):
        filled = arrays(images[chosen], masks[chosen])
        for got, image, missing in zip(filled, images[chosen], masks[chosen], strict=True):
            assert_equal(got, inpaint(network, image, missing), missing)


def test_a_network_of_unknown_scale_sees_the_whole_picture(tmp_path):
    network = lively(networks.get("unet")(None, width=4, levels=2))
    folder = saved_model.write(network, tmp_path / "1")
    arrays, _ = functions(folder)
    assert warmed(folder, arrays.keep)["predict"]["prediction"].shape == (1, 256, 256, 3)
    for size in (SIZE, (37, 51), (5, 90)):
        image, missing = picture(size), hole(size, (1, size[0] - 2, 10, 30))
        assert_equal(arrays(image[None], missing[None])[0], inpaint(network, image, missing), missing)


def test_a_network_of_one_size_that_sees_the_whole_picture_takes_no_other(tmp_path):
    network = lively(networks.get("direct_conv")(SIZE, width=4))
    folder = saved_model.write(network, tmp_path / "1", direct=True)
    arrays, _ = functions(folder)
    assert warmed(folder, arrays.keep)["serving_default"]["completed"].shape == (3, *SIZE, 3)
    image, missing = picture(SIZE), hole(*CASES["as it was trained"])
    assert_equal(
        arrays(image[None], missing[None])[0],
        inpaint(network, image, missing, direct=True),
        missing,
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"must be 32 x 48 pixels.*\[48 32\]"):
        arrays(np.swapaxes(image, 0, 1)[None], missing.T[None])


OF_ONE_SIZE = {
    "patch_autoencoder": {"width": 4, "patch": 12},
    "cvae": {"width": 4, "latent": 12},
    "semantic_inpainting": {"width": 4, "latent": 8, "iterations": 5},
}


@pytest.mark.parametrize("name", OF_ONE_SIZE)
def test_networks_of_one_size_take_others(tmp_path, name):
    network = lively(networks.get(name)(SIZE, **OF_ONE_SIZE[name]))
    folder = saved_model.write(network, tmp_path / "1")
    arrays, _ = functions(folder)
    assert warmed(folder, arrays.keep)["predict"]["prediction"].shape == (1, *SIZE, 3)
    for size, box in [CASES[case] for case in ("as it was trained", "a large hole", "smaller than trained")]:
        expected = inpaint(network, picture(size), hole(size, box))
        assert_equal(arrays(picture(size)[None], hole(size, box)[None])[0], expected, hole(size, box))


# Encoded pictures


def test_files_of_several_sizes_and_kinds(model, served):
    cases = [CASES["larger"], CASES["a large hole"], CASES["tiny"]]
    images, masks = [picture(size) for size, _ in cases], [hole(*case) for case in cases]
    jpeg = encoded(images[1], "JPEG", quality=85)
    images[1] = decoded(jpeg)
    given = [encoded(images[0]), jpeg, encoded(images[2])]
    filled = served[1](given, [encoded(mask * 255) for mask in masks])
    assert all(data.startswith(b"\x89PNG") for data in filled)
    for data, image, missing in zip(filled, images, masks, strict=True):
        assert_equal(decoded(data), inpaint(model, image, missing), missing)


def test_a_grey_picture_comes_back_in_colour(model, served):
    grey, missing = picture(SIZE)[..., 0], hole(*CASES["as it was trained"])
    (data,) = served[1]([encoded(grey)], [encoded(missing)])
    assert_equal(decoded(data), inpaint(model, np.repeat(grey[..., None], 3, 2), missing), missing)


MASKS = {
    "faint": lambda missing: encoded(missing),
    "black and white": lambda missing: encoded(missing > 0),
    "blue": lambda missing: encoded(np.dstack([missing * 0, missing * 0, missing])),
    "opaque": lambda missing: encoded(np.dstack([missing * 255] * 3 + [missing * 0 + 255])),
    "a 16-bit label": lambda missing: encoded(missing.astype(np.uint16)),
    "jpeg": lambda missing: encoded(missing * 255, "JPEG", quality=60),
    "grey jpeg": lambda missing: encoded(100 + missing * 60, "JPEG", quality=95),
}


@pytest.mark.parametrize("kind", MASKS)
def test_masks_of_every_kind(served, kind):
    image, missing = picture((48, 64)), hole((48, 64), (8, 24, 16, 40))
    expected = served[0](image[None], missing[None])[0]
    (data,) = served[1]([encoded(image)], [MASKS[kind](missing)])
    assert np.array_equal(decoded(data), expected)


# Wrong requests

WRONG = {
    "mask of another size": (IMAGE, MASK[:30], r"`mask` must have the number.*\[1 32 48\] \[1 30 48\]"),
    "mask on its side": (IMAGE, MASK.T, r"height and width of `image`.*\[1 32 48\] \[1 48 32\]"),
    "nothing to fill": (IMAGE, MASK * 0, r"both missing and known.*without missing ones:\] \[0\]"),
    "nothing to go by": (IMAGE, MASK * 0 + 1, r"both missing and known.*without known ones:\] \[0\]"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_request_fails_in_words_and_the_next_one_succeeds(served, case):
    image, mask, words = WRONG[case]
    with pytest.raises(tf.errors.InvalidArgumentError, match=words):
        served[0](image[None], mask[None])
    with pytest.raises(tf.errors.InvalidArgumentError, match=words):
        served[1]([encoded(image)], [encoded(mask)])
    assert served[0](IMAGE[None], MASK[None]).shape == (1, *SIZE, 3)


def test_the_wrong_picture_of_a_batch_is_named(served):
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"without missing ones:\] \[1 3\]"):
        served[0](np.stack([IMAGE] * 4), np.stack([MASK, MASK * 0] * 2))
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"the number.*\[2 32 48\] \[3 32 48\]"):
        served[0](np.stack([IMAGE] * 2), np.stack([MASK] * 3))


WRONG_FILES = {
    "not a picture": (b"what is this?", encoded(MASK), "Unknown image file format"),
    "half a picture": (encoded(IMAGE, "JPEG")[:300], encoded(MASK), "Invalid JPEG data"),
    "half a mask": (encoded(IMAGE), encoded(MASK)[:60], "Invalid PNG data"),
    "no mask": (encoded(IMAGE), b"", "empty"),
}


@pytest.mark.parametrize("case", WRONG_FILES)
def test_a_wrong_file_fails_in_words(served, case):
    image, mask, words = WRONG_FILES[case]
    with pytest.raises(tf.errors.InvalidArgumentError, match=words):
        served[1]([encoded(IMAGE), image], [encoded(MASK), mask])


def test_a_picture_without_its_mask(served):
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"as many as `image_bytes`.*\[2\] \[1\]"):
        served[1]([encoded(IMAGE)] * 2, [encoded(MASK)])


# Writing


def test_an_earlier_export_is_replaced(model, folder, tmp_path):
    place = shutil.copytree(folder, tmp_path / "1")
    about = {"network": "glcic", "direct": False, "inpainting_tf": inpainting_tf.__version__}
    scale = {"trained_on": [32, 8], "aligned": False}
    about["facts"] = {"size": [None, None], "divisor": 4, "hole_fill": "mean", **scale}
    assert json.loads((place / "inpainting_tf.json").read_text(encoding="utf-8")) == about
    saved_model.write(model, place, direct=True)
    assert json.loads((place / "inpainting_tf.json").read_text(encoding="utf-8")) == about | {"direct": True}
    assert [entry.name for entry in tmp_path.iterdir()] == ["1"]


@pytest.mark.parametrize("what", ["a folder of something else", "a file"])
def test_what_is_there_is_not_overwritten(model, tmp_path, what):
    place = tmp_path / "thesis"
    if what == "a file":
        place.write_text("mine", encoding="utf-8")
    else:
        place.mkdir()
        (place / "saved_model.pb").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="`output` must be a new or empty folder or an earlier export"):
        saved_model.write(model, place)
    assert "mine" in [
        path.read_text(encoding="utf-8") for path in (place, place / "saved_model.pb") if path.is_file()
    ]


def test_a_network_that_wants_its_holes_filled_is_refused(tmp_path):
    network = inpainting_tf.build("direct_conv", image_size=None, width=4, fill="biharmonic")
    with pytest.raises(InputError, match="with prefill biharmonic"):
        saved_model.write(network, tmp_path / "1")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk(model, tmp_path, file_size_limit):
    with file_size_limit(2_000), pytest.raises(InputError, match="could not be written"):
        saved_model.write(model, tmp_path / "1")
    assert list(tmp_path.iterdir()) == []


# The command


def export(*options: object):
    return command("inpainting-tf export", *options)


@pytest.mark.parametrize("direct", [False, True])
def test_the_command(model, tmp_path, direct):
    model.save(tmp_path / "model.keras")
    place = tmp_path / "models" / "1"
    place.mkdir(parents=True)  # an empty folder will do
    done = export(f"--workdir={tmp_path / 'model.keras'}", f"--output={place}", *["--direct"] * direct)
    assert done.status == 0 and f"Wrote {place}, " in done.out, done.err
    size, box = CASES["a large hole"]
    expected = inpaint(model, picture(size), hole(size, box), direct=direct)
    assert_equal(
        functions(place)[0](picture(size)[None], hole(size, box)[None])[0], expected, hole(size, box)
    )


def test_the_command_shows_int8_the_pictures_of_the_run(trained, tmp_path):
    file, litert = tmp_path / "model.tflite", ("--format=litert", "--precision=int8")
    done = export(f"--workdir={trained}", f"--output={file}", *litert, "--image_size=8x16")
    assert done.status == 0 and f"Wrote {file}, " in done.out, done.err
    assert file.read_bytes()[4:8] == b"TFL3"


REFUSED = {
    "no workdir": (["--output=x"], ["--workdir must be given"]),
    "no output": (["--workdir=x"], ["--output must be given"]),
    "no such format": (["--workdir=x", "--output=y", "--format=onxx"], ["--format", "'onnx'?"]),
    "no such run": (["--workdir=x", "--output=y"], ["'x'"]),
    "direct": (["--workdir=x", "--output=y", "--format=onnx", "--direct"], ["--direct", "saved_model"]),
    "precision": (["--workdir=x", "--output=y", "--precision=int8"], ["--precision", "litert"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_command_refuses(case):
    options, words = REFUSED[case]
    assert export(*options).refuses(*words)


def test_another_backend_is_refused(tmp_path):
    env = environment(**without_tensorflow(tmp_path))
    done = process("inpainting_tf/export/__main__.py", "--workdir=x", "--output=y", env=env)
    assert done.refuses("KERAS_BACKEND=tensorflow", "'jax'")


def test_levels_are_rounded_to_the_nearest():
    image, hole = tf.zeros((8, 12, 3), tf.uint8), np.zeros((8, 12), bool)
    hole[2:5, 3:9] = True
    prediction = tf.fill((8, 12, 3), np.float32(100.7 / 255))
    painted = saved_model._painted(image, tf.constant(hole), tf.constant([0, 0, 8, 12]), prediction).numpy()
    assert (painted[hole] == 101).all() and (painted[~hole] == 0).all()
