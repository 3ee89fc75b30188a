"""Properties of the mask samplers, each over many draws and on pictures that are not square."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from inpainting_tf.errors import InputError
from inpainting_tf.ops import masks
from inpainting_tf.ops.masks import Mask

KINDS = list(masks.SAMPLERS)
SIZES = [(32, 48), (48, 32)]


def many(mask: Mask, size: tuple[int, int], count: int = 300) -> np.ndarray:
    """Boolean [count, H, W]."""
    return masks.fixed(mask, range(count), size)[..., 0] > 0


def box(missing: np.ndarray) -> tuple[int, int, int, int]:
    """Top, left, height, width of what is missing."""
    rows, columns = np.where(missing.any(1))[0], np.where(missing.any(0))[0]
    return rows[0], columns[0], rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES)
def test_masks_are_float32_ones_where_the_picture_is_missing(kind, size):
    found = masks.fixed(Mask(kind), range(300), size)
    assert found.shape == (300, *size, 1) and found.dtype == np.float32
    assert set(np.unique(found)) == {0.0, 1.0}
    missing = found.mean((1, 2, 3))
    assert missing.min() > 0, "never empty"
    assert missing.max() < 0.75 and missing.mean() < 0.5, "the smaller part is missing, not the larger"


@pytest.mark.parametrize("kind", KINDS)
def test_a_hole_depends_on_seed_and_index_alone(kind):
    alone, among = masks.fixed(Mask(kind), [7], SIZES[0]), masks.fixed(Mask(kind), [3, 7, 1], SIZES[0])
    np.testing.assert_array_equal(alone[0], among[1])
    if kind != "centre":
        assert (
            masks.fixed(Mask(kind), range(9), SIZES[0], seed=1) != masks.fixed(Mask(kind), range(9), SIZES[0])
        ).any()
        assert (among[0] != among[1]).any()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not masks.on_host(Mask(kind))])
@pytest.mark.parametrize("size", SIZES)
def test_tensorflow_draws_what_numpy_draws(kind, size):
    uniforms = np.random.default_rng(0).random((50, masks.numbers(Mask(kind))), np.float32)
    theirs = tf.function(lambda u: masks.draw(Mask(kind), u, size))(tf.constant(uniforms))
    np.testing.assert_array_equal(masks.draw(Mask(kind), uniforms, size), theirs)


@pytest.mark.parametrize(
    ("size", "smallest", "largest"),
    [((128, 128), 24, 48), ((64, 64), 12, 24), ((32, 48), 6, 12), ((48, 32), 6, 12)],
)
def test_rectangles_have_the_sides_of_the_paper(size, smallest, largest):
    boxes = np.array([box(missing) for missing in many(Mask(), size, 2000)])
    for axis in (2, 3):
        assert (boxes[:, axis].min(), boxes[:, axis].max()) == (smallest, largest)
    for missing, (_, _, height, width) in zip(many(Mask(), size, 50), boxes, strict=False):
        assert missing.sum() == height * width, "one solid rectangle"
    assert np.abs(np.corrcoef(boxes.T) - np.eye(4)).max() < 0.2, "place and sides are drawn independently"


@pytest.mark.parametrize("size", SIZES)
def test_rectangles_reach_every_border(size):
    boxes = np.array([box(missing) for missing in many(Mask(), size, 2000)])
    assert boxes[:, 0].min() == 0 and (boxes[:, 0] + boxes[:, 2]).max() == size[0]
    assert boxes[:, 1].min() == 0 and (boxes[:, 1] + boxes[:, 3]).max() == size[1]


@pytest.mark.parametrize(("size", "expected"), [((32, 48), (8, 16, 16, 16)), ((48, 32), (16, 8, 16, 16))])
def test_the_centre_is_a_centred_square(size, expected):
    for missing in many(Mask("centre"), size, 3):
        assert box(missing) == expected and missing.sum() == 256


def test_several_are_several_and_strokes_are_bent_lines():
    pieces = [ndimage.label(missing)[1] for missing in many(Mask("several"), (64, 96))]
    assert max(pieces) == masks.SEVERAL and np.mean(pieces) > 2
    strokes = many(Mask("strokes"), (64, 96))
    counts = [ndimage.label(missing, np.ones((3, 3)))[1] for missing in strokes]
    assert (
        min(counts) == 1 and np.percentile(counts, 90) == masks.STROKES
    )  # more where one leaves and returns
    filled = [missing.sum() / np.prod(box(missing)[2:]) for missing in strokes]
    assert np.mean(filled) < 0.6, "a line fills little of its bounding box"
    assert 0.03 < strokes.mean() < 0.4


def test_a_mixed_hole_is_a_rectangle_several_or_strokes_equally_likely():
    low, high, size = 0.2, 0.4, (48, 64)
    uniforms = np.random.default_rng(0).random((300, masks.numbers(Mask("mixed"))), np.float32)
    kinds = [Mask("rectangle", low, high), Mask("several", low / 2, high / 2)]
    kinds.append(Mask("strokes", low / 4, high / 3))
    candidates = [masks.draw(kind, uniforms, size) for kind in kinds]
    mixed = masks.draw(Mask("mixed", low, high), uniforms, size)
    taken = [(mixed == candidate).all((1, 2, 3)) for candidate in candidates]
    assert (np.sum(taken, 0) == 1).all(), "one of the three"
    assert np.abs(np.mean(taken, 1) - 1 / 3).max() < 0.1


@pytest.mark.parametrize("size", [(64, 64), (48, 32)])
def test_a_face_mask_covers_nose_and_mouth_but_not_the_eyes(size):
    height, width = size
    for missing in many(Mask("face_mask"), size, 100):
        top, left, tall, wide = box(missing)
        assert top >= 0.5 * height and top + tall < height
        assert missing[round(0.7 * height), width // 2], "the mouth"
        assert abs(left + wide / 2 - width / 2) < 0.08 * width
        assert 0.4 * min(size) < wide < 0.75 * min(size)


def test_low_and_high_set_the_lengths():
    blocks = [many(Mask("photograph", side, side), (64, 96)) for side in (0.2, 0.8)]
    assert blocks[1].mean() > blocks[0].mean() + 0.04  # a tenth of them, 0.4 of the picture and not 0.03
    boxes = np.array([box(missing) for missing in many(Mask("rectangle", 0.5, 0.5), (32, 48))])
    assert (boxes[:, 2:] == 16).all()
    thin, thick = (many(Mask("strokes", low, low), (64, 64)).mean() for low in (0.03, 0.15))
    assert thick > 2 * thin
    assert box(many(Mask("centre", 0.25, 0.25), (32, 48), 1)[0])[2:] == (8, 8)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (Mask("rectagle"), "rectangle"),
        (Mask(low=0.5, high=0.25), r"0 < low <= high <= 1.*0\.5, 0\.25"),
        (Mask(low=0.0), "0 < low"),
        (Mask(high=1.5), "high <= 1"),
    ],
)
def test_bad_masks_are_refused_in_one_line(mask, message):
    for use in (lambda: masks.fixed(mask, [0], (32, 48)), lambda: masks.numbers(mask)):
        with pytest.raises(InputError, match=message) as caught:
            use()
        assert "\n" not in str(caught.value)


def test_the_extent_of_a_kind_is_that_of_its_holes():
    low, high = masks.extent(Mask("rectangle"))
    holes = masks.fixed(Mask("rectangle"), range(400), (48, 64))[..., 0] > 0.5
    sides = np.concatenate([holes.any(2).sum(1), holes.any(1).sum(1)])
    assert (sides.min(), sides.max()) == (round(48 * low), round(48 * high))
    assert masks.extent(Mask("rectangle", 0.2, 0.3)) == (0.2, 0.3)


def test_holes_are_shown_unreduced_up_to_the_smallest_of_training_but_for_photographs():
    assert masks.shown(Mask("rectangle", 0.2, 0.3)) == 0.2
    assert (
        masks.shown(Mask(masks.FOLDER, folder="masks")) == masks.extent(Mask(masks.FOLDER, folder="masks"))[0]
    )
    # A network for photographs saw them at their own scale, up to about this size.
    assert masks.shown(Mask("photograph")) == 0.375
    assert masks.shown(Mask("portrait")) == 0.375
