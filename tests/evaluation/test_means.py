"""Means by the size of the hole: the bins by hand, in metrics.json, and their table."""

from __future__ import annotations

import json

import numpy as np
import pytest

from inpainting_tf import evaluation
from inpainting_tf.evaluation import means

HEIGHT, WIDTH = 20, 40


def batch(*missing: int) -> dict[str, np.ndarray]:
    """Even pictures of 0.6, in each of which so many 200th are missing."""
    holes = np.arange(HEIGHT * WIDTH) // 4 < np.reshape(missing, (-1, 1))
    masks = holes.reshape(-1, HEIGHT, WIDTH, 1).astype("float32")
    return {"image": np.full((*masks.shape[:3], 3), 0.6, "float32"), "mask": masks}


def grey(images, masks):
    return np.full_like(images, 0.5)


def evaluated(*missing: int, name: str = "grey") -> evaluation.Evaluation:
    return evaluation.evaluate(name, grey, [batch(*missing[:2]), batch(*missing[2:])])


def test_a_row_has_the_share_of_its_hole():
    assert [row["missing"] for row in evaluated(10, 1, 199).rows] == [0.05, 0.005, 0.995]


@pytest.mark.parametrize(
    ("missing", "bounds"),
    [
        (1, [0.0, 0.1]),
        (20, [0.0, 0.1]),
        (21, [0.1, 0.2]),
        (60, [0.2, 0.3]),
        (140, [0.6, 0.7]),
        (141, [0.7, 0.8]),
        (200, [0.9, 1.0]),
    ],
)
def test_a_bin_has_its_upper_bound_and_not_its_lower_one(missing, bounds):
    (part,) = means.by_hole_size([{"missing": missing / 200, **dict.fromkeys(means.MEANS)}])
    assert part["missing"] == bounds and part["images"] == 1


def test_pictures_are_measured_by_the_size_of_their_holes(tmp_path):
    found = evaluated(80, 4, 70, 20)
    evaluation.write(found, tmp_path)
    parts = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))["by_hole_size"]
    assert [(part["missing"], part["images"]) for part in parts] == [([0.0, 0.1], 2), ([0.3, 0.4], 2)]
    for part, numbers in zip(parts, ([1, 3], [0, 2]), strict=True):
        assert list(part) == ["missing", "images", *means.MEANS]
        for key in ("mae", "psnr", "hole_psnr"):
            assert part[key] == pytest.approx(np.mean([found.rows[i][key] for i in numbers])), key
        assert part["lpips"] is None
    assert parts[0]["mae"] == pytest.approx(0.1 * (0.02 + 0.1) / 2, rel=1e-4)
    assert parts[1]["mae"] == pytest.approx(0.1 * (0.4 + 0.35) / 2, rel=1e-4)


def test_the_table_compares_systems_on_holes_of_one_size():
    found = [evaluated(4, 70, 20, name="b"), evaluated(4, 70, 20, name="a")]
    lines = evaluation.table_by_hole_size(found).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[0][:5] == ["missing", "model", "pictures", "hole PSNR", "PSNR"] and cells[0][-1] == "MAE"
    assert [tuple(row[:4]) for row in cells[2:]] == [
        ("0 to 10 %", "b", "2", "20.00"),
        ("0 to 10 %", "a", "2", "20.00"),
        ("30 to 40 %", "b", "1", "20.00"),
        ("30 to 40 %", "a", "1", "20.00"),
    ]
    assert [row[-1] for row in cells[2:]] == ["0.0060", "0.0060", "0.0350", "0.0350"]
    assert evaluation.report(found) == evaluation.table(found) + "\n\n" + "\n".join(lines)


def test_holes_of_one_size_have_no_second_table():
    found = [evaluated(3, 4, 5)]
    assert evaluation.table_by_hole_size(found) == ""
    assert evaluation.report(found) == evaluation.table(found)
    assert evaluation.table_by_hole_size([{"model": "of an earlier version", "psnr": 20.0}]) == ""
