"""A training on a person's own masks: recorded, continued wherever they are, refused when they changed."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from running import command, contents, rows_of, tiny_flags

from inpainting_tf import runs
from inpainting_tf.data import mask_files
from inpainting_tf.evaluation.comparison import TestSet

PLACE = ("--workdir=run",)


def save(folder: Path, name: str, top: int, invert: bool = False) -> None:
    """A hole of 4 x 6 in 32 x 32 pixels."""
    missing = np.zeros((32, 32), bool)
    missing[top : top + 4, 8:14] = True
    folder.mkdir(exist_ok=True)
    Image.fromarray((missing != invert).astype(np.uint8) * 255).save(folder / name)


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder of masks, and a finished run that was trained with them and knows them by this place."""
    folder = tmp_path_factory.mktemp("own")
    for number in range(6):
        save(folder / "masks", f"face_{number:06d}.png", 4 * number)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        done = train()
    assert done.status == 0 and "holds another run" not in done.err, done.err
    return folder


def read(file: Path) -> dict:
    return json.loads(file.read_text(encoding="utf-8"))


def train(*flags: str):
    options = tiny_flags("direct_conv", schedule__epochs=1)
    return command("train.py", *options, *PLACE, *(flags or ("--mask=masks",)))


def test_the_runs_folder_says_which_masks(place):
    recipe, known = read(place / "run" / "recipe.json"), read(place / "run" / "data.json")
    expected = {"kind": "folder", "low": None, "high": None, "folder": str(place / "masks"), "invert": False}
    assert recipe["mask"] == {"train": expected, "test": expected}
    found = mask_files.load(place / "masks", (16, 16))
    assert known["masks"] == {"train": found.record(), "test": found.record()}
    assert known["masks"]["train"]["names"] == [f"face_{number:06d}.png" for number in range(6)]


def test_the_same_command_continues_where_the_masks_are_now(here):
    assert "already trained" in train().err
    (here / "masks").rename(here / "moved")
    done = train("--mask=moved")
    assert done.status == 0 and "already trained" in done.err, done.err
    assert train("--mask=masks").refuses("`mask` must be one of", "a folder of mask files", "'masks'")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda masks: (masks / "face_000002.png").unlink(), "Received 5 .*'face_000002.png' is gone"),
        (lambda masks: save(masks, "new.png", 3), "Received 7 .*'new.png' is new"),
        (lambda masks: save(masks, "face_000002.png", 3), "Received 6 .*their pixels have changed"),
    ],
)
def test_other_masks_are_refused_and_nothing_is_written(change, told, here):
    change(here / "masks")
    before = contents(here / "run")
    done = train()
    assert done.refuses("`mask` must be the 6 masks that this run was started with", "a new --workdir")
    assert contents(here / "run") == before
    assert re.search(told, done.err)


def test_drawn_holes_and_exchanged_colours_are_another_run(here):
    assert train("--mask=rectangle").refuses("holds another run: mask.test.")
    assert train("--mask=masks", "--invert_masks").refuses("another run: mask.test.invert is False there")


def test_a_run_is_measured_on_its_masks_paired_by_name(here, place):
    done = command("eval.py", "--workdir=run")
    assert done.status == 0, done.err
    metrics = read(here / "run" / "metrics.json")
    rows = rows_of(here / "run", "per_image.csv")
    known = {f"face_{number:06d}" for number in range(6)}
    paired = sum(row["name"] in known for row in rows)
    assert metrics["mask"]["folder"] == str(place / "masks")
    assert metrics["masks"] == {
        "files": 6,
        "paired": paired,
        "digest": mask_files.load(place / "masks", (16, 16)).digest,
    }
    assert f"6 masks of {place / 'masks'}. {paired} of the {len(rows)} pictures have the mask" in done.err


def test_masks_for_an_evaluation_alone(here):
    for number in range(6):
        save(here / "white", f"{number}.png", 4 * number, invert=True)
    options = ("--workdir=run", "--mask=white", "--invert_masks", "--output=white_is_known")
    assert command("eval.py", *options).status == 0
    shutil.copytree(here / "masks", here / "numbered")
    for number in range(6):
        (here / "numbered" / f"face_{number:06d}.png").rename(here / "numbered" / f"{number}.png")
    assert command("eval.py", *options[:1], "--mask=numbered", "--output=black_is_known").status == 0
    first, second = (rows_of(here / name, "per_image.csv") for name in ("white_is_known", "black_is_known"))
    assert [row["hole_psnr"] for row in first] == [row["hole_psnr"] for row in second]
    assert {row["missing"] for row in first} == {str(2 * 3 / 256)}, "half of each side"


def test_a_packed_run_has_no_path_of_its_masks(here, place):
    copy = runs.pack(runs.open_run("run"), "packed")
    assert str(place).encode() not in b"".join(contents(copy.folder).values())
    (here / "masks").rename(here / "mine")
    assert command("eval.py", "--workdir=packed").refuses("`mask` must be a folder", "'masks': no such")
    assert command("eval.py", "--workdir=packed", "--mask=mine", "--output=again").status == 0
    assert command("eval.py", "--workdir=run", "--output=first").status == 0
    first, again = (rows_of(here / name, "per_image.csv") for name in ("first", "again"))
    assert [row["missing"] for row in first] == [row["missing"] for row in again]


def test_a_test_set_takes_masks_and_the_exchange_of_their_colours(here):
    own = TestSet.of(runs.open_run(here / "run"))
    other = own.changed(mask="masks", invert_masks=True).mask
    assert (other.kind, other.folder, other.invert) == ("folder", str(here / "masks"), True)
    assert own.changed(mask="strokes").mask.folder is None
