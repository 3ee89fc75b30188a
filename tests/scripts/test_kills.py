"""Kills at random moments leave what undisturbed work leaves; and the comparison sees what differs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import keras
import pytest
from running import ROOT, process

SCRIPT = "scripts/kills.py"


@pytest.fixture
def kills(monkeypatch):
    """The script as a module."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import kills

    return kills


@pytest.mark.slow
def test_a_few_kills_change_nothing(tmp_path):
    done = process(SCRIPT, "--kills=4", "--model=direct_conv", "--seed=1", f"--workdir={tmp_path}")
    assert done.status == 0, done.out + done.err
    assert "4 kills (" in done.out and "every result is bit-identical." in done.out
    assert done.out.startswith("Seed 1, in ") and done.out.count(" killed after ") == 4


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def another_weight(folder: Path) -> None:
    model = keras.models.load_model(folder / "model.keras", compile=False)
    model.weights[0].assign(model.weights[0] * 1.0001)
    model.save(folder / "model.keras")


CHANGES = {
    "model.keras": another_weight,
    "checkpoints/step-00000012/variables.npz": lambda folder: shutil.copy(
        *(folder / "checkpoints" / f"step-000000{step}" / "variables.npz" for step in (11, 12))
    ),
    "history.csv": lambda folder: edit(folder / "history.csv", "joint", "jointly"),
    "data.json": lambda folder: edit(folder / "data.json", "face_", "picture_"),
    "samples/epoch_0001.npy": lambda folder: (folder / "samples" / "epoch_0001.npy").unlink(),
    "new.txt": lambda folder: (folder / "new.txt").touch(),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_differs_is_named(kills, trained, tmp_path, name):
    copy = shutil.copytree(trained, tmp_path / "copy")
    CHANGES[name](copy)
    assert kills.differences(trained, copy) == [name]


def test_clocks_and_half_written_files_are_left_out(kills, trained, tmp_path):
    copy = shutil.copytree(trained, tmp_path / "copy")
    (copy / ".0123456789ab.keras").write_bytes(b"half")
    (copy / "checkpoints" / ".writing-0123456789ab").mkdir()
    (copy / "checkpoints" / ".writing-0123456789ab" / "variables.npz").write_bytes(b"half")
    state = copy / "checkpoints" / "step-00000012" / "state.json"
    kept = json.loads(state.read_text(encoding="utf-8"))
    kept["history"]["seconds"] += 5
    state.write_text(json.dumps(kept), encoding="utf-8")
    assert kills.differences(trained, copy) == []
    assert kills.half_written(copy) == 2
