"""Atomic writing: what is read back, and what survives a failure."""

from __future__ import annotations

import csv
import errno
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from running import environment

from inpainting_tf import files
from inpainting_tf.errors import InputError


def names(folder) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_text_is_read_back_and_leaves_nothing_else(tmp_path):
    files.write_text(tmp_path / "new" / "folder" / "note.txt", "chåteau\n1\r\n")
    assert (tmp_path / "new" / "folder" / "note.txt").read_bytes() == "chåteau\n1\r\n".encode()
    assert names(tmp_path / "new" / "folder") == ["note.txt"]


def test_a_new_file_has_the_ordinary_permissions(tmp_path):
    files.write_text(tmp_path / "a.txt", "a")
    (tmp_path / "b.txt").write_text("b", encoding="utf-8")
    assert (tmp_path / "a.txt").stat().st_mode == (tmp_path / "b.txt").stat().st_mode


def test_json_takes_numpy_values(tmp_path):
    obj = {"psnr": np.float32(0.5), "size": np.array([32, 48]), "lpips": None, "images": np.int64(3)}
    files.write_json(tmp_path / "m.json", obj)
    assert json.loads((tmp_path / "m.json").read_text(encoding="utf-8")) == {
        "psnr": 0.5,
        "size": [32, 48],
        "lpips": None,
        "images": 3,
    }


@pytest.mark.parametrize("value, error", [(float("nan"), ValueError), ({1, 2}, TypeError)])
def test_what_is_not_json_keeps_the_old_file(tmp_path, value, error):
    files.write_json(tmp_path / "m.json", {"old": 1})
    with pytest.raises(error):
        files.write_json(tmp_path / "m.json", {"new": value})
    assert json.loads((tmp_path / "m.json").read_text(encoding="utf-8")) == {"old": 1}
    assert names(tmp_path) == ["m.json"]


def test_csv_has_the_union_of_the_columns_and_empty_cells(tmp_path):
    rows = [{"epoch": 1, "loss": 0.1}, {"epoch": 2, "phase": "joint, both", "loss": None}]
    files.write_csv(tmp_path / "h.csv", rows)
    with open(tmp_path / "h.csv", newline="", encoding="utf-8") as file:
        assert list(csv.DictReader(file)) == [
            {"epoch": "1", "loss": "0.1", "phase": ""},
            {"epoch": "2", "loss": "", "phase": "joint, both"},
        ]


def test_csv_numbers_keep_every_digit(tmp_path):
    files.write_csv(tmp_path / "h.csv", [{"loss": 0.1 + 0.2}])
    assert (tmp_path / "h.csv").read_text(encoding="utf-8") == "loss\n0.30000000000000004\n"


def test_an_undecodable_file_name_is_escaped(tmp_path):
    files.write_csv(tmp_path / "h.csv", [{"name": os.fsdecode(b"caf\xe9.png")}])
    assert (tmp_path / "h.csv").read_text(encoding="utf-8") == "name\ncaf\\udce9.png\n"


def test_the_temporary_file_keeps_the_ending_and_the_folder(tmp_path):
    with files.replacing(tmp_path / "model.keras") as temporary:
        assert temporary.suffix == ".keras"
        assert temporary.parent.samefile(tmp_path)
        assert temporary.name != "model.keras"
        temporary.write_bytes(b"weights")
        assert not (tmp_path / "model.keras").exists()
    assert (tmp_path / "model.keras").read_bytes() == b"weights"


def test_a_failure_in_the_block_keeps_the_old_file(tmp_path):
    (tmp_path / "a.txt").write_text("old", encoding="utf-8")
    with pytest.raises(ZeroDivisionError), files.replacing(tmp_path / "a.txt") as temporary:
        temporary.write_text("half of the ne", encoding="utf-8")
        _ = 1 / 0
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "old"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_keeps_the_old_file(tmp_path, monkeypatch, step):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (tmp_path / "a.txt").write_text("old", encoding="utf-8")
    monkeypatch.setattr(os, step, full)
    with pytest.raises(
        InputError, match=r"a\.txt' could not be written: No space left.*Free some space"
    ) as caught:
        files.write_text(tmp_path / "a.txt", "new")
    assert "\n" not in str(caught.value)
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_folder_is_not_replaced(tmp_path):
    with pytest.raises(InputError, match=r"Is a directory. Name a file"):
        files.write_text(tmp_path, "text")
    assert tmp_path.is_dir()


def test_a_file_in_the_place_of_a_folder(tmp_path):
    (tmp_path / "runs").write_text("not a folder", encoding="utf-8")
    with pytest.raises(InputError, match="choose another folder"):
        files.write_text(tmp_path / "runs" / "a" / "b.txt", "text")
    assert (tmp_path / "runs").read_text(encoding="utf-8") == "not a folder"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_device_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match=r"Not a regular file. Name an ordinary"):
        files.write_text(tmp_path / "pipe", "text")
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.skipif(getattr(os, "geteuid", lambda: 0)() == 0, reason="the administrator may write everywhere")
def test_a_folder_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match=r"Permission denied. Choose a folder you may write to"):
        files.write_text(tmp_path / "a.txt", "text")


def test_a_symbolic_link_is_followed(tmp_path):
    (tmp_path / "real.txt").write_text("old", encoding="utf-8")
    (tmp_path / "link.txt").symlink_to(tmp_path / "real.txt")
    files.write_text(tmp_path / "link.txt", "new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text(encoding="utf-8") == "new"


def test_a_real_write_failure_keeps_the_old_file(tmp_path, file_size_limit):
    files.write_text(tmp_path / "a.txt", "old")
    with file_size_limit(1000), pytest.raises(InputError, match=r"a\.txt' could not be written: File too"):
        files.write_text(tmp_path / "a.txt", "new" * 1000)
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "old"
    assert names(tmp_path) == ["a.txt"]


# Folders


def test_a_folder_appears_whole(tmp_path):
    target = tmp_path / "new" / "step-1"
    with files.replacing_folder(target) as temporary:
        assert temporary.parent.samefile(target.parent) and temporary.name.startswith(".writing-")
        (temporary / "a.txt").write_text("a", encoding="utf-8")
        (temporary / "b.txt").write_text("b", encoding="utf-8")
        assert not target.exists()
    assert names(tmp_path / "new") == ["step-1"]
    assert names(target) == ["a.txt", "b.txt"] and (target / "b.txt").read_text(encoding="utf-8") == "b"


def test_a_folder_is_replaced_not_merged(tmp_path):
    (tmp_path / "step-1").mkdir()
    (tmp_path / "step-1" / "old.txt").write_text("old", encoding="utf-8")
    with files.replacing_folder(tmp_path / "step-1") as temporary:
        (temporary / "new.txt").write_text("new", encoding="utf-8")
    assert names(tmp_path / "step-1") == ["new.txt"]


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_a_failure_in_the_block_keeps_the_old_folder(tmp_path, error):
    (tmp_path / "step-1").mkdir()
    (tmp_path / "step-1" / "old.txt").write_text("old", encoding="utf-8")
    with pytest.raises(error), files.replacing_folder(tmp_path / "step-1") as temporary:
        (temporary / "new.txt").write_text("half of the ne", encoding="utf-8")
        raise error
    assert names(tmp_path) == ["step-1"] and names(tmp_path / "step-1") == ["old.txt"]


@pytest.fixture
def old(tmp_path):
    """A folder that is going to be replaced."""
    (tmp_path / "step-1").mkdir()
    (tmp_path / "step-1" / "old.txt").write_text("old", encoding="utf-8")
    return tmp_path / "step-1"


def replace(folder) -> None:
    with files.replacing_folder(folder) as temporary:
        (temporary / "new.txt").write_text("new", encoding="utf-8")


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("error", [OSError(errno.EACCES, "Permission denied"), KeyboardInterrupt()])
def test_a_renaming_that_fails_keeps_the_old_folder(tmp_path, old, monkeypatch, number, error):
    calls, rename = [], os.replace

    def failing(*paths):
        calls.append(paths)
        if len(calls) == number:
            raise error
        rename(*paths)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises((InputError, KeyboardInterrupt)):
        replace(old)
    assert len(calls) >= number
    assert names(tmp_path) == ["step-1"] and names(old) == ["old.txt"]


def test_an_old_folder_that_cannot_be_removed_is_removed_the_next_time(tmp_path, old, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(files.shutil, "rmtree", lambda *_, **__: None)
        replace(old)
    assert names(old) == ["new.txt"] and names(tmp_path) == [".replaced-step-1", "step-1"]
    replace(old)
    assert names(old) == ["new.txt"] and names(tmp_path) == ["step-1"]


KILLED = """if True:
    import os, signal, sys
    from inpainting_tf import files
    calls, rename = [], os.replace
    def killing(*paths):
        calls.append(paths)
        if len(calls) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        rename(*paths)
    os.replace = killing
    with files.replacing_folder(sys.argv[1]) as temporary:
        (temporary / "new.txt").write_text("new", encoding="utf-8")
"""


def test_a_kill_between_the_renamings_loses_nothing(tmp_path, old):
    ended = subprocess.run([sys.executable, "-c", KILLED, str(old)], env=environment())
    assert ended.returncode == -signal.SIGKILL
    assert not old.exists()
    files.recover_folder(old)  # as a reader does
    assert names(old) == ["old.txt"] and ".replaced-step-1" not in names(tmp_path)
    subprocess.run([sys.executable, "-c", KILLED, str(old)], env=environment())
    with pytest.raises(ZeroDivisionError), files.replacing_folder(old, sweep=True):  # as a writer does
        raise ZeroDivisionError
    assert names(tmp_path) == ["step-1"] and names(old) == ["old.txt"]
    replace(old)
    assert names(tmp_path) == ["step-1"] and names(old) == ["new.txt"]


def test_a_folder_behind_a_link_is_replaced_where_it_is(tmp_path, old):
    (tmp_path / "link").symlink_to(old)
    replace(tmp_path / "link")
    assert (tmp_path / "link").is_symlink() and names(old) == ["new.txt"]


def test_a_file_is_not_replaced_by_a_folder(tmp_path):
    (tmp_path / "thesis").write_text("years of work", encoding="utf-8")
    with pytest.raises(InputError, match="choose another folder"):
        replace(tmp_path / "thesis")
    assert (tmp_path / "thesis").read_text(encoding="utf-8") == "years of work"


def test_a_full_disk_keeps_the_old_folder(tmp_path, file_size_limit):
    (tmp_path / "step-1").mkdir()
    (tmp_path / "step-1" / "old.txt").write_text("old", encoding="utf-8")
    with (
        file_size_limit(1000),
        pytest.raises(InputError, match=r"step-1' could not be written: File too large\. Raise") as caught,
        files.replacing_folder(tmp_path / "step-1") as temporary,
    ):
        (temporary / "new.txt").write_text("new" * 1000, encoding="utf-8")
    assert "\n" not in str(caught.value)
    assert names(tmp_path) == ["step-1"] and names(tmp_path / "step-1") == ["old.txt"]


def test_what_killed_processes_left_is_cleared_where_that_is_asked_for(tmp_path):
    (tmp_path / ".writing-0123456789ab").mkdir()
    (tmp_path / ".writing-0123456789ab" / "a.txt").write_text("half", encoding="utf-8")
    with files.replacing_folder(tmp_path / "step-1"):
        pass
    assert names(tmp_path) == [".writing-0123456789ab", "step-1"], "another process may be at work there"
    with files.replacing_folder(tmp_path / "step-1", sweep=True):
        pass
    assert names(tmp_path) == ["step-1"]


def test_a_folder_below_a_file(tmp_path):
    (tmp_path / "runs").write_text("not a folder", encoding="utf-8")
    with (
        pytest.raises(InputError, match="choose another folder"),
        files.replacing_folder(tmp_path / "runs" / "a"),
    ):
        pytest.fail("there is nowhere to write")
    assert (tmp_path / "runs").read_text(encoding="utf-8") == "not a folder"


def test_an_error_without_a_number_is_still_one_line():
    with (
        pytest.raises(InputError, match=r"'a' could not be written: Unable to write\. Check") as caught,
        files.writing("a"),
    ):
        raise OSError("Unable to write\n(file write failed: errno = 28, buf = 0x55)")
    assert "\n" not in str(caught.value)


def test_what_killed_processes_left_is_swept_once_it_is_old(tmp_path):
    old, young, other = ".0123456789ab.keras", ".ba9876543210.json", ".config"
    for name in (old, young, other, "a/.aaaaaaaaaaaa.npy"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("half", encoding="utf-8")
    for name in (old, other, "a/.aaaaaaaaaaaa.npy"):
        os.utime(tmp_path / name, (0, 0))
    files.sweep(tmp_path)
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()) == sorted(
        [young, other]
    )


def test_temporary_files_are_known_by_their_names(tmp_path):
    seen = []
    with files.replacing(tmp_path / "model.keras") as temporary:
        temporary.write_text("a", encoding="utf-8")
        seen.append(temporary)
    with files.replacing_folder(tmp_path / "folder") as temporary:
        seen.append(temporary)
    assert all(map(files.is_temporary, seen))
    assert not any(
        files.is_temporary(tmp_path / name) for name in ("model.keras", ".lock", ".replaced-a", ".abc")
    )
