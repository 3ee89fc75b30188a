"""Evaluation: values worked out by hand, what a fill may see, order and names, the files, the table."""

from __future__ import annotations

import csv
import json
import types

import keras
import numpy as np
import pytest

from inpainting_tf import evaluation
from inpainting_tf.errors import InputError
from inpainting_tf.evaluation import evaluate, intervals, measuring
from inpainting_tf.ops import metrics

HEIGHT, WIDTH = 32, 48
HOLE = 8 * 12 / (HEIGHT * WIDTH)  # the part of a picture that is missing: 1/16


def batch(values, height=HEIGHT, width=WIDTH) -> dict[str, np.ndarray]:
    """Even grey pictures of the given values, each with a hole of 8x12 pixels."""
    images = np.ones((len(values), height, width, 3), "float32") * np.reshape(values, (-1, 1, 1, 1))
    masks = np.zeros((len(values), height, width, 1), "float32")
    masks[:, 4:12, 20:32] = 1.0
    return {"image": images.astype("float32"), "mask": masks}


def random_batch(count: int, seed: int = 0) -> dict[str, np.ndarray]:
    images = np.random.default_rng(seed).random((count, HEIGHT, WIDTH, 3), "float32")
    return {**batch([0.0] * count), "image": images}


def constant(value):
    return lambda images, masks: np.full_like(images, value)


def test_a_constant_fill_by_hand():
    row = evaluate("grey", constant(0.5), [batch([0.6])]).rows[0]
    assert row["hole_mse"] == pytest.approx(0.01, rel=1e-5)
    assert row["hole_mae"] == pytest.approx(0.1, rel=1e-5)
    assert row["hole_psnr"] == pytest.approx(20.0, abs=1e-4)
    assert row["raw_mse"] == pytest.approx(0.01, rel=1e-5)
    assert row["raw_mae"] == pytest.approx(0.1, rel=1e-5)
    assert row["raw_psnr"] == pytest.approx(20.0, abs=1e-4)
    assert row["mse"] == pytest.approx(0.01 * HOLE, rel=1e-5)
    assert row["mae"] == pytest.approx(0.1 * HOLE, rel=1e-5)
    assert row["psnr"] == pytest.approx(20.0 + 10 * np.log10(16), abs=1e-4)
    # Two even pictures: only the luminance term of SSIM differs from 1.
    assert row["raw_ssim"] == pytest.approx((2 * 0.6 * 0.5 + 1e-4) / (0.6**2 + 0.5**2 + 1e-4), abs=1e-5)
    completed = batch([0.6])["image"]
    completed[:, 4:12, 20:32] = 0.5
    assert row["ssim"] == pytest.approx(float(metrics.ssim(batch([0.6])["image"], completed)[0]), abs=1e-5)
    assert row["lpips"] is None


def test_a_perfect_fill():
    summary = evaluate("perfect", constant(0.25), [batch([0.25, 0.25])]).summary
    assert summary["hole_psnr"] == summary["psnr"] == summary["raw_psnr"] == 100.0
    assert summary["ssim"] == summary["raw_ssim"] == 1.0
    assert summary["mse"] == summary["hole_mae"] == 0.0


def test_flipped_masks_would_show():
    """Wrong by 0.2 in the hole and by 0.1 around it: each metric must see its own part."""
    values = evaluate("half", lambda x, m: x + 0.1 * (1 - m) + 0.3 * m, [batch([0.5])]).rows[0]
    assert values["hole_mae"] == pytest.approx(0.2, rel=1e-4)
    assert values["mae"] == pytest.approx(0.2 * HOLE, rel=1e-4)
    assert values["raw_mae"] == pytest.approx(0.2 * HOLE + 0.1 * (1 - HOLE), rel=1e-4)


def test_nothing_under_the_hole_is_shown_to_the_fill():
    data = random_batch(2)
    row = evaluate("identity", lambda images, masks: images, [data]).rows[1]
    hidden = data["image"][1, 4:12, 20:32]
    assert row["hole_mse"] == pytest.approx(np.mean(hidden**2), rel=1e-5)
    assert row["hole_mae"] == pytest.approx(np.mean(hidden), rel=1e-5)
    assert row["mse"] == row["raw_mse"]


def test_a_fill_that_works_in_place_changes_nothing_but_its_result():
    def spoil(images, masks):
        images += 0.1
        masks[:] = 1.0
        return images

    row = evaluate("spoil", spoil, [batch([0.5])]).rows[0]
    assert row["hole_mae"] == pytest.approx(0.4, rel=1e-5)
    assert row["raw_mae"] == pytest.approx(0.1 * (1 - HOLE) + 0.4 * HOLE, rel=1e-5)


def test_means_are_over_pictures_not_over_batches():
    found = evaluate("grey", constant(0.5), [batch([0.6, 0.6, 0.6]), batch([0.51])])
    assert [row["hole_psnr"] for row in found.rows] == pytest.approx([20, 20, 20, 40], abs=1e-3)
    assert found.summary["hole_psnr"] == pytest.approx(25.0, abs=1e-3)
    assert found.summary["hole_mae"] == pytest.approx(0.31 / 4, rel=1e-4)
    assert found.summary["images"] == 4
    assert found.summary["seconds_per_image"] == pytest.approx(
        np.mean([row["seconds"] for row in found.rows])
    )


def test_the_interval_is_over_the_pictures_and_unknown_for_what_was_not_measured():
    found = evaluate("grey", constant(0.5), [batch([0.5 + 0.1 * k for k in range(5)])])
    assert found.interval("hole_mae") == intervals.interval([row["hole_mae"] for row in found.rows])
    low, high = found.interval("hole_mae")
    assert 0.0 < low < found.summary["hole_mae"] < high < 0.4
    assert np.isnan(found.interval("lpips")).all()


def test_names_and_indices_keep_the_order_of_the_pictures():
    values = [0.6, 0.7, 0.8, 0.9, 1.0]
    batches = [batch(values[:2]), batch(values[2:4]), batch(values[4:])]
    rows = evaluate("grey", constant(0.5), batches, names=("b", "a", "e", "d", "c")).rows
    assert [(row["index"], row["name"]) for row in rows] == list(enumerate("baedc"))
    assert [row["hole_mae"] for row in rows] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5], rel=1e-4)
    assert [row["name"] for row in evaluate("grey", constant(0.5), batches).rows] == list("01234")


@pytest.mark.parametrize("names", [["a", "b"], ["a", "b", "c", "d"]])
def test_names_that_do_not_match_are_refused(names):
    with pytest.raises(InputError, match=rf"`names` .*Received {len(names)} "):
        evaluate("grey", constant(0.5), [batch([0.6, 0.7]), batch([0.8])], names=names)


def test_the_first_pictures_are_kept_raw_and_whole():
    data = [random_batch(2, seed=1), random_batch(3, seed=2)]
    found = evaluate("grey", constant(0.5), iter(data), keep=3)
    np.testing.assert_array_equal(found.images, np.concatenate([data[0]["image"], data[1]["image"][:1]]))
    np.testing.assert_array_equal(found.masks, batch([0] * 3)["mask"])
    np.testing.assert_array_equal(found.predictions, np.full((3, HEIGHT, WIDTH, 3), 0.5))
    assert found.rows[0]["raw_mae"] != found.rows[1]["raw_mae"]
    assert len(evaluate("grey", constant(0.5), data, keep=0).images) == 0


def test_pictures_of_several_sizes():
    found = evaluate("grey", constant(0.5), [batch([0.6]), batch([0.6], 40, 36), batch([0.6])], keep=3)
    assert found.summary["image_size"] is None
    assert found.images.shape == (2, HEIGHT, WIDTH, 3)
    assert found.rows[1]["mae"] == pytest.approx(0.1 * 96 / (40 * 36), rel=1e-5)


def test_compilation_is_not_timed():
    """Every new shape is filled once more than it is measured."""
    calls = []

    def fill(images, masks):
        calls.append(len(images))
        return images

    evaluate("identity", fill, [batch([0.1] * n) for n in (2, 2, 2, 1)])
    assert calls == [2, 2, 2, 2, 1, 1]


def test_seconds_are_those_of_the_fill_divided_by_the_batch(monkeypatch):
    """On a clock that only the fill moves: by 1 s when it compiles, then by 0.5 s a batch."""
    now = [0.0]

    def fill(images, masks):
        now[0] += 0.5 if now[0] else 1.0
        return images

    monkeypatch.setattr(measuring, "time", types.SimpleNamespace(perf_counter=lambda: now[0]))
    found = evaluate("slow", fill, [batch([0.1] * 2), batch([0.1] * 2)])
    assert [row["seconds"] for row in found.rows] == [0.25] * 4
    assert found.summary["seconds_per_image"] == 0.25


def test_a_network_and_tensors():
    image, mask = keras.Input((None, None, 3), name="image"), keras.Input((None, None, 1), name="mask")
    network = keras.Model({"image": image, "mask": mask}, 0.0 * image + 0.0 * mask + 0.75)
    tensors = {key: keras.ops.convert_to_tensor(value) for key, value in batch([0.5, 1.0]).items()}
    rows = evaluate("network", lambda i, m: network({"image": i, "mask": m}), [tensors]).rows
    assert [row["hole_mae"] for row in rows] == pytest.approx([0.25, 0.25])


def test_the_summary_keeps_the_contract():
    facts = {"dataset": "celeba", "split": "test", "mask": "center", "recipe": {"name": "glcic"}, "step": 7}
    found = evaluate("glcic", constant(0.5), [batch([0.6])], **facts)
    means = "mse mae psnr ssim raw_mse raw_mae raw_psnr raw_ssim hole_mse hole_psnr hole_mae lpips raw_lpips"
    first, last = "model dataset split image_size mask images", "by_hole_size step recipe versions"
    assert list(found.summary) == f"{first} {means} seconds_per_image {last}".split()
    assert list(found.rows[0]) == f"index name missing {means} seconds".split()
    assert found.summary["image_size"] == [HEIGHT, WIDTH]
    assert {key: found.summary[key] for key in facts} == facts
    assert found.summary["model"] == found.name == "glcic"
    versions = found.summary["versions"]
    assert versions["keras"] == keras.__version__ and versions["numpy"] == np.__version__
    assert versions["backend"] == keras.backend.backend() and {"python", "device"} <= versions.keys()


def test_lpips_is_measured_of_composites_and_whole_predictions_and_not_timed(monkeypatch):
    now, seen = [0.0], []

    def distance(a, b):
        now[0] += 100.0
        seen.append((a, b))
        return np.mean(np.abs(a - b), (1, 2, 3)) + len(seen)

    monkeypatch.setattr(measuring, "time", types.SimpleNamespace(perf_counter=lambda: now[0]))
    data = [random_batch(2), random_batch(1, seed=1)]
    found = evaluate("grey", constant(0.5), data, lpips=distance)
    assert [len(a) for a, _ in seen] == [2, 2, 1, 1], "a batch at a time"
    for (a, b), (_, whole), batch_ in zip(seen[::2], seen[1::2], data, strict=True):
        np.testing.assert_array_equal(a, batch_["image"])
        np.testing.assert_array_equal(b, np.where(batch_["mask"] > 0, np.float32(0.5), a))
        assert (whole == np.float32(0.5)).all()
    expected = [row["mae"] + number for row, number in zip(found.rows, (1, 1, 3), strict=True)]
    whole = [row["raw_mae"] + number for row, number in zip(found.rows, (2, 2, 4), strict=True)]
    assert [row["raw_lpips"] for row in found.rows] == pytest.approx(whole, rel=1e-6)
    assert [row["lpips"] for row in found.rows] == pytest.approx(expected, rel=1e-6)
    assert found.summary["lpips"] == pytest.approx(np.mean(expected), rel=1e-6)
    assert found.summary["seconds_per_image"] == 0.0
    assert list(found.rows[0]) == list(evaluate("grey", constant(0.5), data).rows[0])


def test_a_measured_fact_is_refused():
    with pytest.raises(InputError, match=r"Received images, psnr\."):
        evaluate("grey", constant(0.5), [batch([0.6])], psnr=99.0, images=3, dataset="celeba")


@pytest.mark.parametrize(
    "fill, message",
    [
        (lambda i, m: i[:, :, :-1], r"of shape \(2, 32, 48, 3\)\. Received \(2, 32, 47, 3\)"),
        (lambda i, m: np.where(np.arange(2).reshape(2, 1, 1, 1) == 1, np.nan, i), "in picture 3:"),
        (lambda i, m: i * 0 + np.inf, "in picture 2:"),
        (lambda i, m: i * 2 - 1, r"in \[0, 1\]\. Received -1 to "),
        (lambda i, m: i * 255, r"in \[0, 1\]\. Received 0 to 153"),
    ],
)
def test_bad_predictions_are_refused(fill, message):
    first = lambda i, m: i if calls.append(1) or len(calls) <= 2 else fill(i, m)  # noqa: E731
    calls = []
    with pytest.raises(InputError, match=message) as caught:
        evaluate("broken", first, [batch([0.6, 0.6]), batch([0.6, 0.6])])
    assert "'broken'" in str(caught.value)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda b: {**b, "image": b["image"] * 255}, r"images in \[0, 1\]\. Received 153 to 153"),
        (lambda b: {**b, "mask": b["mask"] * 255}, "masks of 0 .* Received 0 to 255"),
        (lambda b: {**b, "mask": b["mask"] * 0.5}, r"masks of 0 .* Received 0 to 0\.5"),
        (lambda b: {**b, "mask": b["mask"][..., 0]}, r"and \(1, 32, 48\)"),
        (lambda b: {**b, "mask": b["mask"].transpose(0, 2, 1, 3)}, r"and \(1, 48, 32, 1\)"),
        (lambda b: {key: value[:0] for key, value in b.items()}, r"Received \(0, 32, 48, 3\)"),
    ],
)
def test_bad_batches_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        evaluate("grey", constant(0.5), [change(batch([0.6]))])


def test_no_batches_are_refused():
    with pytest.raises(InputError, match="at least one picture"):
        evaluate("grey", constant(0.5), [])


def test_files_hold_what_was_found(tmp_path):
    found = evaluate("grey", constant(0.5), [random_batch(3)], names=["a,b", "c", "d"], dataset="celeba")
    evaluation.write(found, tmp_path / "out")
    assert json.loads((tmp_path / "out" / "metrics.json").read_text(encoding="utf-8")) == found.summary
    with open(tmp_path / "out" / "per_image.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == ["a,b", "c", "d"]
    assert [float(row["psnr"]) for row in rows] == [row["psnr"] for row in found.rows]
    assert [row["lpips"] for row in rows] == ["", "", ""]
    assert list(rows[0]) == list(found.rows[0])


def test_what_was_written_is_read_back(tmp_path):
    found = evaluate("half", constant(0.5), [random_batch(3)], names=["a,b", "2", ""], keep=2, dataset="x")
    evaluation.write(found, tmp_path)
    again = evaluation.read(tmp_path)
    assert (again.name, again.summary, again.rows) == (found.name, found.summary, found.rows)
    np.testing.assert_array_equal(again.masks, found.masks)
    np.testing.assert_allclose(again.images, found.images, atol=0.5 / 255 + 1e-6)
    np.testing.assert_allclose(again.predictions, found.predictions, atol=0.5 / 255 + 1e-6)


@pytest.mark.parametrize(
    "spoil, name",
    [
        ("removed", "metrics.json"),
        ("removed", "per_image.csv"),
        ("cut", "metrics.json"),
        ("cut", "shown.npz"),
    ],
)
def test_half_an_evaluation_is_refused(spoil, name, tmp_path):
    evaluation.write(evaluate("half", constant(0.5), [random_batch(2)]), tmp_path)
    if spoil == "removed":
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-30])
    with pytest.raises(InputError, match="must hold an evaluation"):
        evaluation.read(tmp_path)


def test_the_table_by_hand():
    summary = {"model": "double_autoencoder", "hole_psnr": 24.704, "psnr": 36.739, "ssim": 0.95126}
    summary |= {"raw_psnr": 30.0, "raw_ssim": 0.91, "mae": 0.01234, "seconds_per_image": 0.0123}
    assert evaluation.table([summary, {"model": "a|b", "psnr": None}]).splitlines() == [
        "| model              | hole PSNR |  PSNR |   SSIM | raw PSNR | raw SSIM |    MAE | ms/picture |",
        "| ------------------ | --------: | ----: | -----: | -------: | -------: | -----: | ---------: |",
        "| double_autoencoder |     24.70 | 36.74 | 0.9513 |    30.00 |   0.9100 | 0.0123 |       12.3 |",
        "| a\\|b               |         - |     - |      - |        - |        - |      - |          - |",
    ]


def test_lpips_has_a_column_where_a_run_has_it():
    lines = evaluation.table([{"model": "a", "ssim": 0.9, "lpips": 0.02834}, {"model": "b"}]).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[0][3:6] == ["SSIM", "LPIPS x100", "raw PSNR"]
    assert [row[4] for row in cells[2:]] == ["2.83", "-"]
    assert len({len(line) for line in lines}) == 1


def test_the_table_takes_evaluations_in_the_order_given():
    found = [evaluate(name, constant(0.5), [batch([0.6])]) for name in ("z", "a")]
    lines = evaluation.table(found).splitlines()
    assert [line.split()[1] for line in lines[2:]] == ["z", "a"]
    assert all(line.split()[3] == "20.00" for line in lines[2:])
