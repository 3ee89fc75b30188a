"""Files by their addresses: a folder of this machine, and another file system."""

from __future__ import annotations

import os
from pathlib import Path

import fsspec
import pytest

from inpainting_tf import storage
from inpainting_tf.errors import InputError


class Unreachable(fsspec.AbstractFileSystem):
    """A file system without a connection, with an error of its own that has many lines."""

    protocol = "unreachable"

    def info(self, path, **kwargs):
        raise LookupError("No credentials.\nSee the manual.")

    ls = makedirs = exists = cat_file = pipe_file = _open = info


@pytest.fixture
def unreachable() -> str:
    fsspec.register_implementation("unreachable", Unreachable, clobber=True)
    return "unreachable://bucket/a"


def test_bytes_are_written_as_they_are_and_replaced(place):
    for data in (b"\x00old", b"newer"):
        storage.write(f"{place}/a/b.bin", data)
        assert storage.read(f"{place}/a/b.bin") == data
    assert storage.read(f"{place}/a/b.bin", 1, 3) == b"ew"
    assert storage.exists(f"{place}/a/b.bin") and not storage.exists(f"{place}/a/c.bin")
    assert storage.names_in(f"{place}/a") == ["b.bin"] and storage.names_in(f"{place}/no") == []


def test_a_file_is_written_in_parts(place):
    with storage.writing(f"{place}/b.bin") as file:
        file.write(b"one")
        file.write(b"two")
    assert storage.read(f"{place}/b.bin") == b"onetwo"


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path, file_size_limit):
    path = tmp_path / "a.bin"
    storage.write(path, b"old")
    with file_size_limit(1000), pytest.raises(InputError, match="could not be written: File too large"):
        storage.write(path, bytes(5000))
    assert storage.read(path) == b"old" and storage.names_in(tmp_path) == ["a.bin"]
    with (
        file_size_limit(1000),
        pytest.raises(InputError, match="part' could not be written: File too large"),
        storage.writing(tmp_path / "part") as file,
    ):
        file.write(bytes(5000))


def test_only_an_empty_folder_is_free(place):
    storage.require_free(place)
    storage.write(f"{place}/a", b"")
    with pytest.raises(InputError, match=f"must be a new or an empty folder. Received '{place}'"):
        storage.require_free(place)
    with pytest.raises(InputError, match=f"'{place}/a/b' could not be written"):
        storage.write(f"{place}/a/b", b"")


def test_a_path_is_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for path in ("a/../b", "./b/", Path("b"), "~/b", f"file://{tmp_path}/b"):
        assert storage.absolute(path) == f"{tmp_path}/b".replace(os.sep, "/")
    assert storage.absolute("memory://a/b/") == "memory:///a/b"


@pytest.mark.parametrize("address", ["nosuch://bucket/a", "s4://x"])
def test_an_unknown_protocol_is_one_line(address):
    with pytest.raises(InputError, match=f"'{address}' could not be reached: Protocol not known: "):
        storage.files_of(address)


CALLS = {
    "reached": (storage.base, storage.is_folder, storage.files_of, storage.names_in, storage.exists),
    "read": (storage.read,),
    "written": (lambda address: storage.write(address, b""), storage.require_free),
}


@pytest.mark.parametrize("done", CALLS)
def test_an_error_of_a_file_system_is_one_line(done, unreachable):
    for call in CALLS[done]:
        with pytest.raises(InputError) as told:
            call(unreachable)
        assert str(told.value) == f"'{unreachable}' could not be {done}: No credentials."


def test_a_file_that_is_not_there(place):
    with pytest.raises(InputError, match=f"'{place}/none' could not be read: "):
        storage.read(f"{place}/none")
