"""A training that is killed three times ends with the same bits as one that is not."""

from __future__ import annotations

import signal
from pathlib import Path

import numpy as np
import pytest
from running import PATIENCE, contents, events_of, rows_of, stop, tiny_flags, training

import inpainting_tf
from inpainting_tf.runs import checkpoints

pytestmark = pytest.mark.slow

# Four epochs of ten steps. Each phase is long enough to be killed in, however slow this process is to notice.
PER_EPOCH, COMPLETION, DISCRIMINATOR, TOTAL = 10, 16, 28, 40
RECIPE = {
    "data__train": 45,  # five of them for validation
    "batch_size": 4,
    "schedule__epochs": 4,
    "schedule__completion_share": 0.4,
    "schedule__discriminator_share": 0.3,
    "optimizer__decay": "cosine",
}
OPTIONS = [*tiny_flags("gan_autoencoder", **RECIPE), "--deterministic", "--checkpoint_minutes=0"]


def interrupt(folder: Path, log: Path) -> None:
    """Killed in the completion phase, terminated in the discriminator's, killed in the joint phase."""
    assert stop(OPTIONS, folder, log, 2, signal.SIGKILL) == -signal.SIGKILL
    kept = checkpoints.latest_step(folder / "checkpoints")
    assert 2 <= kept < PER_EPOCH, f"killed too late to be in the first epoch: {kept}"
    damage_the_newest(folder / "checkpoints")

    assert stop(OPTIONS, folder, log, COMPLETION + 1, signal.SIGTERM) == 130
    told = log.read_text(encoding="utf-8")
    assert "Skipped the checkpoint" in told and f"step-{kept:08d}, which cannot be read" in told
    assert f"continues at step {kept - 1} " in told
    assert "Interrupted. The same command continues from the last checkpoint." in told
    assert "Traceback" not in told
    kept = checkpoints.latest_step(folder / "checkpoints")
    assert COMPLETION < kept < DISCRIMINATOR, f"stopped too late to be in the second phase: {kept}"

    assert stop(OPTIONS, folder, log, DISCRIMINATOR + 2, signal.SIGKILL) == -signal.SIGKILL
    kept = checkpoints.latest_step(folder / "checkpoints")
    assert DISCRIMINATOR < kept < TOTAL, f"killed too late to have something left: {kept}"

    with training(OPTIONS, folder, log) as child:
        assert child.wait(PATIENCE) == 0, log.read_text(encoding="utf-8")
    assert f"continues at step {kept} " in log.read_text(encoding="utf-8")


def damage_the_newest(folder: Path) -> None:
    """As a power cut would, and with what a process leaves that is killed while it writes."""
    newest = sorted(folder.glob("step-*"))[-1] / "variables.npz"
    newest.write_bytes(newest.read_bytes()[:-100])
    half = folder / ".writing-0123456789ab"
    half.mkdir()
    (half / "variables.npz").write_bytes(b"half a file")


def test_a_run_killed_three_times_ends_with_the_same_bits(tmp_path):
    one, two = tmp_path / "uninterrupted", tmp_path / "interrupted"
    with training(OPTIONS, one, tmp_path / "one.log") as child:  # beside the other, to save time
        interrupt(two, tmp_path / "two.log")
        assert child.wait(PATIENCE) == 0, (tmp_path / "one.log").read_text(encoding="utf-8")
    assert different_variables(one, two) == []
    for name in ("model.keras", "completion_phase.keras"):
        assert same_weights(one / name, two / name), name
    assert history(one) == history(two)
    for tag in ("loss", "val_psnr"):
        assert curve(one, tag) == curve(two, tag), "TensorBoard shows an epoch twice or not at all"
    assert [step for step, _ in curve(two, "val_psnr")] == [10, 20, 30, 40]
    assert files(one) == files(two)


def different_variables(one: Path, two: Path) -> list[str]:
    """Networks, optimizers and step counter in the last checkpoint."""
    last = Path("checkpoints", f"step-{TOTAL:08d}", "variables.npz")
    with np.load(one / last) as mine, np.load(two / last) as theirs:
        assert mine.files == theirs.files and len(mine.files) > 80
        return [name for name in mine.files if mine[name].tobytes() != theirs[name].tobytes()]


def same_weights(one: Path, two: Path) -> bool:
    pairs = zip(inpainting_tf.load(one).weights, inpainting_tf.load(two).weights, strict=True)
    return all(mine.numpy().tobytes() == theirs.numpy().tobytes() for mine, theirs in pairs)


def history(folder: Path) -> list[dict[str, str]]:
    """Its rows, without the time that each took."""
    rows = rows_of(folder)
    assert len(rows) == 4 and all(float(row["seconds"]) > 0 for row in rows)
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def curve(folder: Path, tag: str) -> list[tuple[int, float]]:
    return [(event.step, value.simple_value) for event, value in events_of(folder, tag)]


def files(folder: Path) -> set[str]:
    return {path for path in contents(folder) if not path.startswith("tensorboard/")}
