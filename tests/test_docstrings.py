"""The examples in the docstrings of the public entry points say what happens."""

from __future__ import annotations

import doctest

import pytest

import inpainting_tf
from inpainting_tf import classical, data, evaluation, recipes, runs, training
from inpainting_tf.inference import Engine
from inpainting_tf.inference.engines import served
from inpainting_tf.ops import masks

ENTRY_POINTS = {
    "load": inpainting_tf.load,
    "build": inpainting_tf.build,
    "inpaint": inpainting_tf.inpaint,
    "Inpainter": inpainting_tf.Inpainter,
    "Engine.fill": Engine.fill,
    "served.load": served.load,
    "data.add_holes": data.add_holes,
    "recipes.get": recipes.get,
    "runs.train": runs.train,
    "evaluation.evaluate": evaluation.evaluate,
    "classical.get": classical.get,
    "masks.fixed": masks.fixed,
    "training.MaskedMSE": training.MaskedMSE,
}


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_the_example_says_what_happens(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (example,) = doctest.DocTestFinder(recurse=False).find(ENTRY_POINTS[name], name, globs={})
    assert example.examples, f"{name} has no example"
    failures: list[str] = []
    doctest.DocTestRunner().run(example, out=failures.append)
    assert not failures, "".join(failures)
