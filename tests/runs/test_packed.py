"""Half-precision weights: small files, the same network, and damage told in one line."""

from __future__ import annotations

import dataclasses
import json
import shutil

import numpy as np
import pytest
from running import command, contents

import inpainting_tf
from inpainting_tf import InputError, runs
from inpainting_tf.runs import packed


def arrays() -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.normal(size=shape).astype("float32") for shape in ((3, 5), (7,), (2, 2, 3, 4), ())]


def test_weights_come_back_in_their_order_at_half_precision(tmp_path):
    weights = arrays()
    (file,) = packed.write(weights, tmp_path)
    assert packed.found(tmp_path) and file.stat().st_size < 3000
    found = packed.read(tmp_path)
    assert [array.shape for array in found] == [array.shape for array in weights]
    for mine, theirs in zip(found, weights, strict=True):
        assert mine.dtype == np.float32
        np.testing.assert_array_equal(mine, theirs.astype("float16"))


def test_a_file_has_its_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(packed, "LIMIT", 100)
    weights = [np.full(20, i, "float32") for i in range(12)]  # 40 bytes each, so two in a file
    written = packed.write(weights, tmp_path)
    assert [path.name for path in written] == [f"weights-{number}.npz" for number in range(1, 7)]
    np.testing.assert_array_equal(packed.read(tmp_path), weights)


def test_more_than_nine_files_keep_their_order(tmp_path, monkeypatch):
    monkeypatch.setattr(packed, "LIMIT", 1)
    weights = [np.full(3, i, "float32") for i in range(12)]
    packed.write(weights, tmp_path)
    np.testing.assert_array_equal(packed.read(tmp_path), weights)


def test_what_half_precision_cannot_hold_stays_single(tmp_path):
    weights = [np.array([1e6, 0.1], "float32"), np.array([65504.0, -65504.0], "float32")]
    packed.write(weights, tmp_path)
    for mine, theirs in zip(packed.read(tmp_path), weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_missing_or_damaged_file_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(packed, "LIMIT", 100)
    written = packed.write([np.zeros(40, "float32")] * 3, tmp_path)
    content = written[1].read_bytes()
    written[1].write_bytes(content[:-30])
    with pytest.raises(InputError, match=r"weights-2\.npz is damaged .*: copy the whole folder again"):
        packed.read(tmp_path)
    written[1].unlink()
    with pytest.raises(InputError, match=r"lacks weights-2\.npz"):
        packed.read(tmp_path)


# Packed runs


@pytest.fixture(scope="module")
def pack(trained, tmp_path_factory):
    """The trained run, packed."""
    return runs.pack(runs.open_run(trained), tmp_path_factory.mktemp("packed") / "glcic")


def test_a_packed_run_is_the_same_network(pack, trained):
    notes = {"recipe.json", "data.json", "history.csv", "environment.json"}
    assert set(contents(pack.folder)) == {*notes, "weights-1.npz"}
    mine, theirs = inpainting_tf.load(pack.folder), inpainting_tf.load(trained)
    random = np.random.default_rng(0)
    image, mask = random.integers(0, 256, (16, 24, 3), np.uint8), np.zeros((16, 24), bool)
    mask[4:11, 6:20] = True
    one, two = inpainting_tf.inpaint(mine, image, mask), inpainting_tf.inpaint(theirs, image, mask)
    assert np.abs(one.astype(int) - two).max() <= 2, "half precision"
    assert (one[~mask] == image[~mask]).all() and one[mask].std() > 0
    assert pack.history() == runs.open_run(trained).history() and pack.recipe == runs.open_run(trained).recipe


def test_a_packed_run_says_nothing_of_the_machine(pack, trained):
    assert set(pack.pictures()) == {"train", "test"}
    assert pack.pictures()["test"] == runs.open_run(trained).pictures()["test"]


def test_all_the_pictures_need_no_names(trained, tmp_path):
    run = runs.open_run(trained)
    everything = dataclasses.replace(run.recipe, data=dataclasses.replace(run.recipe.data, train=None))
    copy = runs.pack(dataclasses.replace(run, recipe=everything), tmp_path / "all")
    assert copy.pictures() == {"test": run.pictures()["test"]}


def test_a_packed_run_cannot_be_trained_on(pack):
    before = contents(pack.folder)
    with pytest.raises(InputError, match="must not be a packed run"):
        runs.train(pack.recipe, pack.folder)
    assert contents(pack.folder) == before


def test_a_packed_run_is_evaluated_as_the_run_is(pack, trained, tmp_path):
    figures = []
    for folder in (pack.folder, trained):
        output = tmp_path / str(len(figures))
        assert command("eval.py", f"--workdir={folder}", f"--output={output}").status == 0
        figures.append(json.loads((output / "metrics.json").read_text()))
    assert figures[0]["hole_psnr"] == pytest.approx(figures[1]["hole_psnr"], abs=0.02)
    assert figures[0]["images"] == figures[1]["images"] > 0


def test_weights_of_another_network_are_refused(pack, tmp_path):
    folder = shutil.copytree(pack.folder, tmp_path / "copy")
    recipe = json.loads((folder / "recipe.json").read_text())
    recipe["network"]["width"] = 8
    (folder / "recipe.json").write_text(json.dumps(recipe))
    with pytest.raises(InputError, match=r"The weights in .* are not those of its recipe"):
        inpainting_tf.load(folder)
