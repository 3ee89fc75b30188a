"""Two systems of seconds, trained and measured once; each test works on a copy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from small_systems import SYSTEMS, small

from inpainting_tf import processes
from inpainting_tf.book import experiments
from inpainting_tf.book.experiments import Experiments


@pytest.fixture(autouse=True)
def small_recipes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Experiments, "recipe", small)


@pytest.fixture(scope="session")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all scales with both systems and two classical fills. Copy it before you change it."""
    workdir = tmp_path_factory.mktemp("book")
    lab = Experiments(workdir, "smoke")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Experiments, "recipe", small)
        for name in SYSTEMS:
            experiments._train(lab.recipe(name), lab.home / name, None)
            lab.evaluation(name)
        for name in ("telea", "biharmonic", "patchmatch", "navier_stokes"):
            lab.baseline(name, SYSTEMS[0])
    return workdir


@pytest.fixture
def lab(measured: Path, tmp_path: Path) -> Experiments:
    """The two systems, to do with as one likes."""
    return Experiments(shutil.copytree(measured, tmp_path / "book"), "smoke")


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Trains in this process, which saves seconds; the names of what was begun."""
    begun: list[str] = []

    def run(function, recipe, folder, place):
        begun.append(recipe.name)
        return function(recipe, folder, place)

    monkeypatch.setattr(processes, "run", run)
    return begun
