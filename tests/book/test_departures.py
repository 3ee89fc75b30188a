"""What a preset does otherwise than its paper, found from the two recipes."""

from __future__ import annotations

import re

from inpainting_tf import recipes
from inpainting_tf.book import departures


def rows(*trained: recipes.Recipe) -> dict[str, list[str]]:
    lines = departures.table(trained).splitlines()[2:]
    cells = [re.split(r" *\| *", line)[1:-1] for line in lines]
    return {first: rest for first, *rest in cells}


def test_a_paper_does_not_depart_from_itself():
    again = recipes.get("glcic").override({"seed": 4, "mixed_precision": "off"})
    assert departures.of(again) == {} and departures.table([again]) == ""


def test_size_width_code_schedule_data_mirroring_and_crop_are_all_told():
    told = rows(*(recipes.get(name, "laptop") for name in ("glcic", "unet")))
    assert told["side of the pictures in pixels"] == ["128", "64", "all"]
    assert told["mirrored pictures"] == ["no", "yes", "all"]
    assert told["what is taken of a picture of another shape"] == ["resize", "centre", "all"]
    assert told["numbers of the pictures"] == ["all", "1-5000", "`unet`"]
    assert told["epochs"] == ["500", "30", "`glcic`"] or told["epochs"] == ["200", "60", "`unet`"]
    assert "weight of the adversarial term" not in told and "learning rate" not in told
    code = rows(recipes.get("multiscale_encoder_decoder", "laptop"))["length of the code"]
    assert code == ["4000", "1000", "all"]


def test_a_users_change_is_told_like_a_presets():
    changed = recipes.get("cgan", "laptop").override(
        {"optimizer.learning_rate": 1e-3, "objective.alpha": 0.5}
    )
    told = rows(changed)
    assert told["learning rate"] == ["0.0002", "0.001", "all"]
    assert told["weight of the adversarial term"] == ["1.0", "0.5", "all"]


def test_a_field_without_words_has_its_name():
    assert rows(recipes.get("glcic").override({"optimizer.beta_1": 0.5})) == {
        "`optimizer.beta_1`": ["0.9", "0.5", "all"]
    }
