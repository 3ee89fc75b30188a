"""Networks at work on chosen test pictures: sunglasses removed, and the most wrong colours."""

from __future__ import annotations

import numpy as np
import pytest
from made import made

from inpainting_tf import figures, recipes
from inpainting_tf.book import face_gan
from inpainting_tf.book.claims import CANNOT, Claim
from inpainting_tf.book.entries import Removal, Verdict, WrongColours, chosen
from inpainting_tf.book.experiments import Missing

CLAIM = Claim("direct_conv", "sunglasses", where="figure 9", words="it recovers the eyes")


@pytest.fixture
def shown(monkeypatch) -> dict[str, np.ndarray]:
    """The columns of the last sheet."""
    found: dict[str, np.ndarray] = {}
    sheet = figures.sheet
    monkeypatch.setattr(
        figures,
        "sheet",
        lambda columns, *rest, **options: found.update(columns) or sheet(columns, *rest, **options),
    )
    return found


def test_glasses_are_removed_from_the_named_test_pictures_alone(lab, shown):
    names = [row["name"] for row in lab.evaluation("direct_conv").rows]
    texts, [picture] = made(
        Removal("figure 9", "", ("direct_conv",), (names[2], names[5], "other"), (CLAIM,)), lab
    )
    assert not picture.public and f"--model={lab.home / 'direct_conv'}" in texts[1]
    assert f"2 of the 8 test pictures have sunglasses ({names[2]}, {names[5]})" in texts[1]
    np.testing.assert_array_equal(shown["picture"], lab.evaluation("direct_conv").images[[2, 5]])
    hole = chosen.glasses((16, 16))[..., 0] == 1
    np.testing.assert_array_equal(shown["filled"][:, ~hole], shown["picture"][:, ~hole])
    assert (shown["filled"][:, hole] != shown["picture"][:, hole]).any()


def test_what_glasses_hide_nobody_can_judge(lab):
    entry = Removal("figure 9", "", ("autoencoder",), ("a.jpg",), (CLAIM,))
    blocks = entry.make(lab, lab.home / "figures")
    verdict = next(blocks)
    assert isinstance(verdict, Verdict) and [each.verdict for each in verdict.findings] == [CANNOT]
    with pytest.raises(Missing, match=r"^not trained$"):
        next(blocks)
    with pytest.raises(Missing, match=r"none of a\.jpg is among its test pictures"):
        made(Removal("figure 9", "", ("direct_conv",), ("a.jpg",)), lab)


@pytest.mark.parametrize("size", [(64, 64), (48, 96)])
def test_glasses_cover_both_eyes_and_the_bridge_and_no_mouth(size):
    hole = chosen.glasses(size)
    assert hole.shape == (*size, 1) and hole.dtype == np.float32 and set(np.unique(hole)) == {0, 1}

    def at(row: float, column: float) -> float:
        return hole[int(row * size[0]), int(column * size[1]), 0]

    assert at(0.51, 0.39) == at(0.51, 0.61) == at(0.48, 0.5) == 1
    assert at(0.75, 0.5) == at(0.3, 0.4) == at(0.51, 0.1) == at(0.63, 0.5) == 0
    assert 0.08 < hole.mean() < 0.18


def test_pictures_with_sunglasses_are_test_pictures_of_the_first_5000():
    recipe = recipes.get("double_autoencoder", "laptop")
    assert recipe.data.ids == "1-5000" and recipe.data.source == "celeba"
    assert all(1 <= int(name.removesuffix(".jpg")) <= 5000 for name in face_gan.SUNGLASSES)


def test_a_colour_is_wrong_by_what_its_channels_do_not_share():
    images, masks = np.full((3, 4, 6, 3), 0.5, "float32"), np.zeros((3, 4, 6, 1), "float32")
    masks[:, 1:3, 2:5] = 1
    filled = images.copy()
    filled[:, 0] = 1.0  # known pixels do not count
    filled[1] += 0.25  # brighter
    filled[2, 1:3, 2:5] += np.float32([0.3, 0.0, 0.0])
    np.testing.assert_allclose(chosen.colour_error(images, filled, masks), [0, 0, 0.1 * 2**0.5], atol=1e-6)


def test_the_most_wrong_colours_are_shown_first(lab, shown):
    [text], [picture] = made(WrongColours("figure 9", "", ("direct_conv",)), lab)
    assert not picture.public and "8 test pictures" in text and "`direct_conv` miss" in text
    hole = (shown["filled"] != shown["original"]).any(-1, keepdims=True).astype("float32")
    errors = chosen.colour_error(shown["original"], shown["filled"], hole)
    assert len(errors) == 8 and (np.diff(errors) <= 1e-4).all() and errors[0] > errors[-1]
    assert sorted(shown["original"].sum((1, 2, 3))) == sorted(
        lab.evaluation("direct_conv").images.sum((1, 2, 3))
    )
