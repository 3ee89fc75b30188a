"""The installed programs: which commands there are, their help, and what they are called in what they say."""

from __future__ import annotations

import inspect
import json
import re
import sys
from pathlib import Path

import pytest
from absl import flags
from running import PROGRAMS, ROOT, command, python
from test_packaging import declared

from inpainting_tf import classical, models
from inpainting_tf.commands import cli, main

CALLS = ["inpaint", *(f"inpainting-tf {name}" for name in main.COMMANDS)]


def module(call: str) -> cli.Command:
    """The command behind a call."""
    return main._module(call.split()[-1])


def test_the_programs_are_installed():
    scripts = declared()["options.entry_points"]["console_scripts"].split("\n")
    found = dict(re.split(r"\s*=\s*", line) for line in scripts if line)
    expected = {name: f"{each.__module__}:{each.__name__}" for name, each in PROGRAMS.items()}
    assert found == expected


# What importing costs


IMPORTS = """
import importlib, json, pkgutil, sys
from absl import flags
import inpainting_tf
for found in pkgutil.walk_packages(inpainting_tf.__path__, "inpainting_tf."):
    if not found.name.endswith("__main__"):
        importlib.import_module(found.name)
owners = flags.FLAGS.flags_by_module_dict()
print(json.dumps({name: [flag.name for flag in owned] for name, owned in owners.items()}))
"""


@pytest.mark.slow
def test_importing_a_module_defines_no_flag():
    owners = json.loads(python(IMPORTS))
    assert "absl.logging" in owners, "the others' flags are seen"
    ours = {name: owned for name, owned in owners.items() if "inpainting_tf" in name or name.endswith("-c")}
    assert ours == {}


LIGHT = """
import importlib, sys
from inpainting_tf.commands import cli, main
for name in ("inpaint", *main.COMMANDS):
    command = importlib.import_module(f"inpainting_tf.commands.{name.replace('-', '_')}")
    cli.help_text(command, cli.parse(command, []))
print(sorted({"keras", "tensorflow", "jax", "gradio", "matplotlib", "ray"} & sys.modules.keys()))
"""


def test_flags_are_parsed_and_help_is_shown_without_a_framework():
    assert python(LIGHT) == "[]\n"


# Help


@pytest.mark.parametrize("call", CALLS)
def test_help_lists_every_flag_and_calls_the_program_by_its_name(call):
    done = command(call, "--help")
    assert (done.status, done.err) == (0, "")
    values = flags.FlagValues()
    module(call).define_flags(cli.Define(values))
    listed = re.findall(r"^  --(?:\[no\])?(\w+): \S", done.out, re.M)
    assert listed == [*values, "help"]
    assert f"\n{call} --" in done.out or f"\n{call}\n" in done.out
    assert "repeat this option" not in done.out and all(len(line) <= 110 for line in done.out.splitlines())
    assert command(call, "-h") == done


def test_help_says_what_a_flag_takes_and_its_default():
    told = " ".join(command("inpainting-tf study", "--help").out.split())
    assert " a .keras file, or one of photos, faces, cifar10. (may be repeated) --baseline: " in told
    assert "drawn at random. (a positive integer; default: 3) --" in told
    assert "order of each rater. (a non-negative integer; default: 0) --" in told
    assert " --[no]report: Analyse the scores in --output, and serve nothing. --" in told
    told = " ".join(command("inpainting-tf reproduce", "--help").out.split())
    assert "uses the existing ones only. (default: true) --" in told


@pytest.mark.parametrize("call", ["inpaint", "inpainting-tf demo"])
def test_help_names_every_engine(call):
    told = command(call, "--help").out
    assert re.search(rf"What runs the networks?: {', '.join(models.ENGINES)}\.", told)


@pytest.mark.parametrize("call", ["inpainting-tf evaluate", "inpainting-tf study"])
def test_help_names_every_classical_method(call):
    unwrapped = " ".join(command(call, "--help").out.split())
    told = re.search(r"--baseline: (.*?)\. ", unwrapped)[1]
    assert set(re.split(", | or ", told)) == classical.BASELINES.keys()


@pytest.mark.parametrize("options", [(), ("--help",), ("-h",)])
def test_the_program_alone_lists_its_commands(options):
    done = command("inpainting-tf", *options)
    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "inpainting-tf COMMAND [--flag=value ...]"
    rows = dict(re.findall(r"^  ([\w-]+) +(\S.*)$", done.out, re.M))
    assert tuple(rows) == main.COMMANDS
    assert all(module(name).__doc__.startswith(f"{line}\n") for name, line in rows.items())


def test_every_command_has_a_module_and_every_module_is_reached():
    parts = {"__init__", "cli", "main", "page_flags", "recipe_flags", "repair_flags", "inpaint"}
    files = {file.stem for file in (ROOT / "inpainting_tf" / "commands").glob("*.py")}
    assert {name.replace("_", "-") for name in files - parts} == set(main.COMMANDS)
    for call in CALLS:
        assert list(inspect.signature(module(call).run).parameters) == ["args"]


# Mistakes


MISTAKES = {
    "trian": ["`command` must be one of demo, evaluate,", "Received 'trian'. Did you mean 'train'?"],
    "eval": ["Did you mean 'evaluate'?"],
    "--model=glcic": ["`command` must be one of", "Received '--model=glcic'"],
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_an_unknown_command_is_one_line(mistake):
    done = command("inpainting-tf", mistake, "--workdir=x")
    assert done.refuses(*MISTAKES[mistake]) and done.out == ""


@pytest.mark.parametrize("call", CALLS)
def test_an_unknown_flag_is_one_line_with_the_nearest(call):
    known = "image" if call == "inpaint" else "output"
    if call in ("inpainting-tf demo", "inpainting-tf serve"):
        known = "model"
    if call == "inpainting-tf train":
        known = "workdir"
    done = command(call, f"--{known}s=1")
    assert done.refuses(f"Unknown command line flag '{known}s'. Did you mean: {known}"), done.err
    assert done.err.endswith("Pass --help to see the flags.\n")


def test_values_do_not_stay_for_the_next_command():
    first = command("inpainting-tf evaluate", "--batch_size=0")
    assert first.refuses("flag --batch_size=0")
    assert command("inpainting-tf evaluate").refuses("--workdir, --model_path or --baseline", "Received none")


@pytest.mark.parametrize(
    ("program", "command", "expected"),
    [
        ("train.py", "evaluate", "python eval.py"),
        ("my code/train.py", "reproduce", "python 'my code/reproduce.py'"),
        ("train.py", "prepare", "python -m inpainting_tf prepare"),
        ("/usr/bin/inpainting-tf", "train", "inpainting-tf train"),
        ("Scripts/inpainting-tf.exe", "train", "inpainting-tf train"),
        ("/site-packages/inpainting_tf/__main__.py", "evaluate", "python -m inpainting_tf evaluate"),
        ("/site-packages/inpainting_tf/prepare.py", "train", "python -m inpainting_tf train"),
    ],
)
def test_another_command_is_named_as_this_one_was_called(program, command, expected, monkeypatch):
    monkeypatch.setattr(sys, "argv", [program])
    assert cli.called(command) == expected


def test_paths_below_the_working_folder_are_printed_from_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.shown(tmp_path / "runs" / "mine") == Path("runs/mine")
    assert cli.shown(tmp_path.parent / "runs") == tmp_path.parent / "runs"
