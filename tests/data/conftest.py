"""What the tests of data sets share: a machine without any, and one without a network."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from faces import CELEBA, WANTED
from PIL import Image

from inpainting_tf import data
from inpainting_tf.data import Dataset, synthetic_faces


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


@pytest.fixture(scope="session")
def drawn() -> Dataset:
    return data.load(WANTED)


@pytest.fixture(scope="session")
def celeba(tmp_path_factory) -> Path:
    """000001.jpg ... 000017.jpg, higher than wide; one that a split takes is not a picture."""
    place = tmp_path_factory.mktemp("celeba")
    for number in range(1, 18):
        face = Image.fromarray(synthetic_faces.face(number, 40)[:, :34])
        face.save(place / f"{number:06d}.jpg", quality=95)
    bad = data.split(sorted(path.name for path in place.iterdir()), CELEBA)["train"][4]
    (place / bad).write_text("This is not a picture.", encoding="utf-8")
    return place
