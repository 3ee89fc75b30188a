"""The benchmark of large holes and specks, on pictures of a few thousand pixels."""

from __future__ import annotations

import importlib
import sys

import numpy as np
from running import ROOT, lively

from inpainting_tf.commands import cli
from inpainting_tf.ops.harmonic import edge, harmonic

sys.path.insert(0, str(ROOT / "benchmarks"))
holes = importlib.import_module("holes")


def test_its_direct_solution_is_what_is_approximated():
    mask = holes.square(40, 53, 21) | holes.specks(40, 53, 9)
    values = holes.photograph(40, 53)[edge(mask)] / 255
    np.testing.assert_allclose(holes.direct(mask, values), harmonic(mask, values), atol=1e-6)


def test_both_ways_agree_but_for_the_windows_of_specks():
    model = lively()
    model.set_training((64, 12))
    picture = holes.photograph(90, 120)
    for mask, agree in ((holes.square(90, 120, 60), True), (holes.specks(90, 120, 4), False)):
        before, now = (holes.repaired(way, model, picture, mask) for way in holes.WAYS[:2])
        assert np.array_equal(now[~mask], picture[~mask]) and (now[mask] != picture[mask]).any()
        assert (np.abs(before.astype(int) - now).max() <= 1) == agree


def test_a_row_for_each_way_and_case(monkeypatch, capsys, tmp_path):
    """In this process: what is in another one is its memory alone."""
    monkeypatch.setattr(holes.processes, "run", lambda function, *arguments: function(*arguments))
    monkeypatch.setattr("inpainting_tf.load", lambda name: lively())
    small = ["--side=20", "--height=96", "--specks=3", "--specks_height=100", "--repetitions=1"]
    holes.run(cli.parse(holes, [*small, f"--output={tmp_path / 'holes.json'}"]))
    rows = [line for line in capsys.readouterr().out.splitlines() if "MP, " in line]
    assert len(rows) == 6 and sum("| now |" in row for row in rows) == 2
    assert (tmp_path / "holes.json").exists()


def test_a_way_that_finds_no_memory_is_left_out(monkeypatch, capsys):
    def refused(function, way, *arguments):
        if way == "before":
            raise MemoryError
        return holes.measure(way, *arguments)

    monkeypatch.setattr(holes.processes, "run", refused)
    monkeypatch.setattr("inpainting_tf.load", lambda name: lively())
    args = cli.parse(holes, ["--repetitions=1"])
    rows = holes.compared("one", holes.photograph(96, 128), holes.square(96, 128, 20), args)
    assert [row["way"] for row in rows] == ["now", "with detail"]
    assert "before: out of memory" in capsys.readouterr().out
