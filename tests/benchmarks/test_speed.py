"""The benchmark beside PyTorch and OpenCV: which samples count, the table, the page with its history."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from running import ROOT

from inpainting_tf import InputError
from inpainting_tf.commands import cli

sys.path.insert(0, str(ROOT / "benchmarks"))

import history
import idle
import speed


def contest(unit: str, **values: float) -> speed.Contest:
    samples = {name: idle.Samples([each]) for name, each in values.items()}
    return speed.Contest("step", unit, {"ours": "column"}, samples)


def test_the_kernels_count_has_everything_but_idling_and_waiting():
    stat = "cpu  100 20 30 5000 700 1 2 50 60 7\ncpu0 1 2 3 4 5 6 7 8 9 10\n"
    assert idle.busy_seconds(stat, 100) == pytest.approx((100 + 20 + 30 + 1 + 2 + 50) / 100)


def test_the_share_of_others():
    before = idle.Usage(clock=10.0, busy=100.0, own=5.0)
    # Four seconds of two cores, seven of them busy and five of those this process's; two ticks are room.
    after = idle.Usage(clock=14.0, busy=107.0, own=10.0)
    assert idle.other_share(before, after, cores=2) == pytest.approx((2 - 0.02) / 8)
    assert idle.other_share(before, idle.Usage(14.0, 105.01, 10.0), 2) == 0.0
    assert idle.other_share(before, idle.Usage(14.0, None, 10.0), 2) == 0.0
    assert idle.other_share(before, idle.Usage(10.001, 106.0, 10.0), 2) == 1.0, "ticks are coarse"


def test_own_work_is_not_others():
    def work() -> float:
        return float(np.linalg.norm(np.random.default_rng(0).random((300, 300)) ** 3))

    before = idle.usage()
    value, others = idle.watched(work)
    after = idle.usage()
    assert value == work() and 0 <= others <= 1
    assert after.clock > before.clock and after.own > before.own


def test_samples_of_a_busy_machine_are_rejected_and_taken_again():
    taken, shares = [], iter([0.0, 0.2, 0.04, 0.0, 0.05, 0.3, 0.06])

    def watch(sample):
        taken.append(sample())
        return taken[-1], next(shares)

    numbers = iter(range(10))
    sides = {"a": lambda: 100 + next(numbers), "b": lambda: 200 + next(numbers)}
    found = idle.in_turns(sides, wanted=2, limit=0.05, watch=watch)
    assert taken == [100, 201, 102, 203, 204]
    assert found["a"] == idle.Samples([100, 102], []) and found["a"].median == 101
    assert found["b"] == idle.Samples([203, 204], [0.2])


def test_a_machine_that_is_always_busy_ends_the_turns():
    taken = []
    found = idle.in_turns({"a": lambda: 1.0}, 3, 0.05, lambda sample: (taken.append(1), (sample(), 0.9))[1])
    assert len(taken) == len(found["a"].rejected) == 3 * idle.PATIENCE
    assert found["a"].median is None
    lost = speed.Contest("step", speed.PICTURES, {"a": "column"}, found)
    assert speed.busy([lost]) == ["step: a"] and speed.ratios([lost]) == {}
    assert "the machine had other work" in speed.table([lost])
    assert speed.rejections([lost]).startswith(
        "12 of 12 samples were rejected"
    ) and "90%" in speed.rejections([lost])


def test_the_ratio_is_to_the_best_peer():
    rates = contest(speed.PICTURES, ours=30.0, eager=10.0, compiled=20.0)
    times = contest(speed.SECONDS, ours=0.5, slow=4.0, fast=0.1)
    assert (rates.best_peer(), rates.ratio("ours")) == ("compiled", 1.5)
    assert (times.best_peer(), times.ratio("ours")) == ("fast", pytest.approx(0.2))
    rows = history.parsed(speed.table([rates, times]))
    assert [row["ratio"] for row in rows] == ["1.50", "0.20"]
    assert rows[0]["ours"] == "ours 30.0 pictures/s" and rows[1]["best peer"] == "fast 0.10 s"
    assert speed.ratios([rates, times]) == {"column": "1.50 / 0.20"}
    alone = contest(speed.SECONDS, ours=0.5)
    assert history.parsed(speed.table([alone]))[0]["ratio"] == "" and speed.ratios([alone]) == {}


def test_the_page_gets_the_table_and_a_row_of_its_history():
    page = f"# Title\n\nProse.\n\n{history.NEWEST}\nold\n\n{history.HISTORY}\n"
    about = {"version": "1.0", "processor": "P, 2 cores", "caption": "Measured so."}
    first = history.recorded(page, about, "| a |", {"joint": "1.10"})
    assert first.startswith(
        f"# Title\n\nProse.\n\n{history.NEWEST}\nMeasured so.\n\n| a |\n\n{history.HISTORY}"
    )
    second = history.recorded(first, about | {"version": "1.1"}, "| b |", {"joint": "1.2", "shell": "3"})
    again = history.recorded(second, about, "| c |", {"joint": "1.15"})
    assert "| a |" not in again and "| b |" not in again and again.count("| c |") == 1
    same = {"processor": "P, 2 cores"}
    assert history.parsed(again.partition(history.HISTORY)[2]) == [
        {"version": "1.1", **same, "joint": "1.2", "shell": "3"},
        {"version": "1.0", **same, "joint": "1.15", "shell": ""},
    ]


def test_the_page_of_the_repository_takes_a_measurement():
    page = (ROOT / "benchmarks" / "speed.md").read_text(encoding="utf-8")
    rows = history.parsed(page.partition(history.HISTORY)[2])
    about = {"version": "test", "processor": "none"}
    added = history.recorded(page, about | {"caption": "Measured so."}, "| new |", {"joint step": "9.99"})
    found = history.parsed(added.partition(history.HISTORY)[2])
    assert rows and found[:-1] == rows
    assert found[-1] == dict.fromkeys(rows[0], "") | {
        "version": "test",
        "processor": "none",
        "joint step": "9.99",
    }


def test_the_processor_is_named_by_what_it_computes_with():
    cpuinfo = "processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: fpu avx2 avx512_bf16 {}\n\n"
    assert history.processor(cpuinfo.format("amx_bf16"), 2) == "Some CPU, AMX, 2 cores"
    assert history.processor(cpuinfo.format(""), 4) == "Some CPU, AVX512-BF16, 4 cores"
    assert history.processor("", 1) == "unknown processor, 1 cores"


def test_fills_that_differ_are_no_comparison():
    keras = np.random.default_rng(0).random((2, 8, 6, 3))
    speed.require_same({"keras": keras, "other": keras + 0.05 * keras.std()}, "keras")
    for wrong in (keras[::-1], keras + np.nan):
        with pytest.raises(ArithmeticError, match="other fills otherwise than keras"):
            speed.require_same({"keras": keras, "other": wrong}, "keras")


def test_a_page_takes_a_whole_measurement(tmp_path):
    with pytest.raises(InputError, match="--page takes a whole measurement"):
        speed.run(cli.parse(speed, [f"--page={tmp_path}/speed.md", "--part=shell"]))
    with pytest.raises(InputError, match="--page must be a page"):
        speed.run(cli.parse(speed, [f"--page={tmp_path}/speed.md"]))


def test_import_and_repair_take_turns_in_processes_of_their_own(monkeypatch):
    costs = {"onnx": 1.5, "cv2": 0.3, "import": 0.1}
    called = []

    def measured(way, model, folder):
        called.append(way)
        return {"seconds": costs[way], "processor": 2 * costs[way], "megabytes": 100.0}

    monkeypatch.setattr(speed.start, "measured", measured)
    args = cli.parse(speed, ["--turns=2", "--other_work=1"])
    repair, alone = speed.shell(args)
    assert called == 3 * ["onnx", "cv2", "import"]
    rows = history.parsed(speed.table([repair, alone]))
    assert rows[0]["ours"] == "inpaint 1.50 s (3.00 s of processor, 100 MB)" and rows[0]["ratio"] == "0.20"
    assert rows[1]["best peer"] == ""
