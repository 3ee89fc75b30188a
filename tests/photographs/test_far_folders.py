"""Pictures by addresses, on this machine and in other storage: which are repaired, and where to."""

from __future__ import annotations

import os

import pytest

from inpainting_tf import storage
from inpainting_tf.errors import InputError
from inpainting_tf.photographs import far_folders, folders


def fill(place: str, *names: str) -> None:
    for name in names:
        storage.write(f"{place}/{name}", name.encode())


def planned(place, pictures="scans", mask=None, output="out", **options):
    """(picture, masks, output) of each job, relative to the place."""
    whole = None if mask is None else f"{place}/{mask}"
    plan = far_folders.plan(f"{place}/{pictures}", whole, f"{place}/{output}", **options)
    start = len(storage.absolute(place)) + 1

    def rows(jobs):
        return [
            (job.image[start:], " ".join(each[start:] for each in job.masks), job.output[start:])
            for job in jobs
        ]

    return (
        rows(plan.jobs),
        rows(plan.kept),
        {name[start:]: reason for name, reason in plan.left_out.items()},
    )


def test_masks_beside_in_all_folders_which_the_output_mirrors(place):
    fill(
        place, "scans/a.png", "scans/a_mask.png", "scans/b/a.gif", "scans/b/a_mask001.png", "scans/notes.txt"
    )
    jobs, kept, left_out = planned(place)
    assert jobs == [
        ("scans/a.png", "scans/a_mask.png", "out/a.png"),
        ("scans/b/a.gif", "scans/b/a_mask001.png", "out/b/a.png"),
    ]
    assert kept == [] and left_out == {"scans/notes.txt": "not called a picture"}


def test_masks_of_a_folder_that_mirrors_the_pictures_or_does_not(place):
    fill(place, "scans/a.png", "scans/b/a.jpg", "scans/c/d.jpg", "scans/c/e.jpg")
    fill(place, "masks/a.png", "masks/b/a.webp", "masks/d.PNG")
    jobs, _, _ = planned(place, mask="masks", ending="bmp")
    assert jobs == [
        ("scans/a.png", "masks/a.png", "out/a.bmp"),
        ("scans/b/a.jpg", "masks/b/a.webp", "out/b/a.bmp"),
        ("scans/c/d.jpg", "masks/d.PNG", "out/c/d.bmp"),
        ("scans/c/e.jpg", "masks/e.png", "out/c/e.bmp"),  # is not there: a row of the report
    ]


def test_a_glob_and_one_mask_for_all(place):
    fill(place, "scans/mask.png", "scans/b.jpg", "scans/deep/c.png", "scans/deep/d.png")
    jobs, _, left_out = planned(place, "scans/**/*.png", "scans/mask.png")
    assert jobs == [
        ("scans/deep/c.png", "scans/mask.png", "out/deep/c.png"),
        ("scans/deep/d.png", "scans/mask.png", "out/deep/d.png"),
    ]
    assert left_out == {"scans/mask.png": "the mask"}
    jobs, _, _ = planned(place, "scans/deep/c.png", "scans/mask.png")
    assert jobs == [("scans/deep/c.png", "scans/mask.png", "out/c.png")]


def test_what_is_there_is_kept_and_what_was_written_is_no_picture(place):
    fill(place, "scans/a.png", "scans/b.png", "scans/out/a.png", "scans/.hidden.png")
    jobs, kept, _ = planned(place, output="scans/out")
    assert (jobs, kept) == (
        [("scans/b.png", "", "scans/out/b.png")],
        [("scans/a.png", "", "scans/out/a.png")],
    )
    jobs, kept, _ = planned(place, output="scans/out", overwrite=True)
    assert [job[0] for job in jobs] == ["scans/a.png", "scans/b.png"] and kept == []


def test_mistakes(place):
    fill(place, "scans/a.png", "scans/a.jpg", "empty/notes.txt")
    with pytest.raises(InputError, match=r"out/a.png' would be written for both .*a.jpg' and .*a.png'"):
        planned(place, ending="png")
    for nothing in ("empty", "nowhere", "scans/*.webp"):
        with pytest.raises(InputError, match=rf"--input must be .* Received '.*{nothing[-4:]}': none there"):
            planned(place, nothing)


def test_the_plan_is_that_of_a_folder(tmp_path):
    names = ("x.jpg", "x_mask.png", "x_mask001.PNG", "y.tif", "lonely_mask.png", "z.gif", "z_mask.png")
    fill(tmp_path.as_posix(), *(f"scans/{name}" for name in names))
    near = folders.plan(tmp_path / "scans", None, tmp_path / "out")
    far = far_folders.plan(f"{tmp_path}/scans", None, f"{tmp_path}/out")
    told = [(str(job.image), tuple(map(str, job.masks)), str(job.output)) for job in near.jobs]
    assert [(job.image, job.masks, job.output) for job in far.jobs] == told and len(told) == 4


def test_a_folder_whose_name_looks_like_a_glob(tmp_path):
    fill(tmp_path.as_posix(), "scans[1]/a.png")
    assert planned(tmp_path.as_posix(), "scans[1]")[0] == [("scans[1]/a.png", "", "out/a.png")]


def test_what_a_killed_process_left_is_removed(tmp_path):
    fill(tmp_path.as_posix(), "scans/a.png", "out/b.png")
    left = tmp_path / "out" / ".0123456789ab.png"
    left.write_bytes(b"half")
    os.utime(left, (1, 1))
    planned(tmp_path.as_posix())
    assert not left.exists() and (tmp_path / "out" / "b.png").exists()
