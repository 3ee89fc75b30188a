"""reproduce.py end to end: trains, measures, writes; is stopped, goes on; and one failure stops nothing."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from running import PATIENCE, ROOT, command, contents, environment, process, rows_of, tiny

from inpainting_tf import book, processes
from inpainting_tf.book.entries import BASELINES, Picture, Sheets, Table
from inpainting_tf.book.experiments import Experiments
from inpainting_tf.book.pages import Paper
from inpainting_tf.runs import checkpoints

ENTRY = ["--paper=cifar_cars", "--table=3.3", "--scale=smoke"]  # a single system
SYSTEMS = ("cvae", "direct_conv")


@pytest.mark.slow
def test_the_same_command_goes_on_where_it_was_stopped(tmp_path):
    run, log = tmp_path / "work" / "smoke" / "autoencoder", tmp_path / "log"
    options = [*ENTRY, f"--workdir={tmp_path / 'work'}", f"--output={tmp_path / 'pages'}"]
    assert stopped(options, run, log) == 130, log.read_text(encoding="utf-8")
    told, kept = log.read_text(encoding="utf-8"), checkpoints.latest_step(run / "checkpoints")
    assert "[1/1] autoencoder" in told and "Interrupted." in told and "Traceback" not in told
    assert 0 < kept < 12, "stopped too late to have something left"
    assert not (tmp_path / "pages").exists()

    done = process("reproduce.py", *options)
    assert done.status == 0, done.err
    assert f"autoencoder continues at step {kept} in" in done.err
    assert checkpoints.latest_step(run / "checkpoints") == 12
    assert [row["epoch"] for row in rows_of(run)] == ["1", "2", "3"]
    page, report = (Path(line) for line in done.out.split())
    assert page == tmp_path / "pages" / "cifar_cars_figure_3_3.md"
    assert report == tmp_path / "work" / "smoke" / "cifar_cars_figure_3_3.html"
    assert "`python train.py --model=autoencoder --preset=smoke`" in page.read_text(encoding="utf-8")
    assert report.read_text(encoding="utf-8").count('src="data:image/png;base64,') == 1
    assert "contradicts itself" in page.read_text(encoding="utf-8"), "docs/inconsistencies.md is found"


def stopped(options: list[str], run: Path, log: Path) -> int:
    """Stops the command after the first of three epochs; its exit status."""
    call = [sys.executable, str(ROOT / "reproduce.py"), *options]
    with open(log, "wb") as output:
        child = subprocess.Popen(call, env=environment(), stdout=output, stderr=output)
    try:
        end = time.monotonic() + PATIENCE
        while not (run / "history.csv").exists():
            assert child.poll() is None, f"ended before its first epoch:\n{log.read_text(encoding='utf-8')}"
            assert time.monotonic() < end, f"no epoch:\n{log.read_text(encoding='utf-8')}"
            time.sleep(0.01)
        child.send_signal(signal.SIGTERM)
        return child.wait(PATIENCE)
    finally:
        child.kill()
        child.wait()


@pytest.fixture
def paper(monkeypatch) -> Paper:
    """A paper of two small systems."""
    table = Table("table 1", "two systems", SYSTEMS)
    paper = Paper("small", "Two systems", (table, Sheets("figure 2", "pictures", ("direct_conv",))))
    monkeypatch.setattr(book, "PAPERS", {"small": paper})
    monkeypatch.setattr(Experiments, "recipe", lambda lab, name: tiny(name, data__test=6))
    return paper


@pytest.fixture
def crashing(monkeypatch) -> list[str]:
    """The process of the CVAE crashes; the other system is trained here, which saves seconds."""
    begun, run = [], processes.run

    def crash(function, recipe, *rest):
        begun.append(recipe.name)
        return run(os._exit, 3) if recipe.name == "cvae" else function(recipe, *rest)

    monkeypatch.setattr(processes, "run", crash)
    return begun


def test_a_crash_has_its_row_and_the_next_system_is_trained(paper, crashing, tmp_path):
    workdir, output = tmp_path / "work", tmp_path / "pages"
    options = ["--paper=all", "--scale=smoke", f"--workdir={workdir}", f"--output={output}"]
    first = command("reproduce.py", *options)
    assert first.status == 1, first.err
    assert crashing == list(SYSTEMS)
    assert "cvae failed: its process ended with exit status 3" in first.err
    assert first.err.splitlines()[-1] == "Not complete: cvae; the pages have the reasons."
    assert first.out.split() == [
        str(output / "small.md"),
        str(output / "README.md"),
        str(workdir / "smoke" / "report.html"),
    ]
    text = (output / "small.md").read_text(encoding="utf-8")
    failed, trained, *classical = re.findall(
        r"^\| `(\w+)` +\| +(failed: [^|]+?|[\d.]+ \([^|]+\)) +\|", text, re.M
    )[:6]
    assert failed == ("cvae", "failed: its process ended with exit status 3")
    assert trained[0] == "direct_conv" and [name for name, _ in classical] == list(BASELINES)
    report = (workdir / "smoke" / "report.html").read_text(encoding="utf-8")
    assert report.count("<img ") == 3 and "exit status 3" in report
    assert sorted(file.name for file in (output / "figures").iterdir()) == ["small_table_1_bars.png"]

    # Nothing is made twice, and nothing is trained that shall not be.
    before = measured(workdir)
    again = command("reproduce.py", *options, "--notrain")
    assert again.status == 0 and crashing == list(SYSTEMS) and measured(workdir) == before
    assert again.err.splitlines()[-1] == "1 of 2 trainings are missing."
    assert re.search(r"\| `cvae` +\| +not trained \|", (output / "small.md").read_text(encoding="utf-8"))


def measured(workdir: Path) -> dict[str, tuple[int, bytes]]:
    """The measurements, with the time at which they were made."""
    folder = workdir / "smoke" / "evaluations"
    assert len(list(folder.glob("*/*/metrics.json"))) == 1 + len(BASELINES)
    return {name: ((folder / name).stat().st_mtime_ns, data) for name, data in contents(folder).items()}


def test_an_entry_alone_leaves_the_report_of_all_alone(paper, crashing, tmp_path):
    (tmp_path / "smoke").mkdir()
    (tmp_path / "smoke" / "report.html").write_text("of all", encoding="utf-8")
    options = ["--scale=smoke", f"--workdir={tmp_path}", "--notrain"]
    done = command("reproduce.py", "--paper=all", "--table=figure 2", *options)
    assert done.status == 0 and crashing == []  # it shall not be trained, and is not there
    assert (tmp_path / "smoke" / "report.html").read_text(encoding="utf-8") == "of all"
    assert done.out.split() == [
        str(tmp_path / "smoke" / "book" / "small_figure_2.md"),
        str(tmp_path / "smoke" / "small_figure_2.html"),
    ]
    report = (tmp_path / "smoke" / "small_figure_2.html").read_text(encoding="utf-8")
    assert "<code>direct_conv</code>: not trained" in report


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--paper=face_gam", ["`paper`", "Did you mean 'face_gan'?"]),
        ("--table=table 4.4", ["`table`", "Did you mean 'table 4."]),
        ("--scale=labtop", ["`scale`", "Did you mean 'laptop'?"]),
        ("--lpips_weights=nothing.npz", ["nothing.npz"]),
    ],
)
def test_mistakes_are_told_in_a_line(tmp_path, option, words):
    done = command("reproduce.py", "--paper=face_gan", option, f"--workdir={tmp_path / 'work'}")
    assert done.refuses(*words)
    assert not (tmp_path / "work").exists()


def test_pictures_are_kept_from_the_public_unless_said_otherwise():
    assert not Picture(Path("p.png"), "").public
