"""Which files of a folder are pictures, which are masks, and what is written where."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from drawing import colours, encoded, save

from inpainting_tf import photographs
from inpainting_tf.errors import InputError


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A function that makes files, with some picture in each, below the working folder."""
    monkeypatch.chdir(tmp_path)

    def make(*names: str) -> None:
        for name in names:
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_bytes(encoded(colours(), "PNG").getvalue())

    return make


def planned(image="scans", mask=None, output="out", **options):
    return photographs.plan(Path(image), Path(mask) if mask else None, Path(output), **options)


def rows(plan):
    """(picture, masks, output) of each job, as text."""
    return [
        (job.image.as_posix(), " ".join(mask.as_posix() for mask in job.masks), job.output.as_posix())
        for job in plan.jobs
    ]


def test_masks_beside_their_pictures_are_no_pictures(place):
    place("scans/photo.png", "scans/photo_mask.png", "scans/photo_mask001.PNG", "scans/other.jpg")
    place("scans/lonely_mask.png")
    assert rows(planned()) == [
        ("scans/lonely_mask.png", "", "out/lonely_mask.png"),  # of no picture here
        ("scans/other.jpg", "", "out/other.jpg"),
        ("scans/photo.png", "scans/photo_mask.png scans/photo_mask001.PNG", "out/photo.png"),
    ]


def test_a_picture_alone_has_its_masks_beside_it_too(place):
    place("photo.png", "photo_mask.png", "photograph_mask.png")
    assert rows(planned("photo.png", output="b.png")) == [("photo.png", "photo_mask.png", "b.png")]
    assert rows(planned("photo.png", "other.png", "b.png")) == [("photo.png", "other.png", "b.png")]


def test_masks_of_a_folder_by_name_whatever_their_endings_case(place):
    place("scans/a.jpg", "scans/b.jpg", "scans/c.jpg", "masks/a.PNG", "masks/b.Tif", "masks/b_mask.png")
    assert rows(planned(mask="masks")) == [
        ("scans/a.jpg", "masks/a.PNG", "out/a.jpg"),
        ("scans/b.jpg", "masks/b_mask.png", "out/b.jpg"),
        ("scans/c.jpg", "masks/c.png", "out/c.jpg"),  # there is none: told when it is read
    ]
    assert photographs.mask_file(Path("masks"), "a.jpg") == Path("masks/a.PNG")


def test_what_is_left_out_is_named_with_the_reason(place):
    place("scans/photo.png", "scans/photo_mask.png", "scans/mask.png", "scans/.hidden.png")
    Path("scans/notes.txt").write_text("not a picture", encoding="utf-8")
    plan = planned(mask="scans/mask.png")
    assert [job.image.name for job in plan.jobs] == ["photo.png"]
    assert {file.name: reason for file, reason in plan.left_out.items()} == {
        "notes.txt": "not a picture",
        "photo_mask.png": "a mask of photo.png",
    }
    assert "photo_mask.png" not in {file.name for file in planned().left_out}, "it is used"


def test_pictures_are_known_by_their_content(place):
    place("scans/a.jfif", "scans/b.dat", "scans/c", "scans/d.gif")
    Path("scans/c").write_bytes(encoded(colours(), "JPEG").getvalue())
    assert [row[2] for row in rows(planned())] == ["out/a.jfif", "out/b.png", "out/c.jpg", "out/d.png"]
    assert [row[2] for row in rows(planned(ending="webp"))][-1] == "out/d.webp"


def test_folders_in_the_folder_are_mirrored(place):
    place("scans/a.png", "scans/deep/er/a.png", "scans/deep/b.png", "scans/.git/c.png", "scans/out/a.png")
    place("scans/masks/deep/b.png", "scans/masks/a.png")
    assert rows(planned(output="scans/out", mask="scans/masks")) == [
        ("scans/a.png", "scans/masks/a.png", "scans/out/a.png")
    ]
    assert rows(planned(output="scans/out", mask="scans/masks", recursive=True)) == [
        ("scans/a.png", "scans/masks/a.png", "scans/out/a.png"),
        ("scans/deep/b.png", "scans/masks/deep/b.png", "scans/out/deep/b.png"),
        ("scans/deep/er/a.png", "scans/masks/a.png", "scans/out/deep/er/a.png"),
    ]


def test_two_jobs_for_one_file_are_found(place):
    place("scans/a.jpg", "scans/a.png")
    with pytest.raises(InputError, match=r"'out/a\.png' would be written for both 'a\.jpg' and 'a\.png'"):
        planned(ending="png")
    assert len(planned().jobs) == 2


def test_nothing_writes_over_a_mask(place):
    place("scans/a.jpg", "masks/a.jpg")
    with pytest.raises(InputError, match=r"'masks/a\.jpg' is the mask of 'a\.jpg'"):
        planned(mask="masks", output="masks")


def test_a_picture_may_be_replaced_by_itself(place):
    place("scans/a.png")
    assert rows(planned(output="scans")) == [("scans/a.png", "", "scans/a.png")]


def test_an_empty_folder_and_a_file_as_output(place):
    place("scans/a.png")
    Path("empty").mkdir()
    with pytest.raises(InputError, match="none in it"):
        planned("empty")
    with pytest.raises(InputError, match="--output must be a folder"):
        planned(output="scans/a.png")


def test_the_masks_of_a_picture_are_one_hole(tmp_path):
    first, second = (np.zeros((32, 48), np.uint8) for _ in range(2))
    first[2:5, 3:9], second[20:25, 30:33] = 255, 255
    files = [save(tmp_path / f"{number}.png", mask) for number, mask in enumerate((first, second))]
    np.testing.assert_array_equal(photographs.read_masks(files, (32, 48)) > 0, (first + second) > 0)
