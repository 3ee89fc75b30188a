"""The programs that are installed: `inpaint`, and `inpainting-tf` for everything else.

`python -m inpainting_tf` is the same as `inpainting-tf`.
"""

from __future__ import annotations

import importlib
import sys
from typing import NoReturn

from inpainting_tf.commands import cli
from inpainting_tf.errors import unknown

COMMANDS = ("train", "evaluate", "reproduce", "prepare", "export", "repair-many", "serve", "demo", "study")


def inpaint() -> None:
    """Repairs pictures."""
    cli.main(_module("inpaint"))


def inpainting_tf() -> None:
    """Runs the command that the first argument names; without one, prints an overview."""
    name, *options = sys.argv[1:] or ["--help"]
    if name in ("--help", "-h"):
        print(overview())
    elif name in COMMANDS:
        cli.main(_module(name), options)
    else:
        sys.exit(cli.status_of(lambda: _refuse(name)))


def overview() -> str:
    """The usage of the program, and a line on each command."""
    program = cli.called("").strip()
    lines = [f"  {name:<{max(map(len, COMMANDS))}}  {_first_line(name)}" for name in COMMANDS]
    usage = [f"{program} COMMAND [--flag=value ...]", ""]
    more = ["", f"{program} COMMAND --help shows a command's flags. To repair pictures: inpaint --help"]
    return "\n".join([*usage, *lines, *more])


def _module(name: str) -> cli.Command:
    return importlib.import_module(f"inpainting_tf.commands.{name.replace('-', '_')}")


def _first_line(name: str) -> str:
    return (_module(name).__doc__ or "").partition("\n")[0]


def _refuse(name: str) -> NoReturn:
    raise unknown("command", name, COMMANDS)
