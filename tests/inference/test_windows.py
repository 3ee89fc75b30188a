"""Windows around holes: where they lie, what the network is shown there, how its answers come together."""

from __future__ import annotations

import functools
import tracemalloc

import numpy as np
import pytest

import inpainting_tf
from inpainting_tf.inference import Facts, Runtime, inpainting, windows
from inpainting_tf.inference.windows import Scale

TRAINED_ON = (32, 12)
SCALE = Scale((32, 32), 12)
inpaint = functools.partial(inpainting_tf.inpaint, blend="none")  # what the network says and nothing else


def with_hole(size: tuple[int, int], *boxes: tuple[int, int, int, int]) -> np.ndarray:
    """Bool [H, W], missing in each (top, left, bottom, right)."""
    mask = np.zeros(size, bool)
    for top, left, bottom, right in boxes:
        mask[top:bottom, left:right] = True
    return mask


def ramp(size: tuple[int, int]) -> np.ndarray:
    """A uint8 picture whose colours are planes over rows and columns: it shows where a pixel lies."""
    y, x = np.mgrid[: size[0], : size[1]] / np.reshape(size, (2, 1, 1))
    return np.rint(np.stack([255 * y, 255 * x, 40 + 90 * y + 80 * (1 - x)], -1)).astype(np.uint8)


def planes(images: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Stands for a network that has learned ramps: the planes through the known pixels."""
    height, width = images.shape[1:3]
    y, x = np.mgrid[:height, :width]
    terms = np.stack([y, x, np.ones_like(y)], -1).reshape(-1, 3)
    filled = []
    for image, mask in zip(images, masks, strict=True):
        known = mask.ravel() == 0
        planes, *_ = np.linalg.lstsq(terms[known], image.reshape(-1, 3)[known], rcond=None)
        filled.append((terms @ planes).reshape(height, width, 3))
    return np.float32(filled)


def network(run, size=(None, None), trained_on=TRAINED_ON, divisor=1) -> Runtime:
    return Runtime(run, Facts(size, divisor, trained_on=trained_on))


# Where the windows lie


@pytest.mark.parametrize("picture", [(90, 120), (600, 800)])
def test_the_windows_depend_on_the_hole_and_not_on_the_picture(picture):
    plan = windows.around_holes(with_hole(picture, (20, 30, 44, 54)), SCALE, [SCALE.size])
    (window,) = plan.windows
    assert window.shape == (32, 32)
    assert window.rows == (0, 64) and window.columns == (10, 74), "24 px look as large as 12: factor 2"


def test_a_hole_of_a_known_size_is_shown_pixel_by_pixel():
    (window,) = windows.around_holes(with_hole((90, 120), (40, 50, 52, 58)), SCALE, [SCALE.size]).windows
    assert (window.rows, window.columns) == ((30, 62), (38, 70))


@pytest.mark.parametrize("corner", [(0, 0), (78, 0), (0, 108), (78, 108)])
def test_windows_stay_inside_the_picture(corner):
    box = (*corner, corner[0] + 12, corner[1] + 12)
    (window,) = windows.around_holes(with_hole((90, 120), box), SCALE, [SCALE.size]).windows
    assert window.rows == ((0, 32) if corner[0] == 0 else (58, 90))
    assert window.columns == ((0, 32) if corner[1] == 0 else (88, 120))


def test_no_window_is_larger_than_the_picture():
    """And a hole as large as the window is looked at from both sides."""
    found = windows.around_holes(with_hole((40, 120), (2, 40, 38, 80)), SCALE, [SCALE.size]).windows
    assert {window.rows for window in found} == {(0, 40)}
    assert all(window.columns[1] - window.columns[0] == 40 for window in found)
    assert min(window.columns[0] for window in found) < 40 < 80 < max(w.columns[1] for w in found)


def test_a_scratch_is_followed_at_full_resolution():
    mask = np.zeros((200, 300), bool)
    for i in range(180):
        mask[10 + i, 20 + i : 25 + i] = True
    plan = windows.around_holes(mask, SCALE, [SCALE.size])
    assert len(plan.windows) > 5 and len(plan.windows) < 80
    assert all(window.rows[1] - window.rows[0] == 32 for window in plan.windows)


def test_holes_far_apart_are_looked_at_alone_and_neighbours_together():
    far = windows.around_holes(with_hole((100, 200), (5, 5, 15, 15), (60, 150, 72, 160)), SCALE, [SCALE.size])
    assert [window.hole for window in far.windows] == [1, 2] and far.labels.max() == 2
    near = windows.around_holes(with_hole((100, 200), (5, 5, 10, 15), (13, 5, 18, 15)), SCALE, [SCALE.size])
    assert len(near.windows) == 1 and near.labels.max() == 1
    assert (near.labels > 0).sum() == 100, "what lies between two holes is known"


# What comes back


@pytest.mark.parametrize(
    ("size", "boxes", "tolerance"),
    {
        "pixel by pixel": ((60, 90), [(20, 30, 30, 41)], 1),
        "reduced": ((301, 407), [(90, 130, 213, 260)], 2),
        "reduced, at the border": ((301, 407), [(0, 0, 90, 101)], 2),
        "three": ((200, 310), [(0, 0, 11, 9), (100, 100, 160, 170), (188, 295, 200, 310)], 2),
        "a long one": ((64, 300), [(30, 10, 34, 290)], 1),
        "a row": ((80, 100), [(40, 0, 42, 100)], 1),
    }.values(),
)
def test_each_pixel_is_filled_by_what_belongs_there(size, boxes, tolerance):
    picture, mask = ramp(size), with_hole(size, *boxes)
    hidden = np.where(mask[..., None], 255, picture).astype(np.uint8)
    filled = inpaint(network(planes), hidden, mask)
    assert np.array_equal(filled[~mask], picture[~mask])
    assert np.abs(filled[mask].astype(int) - picture[mask]).max() <= tolerance


def test_any_mask_is_filled_to_its_last_pixel():
    random = np.random.default_rng(0)
    for size in ((40, 56), (131, 97)):
        for density in (0.001, 0.02, 0.3, 0.97):
            mask = random.random(size) < density
            mask[size[0] // 2, size[1] // 2], mask[0, 0] = True, False
            filled = inpaint(network(lambda x, m: np.ones_like(x)), np.zeros((*size, 3), np.uint8), mask)
            assert (filled[mask] == 255).all() and (filled[~mask] == 0).all()


def test_windows_meet_without_a_step():
    """Each answer is a constant that differs from the next one's by 100 levels at least."""
    answers = iter(np.tile([0.1, 0.9], 100))

    def constant(images, masks):
        return np.stack([np.full_like(image, next(answers)) for image in images])

    mask = with_hole((64, 300), (28, 10, 36, 290))
    filled = inpaint(network(constant), np.zeros((64, 300, 3), np.uint8), mask)
    middle = filled[32, 10:290, 0].astype(int)
    assert np.ptp(middle) > 50 and np.abs(np.diff(middle)).max() < 40


def test_a_network_of_one_size_repairs_pictures_of_any_size():
    seen = []

    def predict(images, masks):
        seen.append(images.shape[1:3])
        return planes(images, masks)

    for size in ((20, 28), (100, 70), (33, 200)):
        picture, mask = ramp(size), with_hole(size, (7, 9, 13, 15))
        filled = inpaint(network(predict, size=(32, 48), trained_on=None), picture, mask)
        assert np.array_equal(filled[~mask], picture[~mask])
    assert set(seen) == {(32, 48)}


def test_a_small_picture_goes_on_as_its_mirror_image():
    picture, mask = ramp((20, 28)), with_hole((20, 28), (7, 9, 13, 15))
    (window,) = windows.around_holes(mask, SCALE, [(32, 32)]).windows
    colours, missing = windows.cut(picture, mask, window)
    expected = np.pad(picture, ((6, 6), (2, 2), (0, 0)), mode="reflect") / 255 * (missing == 0)
    np.testing.assert_allclose(colours, expected, atol=1e-6)
    assert np.array_equal(missing[..., 0], np.pad(mask, ((6, 6), (2, 2)), mode="reflect"))


def test_what_the_network_is_shown_holds_nothing_of_what_is_missing():
    picture, mask = ramp((200, 200)), with_hole((200, 200), (60, 60, 131, 128))
    (window,) = windows.around_holes(mask, SCALE, [(32, 32)]).windows
    shown = [
        windows.cut(np.where(mask[..., None], v, picture).astype(np.uint8), mask, window) for v in (0, 255)
    ]
    assert np.array_equal(shown[0][0], shown[1][0])
    colours, missing = shown[0]
    assert (colours[missing[..., 0] > 0] == 0).all() and 0.1 < missing.mean() < 0.25
    truth, _ = windows.cut(picture, mask & False, window)
    assert np.abs((colours - truth)[missing[..., 0] == 0]).max() < 1e-6


def test_the_whole_picture_at_once():
    seen = []

    def predict(images, masks):
        seen.append(images.shape)
        return planes(images, masks)

    picture, mask = ramp((70, 101)), with_hole((70, 101), (10, 10, 60, 12), (30, 50, 70, 90))
    direct = network(predict, divisor=4)
    filled = inpaint(direct, picture, mask, direct=True)
    assert seen == [(1, 72, 104, 3)]
    assert np.abs(filled.astype(int) - picture)[mask].max() < 25, "mirrored edges tilt the planes a little"
    assert np.array_equal(filled[~mask], picture[~mask])


def test_a_network_of_one_size_cannot_be_shown_the_whole_of_another():
    picture, mask = ramp((70, 101)), with_hole((70, 101), (10, 10, 60, 12))
    with pytest.raises(inpainting_tf.InputError, match="must be 32 x 32 pixels for this model"):
        inpaint(network(planes, size=(32, 32)), picture, mask, direct=True)


# Blending


@pytest.mark.parametrize("boxes", [[(20, 30, 30, 41)], [(0, 0, 40, 50)], [(5, 5, 10, 10), (22, 60, 30, 80)]])
def test_poisson_blending_takes_away_a_shift_in_colour(boxes):
    picture, mask = ramp((60, 90)), with_hole((60, 90), *boxes)
    shifted = network(lambda images, masks: planes(images, masks) + np.float32([0.2, -0.1, 0.1]))
    plain = inpaint(shifted, picture, mask)
    blended = inpaint(shifted, picture, mask, blend="poisson", detail="none")
    assert np.abs(plain[mask].astype(int) - picture[mask]).mean() > 20
    assert np.abs(blended[mask].astype(int) - picture[mask]).max() <= 3
    assert np.array_equal(blended[~mask], picture[~mask])


# What a network knows of itself


@pytest.mark.slow
def test_a_run_says_what_its_network_was_trained_on(trained):
    facts = inpainting_tf.load(trained).facts
    assert facts.scale == Scale((16, 16), 3) and facts.divisor == 1
    assert facts.size == (None, None) and facts.prefill is None


def test_a_network_sees_no_more_than_it_must(trained, monkeypatch):
    """A hole of 6 px in a photograph: windows of 16 px, however large the photograph is."""
    model = inpainting_tf.load(trained)
    seen = []

    def run(images, masks):
        seen.append(images.shape)
        return model.run(images, masks)

    watched = Runtime(run, model.facts)
    inpaint(watched, ramp((300, 401)), with_hole((300, 401), (100, 100, 106, 106)))
    assert seen == [(1, 16, 16, 3)]
    many = with_hole(
        (300, 401), *((8 + 28 * i, 5 + 36 * j, 12 + 28 * i, 9 + 36 * j) for i in range(9) for j in range(9))
    )
    monkeypatch.setattr(inpainting, "_PIXELS_AT_ONCE", 20 * 16 * 16)
    inpaint(watched, ramp((300, 401)), many)
    assert [shape[0] for shape in seen] == [1, 20, 20, 20, 20, 1]


def test_small_holes_are_shown_in_half_of_the_training_pictures_sides_and_together():
    seen = []

    def predict(images, masks):
        seen.append((images.shape[:3], masks.sum()))
        return planes(images, masks)

    large, small = [(100, 120, 130, 160), (20, 30, 32, 40)], [(20, 200, 31, 211), (150, 20, 153, 31)]
    picture, mask = ramp((200, 300)), with_hole((200, 300), small[0], *large, small[1])
    filled = inpaint(network(predict, trained_on=(96, 12), divisor=4), picture, mask)
    assert np.abs(filled[mask].astype(int) - picture[mask]).max() <= 2
    assert [shape for shape, _ in seen] == [(2, 48, 48), (2, 96, 96)]
    assert seen[0][1] == 11 * 11 + 3 * 11, "full resolution"
    seen.clear()
    inpaint(network(predict, size=(64, 64), trained_on=(64, 12)), picture, mask)
    assert [shape for shape, _ in seen] == [(4, 64, 64)], "a network of one size"


def test_specks_are_shown_by_themselves_and_not_with_their_neighbours():
    """Whatever else is beside them; what is no more than a gap apart is one speck."""
    seen = []

    def predict(images, masks):
        seen.append((images.shape[:3], masks.any((1, 2)).all()))
        return planes(images, masks)

    specks = [(150 + 12 * i, 20 + 14 * j, 153 + 12 * i, 25 + 14 * j) for i in range(3) for j in range(3)]
    torn, small, large = (150, 70, 155, 71), (40, 20, 60, 32), (20, 100, 70, 160)
    picture, mask = ramp((200, 300)), with_hole((200, 300), *specks, torn, (150, 74, 156, 75), small, large)
    mask[80:83, 120:124] = True  # a speck beside the large hole
    facts = {"trained_on": (128, 48), "divisor": 4}
    filled = inpaint(network(predict, **facts), picture, mask)
    assert np.abs(filled[mask].astype(int) - picture[mask]).max() <= 2
    assert seen == [((11, 32, 32), True), ((1, 64, 64), True), ((1, 128, 128), True)]
    seen.clear()
    inpaint(network(predict, size=(128, 128), **facts), picture, mask)
    assert [shape for shape, _ in seen] == [(3, 128, 128)], "a network of one size sees neighbours together"


def test_memory_is_the_holes_and_not_the_pictures():
    """Beside the result: labels and numbers of 4 bytes, masks, and nothing in floating point."""
    size = (900, 1200)
    picture, mask = np.full((*size, 3), 90, np.uint8), with_hole(size, (4, 5, 9, 9), (890, 1190, 895, 1194))
    tracemalloc.start()
    inpaint(network(planes), picture, mask, blend="poisson")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 3 * picture[..., 0].size < peak < 30 * picture[..., 0].size


def test_a_window_that_is_not_square_is_reduced_by_the_means_of_its_pixels():
    picture = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    window = windows.Window((0, 64), (0, 96), (16, 24))
    seen, hole = windows.cut(picture, np.zeros((64, 96), bool), window)
    means = picture.reshape(16, 4, 24, 4, 3).mean((1, 3)) / 255
    np.testing.assert_allclose(seen, means, atol=1e-5)
    assert hole.shape == (16, 24, 1) and not hole.any()


def test_a_prediction_is_enlarged_to_its_window_and_fills_its_own_hole_alone():
    labels = np.zeros((64, 96), np.int32)
    labels[20:40, 10:30], labels[20:40, 60:90] = 1, 2
    window = windows.Window((0, 64), (0, 96), (16, 24), hole=2)
    canvas = windows.Canvas(windows.Plan(labels, [window]))
    ramp = np.broadcast_to((np.arange(24, dtype=np.float32)[:, None] + 0.5) / 24, (16, 24, 3))
    canvas.add(window, ramp.copy())
    picture = np.full((64, 96, 3), 77, np.uint8)
    canvas.paint(picture, blend=False)
    assert (picture[labels != 2] == 77).all()
    expected = np.broadcast_to((np.arange(60, 90) + 0.5)[:, None] / 96 * 255, (20, 30, 3))
    np.testing.assert_allclose(picture[20:40, 60:90], expected, atol=2)
