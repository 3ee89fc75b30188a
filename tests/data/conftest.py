"""What the tests of data sets share: a machine without any, and one without a network."""

from __future__ import annotations

import socket

import pytest


@pytest.fixture
def nowhere(tmp_path_factory, monkeypatch):
    """No data set of this machine is found by chance."""
    for name in ("INPAINTING_DATA_DIR", "TFDS_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    empty = tmp_path_factory.mktemp("empty")
    monkeypatch.setenv("HOME", str(empty))
    monkeypatch.chdir(empty)


@pytest.fixture
def attempts(monkeypatch):
    """The calls that would have gone to the network: each fails, and is kept for those who swallow errors."""
    made = []

    def refuse(*args, **_):
        made.append(args)
        raise OSError("This test has no network.")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    return made
