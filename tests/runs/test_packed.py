"""Half-precision weights: small files, the same network, and damage told in one line."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from running import command, contents

import inpainting_tf
from inpainting_tf import InputError, runs
from inpainting_tf.runs import packed


def named(arrays) -> dict[str, np.ndarray]:
    return {f"layer{number}/kernel": array for number, array in enumerate(arrays)}


def same(one: dict[str, np.ndarray], two: dict[str, np.ndarray]) -> bool:
    return list(one) == list(two) and all(np.array_equal(one[name], two[name]) for name in one)


def test_weights_come_back_under_their_paths_at_half_precision(tmp_path):
    random = np.random.default_rng(0)
    shapes = ((3, 5), (7,), (2, 2, 3, 4), ())
    weights = named(random.normal(size=shape).astype("float32") for shape in shapes)
    (file,) = packed.write(weights, tmp_path)
    assert packed.found(tmp_path) and file.stat().st_size < 3000
    found = packed.read(tmp_path)
    assert same(found, {name: array.astype("float16") for name, array in weights.items()})
    assert {array.dtype.name for array in found.values()} == {"float32"}


def test_a_file_has_its_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(packed, "LIMIT", 100)
    weights = named(np.full(20, i, "float32") for i in range(12))  # 40 bytes each, so two in a file
    written = packed.write(weights, tmp_path)
    assert [path.name for path in written] == [f"weights-{number}.npz" for number in range(1, 7)]
    assert same(packed.read(tmp_path), weights)


def test_a_smaller_network_leaves_no_files_of_a_larger_one(tmp_path, monkeypatch):
    monkeypatch.setattr(packed, "LIMIT", 1)
    packed.write(named(np.full(3, i, "float32") for i in range(4)), tmp_path)
    packed.write(named([np.zeros(2, "float32")]), tmp_path, packed.DISCRIMINATOR)
    smaller = named(np.full(3, i, "float32") for i in range(2))
    packed.write(smaller, tmp_path)
    assert same(packed.read(tmp_path), smaller)
    assert packed.found(tmp_path, packed.DISCRIMINATOR)


def test_more_than_nine_files_keep_their_order(tmp_path, monkeypatch):
    monkeypatch.setattr(packed, "LIMIT", 1)
    weights = named(np.full(3, i, "float32") for i in range(12))
    packed.write(weights, tmp_path)
    assert same(packed.read(tmp_path), weights)


def test_what_half_precision_cannot_hold_stays_single(tmp_path):
    weights = named([np.array([1e6, 0.1], "float32"), np.array([65504.0, -65504.0], "float32")])
    packed.write(weights, tmp_path)
    assert same(packed.read(tmp_path), weights)


def test_a_missing_or_damaged_file_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(packed, "LIMIT", 100)
    written = packed.write(named([np.zeros(40, "float32")] * 3), tmp_path)
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
    assert set(contents(pack.folder)) == {*notes, "weights-1.npz", "discriminator-1.npz"}
    mine, theirs = inpainting_tf.load(pack.folder), inpainting_tf.load(trained)
    random = np.random.default_rng(0)
    image, mask = random.integers(0, 256, (16, 24, 3), np.uint8), np.zeros((16, 24), bool)
    mask[4:11, 6:20] = True
    one, two = inpainting_tf.inpaint(mine, image, mask), inpainting_tf.inpaint(theirs, image, mask)
    assert np.abs(one.astype(int) - two).max() <= 2, "half precision"
    assert (one[~mask] == image[~mask]).all() and one[mask].std() > 0
    assert pack.history() == runs.open_run(trained).history() and pack.recipe == runs.open_run(trained).recipe


def test_a_packed_run_says_nothing_of_the_machine(pack, trained):
    assert set(pack.pictures()) == {"train", "validation", "test"}
    assert pack.pictures()["test"] == runs.open_run(trained).pictures()["test"]


def test_all_the_pictures_need_no_names(trained, tmp_path):
    run = runs.open_run(trained)
    everything = dataclasses.replace(run.recipe, data=dataclasses.replace(run.recipe.data, train=None))
    copy = runs.pack(dataclasses.replace(run, recipe=everything), tmp_path / "all")
    assert copy.pictures() == {which: run.pictures()[which] for which in ("validation", "test")}


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
        figures.append(json.loads((output / "metrics.json").read_text(encoding="utf-8")))
    assert figures[0]["hole_psnr"] == pytest.approx(figures[1]["hole_psnr"], abs=0.02)
    assert figures[0]["images"] == figures[1]["images"] > 0


def test_weights_of_another_network_are_refused(pack, tmp_path):
    folder = shutil.copytree(pack.folder, tmp_path / "copy")
    recipe = json.loads((folder / "recipe.json").read_text(encoding="utf-8"))
    recipe["network"]["width"] = 8
    (folder / "recipe.json").write_text(json.dumps(recipe), encoding="utf-8")
    with pytest.raises(InputError, match=r"The weights in .* are not those of its recipe"):
        inpainting_tf.load(folder)


# Names


def altered(folder, where, change):
    """A copy of a packed run whose weights are what `change` makes of them."""
    copy = shutil.copytree(folder, where)
    packed.write(change(packed.read(folder)), copy)
    return copy


def test_weights_are_matched_by_name_and_not_by_order(pack, tmp_path):
    folder = altered(pack.folder, tmp_path / "a", lambda weights: dict(reversed(weights.items())))
    mine, theirs = (packed.of(inpainting_tf.load(each)) for each in (folder, pack.folder))
    assert same(mine, theirs)


def test_two_equally_shaped_weights_that_are_exchanged_come_back_exchanged(pack, tmp_path):
    one, two = "conv3/kernel", "conv4/kernel"
    folder = altered(
        pack.folder, tmp_path / "a", lambda weights: weights | {one: weights[two], two: weights[one]}
    )
    mine, theirs = (packed.of(inpainting_tf.load(each)) for each in (folder, pack.folder))
    assert not np.array_equal(mine[one], mine[two])
    assert same(mine, theirs | {one: theirs[two], two: theirs[one]})


DIFFERENCES = {
    "'conv3/kernel' is missing": lambda weights: {n: w for n, w in weights.items() if n != "conv3/kernel"},
    "the network has no 'conv3/gain'": lambda weights: weights | {"conv3/gain": np.zeros(4)},
    "'conv3/kernel' is (2,) and not (5, 5, 4, 4)": lambda weights: weights | {"conv3/kernel": np.zeros(2)},
}


@pytest.mark.parametrize("message", DIFFERENCES)
def test_other_weights_are_refused_by_name(pack, tmp_path, message):
    folder = altered(pack.folder, tmp_path / "a", DIFFERENCES[message])
    with pytest.raises(InputError, match=re.escape(f"are not those of its recipe: {message}.")) as caught:
        inpainting_tf.load(folder)
    assert "\n" not in str(caught.value)


# What earlier versions wrote


WRITTEN = Path(__file__).parents[1] / "written"


def test_a_packed_run_of_an_earlier_version_is_the_network_that_it_was():
    """Its weights have no names; `predictions.npz` holds what that version made of these pictures."""
    with np.load(WRITTEN / "predictions.npz") as kept:
        image, mask, expected = (kept[f"glcic_{name}"] for name in ("image", "mask", "prediction"))
    image, mask = image.astype("float32"), mask.astype("float32")
    with np.load(WRITTEN / "packed_glcic" / "weights-1.npz") as weights:
        assert weights.files[0] == "arr_0"
    prediction = inpainting_tf.load(WRITTEN / "packed_glcic").fill(image * (1 - mask), mask)
    assert expected.std() > 1e-3
    np.testing.assert_allclose(prediction, expected, rtol=0, atol=1e-5)


def test_too_few_weights_without_names_are_refused(tmp_path):
    folder = shutil.copytree(WRITTEN / "packed_glcic", tmp_path / "copy")
    with np.load(folder / "weights-1.npz") as weights:
        arrays = [weights[name] for name in weights.files]
    np.savez(folder / "weights-1.npz", *arrays[:-1])
    with pytest.raises(
        InputError, match=rf"of its recipe: there are {len(arrays) - 1} and not {len(arrays)}"
    ):
        inpainting_tf.load(folder)
