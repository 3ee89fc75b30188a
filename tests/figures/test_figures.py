"""Figures: the pixels of a sheet, the numbers and words of curves and bars, the files."""

from __future__ import annotations

import itertools
import math

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from inpainting_tf import figures
from inpainting_tf.errors import InputError
from inpainting_tf.evaluation import evaluate, intervals


def read(path) -> np.ndarray:
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        return np.asarray(picture.convert("RGB"))


def noise(count, height, width, seed) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), "uint8")


def places(page: np.ndarray, block: np.ndarray) -> list[tuple[int, int]]:
    """The (top, left) of every exact copy of a block on a page."""
    height, width = block.shape[:2]
    corners = page[: page.shape[0] - height + 1, : page.shape[1] - width + 1]
    candidates = np.argwhere((corners == block[0, 0]).all(-1))
    return [(y, x) for y, x in candidates if np.array_equal(page[y : y + height, x : x + width], block)]


def enlarged(picture: np.ndarray, factor: int) -> np.ndarray:
    return np.kron(picture, np.ones((factor, factor, 1), "uint8"))


# ---------------------------------------------------------------------------------------- sheets of pictures


def test_a_sheet_shows_every_pixel_in_rows_and_columns(tmp_path):
    filled, original = noise(3, 32, 48, 0), noise(3, 32, 48, 1)
    path = tmp_path / "sheet.png"
    assert figures.sheet({"filled": filled, "original": original / np.float32(255)}, path) == path
    page = read(path)
    found = {
        (i, j): places(page, enlarged(column[i], 4))
        for j, column in enumerate((filled, original))
        for i in range(3)
    }
    assert all(len(copies) == 1 for copies in found.values())
    gap, width, height = 6, 48 * 4, 32 * 4
    top = found[0, 0][0][0]
    for (i, j), [place] in found.items():
        assert place == (top + i * (height + gap), gap + j * (width + gap))
    assert page.shape == (top + 3 * (height + gap), 3 * gap + 2 * width, 3)
    assert (page[:top] < 128).any(), "the labels are missing"


def test_pictures_are_enlarged_to_a_readable_size_and_never_beyond(tmp_path):
    sizes = {"cifar": (32, 32, 6), "patch": (12, 12, 17), "celeba": (128, 96, 2), "large": (300, 400, 1)}
    columns = {name: noise(2, *size[:2], seed) for seed, (name, size) in enumerate(sizes.items())}
    page = read(figures.sheet(columns, tmp_path / "sheet.png"))
    for name, (_, _, factor) in sizes.items():
        places_of_both = [places(page, enlarged(picture, factor)) for picture in columns[name]]
        assert [len(copies) for copies in places_of_both] == [1, 1]


def test_very_large_pictures_are_reduced(tmp_path):
    blocks = 20 * np.random.default_rng(0).integers(0, 12, (200, 350, 3), "uint8")
    pictures = enlarged(blocks, 3)
    pictures[::3, ::3] += 9  # one of nine pixels: a ninth of it is left after averaging
    page = read(figures.sheet({"photo": pictures[None]}, tmp_path / "sheet.png"))
    assert len(places(page, blocks + 1)) == 1


def test_one_channel_is_shown_grey(tmp_path):
    masks = np.zeros((1, 32, 48, 1), "float32")
    masks[:, :16] = 1.0
    page = read(figures.sheet({"mask": masks}, tmp_path / "sheet.png"))
    assert len(places(page, enlarged(np.repeat(masks[0] * 255, 3, -1).astype("uint8"), 4))) == 1


def test_words_take_room_of_their_own(tmp_path, drawn):
    pictures = noise(2, 32, 48, 0)
    columns = {"input": pictures, "double_autoencoder_without_local_discriminator": pictures}
    notes = {"input": ["20.1 dB", "$x$"]}
    page = read(figures.sheet(columns, tmp_path / "a.png", title="Four pictures", notes=notes))
    plain = read(figures.sheet({"a": pictures, "b": pictures}, tmp_path / "b.png"))
    words = [text.get_text() for text in drawn[0].texts]
    assert words[:2] == ["Four pictures", "input"]
    assert words[2:4] == ["20.1 dB", "$x$"]
    assert words[4].replace("\n", "") == "double_autoencoder_without_local_discriminator"
    assert page.shape[0] > plain.shape[0] and page.shape[1] == plain.shape[1]
    for picture in pictures:
        assert len(places(page, enlarged(picture, 4))) == 2, "a word covers a picture"
    assert not any(text.get_parse_math() for text in drawn[0].texts), "a name with $ is not a formula"
    renderer = drawn[0].canvas.get_renderer()
    boxes = [text.get_window_extent(renderer) for text in drawn[0].texts]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


@pytest.mark.parametrize(
    "columns, notes, message",
    [
        ({}, None, "same number"),
        ({"a": noise(2, 8, 9, 0), "b": noise(3, 8, 9, 0)}, None, "same number"),
        ({"a": noise(2, 8, 9, 0)[0]}, None, r"\[N, H, W, 3\]"),
        ({"a": noise(2, 8, 9, 0)}, {"b": ["", ""]}, "`notes` must be one of a"),
        ({"a": noise(2, 8, 9, 0)}, {"a": [""]}, "1 texts for the 2 pictures"),
    ],
)
def test_columns_that_do_not_fit_are_refused(tmp_path, columns, notes, message):
    with pytest.raises(InputError, match=message):
        figures.sheet(columns, tmp_path / "sheet.png", notes=notes)
    assert not list(tmp_path.iterdir())


def test_the_input_view_marks_the_hole_and_nothing_else():
    images = noise(1, 32, 48, 0)
    masks = np.zeros((1, 32, 48, 1), "float32")
    masks[:, 4:12, 20:32] = 1.0
    shown = figures.input_view(images, masks, color=(0.5, 0.25, 0.0), outline=(0.0, 0.0, 1.0))
    hole = masks[0, ..., 0] == 1
    np.testing.assert_array_equal(shown[0][~hole], images[0][~hole] / np.float32(255))
    np.testing.assert_array_equal(shown[0, 5:11, 21:31], np.broadcast_to((0.5, 0.25, 0.0), (6, 10, 3)))
    edge = [shown[0, 4, 20:32], shown[0, 11, 20:32], shown[0, 4:12, 20], shown[0, 4:12, 31]]
    assert all((line == (0.0, 0.0, 1.0)).all() for line in edge)
    plain = figures.input_view(images / np.float32(255), masks, outline=None)
    assert (plain[0][hole] == 1.0).all()
    np.testing.assert_array_equal(plain[0][~hole], shown[0][~hole])


# ----------------------------------------------------------------------------------------------- loss curves


def history() -> list[dict]:
    """Four epochs of the completion network, two of the discriminators, four of both."""
    rows = []
    for epoch in range(1, 11):
        phase = "completion" if epoch <= 4 else "discriminator" if epoch <= 6 else "joint"
        row = {"epoch": epoch, "step": 100 * epoch, "phase": phase, "learning_rate": 1e-3}
        if phase != "discriminator":
            row |= {"reconstruction": 0.1 / epoch, "loss": 0.1 / epoch}
        if phase != "completion":
            row |= {"discriminator": 1.0 / epoch, "real_score": 0.8, "fake_score": 0.3}
        if epoch % 5 == 0:
            row["val_hole_psnr"] = 15.0 + epoch
        rows.append(row)
    return rows


def lines_of(figure) -> dict[str, list[tuple[float, float]]]:
    return {line.get_label(): line.get_xydata().tolist() for ax in figure.axes for line in ax.lines}


def broken(points: list) -> list:
    """Points of a line with None where it is interrupted, not counting its ends."""
    pieces = [None if math.isnan(y) else (x, y) for x, y in points]
    while pieces[0] is None:
        pieces.pop(0)
    while pieces[-1] is None:
        pieces.pop()
    return pieces


def test_curves_show_the_values_of_their_phases(tmp_path, drawn):
    path = figures.loss_curves(history(), tmp_path / "curves.png")
    assert read(path).shape == (round(100 * (0.8 + 2.4 * 4)), 900, 3)
    [figure] = drawn
    lines = lines_of(figure)
    assert set(lines) == {
        "reconstruction", "discriminators", "of real pictures", "of filled pictures", "validation hole PSNR"
    }  # fmt: skip
    assert broken(lines["discriminators"]) == [(epoch, 1.0 / epoch) for epoch in range(5, 11)]
    # A phase without any value interrupts a line, single epochs without one do not.
    completion = [(epoch, 0.1 / epoch) for epoch in range(1, 5)]
    joint = [(epoch, 0.1 / epoch) for epoch in range(7, 11)]
    assert broken(lines["reconstruction"]) == [*completion, None, *joint]
    assert broken(lines["validation hole PSNR"]) == [(5, 20.0), (10, 25.0)]
    assert [ax.get_yscale() for ax in figure.axes] == ["log", "linear", "linear", "linear"]
    assert figure.axes[-1].get_xlabel() == "epoch"
    assert "dB" in figure.axes[-1].get_ylabel()


def test_curves_of_text_are_those_of_numbers(tmp_path):
    keys = list(dict.fromkeys(key for row in history() for key in row))
    texts = [{key: str(row.get(key, "")) for key in keys} for row in history()]
    numbers = read(figures.loss_curves(history(), tmp_path / "numbers.png"))
    np.testing.assert_array_equal(numbers, read(figures.loss_curves(texts, tmp_path / "texts.png")))


def test_phases_are_shaded_where_they_are(tmp_path, drawn):
    figures.loss_curves(history(), tmp_path / "curves.png")
    spans = [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in drawn[0].axes[0].patches]
    assert spans == [(1, 4.5), (4.5, 6.5), (6.5, 10)]
    [legend] = drawn[0].legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "completion network alone",
        "discriminators alone",
        "both jointly",
    ]
    figures.loss_curves(history(), tmp_path / "curves.png", phases=[("warm-up", 2, 3)])
    assert [(patch.get_x(), patch.get_width()) for patch in drawn[1].axes[0].patches] == [(2, 1)]


def test_a_total_of_more_than_the_reconstruction_and_a_changing_rate_are_drawn(tmp_path, drawn):
    rows = [{"step": i, "reconstruction": 0.1, "loss": 0.2, "learning_rate": 0.1 * i} for i in (1, 2)]
    figures.loss_curves(rows, tmp_path / "curves.png")
    assert set(lines_of(drawn[0])) == {"reconstruction", "total", "learning rate"}
    assert drawn[0].axes[-1].get_xlabel() == "step"


def test_losses_that_are_not_positive_have_no_log_scale(tmp_path, drawn):
    rows = [{"epoch": 1, "loss": 0.1}, {"epoch": 2, "loss": 0.0}]
    figures.loss_curves(rows, tmp_path / "curves.png")
    assert drawn[0].axes[0].get_yscale() == "linear"


@pytest.mark.parametrize("rows", [[], [{"epoch": 1, "loss": None, "reconstruction": math.nan}]])
def test_curves_of_nothing_are_refused(tmp_path, rows):
    with pytest.raises(InputError, match="Received none"):
        figures.loss_curves(rows, tmp_path / "curves.png")


# ----------------------------------------------------------------------------------- bars that compare models


def summaries() -> list[dict]:
    names = [
        "telea",
        "biharmonic",
        "context_encoder (Pathak et al. 2016), retrained",
        "glcic (Iizuka et al. 2017), local discriminator only",
        "one_autoencoder_gan_with_both_discriminators",
        "double_autoencoder_gan_with_both_discriminators",
    ]
    common = {"dataset": "celeba", "split": "test", "images": 250}
    return [
        {"model": name, "psnr": 24.0 + i, "ssim": 0.85 + 0.02 * i, "hole_psnr": 14.0 + i, **common}
        for i, name in enumerate(names)
    ]


def test_bars_end_at_their_values(tmp_path, drawn):
    figures.comparison_bars(summaries(), tmp_path / "bars.png")
    psnr, ssim, hole = drawn[0].axes
    assert [bar.get_x() + bar.get_width() for bar in psnr.patches] == pytest.approx([24, 25, 26, 27, 28, 29])
    assert [text.get_text() for text in ssim.texts] == ["0.850", "0.870", "0.890", "0.910", "0.930", "0.950"]
    assert [text.get_text() for text in hole.texts][-1] == "19.00"
    assert psnr.get_xlim()[0] == 15.0 and "axis starts at 15" in psnr.get_xlabel()
    assert [bar.get_x() for bar in psnr.patches] == [15.0] * 6
    assert drawn[0].get_suptitle().endswith("celeba, test, 250 pictures")
    assert "95 %" not in drawn[0].get_supxlabel()


def test_six_long_names_do_not_overlap(tmp_path, drawn):
    page = read(figures.comparison_bars(summaries(), tmp_path / "bars.png"))
    assert page.shape == (500, 1200, 3)
    renderer = drawn[0].canvas.get_renderer()
    names = [label.get_window_extent(renderer) for label in drawn[0].axes[0].get_yticklabels()]
    numbers = [text.get_window_extent(renderer) for ax in drawn[0].axes for text in ax.texts]
    assert len(names) == 6 and all(box.x0 >= 0 for box in names)
    assert all(above.y0 > below.y1 for above, below in itertools.pairwise(names)), "top to bottom"
    boxes = names + numbers
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_the_interval_is_that_of_the_tables(tmp_path, drawn):
    images = np.full((6, 32, 48, 3), 0.5, "float32")
    masks = np.ones((6, 32, 48, 1), "float32")
    values = 0.5 + 10.0 ** -np.array([1, 1, 1, 1, 1, 2.0])  # five of 20 dB, one of 40
    fill = values.astype("float32").reshape(6, 1, 1, 1)
    found = evaluate("six", lambda i, m: np.zeros_like(i) + fill, [{"image": images, "mask": masks}])
    figures.comparison_bars([found, summaries()[0]], tmp_path / "bars.png")
    [segments] = [each.get_segments() for each in drawn[0].axes[0].collections]
    low, high = intervals.interval([20, 20, 20, 20, 20, 40])
    assert segments[0][:, 0] == pytest.approx([low, high], abs=1e-3)
    mean = found.summary["psnr"]
    assert low == 20.0 and high - mean > 1.5 * (mean - low), "the interval is not symmetric"
    assert "95 %" in drawn[0].get_supxlabel()


def test_what_was_not_measured_is_said(tmp_path, drawn):
    rows = summaries()[:2]
    rows[1]["hole_psnr"] = None
    figures.comparison_bars(rows, tmp_path / "bars.png")
    assert [text.get_text() for text in drawn[0].axes[2].texts] == ["14.00", "not measured"]


def test_a_low_axis_starts_at_zero(tmp_path, drawn):
    figures.comparison_bars([{"model": "noise", "psnr": 6.0, "ssim": -0.1}], tmp_path / "bars.png")
    psnr, ssim = drawn[0].axes
    assert psnr.get_xlim()[0] == 0.0 and "starts" not in psnr.get_xlabel()
    assert ssim.get_xlim()[0] <= -0.1
    [bar] = ssim.patches
    assert sorted([bar.get_x(), bar.get_x() + bar.get_width()]) == pytest.approx([-0.1, 0.0])


@pytest.mark.parametrize("items", [[], [{"model": "a"}]])
def test_bars_of_nothing_are_refused(tmp_path, items):
    with pytest.raises(InputError, match="Received none"):
        figures.comparison_bars(items, tmp_path / "bars.png")


# --------------------------------------------------------------------------------- boxes of what people said


SCORES = {
    "double_autoencoder_gan_with_both_discriminators": [2, 3, 4, 4, 4, 5, 5, 3, 4],
    "telea": [1, 1, 1, 2, 2, 3, 5],
    "biharmonic": [],
    "alike": [3] * 30,
}


def test_boxes_by_hand(tmp_path, drawn):
    figures.rating_boxes(SCORES, tmp_path / "boxes.png", title="30 raters", caption="one line\nanother")
    [ax] = drawn[0].axes
    boxes = [
        (bar.get_x(), bar.get_x() + bar.get_width(), bar.get_y() + bar.get_height() / 2) for bar in ax.patches
    ]
    assert boxes == [(3, 4, 0), (1, 2.5, 1), (3, 3, 3)]
    assert [text.get_text() for text in ax.texts] == [
        "median 4\nmean 3.78\nn = 9",
        "median 2\nmean 2.14\nn = 7",
        "no scores yet",
        "median 3\nmean 3.00\nn = 30",
    ]
    assert [label.get_text().replace("\n", "") for label in ax.get_yticklabels()] == list(SCORES)
    lines = [each.get_segments() for each in ax.collections if hasattr(each, "get_segments")]
    whiskers, medians = lines[0::2], lines[1::2]
    assert [[list(line[:, 0]) for line in pair] for pair in whiskers] == [
        [[2, 3], [4, 5]], [[1, 1], [2.5, 3]], [[3, 3], [3, 3]],
    ]  # fmt: skip
    assert [line[0, 0] for [line] in medians] == [4, 2, 3]
    assert drawn[0].get_suptitle() == "30 raters" and drawn[0].get_supxlabel().endswith("one line\nanother")


def test_every_score_is_a_point_near_its_place(tmp_path, drawn):
    figures.rating_boxes(SCORES, tmp_path / "boxes.png")
    points = [each.get_offsets() for each in drawn[0].axes[0].collections if len(each.get_offsets()) > 1]
    for (row, scores), found in zip(
        [(0, SCORES[next(iter(SCORES))]), (1, SCORES["telea"]), (3, [3] * 30)], points, strict=True
    ):
        assert np.abs(found[:, 0] - scores).max() < 0.2 and np.abs(found[:, 1] - row).max() < 0.35
        assert len(np.unique(found, axis=0)) == len(scores)
    before = (tmp_path / "boxes.png").read_bytes()
    assert figures.rating_boxes(SCORES, tmp_path / "boxes.png").read_bytes() == before


def test_long_names_and_captions_stay_on_the_figure(tmp_path, drawn):
    caption = "\n".join(["a very long sentence about systems and tests " * 6] * 5)
    many = {f"{name} {number}": scores for number in range(2) for name, scores in SCORES.items()}
    figures.rating_boxes(many, tmp_path / "boxes.png", caption=caption)
    [figure], renderer = drawn, drawn[0].canvas.get_renderer()
    [ax] = figure.axes
    texts = [*ax.get_yticklabels(), *ax.get_xticklabels(), *ax.texts, *figure.texts, figure._supxlabel]
    boxes = [text.get_window_extent(renderer) for text in dict.fromkeys(texts)]
    width, height = figure.canvas.get_width_height()
    assert all(box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height for box in boxes)
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


@pytest.mark.parametrize("scores", [{}, {"a": []}, {"a": [0]}, {"a": [3, 6]}, {"a": [math.nan]}])
def test_what_are_no_scores_is_refused(tmp_path, scores):
    with pytest.raises(InputError, match="from 1 to 5"):
        figures.rating_boxes(scores, tmp_path / "boxes.png")
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------------------------------------ all of them


def test_the_caller_s_matplotlib_is_left_alone(tmp_path):
    backend, settings = matplotlib.get_backend(), dict(matplotlib.rcParams)
    figures.loss_curves(history(), tmp_path / "a.png")
    figures.sheet({"a": noise(1, 8, 9, 0)}, tmp_path / "b.png")
    figures.comparison_bars(summaries(), tmp_path / "c.png")
    figures.rating_boxes(SCORES, tmp_path / "d.png")
    assert plt.get_fignums() == []
    assert (matplotlib.get_backend(), dict(matplotlib.rcParams)) == (backend, settings)


def test_a_figure_that_cannot_be_written_keeps_the_old_one(tmp_path, monkeypatch):
    path = figures.sheet({"a": noise(1, 8, 9, 0)}, tmp_path / "a.png")
    before = path.read_bytes()

    def broken(self, *_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("PIL.Image.Image.save", broken)
    with pytest.raises(InputError, match="No space left"):
        figures.sheet({"a": noise(1, 8, 9, 1)}, path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.png"]
