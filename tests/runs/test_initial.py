"""A training that starts from the weights of another: which are loaded, and what does not fit."""

from __future__ import annotations

import json
import logging
import re
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from running import command, tiny, tiny_flags

import inpainting_tf
from inpainting_tf import Inpainter, InputError, recipes, runs
from inpainting_tf.recipes import assembly
from inpainting_tf.runs import initial, packed
from inpainting_tf.training import Adversarial


@pytest.fixture(scope="module")
def pack(trained, tmp_path_factory) -> Path:
    """The trained run, packed."""
    return runs.pack(runs.open_run(trained), tmp_path_factory.mktemp("packed") / "glcic").folder


def start(init, recipe=None, test=()) -> tuple[Adversarial, str]:
    """A fresh trainer that starts from `init`, and what it says."""
    recipe = recipe or tiny()
    trainer = assembly.trainer(recipe, 12)
    return trainer, initial.assign(str(init), recipe, trainer, test)


def largest(one: dict[str, np.ndarray], two: dict[str, np.ndarray]) -> float:
    """The largest difference of two networks' weights, by path."""
    assert one.keys() == two.keys()
    return max(np.abs(one[path] - two[path]).max() for path in one)


# What is loaded


def test_a_run_gives_its_network_and_its_discriminator(trained):
    trainer, told = start(trained)
    assert told == f"the weights of {trained} and its discriminator"
    with np.load(trained / "checkpoints" / "step-00000012" / "variables.npz") as stored:
        for part in ("completion", "discriminator"):
            for path, weight in packed.of(getattr(trainer, part)).items():
                assert np.array_equal(weight, stored[f"{part}/{path}"]), path
    assert int(trainer.steps) == int(trainer.optimizer.iterations) == 0


def test_a_packed_run_gives_both_in_half_precision(pack, trained):
    assert {"discriminator-1.npz", "weights-1.npz"} <= {file.name for file in pack.iterdir()}
    (one, told), (two, _) = start(pack), start(trained)
    assert told.endswith(" and its discriminator")
    for part in ("completion", "discriminator"):
        mine, theirs = (packed.of(getattr(trainer, part)) for trainer in (one, two))
        assert largest(mine, {path: w.astype("float16") for path, w in theirs.items()}) == 0


def test_a_file_gives_its_network_alone(trained):
    fresh, _ = assembly.trainer(tiny(), 12), keras.utils.set_random_seed(1)
    trainer, told = start(trained / "completion_phase.keras")
    assert told == f"the weights of {trained / 'completion_phase.keras'}"
    there = packed.of(inpainting_tf.load(trained / "completion_phase.keras"))
    assert largest(packed.of(trainer.completion), there) == 0
    moved = largest(packed.of(trainer.discriminator), packed.of(fresh.discriminator))
    assert 0 < moved < 1, "initial values"


def test_a_shipped_model_is_trained_on(tmp_path, monkeypatch):
    """`faces` fits pictures of any size; the same command continues, though a folder has its name now."""
    monkeypatch.chdir(tmp_path)
    changes = {"network__width": 32, "schedule__epochs": 1}
    flags = tiny_flags("photos", **changes, init="faces")
    done = command("train.py", *flags, "--workdir=run")
    assert done.status == 0, done.err
    assert "photos starts from the weights of faces in " in done.err
    there, here = (packed.of(Inpainter.from_preset(path)) for path in ("faces", "run"))
    assert 0 < np.abs(there["down1/kernel"] - here["down1/kernel"]).max() < 0.02, "four steps"
    again = command("train.py", *flags, "--workdir=run")
    assert again.status == 0 and "photos is already trained" in again.err
    anew = command("train.py", *tiny_flags("photos", **changes), "--workdir=run")
    assert anew.refuses("holds another run: init is 'faces' there and None here")


def test_a_run_is_named_by_its_whole_path(trained, tmp_path, monkeypatch):
    monkeypatch.chdir(trained.parent)
    recipe = initial.resolved(tiny(init="trained"))
    assert recipe.init == str(trained)
    assert initial.resolved(tiny(init="faces")).init == "faces"
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces" / "recipe.json").write_text("{}", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert initial.resolved(tiny(init="faces")).init == str(tmp_path / "faces")


def test_a_packed_run_does_not_say_where_it_started(trained, tmp_path):
    shutil.copytree(trained, tmp_path / "run")
    recipe = json.loads((tmp_path / "run" / "recipe.json").read_text(encoding="utf-8"))
    for init, name in ((str(trained), "trained"), ("faces", "faces")):
        (tmp_path / "run" / "recipe.json").write_text(json.dumps(recipe | {"init": init}), encoding="utf-8")
        copy = runs.pack(runs.open_run(tmp_path / "run"), tmp_path / name)
        assert runs.open_run(copy.folder).recipe.init == name


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cvae", "semantic_inpainting", "context_encoder", "best", "unet"])
def test_every_kind_of_training_starts_from_a_file(name, tmp_path):
    changes = {"network__arguments__latent": 16} if name == "cvae" else {}
    recipe = tiny(name, data__image_size=32, **changes)
    network = assembly.portable_network(recipe)
    network.save(tmp_path / "network.keras")
    keras.utils.set_random_seed(5)
    trainer, _ = start(tmp_path / "network.keras", recipe)
    assert largest(packed.of(trainer.completion), packed.of(network)) == 0


# What does not fit


MISFITS = {
    "network__width": (8, "'{init}': width 4, not 8 (pass --width=4)."),
    "discriminator__width": (8, "'{init}': its discriminator has width 4, not 8 (pass --width=4). Name a"),
}


@pytest.mark.parametrize("field", MISFITS)
def test_another_width_or_size_is_refused_in_words(trained, tmp_path, field):
    value, words = MISFITS[field]
    ended = command(
        "train.py", *tiny_flags(**{field: value}), f"--init={trained}", f"--workdir={tmp_path / 'run'}"
    )
    assert ended.refuses("`init` must be a network like the one that is trained", words.format(init=trained))
    assert not (tmp_path / "run" / "recipe.json").exists()


def test_a_discriminator_of_another_size_is_refused_in_words(tmp_path):
    """Its network takes any size: from its file alone it is trained on."""
    recipe = tiny("one_autoencoder")
    run = runs.Run(tmp_path, recipe)
    assembly.portable_network(recipe).save(run.model_file)
    assembly.portable_discriminator(recipe).save(run.discriminator_file)
    (tmp_path / "recipe.json").write_text(json.dumps(recipe.to_json()), encoding="utf-8")
    assert start(tmp_path, recipe)[1].endswith("and its discriminator")
    larger = recipe.override({"data.image_size": 64})
    with pytest.raises(InputError, match=r"has image_size 16, not 64 \(pass --image_size=16\)\. Name"):
        start(tmp_path, larger)
    assert start(run.model_file, larger)[1] == f"the weights of {run.model_file}"


def test_other_networks_are_refused_in_words(trained, tmp_path):
    with pytest.raises(InputError, match=r": a gan_direct_conv, not a best\.$"):
        start(trained, tiny("best"))
    with pytest.raises(InputError, match="its discriminator is a local_discriminator, not a joint"):
        start(trained, tiny().override({"discriminator.builder": "joint_discriminator"}))
    fixed = tiny("context_encoder", data__image_size=32)
    assembly.portable_network(fixed).save(tmp_path / "fixed.keras")
    with pytest.raises(InputError, match=r": image_size 32, not 64 \(pass --image_size=32\)\.$"):
        start(tmp_path / "fixed.keras", fixed.override({"data.image_size": 64}))


@pytest.mark.parametrize("init", ["", "none.keras", "fcaes", "thesis.txt"])
def test_what_is_no_network_is_one_line(init, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("thesis.txt").write_text("years of work", encoding="utf-8")
    ended = command("train.py", *tiny_flags(), f"--init={init}", "--workdir=run")
    assert ended.refuses("`init` must be a trained network. Received '", init)
    assert not Path("run", "recipe.json").exists()


# Test pictures that were trained on


def test_test_pictures_that_the_network_has_seen_are_told(trained, caplog):
    seen = runs.open_run(trained).pictures()["train"][:2]
    with caplog.at_level(logging.WARNING):
        start(trained, test=[*seen, "another"])
    (record,) = caplog.records
    assert re.match(rf"2 of the test pictures, e\.g\. {min(seen)}, have the names", record.getMessage())


def test_others_are_not(trained, caplog):
    start(trained, test=runs.open_run(trained).pictures()["test"])
    start(trained, tiny().override({"data.source": "celeba"}), runs.open_run(trained).pictures()["train"])
    assert not caplog.records


def test_the_recipe_of_a_paper_starts_anew():
    assert all(recipe.init is None for recipe in recipes.RECIPES.values())
