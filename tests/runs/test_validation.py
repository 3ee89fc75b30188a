"""What a run looks at while it trains: its validation pictures, and never its test pictures."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image
from running import events_of, rows_of, tiny

from inpainting_tf import data, runs
from inpainting_tf.data import synthetic_faces
from inpainting_tf.evaluation import comparison
from inpainting_tf.recipes import Recipe


def test_the_columns_of_the_history_are_the_means_over_the_validation_pictures(trained, tmp_path):
    run = runs.open_run(trained)
    own = comparison.TestSet.of(run)
    alone = comparison.TestSet(own.data, own.mask, names={"test": run.pictures()["validation"]})
    [found] = comparison.compare([comparison.of_run(run)], alone, tmp_path)
    last = rows_of(trained)[-1]
    for name in ("psnr", "hole_psnr"):  # but for the training's bfloat16
        assert found.summary[name] == pytest.approx(float(last[f"val_{name}"]), abs=0.1)
        assert comparison.compare([comparison.of_run(run)], own, tmp_path)[0].summary[name] != pytest.approx(
            float(last[f"val_{name}"]), abs=0.1
        )


def test_the_samples_are_validation_pictures(trained):
    _, value = events_of(trained, "input_filled_original")[-1]
    shown = np.asarray(Image.open(io.BytesIO(value.image.encoded_image_string)))[:, -16:]
    names = runs.open_run(trained).pictures()["validation"]
    faces = [synthetic_faces.face(int(name.removeprefix("face_")), (16, 16)) for name in names]
    np.testing.assert_array_equal(shown, np.concatenate(faces))


def test_neither_weights_nor_columns_depend_on_the_test_pictures(tmp_path, monkeypatch):
    recipe, load = tiny("autoencoder", schedule__epochs=1), data.load
    one = runs.train(recipe, tmp_path / "one", settings=False)

    def with_others(*args, **options):
        found = load(*args, **options)
        found.test.images[:] = 255 - found.test.images
        return found

    monkeypatch.setattr(data, "load", with_others)
    other = runs.train(recipe, tmp_path / "other", settings=False)
    strip = [{k: v for k, v in row.items() if k != "seconds"} for row in one.history()]
    assert strip == [{k: v for k, v in row.items() if k != "seconds"} for row in other.history()]
    assert strip[0]["val_psnr"]
    for name in ("samples/epoch_0001.npy", "data.json"):
        assert (one.folder / name).read_bytes() == (other.folder / name).read_bytes()


def test_a_recipe_of_an_earlier_version_has_no_validation_pictures():
    recipe = tiny()
    earlier = json.loads(json.dumps(recipe.to_json()))
    del earlier["data"]["validation"]
    assert Recipe.from_json(earlier).differences(recipe) == {"data.validation": (0, 5)}


@pytest.fixture(scope="module")
def earlier(tmp_path_factory) -> runs.Run:
    """A run as a version wrote it that had no validation pictures."""
    recipe = tiny("autoencoder", data__validation=0, data__train=20, schedule__epochs=1)
    run = runs.train(recipe, tmp_path_factory.mktemp("earlier") / "run", settings=False)
    for name, part in (("recipe.json", "data"), ("data.json", None)):
        record = json.loads((run.folder / name).read_text(encoding="utf-8"))
        del (record[part] if part else record)["validation"]
        (run.folder / name).write_text(json.dumps(record), encoding="utf-8")
    return run


def test_without_validation_pictures_a_run_is_not_measured_while_it_trains(earlier):
    assert [row["val_psnr"] for row in earlier.history()] == [""]
    assert [file.name for file in earlier.figures.iterdir()] == ["loss_curves.png"]


def test_a_run_of_an_earlier_version_is_continued_measured_and_packed(earlier, tmp_path):
    assert runs.train(earlier.recipe, earlier.folder, settings=False).history() == earlier.history()
    assert len(comparison.TestSet.of(runs.open_run(earlier.folder)).pictures().names) == 5
    assert set(runs.pack(earlier, tmp_path / "packed").pictures()) == {"train", "test"}
