"""A system on two groups of pictures: trained and others, turned faces and front ones."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from made import cells, made
from small_systems import SYSTEMS

from inpainting_tf.book.claims import OPEN, Claim
from inpainting_tf.book.entries import Overfitting, Poses, groups
from inpainting_tf.evaluation import comparison

CLAIM = Claim("cvae", "cvae", "hole_psnr", "page 1", words="`cvae` fills its training pictures better")


def test_a_system_is_measured_on_pictures_that_it_was_trained_on(lab, monkeypatch):
    texts, _ = made(Overfitting("section 9", "", ("autoencoder", "cvae"), claims=(CLAIM,)), lab)
    rows = cells(texts[0])
    assert rows["autoencoder"]["training pictures"] == "not trained"
    [trained], [others] = lab.on_training("cvae"), lab.evaluations("cvae")
    names = [row["name"] for row in trained.rows]
    assert names == list(lab.run("cvae").pictures()["train"][:8]) and len(others.rows) == 8
    assert not {*names} & {row["name"] for row in others.rows}
    means = [np.mean([row["hole_psnr"] for row in each.rows]) for each in (trained, others)]
    assert rows["cvae"]["training pictures"].startswith(f"{means[0]:.2f} (")
    assert rows["cvae"]["test pictures"].startswith(f"{means[1]:.2f} (")
    assert rows["cvae"]["difference"] == f"{means[0] - means[1]:+.2f}"
    assert "**Open**: 1 statement, open: 1." in texts
    [finding] = cells(texts[-1]).values()
    assert finding["here"] == f"{OPEN}: trained once" and finding["effect here, 95 % interval"].startswith(
        rows["cvae"]["difference"]
    )
    monkeypatch.setattr(comparison, "compare", None)
    assert lab.on_training("cvae")[0].rows == trained.rows, "measured once"


def test_the_thirds_with_the_most_and_the_least_symmetric_faces(lab, monkeypatch):
    order = iter([0.5, 0.1, 0.9, 0.3, 0.8, 0.2, 0.6, 0.4])  # thirds of 8 are two pictures
    monkeypatch.setattr(groups, "symmetry", lambda picture: next(order))
    turned, front = Poses("faces", "", SYSTEMS).measured(lab, "cvae")
    rows = lab.evaluation("cvae").rows
    assert turned[0].rows == [rows[1], rows[5]] and front[0].rows == [rows[4], rows[2]]


def test_a_claim_about_faces_that_are_not_there_yet(lab):
    texts, _ = made(
        Poses("faces", "", ("autoencoder",), claims=(dataclasses.replace(CLAIM, better="autoencoder"),)), lab
    )
    assert "**Not trained** yet: 1 statement." in texts


def face(side: int, *, turned: float = 0.0) -> np.ndarray:
    """Two eyes and a mouth; turned to a side, they are out of the middle and of different sizes."""
    rows, columns = np.mgrid[:side, :side] / side
    grey = np.full((side, side), 0.8)
    for row, column, radius in (
        (0.5, 0.39, 0.07),
        (0.5, 0.61, 0.07 * (1 - turned)),
        (0.72, 0.5 - 0.2 * turned, 0.06),
    ):
        grey[(rows - row) ** 2 + (columns - column) ** 2 < radius**2] = 0.2
    return np.repeat(grey[..., None], 3, -1).astype("float32")


@pytest.mark.parametrize("side", [64, 128])
def test_a_front_face_is_more_symmetric_than_a_turned_one(side):
    front, half, turned = (groups.symmetry(face(side, turned=each)) for each in (0.0, 0.3, 0.6))
    assert 1 >= front > half > turned > -1 and front > 0.6


def test_a_face_without_outlines_is_no_error():
    assert groups.symmetry(np.full((64, 64, 3), 0.5, "float32")) == 0.0
