"""Every picture of an evaluation as files, for programs that compare folders; no file of a user is lost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from running import command, contents, drawn_faces

from inpainting_tf import classical, data
from inpainting_tf.data import Data
from inpainting_tf.errors import InputError
from inpainting_tf.evaluation import comparison, pictures
from inpainting_tf.evaluation.comparison import TestSet
from inpainting_tf.ops import masks
from inpainting_tf.ops.images import to_float, to_uint8
from inpainting_tf.ops.masks import Mask

FACES = Data("synthetic_faces", 32, train=1, test=7)


@pytest.fixture(scope="module")
def options(tmp_path_factory) -> list[str]:
    """Those of an evaluation on a few pictures."""
    folder = tmp_path_factory.mktemp("data") / "faces"
    drawn_faces(folder, 10)
    return ["--dataset=folder", f"--data_dir={folder}", "--image_size=32"]


def compare(output: Path, *names: str, faces: Data = FACES) -> None:
    subjects = [comparison.of_baseline(name) for name in names or ("telea",)]
    comparison.compare(subjects, TestSet(faces, Mask()), output, batch_size=3, save_pictures=True)


def read(folder: Path) -> np.ndarray:
    """The PNG files of a folder in the order of their names, as FID's programs read them."""
    files = sorted(folder.glob("*.png"))
    assert len(files) == len(list(folder.iterdir()))
    return np.stack([np.asarray(Image.open(file)) for file in files])


def test_every_picture_is_saved_with_its_hole_fill_and_composite(tmp_path):
    compare(tmp_path)
    originals = data.load(FACES).test
    found = {name: read(tmp_path / "pictures" / name) for name in pictures.FOLDERS}
    np.testing.assert_array_equal(found["picture"], originals.images)
    holes = masks.fixed(Mask(), range(7), (32, 32))
    np.testing.assert_array_equal(found["hole"], 255 * holes[..., 0])
    known = to_float(originals.images) * (1 - holes)
    fill = to_uint8(classical.get("telea")(known, holes))
    np.testing.assert_array_equal(found["fill"], fill)
    np.testing.assert_array_equal(found["composite"], np.where(holes > 0, fill, originals.images))
    for folder in (tmp_path / "pictures").iterdir():
        assert sorted(path.name for path in folder.iterdir()) == [f"{name}.png" for name in originals.names]


def test_each_system_has_a_folder(options, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = command("eval.py", "--baseline=telea", "--baseline=mean_colour", *options, "--save_pictures")
    assert done.status == 0 and "pictures/ of each in a folder of its own" in done.out, done.err
    one, other = (tmp_path / "evaluations" / name / "pictures" for name in ("telea", "mean_colour"))
    assert len(read(one / "composite")) > 1
    assert (read(one / "picture") == read(other / "picture")).all()
    assert (read(one / "composite") != read(other / "composite")).any()


def test_without_the_flag_none_is_saved(options, tmp_path):
    done = command("eval.py", "--baseline=mean_colour", *options, f"--output={tmp_path}")
    assert done.status == 0 and not (tmp_path / "pictures").exists()


def test_those_of_an_earlier_evaluation_are_replaced(tmp_path):
    compare(tmp_path)
    (tmp_path / "pictures" / ".DS_Store").write_bytes(b"")
    compare(tmp_path, faces=Data("synthetic_faces", 32, train=1, test=2))
    assert len(read(tmp_path / "pictures" / "composite")) == 2


def test_an_evaluation_that_fails_leaves_those_of_the_earlier_one(tmp_path):
    compare(tmp_path)
    before = contents(tmp_path)

    def fill(images, holes):
        return images * np.float32(np.nan if len(images) == 1 else 1)  # the last of seven, three at a time

    with pytest.raises(InputError, match="finite"):
        comparison.compare(
            [comparison.Subject("broken", fill)],
            TestSet(FACES, Mask()),
            tmp_path,
            batch_size=3,
            save_pictures=True,
        )
    assert contents(tmp_path) == before


def test_a_folder_of_something_else_is_refused_and_kept(options, tmp_path):
    """`--output=.` beside a folder of one's own that is called pictures."""
    mine = tmp_path / "pictures" / "holiday.jpg"
    mine.parent.mkdir()
    mine.write_bytes(b"mine")
    done = command("eval.py", "--baseline=telea", *options, f"--output={tmp_path}", "--save_pictures")
    assert done.refuses("`save_pictures` must", "'holiday.jpg'", "choose another --output")
    assert contents(tmp_path) == {"pictures/holiday.jpg": b"mine"}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["000001.jpg", "a b/ï.PNG"], ["000001.png", "a b__ï.png"]),
        (["a.jpg", "b.png", "A.webp"], ["000000__a.png", "000001__b.png", "000002__A.png"]),
        (["x__y.jpg", "x/y.jpg"], ["000000__x__y.png", "000001__x__y.png"]),
        (["a.tfrecord-0-of-1__7", "a.tfrecord-0-of-1__8"], [f"a.tfrecord-0-of-1__{n}.png" for n in (7, 8)]),
        ([], []),
    ],
)
def test_files_are_named_after_the_pictures_and_differ_in_their_names(names, expected):
    assert pictures.file_names(names) == expected
