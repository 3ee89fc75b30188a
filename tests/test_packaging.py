"""What the package declares about itself, and the benchmark that lies beside it."""

from __future__ import annotations

import ast
import configparser
import json
import re
import sys
from pathlib import Path

import pytest
from running import ROOT, command

import inpainting_tf

# Distributions that are imported by another name.
DISTRIBUTIONS = {
    "PIL": "pillow",
    "absl": "absl-py",
    "patchmatch": "pypatchmatch",
    "cv2": "opencv-contrib-python-headless",
    "jpegio": "pyjpegio",
    "skimage": "scikit-image",
}

# Extras that modules of the package import.
OPTIONAL = (
    "apps",
    "cluster",
    "heif",
    "jax",
    "litert",
    "onnx",
    "openvino",
    "pypatchmatch",
    "records",
    "serve",
)


def declared() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def requirements(lines: str) -> dict[str, str]:
    """{"numpy": ">=1.2", ...} of a list in setup.cfg, without its comments, extras and markers."""
    entries = [line.partition(";")[0] for line in lines.splitlines() if line and not line.startswith("#")]
    parts = [re.fullmatch(r"([\w-]+)(?:\[[\w,-]+\])?(.*)", entry).groups() for entry in entries]
    return {name.lower().replace("_", "-"): bound for name, bound in parts}


def imported(path: Path) -> set[str]:
    """The top-level names that a module imports, anywhere in it."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    calls = [node for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    names |= {ast.literal_eval(call.args[0]) for call in calls if call.func.attr == "needed"}
    return {name.partition(".")[0] for name in names}


def test_every_import_is_declared_and_every_declaration_imported():
    modules = (ROOT / "inpainting_tf").rglob("*.py")
    names = set().union(*map(imported, modules)) - set(sys.stdlib_module_names) - {"inpainting_tf"}
    needed = {DISTRIBUTIONS.get(name, name.lower().replace("_", "-")) for name in names}
    options, extras = declared()["options"], declared()["options.extras_require"]
    lists = [options["install_requires"], *(extras[name] for name in OPTIONAL)]
    assert needed == set().union(*(requirements(each) for each in lists))


def test_what_is_optional_is_there_for_the_tests():
    extras = declared()["options.extras_require"]
    tested = requirements(extras["test"])
    for name in OPTIONAL:
        assert requirements(extras[name]).items() <= tested.items()


def test_every_requirement_has_a_lower_bound():
    found = declared()
    lists = [found["options"]["install_requires"], *found["options.extras_require"].values()]
    for name, bound in requirements("\n".join(lists)).items():
        assert re.fullmatch(r">=\d+(\.\d+)+(,<\d+(\.\d+)*)?", bound), name


def test_what_jax_alone_needs_is_everything_but_tensorflow():
    usual = requirements(declared()["options"]["install_requires"])
    tensorflow = {"tensorflow", "tensorflow-datasets"}
    assert usual.keys() > tensorflow
    alone = {name: bound for name, bound in usual.items() if name not in tensorflow}
    jax = requirements(declared()["options.extras_require"]["jax"])
    assert requirements((ROOT / "requirements-jax.txt").read_text(encoding="utf-8")) == alone | jax


def test_what_repairing_alone_needs_is_part_of_the_usual():
    usual = requirements(declared()["options"]["install_requires"])
    alone = requirements((ROOT / "requirements-repair.txt").read_text(encoding="utf-8"))
    assert alone.items() < usual.items()


def test_what_serving_alone_needs_is_that_and_the_extra():
    alone, served = (
        requirements((ROOT / f"requirements-{name}.txt").read_text(encoding="utf-8"))
        for name in ("repair", "serve")
    )
    assert served == alone | requirements(declared()["options.extras_require"]["serve"])


def test_every_folder_of_modules_is_a_package():
    folders = {path.parent for path in (ROOT / "inpainting_tf").rglob("*.py")}
    assert all((folder / "__init__.py").is_file() for folder in folders)


def test_the_citation_is_of_this_version():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {inpainting_tf.__version__}\n" in citation


@pytest.mark.slow
def test_the_benchmark_of_the_training_step(tmp_path):
    output = tmp_path / "figures.json"
    size = ("--image_size=16", "--width=4", "--batch_size=2", "--steps=1", "--precision=off", "--phase=joint")
    done = command("benchmarks/train_step.py", *size, f"--output={output}")
    assert done.status == 0, done.err
    rows = json.loads(output.read_text(encoding="utf-8"))["rows"]
    assert [row["phase"] for row in rows] == ["joint"]
    for row in rows:
        assert row["first_loss"]["stock"] == pytest.approx(row["first_loss"]["fast"], rel=1e-4)
        assert row["ratio"] == pytest.approx(row["stock_seconds"] / row["fast_seconds"])
        assert f"| {row['phase']} | float32 |" in done.out
