"""The benchmark of the pipeline runs, and finds both ways alike."""

from __future__ import annotations

import json

import pytest
from running import command, drawn_faces


@pytest.mark.slow
def test_both_ways_are_measured(tmp_path):
    drawn_faces(tmp_path / "faces", 5)
    done = command(
        "benchmarks/pipeline.py",
        *(f"--data_dir={tmp_path / 'faces'}", "--count=70", "--image_size=16", "--batch_size=5"),
        *("--model=direct_conv", "--steps=4", "--seconds=0.1", f"--output={tmp_path / 'out.json'}"),
    )
    assert done.status == 0, done.err
    [row] = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["rows"]
    assert (row["pictures"], row["in_memory"], row["image_size"]) == (70, 70, 16)
    assert 0 <= row["demand_waiting"] < 1 and row["demand_rate"] > 0
    assert "| on demand |" in done.out
