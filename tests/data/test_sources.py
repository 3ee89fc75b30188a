"""Sources by their names, and those that are drawn."""

from __future__ import annotations

import numpy as np
import pytest
from grey import put

from inpainting_tf.data import decoding, sources
from inpainting_tf.errors import InputError

pytestmark = pytest.mark.usefixtures("nowhere")


# find


def test_every_source_is_found_by_its_name(tmp_path):
    put(tmp_path / "000001.jpg")
    for name in ("celeba", "folder"):
        source = sources.find(name, tmp_path)
        assert source.name == name and source.origin == str(tmp_path)
    assert sources.find("synthetic_faces").name == "synthetic_faces"


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(InputError, match=r"`dataset` must be one of celeba.*Did you mean 'celeba'\?"):
        sources.find("celebA")


# Generated faces


def test_synthetic_faces_come_at_any_size_and_are_the_generators():
    from inpainting_tf.data.synthetic_faces import face

    source = sources.synthetic_faces(count=12)
    assert len(source) == 12 and source.names[0] == "face_000000" and source.names[11] == "face_000011"
    np.testing.assert_array_equal(source.read(3, (32, 48)), face(3, (32, 48)))
    np.testing.assert_array_equal(source.read(3), face(3, 128))
    decoded = decoding.decode(source, [3, 1], (32, 48))
    np.testing.assert_array_equal(decoded.images, [face(3, (32, 48)), face(1, (32, 48))])


def test_synthetic_faces_have_no_folder(tmp_path):
    assert len(sources.find("synthetic_faces")) == 10_000
    with pytest.raises(InputError, match="`data_dir` must be None"):
        sources.find("synthetic_faces", tmp_path)
