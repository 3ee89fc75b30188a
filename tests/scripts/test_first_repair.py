"""The first picture of `make demo`: before and after, of drawn examples."""

from __future__ import annotations

import importlib
import sys

import numpy as np
from PIL import Image
from running import ROOT, lively

from inpainting_tf.apps import examples
from inpainting_tf.commands import cli

sys.path.insert(0, str(ROOT / "scripts"))
first_repair = importlib.import_module("first_repair")


def test_a_row_for_each_example_and_what_is_to_go_is_gone(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("inpainting_tf.load", lambda name: lively())
    monkeypatch.setattr(first_repair, "EXAMPLES", ("kite",))
    first_repair.run(cli.parse(first_repair, [f"--output={tmp_path / 'new' / 'first.png'}"]))
    assert capsys.readouterr().out == f"Repaired 1 drawn pictures: {tmp_path / 'new' / 'first.png'}\n"
    shown = np.asarray(Image.open(tmp_path / "new" / "first.png").convert("RGB"))
    assert shown.shape[1] > 3 * first_repair.SIDE
    red = (shown[..., 0] > 180) & (shown[..., 1:].max(axis=-1) < 90)  # the kite
    columns = np.array_split(red, 3, axis=1)
    assert columns[0].sum() > 1000 and columns[1].sum() < 50 and columns[2].sum() < 50
    assert examples.get("kite").draw()[0].shape[1] > first_repair.SIDE, "it is cut, not squeezed"
