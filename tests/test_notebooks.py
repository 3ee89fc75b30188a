"""The Colab notebooks, run from top to bottom at a size of seconds."""

from __future__ import annotations

import ast
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from PIL import Image
from running import PATIENCE, ROOT, TINY, environment

COLAB = ROOT / "colab"
NOTEBOOKS = sorted(path.stem for path in COLAB.glob("*.ipynb"))
SMALL = {
    "train": {"PRESET": "smoke", "CHANGES": TINY},
    "table": {
        "PRESET": "smoke",
        "CHANGES": TINY | {"schedule.epochs": 1},
        "MODELS": ("glcic", "one_autoencoder"),
    },
    "repair": {},
}


def executed(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, **parameters
) -> list[nbformat.NotebookNode]:
    """The notebook's cells after a run in `folder`, with other values in its cell tagged "parameters"."""
    for variable, value in environment().items():
        monkeypatch.setenv(variable, value)
    notebook = nbformat.read(COLAB / f"{name}.ipynb", as_version=4)
    (settings,) = (cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", []))
    names = {
        target.id
        for node in ast.walk(ast.parse(settings.source))
        for target in getattr(node, "targets", [])
        for target in ast.walk(target)
        if isinstance(target, ast.Name)
    }
    assert parameters.keys() <= names, "a parameter that the notebook does not know"
    settings.source += "".join(f"\n{key} = {value!r}" for key, value in parameters.items())
    NotebookClient(notebook, timeout=PATIENCE, resources={"metadata": {"path": str(folder)}}).execute()
    return notebook.cells


def shown(cells: list[nbformat.NotebookNode], kind: str) -> list[str]:
    """What the cells displayed of a MIME type."""
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return [output.data[kind] for output in outputs if kind in output.get("data", {})]


def test_every_notebook_is_run_here():
    assert set(NOTEBOOKS) == set(SMALL) and len(NOTEBOOKS) == 3


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebooks_are_kept_without_results_and_define_nothing(name):
    notebook = nbformat.read(COLAB / f"{name}.ipynb", as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert "%pip install" in code[0].source, "the first cell installs"
    trees = [ast.parse(cell.source) for cell in code[1:]]
    kinds = (ast.FunctionDef, ast.ClassDef, ast.Lambda)
    assert not any(isinstance(node, kinds) for tree in trees for node in ast.walk(tree))


@pytest.mark.slow
def test_training_a_small_model(tmp_path, monkeypatch):
    cells = executed("train", tmp_path, monkeypatch, **SMALL["train"])
    assert (tmp_path / "runs/demo/model.keras").is_file()
    assert len(shown(cells, "image/png")) == 3
    (table,) = shown(cells, "text/markdown")
    assert all(name in table for name in ("demo", "telea", "biharmonic"))


@pytest.mark.slow
def test_reproducing_a_table(tmp_path, monkeypatch):
    cells = executed("table", tmp_path, monkeypatch, **SMALL["table"])
    ours, printed = shown(cells, "text/markdown")
    assert all(name in ours for name in ("glcic", "one_autoencoder", "navier_stokes"))
    assert "| glcic | 17.09 | 0.84 |" in printed and "| one_autoencoder | 31.86 | 0.89 |" in printed
    assert len(shown(cells, "image/png")) == 2


@pytest.mark.slow
def test_repairing_a_photograph(tmp_path, monkeypatch, trained):
    photograph = np.random.default_rng(0).integers(0, 256, (40, 52, 3), np.uint8)
    mask = np.zeros((40, 52), np.uint8)
    mask[10:20, 20:27] = 255
    Image.fromarray(photograph).save(tmp_path / "photograph.png")
    Image.fromarray(mask).save(tmp_path / "mask.png")
    files = {"PHOTOGRAPH": "photograph.png", "MASK": "mask.png", "MODEL": str(trained)}
    cells = executed("repair", tmp_path, monkeypatch, **files)
    with Image.open(tmp_path / "repaired.png") as repaired:
        filled = np.asarray(repaired)
    changed = (filled != photograph).any(axis=-1)
    assert not changed[mask == 0].any() and changed[mask > 0].mean() > 0.9
    assert len(shown(cells, "image/png")) == 1
