"""The benchmarks of several hosts: the model of a cluster, and records written and read."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from running import command

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import scaling


def test_a_cluster_is_modelled_from_gradients_and_link():
    alone = scaling.modelled(100, 10**6, 50, 1, 1.0)
    assert alone == pytest.approx(100)
    # Two devices send 4 MB each, 32 ms at 1 Gbit/s, after half a second's computing.
    assert scaling.modelled(100, 10**6, 50, 2, 1.0) == pytest.approx(2 * 50 / 0.532)
    rates = [scaling.modelled(100, 10**6, 50, n, 1.0) / n for n in (1, 2, 4, 64)]
    assert rates == sorted(rates, reverse=True)
    assert scaling.modelled(100, 10**6, 50, 64, 1e9) == pytest.approx(6400, rel=1e-4)


def test_the_model_alone_is_printed_as_a_model():
    options = ("--only_model", "--rate=100", "--parameters=1000000", "--batch_size=50")
    done = command("benchmarks/scaling.py", *options)
    assert done.status == 0 and done.out.startswith("Modelled, not measured: 100 pictures/s"), done.err
    assert done.out.count("\n") == 10 and re.search(r"\| +100 \(100%\) \|", done.out)


def test_records_are_written_and_read(tmp_path):
    options = ("--pictures=300", "--shards=4", "--batch_size=8", "--steps=5")
    done = command("benchmarks/records.py", *options, f"--folder={tmp_path}/records")
    assert done.status == 0, done.err
    assert "wrote 300 pictures of 8 px into 4 shards" in done.out and "host 2 of 2 read 5 steps" in done.out
