"""The Python call: known pixels stay, the hole is the network's, everything else is refused in one line."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from running import lively

import inpainting_tf
from inpainting_tf import InputError, classical
from inpainting_tf.ops.images import to_float, to_uint8

SIZE = (32, 48)
inpaint = functools.partial(inpainting_tf.inpaint, blend="none")  # what the network says and nothing else


@pytest.fixture(scope="module")
def model():
    return lively()


@pytest.fixture
def image():
    """Every level at least once."""
    random = np.random.default_rng(1)
    levels = np.arange(SIZE[0] * SIZE[1] * 3) % 256
    return random.permutation(levels).astype(np.uint8).reshape(*SIZE, 3)


@pytest.fixture
def hole():
    """A rectangle off the centre, [H, W] booleans."""
    missing = np.zeros(SIZE, bool)
    missing[5:17, 20:41] = True
    return missing


def batch_of(image, count=3):
    return np.stack([np.roll(image, shift, axis=1) for shift in range(count)])


# What comes out


def test_known_pixels_are_identical_and_the_hole_is_the_networks(model, image, hole):
    filled = inpaint(model, image, hole)
    assert filled.shape == image.shape and filled.dtype == np.uint8
    assert np.array_equal(filled[~hole], image[~hole])
    inputs = {"image": to_float(image)[None], "mask": hole[None, ..., None].astype(np.float32)}
    prediction = to_uint8(np.asarray(model(inputs, training=False)))[0]
    assert np.array_equal(filled[hole], prediction[hole])
    assert prediction[hole].std() > 0, "a constant would hide a hole in the wrong place"


@pytest.mark.parametrize("value", [0, 255])
def test_what_is_under_the_hole_does_not_matter(model, image, hole, value):
    painted = image.copy()
    painted[hole] = value
    assert np.array_equal(inpaint(model, painted, hole), inpaint(model, image, hole))


def test_the_surroundings_do_matter(model, image, hole):
    assert not np.array_equal(inpaint(model, 255 - image, hole)[hole], inpaint(model, image, hole)[hole])


FORMS = {
    "bool [H, W]": lambda hole: hole,
    "uint8 255 [H, W]": lambda hole: hole.astype(np.uint8) * 255,
    "uint8 1 [H, W, 1]": lambda hole: hole.astype(np.uint8)[..., None],
    "int64 7 [1, H, W]": lambda hole: hole.astype(np.int64)[None] * 7,
    "float 255 [1, H, W, 1]": lambda hole: hole.astype(np.float32)[None, ..., None] * 255,
    "list of lists": lambda hole: hole.tolist(),
}


@pytest.mark.parametrize("form", FORMS)
def test_mask_forms(model, image, hole, form):
    assert np.array_equal(inpaint(model, image, FORMS[form](hole)), inpaint(model, image, hole))


@pytest.mark.parametrize("channels", [(), (1,)], ids=["[N, H, W]", "[N, H, W, 1]"])
def test_a_batch_is_its_pictures(model, image, hole, channels):
    images = batch_of(image)
    holes = np.stack([np.roll(hole, 6 * i, axis=0) for i in range(3)])
    filled = inpaint(model, images, holes.reshape(*holes.shape, *channels))
    assert filled.shape == images.shape and filled.dtype == np.uint8
    assert np.array_equal(filled[~holes], images[~holes])
    for one, alone, missing in zip(filled, images, holes, strict=True):
        difference = one.astype(int) - inpaint(model, alone, missing)
        assert np.abs(difference).max() <= 1  # the last bit of a float may tip the rounding


def test_one_mask_serves_a_batch(model, image, hole):
    images = batch_of(image)
    assert np.array_equal(inpaint(model, images, hole), inpaint(model, images, np.stack([hole] * 3)))


def test_arguments_are_left_as_they_are(model, image, hole):
    image_before, hole_before = image.copy(), hole.copy()
    image.flags.writeable = hole.flags.writeable = False
    filled = inpaint(model, image, hole)
    assert np.array_equal(image, image_before) and np.array_equal(hole, hole_before)
    assert filled.flags.writeable


def test_views_are_as_good_as_copies(model, image, hole):
    flipped = inpaint(model, image[:, ::-1], hole[:, ::-1])
    assert np.array_equal(flipped, inpaint(model, image[:, ::-1].copy(), hole[:, ::-1].copy()))


def test_the_raw_fill_is_the_whole_prediction(model, image, hole):
    images, masks = to_float(image)[None], hole[None, ..., None].astype(np.float32)
    raw = model.fill(images, masks)
    assert raw.shape == images.shape and raw.dtype == np.float32
    assert not np.array_equal(raw[0][~hole], images[0][~hole])
    assert 0 <= raw.min() < raw.max() <= 1


@pytest.mark.slow
def test_a_loaded_model_serves_as_well(trained, image, hole):
    filled = inpaint(inpainting_tf.load(trained), image, hole)
    assert np.array_equal(filled[~hole], image[~hole]) and (filled[hole] != image[hole]).any()


# What is refused

GOOD_IMAGE, GOOD_MASK = np.zeros((*SIZE, 3), np.uint8), np.eye(*SIZE, dtype=np.uint8)
PHOTOGRAPH = np.random.default_rng(0).integers(0, 256, SIZE, np.uint8)
REFUSED = {
    "float picture": (GOOD_IMAGE / 255.0, GOOD_MASK, "`image` must be uint8 RGB.*float64"),
    "grey picture": (GOOD_IMAGE[..., 0], GOOD_MASK, r"`image` must be uint8 RGB.*\(32, 48\)"),
    "RGBA": (np.zeros((*SIZE, 4), np.uint8), GOOD_MASK, r"`image` must be uint8 RGB.*\(32, 48, 4\)"),
    "channels first": (np.zeros((3, *SIZE), np.uint8), GOOD_MASK, "`image` must be uint8 RGB"),
    "a file name": ("photo.jpg", GOOD_MASK, "`image` must be uint8 RGB"),
    "five dimensions": (GOOD_IMAGE[None, None], GOOD_MASK, "`image` must be uint8 RGB"),
    "transposed mask": (GOOD_IMAGE, GOOD_MASK.T, r"`mask` must have the height and width.*\(48, 32\)"),
    "too many masks": (GOOD_IMAGE, np.zeros((2, *SIZE)), "as many as the pictures, 1"),
    "too few masks": (np.stack([GOOD_IMAGE] * 3), np.zeros((2, *SIZE)), "as many as the pictures, 3"),
    "RGB mask": (GOOD_IMAGE, GOOD_IMAGE, "`mask` must have one channel"),
    "a row as mask": (GOOD_IMAGE, np.zeros(48), "`mask` must have shape"),
    "no hole": (
        GOOD_IMAGE,
        np.zeros(SIZE),
        "`mask` must have both missing and known pixels.*none is non-zero",
    ),
    "nothing but hole": (
        GOOD_IMAGE,
        np.ones(SIZE),
        "`mask` must have both missing and known.*all are non-zero",
    ),
    "NaN": (GOOD_IMAGE, np.full(SIZE, np.nan), "`mask` must be free of NaN"),
    "a photograph": (GOOD_IMAGE, PHOTOGRAPH, "`mask` must have two levels.*looks like a photograph"),
    "no pixels": (GOOD_IMAGE[:0], GOOD_MASK[:0], "`image` must be uint8 RGB"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(model, case):
    image, mask, message = REFUSED[case]
    with pytest.raises(InputError, match=message) as caught:
        inpaint(model, image, mask)
    assert "\n" not in str(caught.value)


def test_an_unknown_blend_is_refused(model, image, hole):
    with pytest.raises(InputError, match="poisson"):
        inpaint(model, image, hole, blend="poison")


def test_the_number_of_the_empty_mask_is_told(model, image, hole):
    with pytest.raises(InputError, match="`mask` 1 of the batch"):
        inpaint(model, np.stack([image, image]), np.stack([hole, hole & False]))


def test_the_fill_refuses_a_size_in_one_line(model):
    with pytest.raises(InputError, match="divisible by 4") as caught:
        model.fill(np.zeros((2, 30, 48, 3), np.float32), np.zeros((2, 30, 48, 1), np.float32))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("method", ["telea", "biharmonic"])
def test_a_network_that_wants_its_holes_filled_gets_them_filled(method):
    model = inpainting_tf.build("direct_conv", image_size=None, width=4, fill=method)
    random = np.random.default_rng(0)
    image, mask = random.random((2, 16, 24, 3), "float32"), np.zeros((2, 16, 24, 1), "float32")
    mask[:, 4:10, 5:17] = 1
    hidden = np.where(mask > 0, random.random(image.shape, "float32"), image)
    filled = classical.get(method)(image, mask)
    expected = model.predict_on_batch({"image": filled, "mask": mask})
    for given in (image, hidden):
        np.testing.assert_allclose(model.fill(given, mask), expected, atol=1e-6)
    assert np.abs(expected - model.predict_on_batch({"image": image, "mask": mask})).max() > 1e-3
