"""The queue of full-size trainings, at a size of seconds."""

from __future__ import annotations

import json
import shutil

import pytest
from running import command, drawn_faces, process, tiny_flags

import inpainting_tf
from inpainting_tf import data, runs
from inpainting_tf.data import prepared

SCRIPT = "scripts/paper_scale.py"


@pytest.fixture(autouse=True)
def compiled(tmp_path, monkeypatch):
    """The script sets this variable where it is not set, and a test's process is not the script's own."""
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path / "compiled"))


@pytest.mark.slow
def test_the_next_system_is_trained_for_its_minutes_and_kept(trained, tmp_path):
    results, work = tmp_path / "results", tmp_path / "runs"
    shutil.copytree(trained, work / "glcic")  # as an earlier call left it: only measured and packed
    _, *options = tiny_flags()  # but for --model
    options += [f"--workdir={work}", f"--results={results}", "--minutes=0.05"]

    first = command(SCRIPT, *options)
    assert first.status == 0, first.err
    assert "Left: one_autoencoder, double_autoencoder," in first.out
    assert runs.open_run(results / "glcic").recipe == runs.open_run(trained).recipe

    second = command(SCRIPT, *options)
    assert second.status == 0, second.err
    assert "one_autoencoder: " in second.err and "epochs in 0.05 minutes" in second.err
    recipe = runs.open_run(results / "one_autoencoder").recipe
    assert recipe.name == "one_autoencoder" and 1 <= recipe.schedule.epochs < 200
    assert len(runs.open_run(results / "one_autoencoder").history()) == recipe.schedule.epochs
    assert inpainting_tf.load(results / "one_autoencoder").count_params() > 0
    figures = json.loads((results / "one_autoencoder" / "metrics.json").read_text(encoding="utf-8"))
    lines = (results / "table.md").read_text(encoding="utf-8").splitlines()
    table = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    assert len(table) == 4 and table[2][:2] == ["glcic", "3"]
    assert table[3][:2] == ["one_autoencoder", str(recipe.schedule.epochs)]
    measured = [f"{figures['psnr']:.2f}", f"{figures['ssim']:.4f}", f"{figures['hole_psnr']:.2f}"]
    assert table[3][3:] == [*measured, "31.86", "0.89"]


def test_what_has_its_result_is_not_trained_again(tmp_path):
    """In a process of its own, as a user calls it."""
    (tmp_path / "glcic").mkdir()
    (tmp_path / "glcic" / "metrics.json").write_text("{}", encoding="utf-8")
    done = process(SCRIPT, "--model=glcic", f"--results={tmp_path}", f"--workdir={tmp_path / 'runs'}")
    assert done.refuses("--results must lack a system to train", str(tmp_path))
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_each_system_takes_the_folder_that_holds_its_pictures(tmp_path):
    drawn_faces(tmp_path / "faces", 30)
    folders = [tmp_path / f"faces_{side}" for side in (24, 16)]
    for side, folder in zip((24, 16), folders, strict=True):
        wanted = data.Data("folder", side, train=25, validation=5, test=5)
        prepared.write(data.load(wanted, tmp_path / "faces"), wanted, folder)
    places = [f"--data_dir={folder}" for folder in folders]
    options = [
        *tiny_flags("direct_conv", data__source="folder"),
        "--minutes=0.02",
        f"--workdir={tmp_path / 'runs'}",
    ]
    done = command(SCRIPT, *options, *places, f"--results={tmp_path / 'results'}")
    assert done.status == 0, done.err
    assert runs.open_run(tmp_path / "runs" / "direct_conv").pictures()["data_dir"] == str(folders[1])
    done = command(SCRIPT, *options, places[0], f"--results={tmp_path / 'none'}")
    assert done.refuses("--data_dir must hold the pictures of a system without a result")
    assert "direct_conv is left out: " in done.err and str(folders[0]) in done.err
