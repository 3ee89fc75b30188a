"""What a folder's training is: a new run, the one that was interrupted there, or a longer one."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import pytest
from running import command, contents, rows_of, tiny, tiny_flags

from inpainting_tf import InputError, recipes, runs
from inpainting_tf.recipes.recipe import Schedule
from inpainting_tf.runs import checkpoints

SIMPLE = {"schedule__epochs": 2, "optimizer__decay": "cosine"}  # of direct_conv, with four steps an epoch


@pytest.fixture(scope="module")
def simple(tmp_path_factory) -> Path:
    """A finished run without phases, whose learning rate fell to 0."""
    return runs.train(tiny("direct_conv", **SIMPLE), tmp_path_factory.mktemp("simple") / "run").folder


# Going on


def test_more_epochs_go_on_and_no_phase_moves(trained, tmp_path):
    folder = shutil.copytree(trained, tmp_path / "run")
    before = rows_of(folder)

    def train(epochs: int):
        flags = tiny_flags(mixed_precision="bfloat16", schedule__epochs=epochs)
        return command("train.py", *flags, f"--workdir={folder}")

    done = train(5)
    assert done.status == 0, done.err
    assert "glcic continues at step 12 " in done.err
    assert "20 steps of 5 pictures; beyond the 3 planned epochs in the last phase." in done.err
    rows = rows_of(folder)
    assert rows[:3] == before
    assert [row["phase"] for row in rows] == ["completion", "discriminator", "joint", "joint", "joint"]
    assert [row["step"] for row in rows] == ["4", "8", "12", "16", "20"]
    assert rows[3]["adversarial"] and checkpoints.latest_step(folder / "checkpoints") == 20
    kept = json.loads((folder / "recipe.json").read_text(encoding="utf-8"))["schedule"]
    assert (kept["epochs"], kept["planned"]) == (5, 3)

    finished = contents(folder)
    again = train(5)
    assert again.status == 0 and "glcic is already trained" in again.err and contents(folder) == finished
    shorter = train(4)
    assert shorter.refuses("schedule.epochs is 5 there and 4 here. A run can be made longer, not shorter")
    assert contents(folder) == finished


def test_a_longer_run_follows_the_longer_curve_of_its_learning_rate(simple, tmp_path):
    folder = shutil.copytree(simple, tmp_path / "run")
    for epochs in (3, 5):
        run = runs.train(tiny("direct_conv", **SIMPLE | {"schedule__epochs": epochs}), folder)
    assert (run.recipe.schedule.epochs, run.recipe.schedule.planned) == (5, 2)
    rates = [float(row["learning_rate"]) for row in rows_of(folder)]
    of = [(1, 2), (2, 2), (3, 3), (4, 5), (5, 5)]  # each epoch, on the curve of so many
    assert rates == pytest.approx([5e-4 * (1 + math.cos(math.pi * n / total)) for n, total in of], abs=1e-9)
    assert runs.open_run(folder).recipe == run.recipe


def test_the_phases_of_a_longer_schedule_are_those_that_were_planned():
    planned = Schedule(10, 0.3, 0.1, global_share=0.2, ramp_share=0.1)
    longer = Schedule(25, 0.3, 0.1, global_share=0.2, ramp_share=0.1, planned=10)
    assert longer.boundaries(25 * 7) == planned.boundaries(10 * 7) == (21, 28)
    changes = {"data__image_size": 32, "schedule__global_share": 0.2, "schedule__ramp_share": 0.25}
    short, long = (
        recipes.assembly.trainer(tiny("multiscale_context_encoder", **changes, **extra), total)
        for extra, total in (
            ({"schedule__epochs": 4}, 40),
            ({"schedule__epochs": 9, "schedule__planned": 4}, 90),
        )
    )
    assert long.alpha == short.alpha and long.boundaries == short.boundaries
    assert short.alpha[0].ramp == 10 and short.alpha[1].begin == short.alpha[0].begin + 8


@pytest.mark.parametrize("planned", [0, 4])
def test_what_was_planned_is_part_of_the_whole(planned):
    with pytest.raises(InputError, match=rf"`schedule.planned` must be none or 1 to `epochs`.*{planned}"):
        tiny(schedule__planned=planned).check()


# Another run


def test_another_preset_is_named_before_what_follows_from_it(simple):
    before = contents(simple)
    with pytest.raises(InputError) as told:
        runs.train(recipes.get("direct_conv", "laptop"), simple)
    assert "preset is 'smoke' there and 'laptop' here. Pass --preset=smoke, or choose" in str(told.value)
    with pytest.raises(InputError, match="holds another run: model is 'direct_conv' there and 'glcic' here"):
        runs.train(recipes.get("glcic"), simple)
    assert contents(simple) == before


def begun(folder: Path) -> Path:
    """As a run leaves it that was killed before its first checkpoint, with what else lay there."""
    for name in ("history.csv", "samples/epoch_0001.npy", "tensorboard/events", "notes.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("epoch,step\n1,4\n", encoding="utf-8")
    (folder / "recipe.json").write_text(json.dumps(tiny().to_json()), encoding="utf-8")
    (folder / "data.json").write_text('{"train": ["gone"], "test": ["gone"]}', encoding="utf-8")
    (folder / ".0123456789ab.keras").write_bytes(b"half a model")
    return folder


def test_a_run_that_wrote_no_checkpoint_is_replaced(tmp_path):
    folder = begun(tmp_path / "run")
    refused = command("train.py", "--model=direct_conv", "--dataset=folder", f"--workdir={folder}")
    assert refused.refuses("`data_dir` must be a folder")
    run = runs.train(tiny("direct_conv", **SIMPLE), folder)
    assert runs.open_run(folder).recipe.differences(run.recipe) == {} and run.recipe.name == "direct_conv"
    assert [row["step"] for row in rows_of(folder)] == ["4", "8"]
    assert "gone" not in run.pictures()["train"]
    assert not (folder / "tensorboard" / "events").exists()
    assert (folder / "notes.txt").exists()


@pytest.mark.parametrize("left", ["completion_phase.keras", "checkpoints/step-00000002/state.json"])
def test_a_run_that_has_something_to_lose_is_not_replaced(tmp_path, left):
    folder = begun(tmp_path / "run")
    (folder / left).parent.mkdir(parents=True, exist_ok=True)
    (folder / left).write_bytes(b"")
    before = contents(folder)
    with pytest.raises(InputError, match="holds another run: model is 'glcic' there and 'direct_conv' here"):
        runs.train(tiny("direct_conv", **SIMPLE), folder)
    assert contents(folder) == before


def test_a_process_killed_while_it_wrote_its_recipe_leaves_a_new_folder(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".0123456789ab.json").write_text("{", encoding="utf-8")
    run = runs.train(tiny("direct_conv", schedule__epochs=1), tmp_path / "run")
    assert run.model_file.exists()
