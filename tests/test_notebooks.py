"""The Colab notebooks, run from top to bottom at a size of seconds.

As in Colab: in a clone whose parent folder is on Python's path, in an environment without the package, which
the first cell installs.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from PIL import Image
from running import PATIENCE, ROOT, SHALLOW, TINY, environment

COLAB = ROOT / "colab"
NOTEBOOKS = sorted(path.stem for path in COLAB.glob("*.ipynb"))
SMALL = {
    "train": {"PRESET": "smoke", "CHANGES": SHALLOW | TINY},
    "table": {
        "PRESET": "smoke",
        "CHANGES": SHALLOW | TINY | {"schedule.epochs": 1},
        "MODELS": ("glcic", "one_autoencoder"),
    },
    "repair": {},
}


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Path:
    """A copy of the project in a folder whose name has a space."""
    if not all(map(importlib.util.find_spec, ("pip", "setuptools"))):
        pytest.skip("pip and setuptools, which install the package, are not installed")
    folder = tmp_path_factory.mktemp("clones") / "my drive" / "inpainting_tf"
    for name in ("inpainting_tf", "colab"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture(scope="module")
def fresh(tmp_path_factory) -> Path:
    """The folder of an environment that has all requirements, but not the package; its kernel is "fresh"."""
    folder = tmp_path_factory.mktemp("fresh")
    windows = os.name == "nt"
    venv.create(folder, symlinks=not windows)
    python = folder / ("Scripts" if windows else "bin") / "python"
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = subprocess.run([python, "-c", ask], capture_output=True, encoding="utf-8", check=True).stdout
    shared = [entry for entry in sys.path if Path(entry).name in ("site-packages", "dist-packages")]
    # A path file that is itself found through one is not read: of an editable package nothing is seen.
    Path(packages.strip(), "shared.pth").write_text("\n".join(shared), encoding="utf-8")
    kernel = folder / "share" / "jupyter" / "kernels" / "fresh" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    start = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    kernel.write_text(json.dumps({"argv": start, "display_name": "fresh", "language": "python"}), "utf-8")
    return folder


@pytest.fixture
def executed(clone, fresh, monkeypatch):
    """`executed(name, **parameters)` runs a notebook, with other values in its cell tagged "parameters"."""
    offline = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0"}  # 0: without it
    place = {"PYTHONPATH": str(clone.parent), "JUPYTER_PATH": str(fresh / "share" / "jupyter")}
    for variable, value in {**environment(), **offline, **place}.items():
        monkeypatch.setenv(variable, value)

    def run(name: str, **parameters) -> list[nbformat.NotebookNode]:
        notebook = with_parameters(nbformat.read(clone / "colab" / f"{name}.ipynb", as_version=4), parameters)
        where = "import inpainting_tf\nprint(inpainting_tf.__file__)"
        notebook.cells.append(nbformat.v4.new_code_cell(where))
        resources = {"metadata": {"path": str(clone / "colab")}}
        NotebookClient(notebook, timeout=PATIENCE, kernel_name="fresh", resources=resources).execute()
        *cells, last = notebook.cells
        assert Path(last.outputs[0].text.strip()).is_relative_to(fresh), "what the first cell has installed"
        return cells

    return run


def with_parameters(notebook: nbformat.NotebookNode, parameters: dict) -> nbformat.NotebookNode:
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
    return notebook


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
def test_training_a_small_model(executed, clone):
    cells = executed("train", **SMALL["train"])
    assert (clone / "colab" / "runs" / "demo" / "model.keras").is_file()
    assert len(shown(cells, "image/png")) == 3
    (table,) = shown(cells, "text/markdown")
    assert all(name in table for name in ("demo", "telea", "biharmonic"))


@pytest.mark.slow
def test_reproducing_a_table(executed):
    cells = executed("table", **SMALL["table"])
    ours, printed = shown(cells, "text/markdown")
    assert all(name in ours for name in ("glcic", "one_autoencoder", "navier_stokes"))
    assert "| glcic | 17.09 | 0.84 |" in printed and "| one_autoencoder | 31.86 | 0.89 |" in printed
    assert len(shown(cells, "image/png")) == 2


@pytest.mark.slow
def test_repairing_a_photograph(executed, tmp_path, trained):
    photograph = np.random.default_rng(0).integers(0, 256, (40, 52, 3), np.uint8)
    mask = np.zeros((40, 52), np.uint8)
    mask[10:20, 20:27] = 255
    files = {name: str(tmp_path / f"{name.lower()}.png") for name in ("PHOTOGRAPH", "MASK", "OUTPUT")}
    Image.fromarray(photograph).save(files["PHOTOGRAPH"])
    Image.fromarray(mask).save(files["MASK"])
    cells = executed("repair", MODEL=str(trained), **files)
    with Image.open(files["OUTPUT"]) as repaired:
        filled = np.asarray(repaired)
    changed = (filled != photograph).any(axis=-1)
    assert not changed[mask == 0].any() and changed[mask > 0].mean() > 0.9
    assert len(shown(cells, "image/png")) == 1
