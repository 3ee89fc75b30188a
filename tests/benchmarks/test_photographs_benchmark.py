"""The benchmark of photographs, on two small drawn ones."""

from __future__ import annotations

import importlib
import json
import sys

import numpy as np
import pytest
from PIL import Image
from running import ROOT

from inpainting_tf.commands import cli
from inpainting_tf.data import synthetic_faces
from inpainting_tf.errors import InputError

sys.path.insert(0, str(ROOT / "benchmarks"))
photographs = importlib.import_module("photographs")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "pictures").mkdir()
    for index in range(2):
        picture = synthetic_faces.face(index, 96)
        picture = picture if picture.dtype == np.uint8 else np.uint8(255 * picture)
        Image.fromarray(picture).crop((0, 0, 96, 80)).save(tmp_path / "pictures" / f"{index}.png")
    return tmp_path


def measure(folder, *options):
    """Runs the benchmark on the pictures; returns its figures."""
    options = [f"--pictures={folder / 'pictures'}", f"--output={folder / 'out'}", *options]
    photographs.run(cli.parse(photographs, options))
    return json.loads((folder / "out" / "figures.json").read_text("utf-8"))["rows"]


def test_each_kind_has_a_row_for_each_fill_a_sheet_and_a_table(folder, capsys):
    rows = measure(folder, "--fill=telea", "--fill=mean_colour", "--kind=scratches", "--kind=block")
    assert [(row["holes"], row["fill"]) for row in rows] == [
        (kind, name) for kind in ("scratches", "block") for name in ("telea", "mean_colour")
    ]
    assert rows[0]["psnr"] > rows[1]["psnr"]  # Telea continues edges
    assert rows[2]["detail"] < 0.5 and len(rows[0]["swd"]) == 3  # and leaves a smudge
    table = capsys.readouterr().out
    assert table.count("`telea`") == 2 and f"{rows[2]['psnr']:.2f}" in table
    assert Image.open(folder / "out" / "block.png").width > 4 * photographs.SIDE


def test_own_masks_are_paired_by_name_and_white_is_missing(folder):
    (folder / "masks").mkdir()
    for index, value in enumerate((255, 0)):
        mask = np.full((40, 48), 255 - value, np.uint8)
        mask[10:20, 10:20] = value  # half the size of the picture
        Image.fromarray(mask).save(folder / "masks" / f"{index}.png")
    args = cli.parse(photographs, [f"--pictures={folder / 'pictures'}", f"--masks={folder / 'masks'}"])
    cases = photographs.cases(args, "own")
    assert [round(float(case.mask.mean()), 3) for case in cases] == [0.052, 0.948]
    assert cases[0].mask[20:40, 20:40].all() and (cases[0].damaged[30, 30] == 128).all()


def test_holes_do_not_depend_on_which_fills_are_measured_or_how_many_pictures(folder):
    args = [cli.parse(photographs, [f"--pictures={folder / 'pictures'}", f"--count={n}"]) for n in (1, 2)]
    one, two = (photographs.cases(each, "blob") for each in args)
    np.testing.assert_array_equal(one[0].mask, two[0].mask)
    assert not np.array_equal(two[0].mask, two[1].mask)


def test_wrong_flags_are_named(folder):
    for options, message in (
        (["--kind=lines", "--fill=telea"], "--kind must be of scratches, .*'lines'"),
        (["--fill=lama"], "'lama'"),
        ([f"--masks={folder}", "--fill=telea"], "--masks must hold a mask for each picture"),
    ):
        with pytest.raises(InputError, match=message):
            measure(folder, *options)
    with pytest.raises(InputError, match="--pictures must be a folder of photographs"):
        photographs.run(cli.parse(photographs, ["--output=x"]))
