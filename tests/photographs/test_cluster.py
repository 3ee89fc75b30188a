"""Pictures repaired by several processes: nothing is lost or written twice, whatever ends."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from drawing import encoded, scene
from filling import POISON, build
from running import command, rows_of

from inpainting_tf import photographs, storage
from inpainting_tf.errors import InputError
from inpainting_tf.photographs import batches, cluster, far_folders
from inpainting_tf.photographs.far_folders import FarJob

SIZE = (24, 33)


@pytest.fixture(scope="module")
def ray():
    """Two processes of Ray, which all tests of this module use."""
    ray = pytest.importorskip("ray", reason="needs Ray")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield ray
    ray.shutdown()


def make(folder: Path, count: int, width: int = SIZE[1], first: int = 0) -> None:
    folder.mkdir(exist_ok=True)
    for number in range(first, first + count):
        picture, missing = scene((SIZE[0], width), number), np.zeros((SIZE[0], width), np.uint8)
        missing[6:14, number % 16 : number % 16 + 9] = 255
        kind = ("PNG", "JPEG", "WEBP")[number % 3]
        (folder / f"{number:02}.{kind.lower()}").write_bytes(encoded(picture, kind).getvalue())
        (folder / f"{number:02}_mask.png").write_bytes(encoded(missing, "PNG").getvalue())


def stamps(folder: Path) -> dict[str, tuple[int, int]]:
    return {file.name: (file.stat().st_ino, file.stat().st_mtime_ns) for file in folder.glob("[!.]*")}


# Mistakes


def test_mistakes_are_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call = "inpainting-tf repair-many"
    assert command(call, "--input=scans").refuses("--input and --output must name")
    both = ("--input=scans", "--output=out")
    assert command(call, *both).refuses("--input must be a glob or a folder of pictures", "'scans'")
    assert command(call, *both, "--format=gif").refuses("--format must be one of png")
    make(tmp_path / "scans", 1)
    assert command(call, *both, "--model=nosuch").refuses("nosuch")
    assert command(call, *both, "--blend=nosuch").refuses("`blend` must be one of")
    assert not (tmp_path / "out").exists()


def test_without_ray_the_command_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray.data", None)
    done = command("inpainting-tf repair-many", "--input=scans", "--output=out")
    assert done.refuses("ray.data is needed for this: pip install 'inpainting_tf[cluster]'")


def test_an_address_where_no_cluster_is():
    pytest.importorskip("ray.data", reason="needs Ray")
    jobs = [FarJob("a.png", (), "b.png")]
    for address in ("127.0.0.1:9", "ray://localhost:9", "nosuch"):
        with pytest.raises(InputError, match=f"--address must be .* Received '{address}': "):
            list(cluster.run(jobs, lambda: bright, cluster=cluster.Cluster(address)))


# Real processes


def kill_one(folder: Path) -> None:
    """Kills the newest of the processes that `build` noted in the folder; the poison may have ended some."""
    for noted in sorted(folder.glob("*.pid"), key=os.path.getmtime, reverse=True):
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(noted.stem), signal.SIGKILL)
            return
    raise AssertionError("no process is left")


@pytest.mark.slow
def test_whatever_ends_nothing_is_lost_and_nothing_is_written_twice(ray, tmp_path):
    """One picture ends each process that repairs it, and one process is killed."""
    scans, out, plain = (tmp_path / name for name in ("scans", "out", "plain"))
    make(scans, 24)
    (scans / "03.png").write_bytes((scans / "03.png").read_bytes()[:70])
    (scans / "04_mask.png").write_bytes(encoded(np.zeros(SIZE, np.uint8), "PNG").getvalue())
    make(scans, 1, POISON, first=24)
    plan = far_folders.plan(str(scans), None, str(out))
    seen, written = {}, {}
    for outcome in cluster.run(plan.jobs, functools.partial(build, tmp_path)):
        assert seen.setdefault(outcome.job.image, outcome) is outcome, "each once"
        if len(seen) == 8:
            written = stamps(out)
            kill_one(tmp_path)
    assert written and written.items() <= stamps(out).items(), "as they were"
    poison = seen.pop(str(scans / "24.png"))
    assert poison.status == "skipped"
    assert poison.reason == "the process that repaired it ended each time: does it have enough memory?"
    for name in ("24.png", "24_mask.png"):
        (scans / name).unlink()
    jobs = photographs.plan(scans, None, plain).jobs
    assert sorted(seen) == [str(job.image) for job in jobs]
    inpaint = build(tmp_path)
    for job in jobs:
        known = batches.attempt(job, lambda job: photographs.repair_file(job, inpaint))
        different = {"job": None, "seconds": None}
        far = seen[str(job.image)]
        assert dataclasses.replace(far, **different) == dataclasses.replace(known, **different)
    assert {each.name: each.read_bytes() for each in out.iterdir()} == {
        each.name: each.read_bytes() for each in plain.iterdir()
    }
    assert [each.status for each in seen.values()].count("skipped") == 2


@pytest.mark.slow
def test_the_command_repairs_what_inpaint_does_and_goes_on(ray, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "scans", 4)
    (tmp_path / "scans" / "02.webp").write_bytes(b"RIFF")
    (tmp_path / "scans" / "notes.txt").touch()
    flags = ("--model=faces", "--format=png", "--blend=none", "--grow=2")
    done = command("inpainting-tf repair-many", "--input=scans", "--output=out", "--report=many.csv", *flags)
    assert done.status == 1 and done.out == "Repaired 3 of 4 pictures: out\n"
    said = [line for line in done.err.splitlines() if line.startswith(("Skipped", "Left", f"  {tmp_path}"))]
    assert said[0] == "Skipped 1:" and "02.webp: `image` " in said[1] and "cannot be read" in said[1]
    assert said[2:] == ["Left out 1:", f"  {tmp_path}/scans/notes.txt: not called a picture"]
    assert command("inpaint", "--image=scans", "--output=plain", *flags, "--report=one.csv").status == 1
    for name in ("00.png", "01.png", "03.png"):
        assert Path("out", name).read_bytes() == Path("plain", name).read_bytes()
    many, one = (rows_of(tmp_path, name) for name in ("many.csv", "one.csv"))
    assert list(many[0]) == list(one[0])
    for row in many:
        (same,) = (each for each in one if Path(each["image"]).name == Path(row["image"]).name)
        assert (row["missing"], row["grown"]) == (same["missing"], same["grown"])
    before = stamps(tmp_path / "out")
    again = command("inpainting-tf repair-many", "--input=scans", "--output=out", *flags)
    assert again.out == "Repaired 0 of 4 pictures (3 were there already): out\n"
    assert stamps(tmp_path / "out") == before


# The stages, in this process


def staged(job: FarJob, inpaint, *, overwrite: bool = False) -> batches.Outcome:
    row = cluster._read({"image": job.image, "masks": list(job.masks), "output": job.output})
    row = cluster._Repairing(lambda: inpaint, photographs.Options())(row)
    return cluster._outcome(job, cluster._write(row, overwrite))


@pytest.fixture
def job(tmp_path) -> FarJob:
    """A job whose picture is here and whose output is in another storage."""
    make(tmp_path / "scans", 1)
    (found,) = far_folders.plan(f"{tmp_path}/scans", None, f"memory://{tmp_path.name}").jobs
    return found


def bright(image, mask, *, trust_rim):
    return np.where(mask[..., None] > 0, np.uint8(200), image)


def test_a_picture_goes_from_storage_to_storage(job):
    outcome = staged(job, bright)
    assert (outcome.status, outcome.reason, outcome.job) == ("repaired", "", job)
    assert 0 < outcome.missing < 1 and outcome.seconds > 0
    stored = photographs.read(storage._located(job.output)[0].open(job.output))
    assert (stored.rgb[7:13, 1:8] == 200).all() and (stored.rgb[16:] == scene(SIZE, 0)[16:]).all()


def test_what_is_there_is_written_again_only_if_asked(job):
    storage.write(job.output, b"of this run")
    assert staged(job, bright).status == "repaired"
    assert storage.read(job.output) == b"of this run"
    assert staged(job, bright, overwrite=True).status == "repaired"
    assert storage.read(job.output) != b"of this run"


def test_each_stage_fails_in_a_row(job):
    def broken(image, mask, *, trust_rim):
        raise MemoryError

    assert staged(job, broken).reason == "not enough memory for this picture and hole"
    absent = dataclasses.replace(job, masks=(f"{job.image}.none",))
    outcome = staged(absent, bright)
    assert outcome.status == "skipped" and "none' could not be read: " in outcome.reason
    file = dataclasses.replace(job, output=f"{job.image}/a.png")
    outcome = staged(file, bright)
    assert outcome.status == "skipped" and "could not be written" in outcome.reason
    assert not storage.exists(job.output)
