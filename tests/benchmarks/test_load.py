"""The benchmark of the server under load: what it sends, counts and says."""

from __future__ import annotations

import importlib
import json
import re
import sys

import pytest
from encoding import decoded
from running import ROOT

pytest.importorskip("fastapi", reason="needs the extra `serve`")

from inpainting_tf.commands import cli

sys.path.insert(0, str(ROOT / "benchmarks"))
load = importlib.import_module("load")

ROWS = [("1 MP", "200", 1.0)] * 98 + [("1 MP", "200", 4.0)] * 2 + [("1 MP", "503", 2.0), ("2 MP", "200", 3.0)]
BAD_ROWS = [("huge", "413", 9.0), ("huge", "ReadError", 9.0), ("slow sender", "408", 5.0)]


def test_figures_of_good_requests_are_theirs_alone():
    memory = [{"server": each, "replicas": 7, "Ray's others": 0} for each in (10, 20, 30, 40, 50, 60)]
    answers = load.Answers(ROWS + BAD_ROWS, memory=memory, seconds=50.0, processor=202.0)
    found = load.figures(answers, [(4.0, 1.0), (6.0, 2.0)], {"1 MP": {}, "2 MP": {}})
    assert found["sizes"]["1 MP"] == {"pictures": 100, "median": 1.0, "p99": 4.0}
    assert found["statuses"]["good"] == {"200": 101, "503": 1}
    assert found["statuses"]["huge"] == {"413": 1, "ReadError": 1}
    assert (found["pictures_a_second"], found["share"]) == pytest.approx((2.02, 0.404))
    assert (found["processor_seconds"], found["engine_processor_seconds"]) == (2.0, 1.5)
    assert found["failed_seconds"] == 2.0
    assert found["megabytes"] == {"server": [15, 35, 55], "replicas": [7, 7, 7], "Ray's others": [0, 0, 0]}
    said = "\n".join(load.told(found))
    assert "| 1 MP |      100 |     1.00 |  4.00 |          4.0 |" in said
    assert re.search(r"\| good +\| +200: 101, 503: 1 \|", said) and "2.02 pictures/s, 0.40 of the" in said
    assert re.search(r"\| server +\| +15 \| +35 \| +55 \|", said)


def test_a_request_has_its_megapixels_and_holes():
    given = load.request(0.02)
    assert decoded(given["image"]).shape[:2] == decoded(given["mask"]).shape[:2] == (122, 163)
    assert 0 < (decoded(given["mask"]) > 0).mean() < 0.2


@pytest.mark.slow
def test_a_server_under_a_small_load(tmp_path, capsys):
    if sys.platform != "linux":
        pytest.skip("reads /proc")
    flags = [
        "--replicas=0",
        "--clients=4",
        "--seconds=2",
        "--megapixels=0.02",
        "--megapixels=0.04",
        "--alone=1",
    ]
    load.run(cli.parse(load, [*flags, "--model=faces", "--bad=0.3", f"--output={tmp_path / 'load.json'}"]))
    found = json.loads((tmp_path / "load.json").read_text(encoding="utf-8"))
    assert set(found["statuses"]["good"]) == {"200"} and set(found["sizes"]) == {"0.02 MP", "0.04 MP"}
    codes = {"truncated": "400", "huge": "413", "wrong type": "400", "slow sender": "408"}
    for kind in found["statuses"].keys() - {"good"}:
        assert set(found["statuses"][kind]) == {codes[kind]}
    assert found["processor_seconds"] > 0 and min(found["megabytes"]["server"]) > 50
    assert re.search(r"\d pictures/s, \d", capsys.readouterr().out)
