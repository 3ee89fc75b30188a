"""The list of mutants: each still says what to break. (That the tests notice is for the script itself.)"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def mutants(monkeypatch):
    """The script as a module."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    monkeypatch.delitem(sys.modules, "mutants", raising=False)
    import mutants

    return mutants


def test_every_text_is_in_its_file_once_and_is_still_python_when_replaced(mutants):
    found = mutants.read()
    assert len(found) > 200
    for mutant in found:
        source = mutant.mutated()  # refuses a text that is not there once
        compile(source, mutant.file, "exec")
        assert source != (ROOT / mutant.file).read_text(encoding="utf-8"), mutant.about
    assert len({(mutant.file, mutant.about) for mutant in found}) == len(found)


def test_every_mutant_names_tests_that_exist(mutants):
    for mutant in mutants.read():
        places = mutant.tests.partition(" -")[0].split()
        assert places and all((ROOT / place).exists() for place in places), mutant.about


def test_a_text_that_is_gone_or_not_alone_is_refused(mutants):
    for text in ("no such line", "import"):
        with pytest.raises(ValueError, match=r"masks\.py must hold the text once, not"):
            mutants.Mutant("inpainting_tf/ops/masks.py", "tests", "", text, "").mutated()
