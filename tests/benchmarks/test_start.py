"""The benchmark of a repair from the shell: each way in a new process, and what it cost."""

from __future__ import annotations

import importlib
import json
import sys

import pytest
from running import ROOT

from inpainting_tf import InputError
from inpainting_tf.commands import cli

sys.path.insert(0, str(ROOT / "benchmarks"))
start = importlib.import_module("start")


def test_a_row_for_each_way(tmp_path, capsys):
    pytest.importorskip("skimage")
    ways = ("onnx", "cv2")
    flags = [*(f"--way={way}" for way in ways), "--repetitions=1", f"--output={tmp_path / 'start.json'}"]
    start.run(cli.parse(start, flags))
    rows = [line.split("|")[1:-1] for line in capsys.readouterr().out.splitlines()[2:]]
    found = json.loads((tmp_path / "start.json").read_text(encoding="utf-8"))["medians"]
    assert [row[0].strip() for row in rows] == list(ways) == list(found)
    for row in rows:
        assert [float(each) for each in row[1:]] == pytest.approx([*found[row[0].strip()].values()], abs=0.51)
    assert 400 > found["onnx"]["megabytes"] > found["cv2"]["megabytes"] > 10


def test_what_fails_is_no_figure(monkeypatch, tmp_path):
    monkeypatch.setitem(start.WAYS, "cv2", ("raise SystemExit(3)",))
    with pytest.raises(SystemExit, match="cv2: it failed with status 3"):
        start.run(cli.parse(start, ["--way=cv2", "--repetitions=1"]))
    with pytest.raises(InputError, match="--way"):
        start.run(cli.parse(start, ["--way=torch"]))
