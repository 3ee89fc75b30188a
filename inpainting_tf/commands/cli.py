"""Shared by all command lines: flags, help, and errors in one line."""

from __future__ import annotations

import functools
import inspect
import logging
import re
import shlex
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from absl import flags

from inpainting_tf import streams
from inpainting_tf.errors import Diverged, HostLost, InputError, OutOfMemory

# The commands that are also scripts of a checkout.
SCRIPTS = {"train": "train.py", "evaluate": "eval.py", "reproduce": "reproduce.py"}
INTERRUPTED = 130  # the shell's exit status after Ctrl-C
WIDTH = 100  # columns of the help


class Define:
    """absl's DEFINE functions for the flags of one command, separate from those of every other.

    Each takes a name, the default and the help text (an enum: its values before the help text), and the
    keyword arguments of absl's function, such as `lower_bound`. The plural ones define a flag that may be
    repeated.
    """

    def __init__(self, values: flags.FlagValues) -> None:
        def of(function: Callable[..., Any]) -> Callable[..., Any]:
            return functools.partial(function, flag_values=values)

        self.string, self.strings = of(flags.DEFINE_string), of(flags.DEFINE_multi_string)
        self.integer, self.integers = of(flags.DEFINE_integer), of(flags.DEFINE_multi_integer)
        self.enum, self.enums = of(flags.DEFINE_enum), of(flags.DEFINE_multi_enum)
        self.float, self.floats = of(flags.DEFINE_float), of(flags.DEFINE_multi_float)
        self.boolean = of(flags.DEFINE_boolean)


class Command(Protocol):
    """A command: a module of `commands`, or a script. Its docstring is its help."""

    __doc__: str | None

    def define_flags(self, define: Define) -> None:
        """Defines the command's flags."""

    def run(self, args: flags.FlagValues) -> int | None:
        """Executes the command; returns the exit status, None for 0.

        Raises:
            InputError: an invalid value.
            Diverged: of a training.
            HostLost: of a training on several hosts.
            OutOfMemory: smaller pictures or batches may fit.
        """


def main(command: Command, argv: Sequence[str] | None = None) -> None:
    """Runs a command and ends the process with its exit status, or that of `status_of`.

    Args:
        command: what to run.
        argv: its options, by default the process's.
    """
    streams.print_any_character()
    logging.basicConfig(format="%(levelname)s: %(message)s")
    options = sys.argv[1:] if argv is None else argv
    sys.exit(status_of(lambda: _run(command, options)))


def status_of(action: Callable[[], int | None]) -> int:
    """The exit status of an action; its expected errors are printed on stderr, in one line each.

    It is 2 for a mistake of the user, 1 for a training that diverged or lost a host or too little memory,
    `INTERRUPTED` after Ctrl-C.
    """
    try:
        return action() or 0
    except flags.Error as error:
        return _printed(f"error: {str(error).rstrip('.')}. Pass --help to see the flags.", 2)
    except InputError as error:
        return _printed(f"error: {error}", 2)
    except (Diverged, HostLost, OutOfMemory) as error:
        return _printed(f"error: {error}", 1)
    except KeyboardInterrupt as interrupt:
        return _printed(f"Interrupted. {interrupt}".strip(), INTERRUPTED)


def parse(command: Command, options: Sequence[str]) -> flags.FlagValues:
    """The values of a command's flags.

    Raises:
        flags.Error: an unknown flag, or an invalid value of one.
        InputError: an option that is not a flag.
    """
    values = flags.FlagValues()
    define = Define(values)
    command.define_flags(define)
    define.boolean("help", False, "Show this help and stop.", short_name="h")
    _, *rest = values(["", *options])
    if rest:
        raise InputError(f"Options begin with --. Received {rest[0]!r}.")
    return values


def help_text(command: Command, values: flags.FlagValues) -> str:
    """The command's docstring, with examples in the form of this process's call, and each flag."""
    about = inspect.cleandoc(command.__doc__ or "")
    about = re.sub(r"inpainting-tf ([\w-]+)", lambda found: called(found[1]), about)
    names = [name for name in values if name == values[name].name]  # without the short ones
    return "\n".join([about, "", "Flags:", *(_paragraph(values[name]) for name in names)])


def called(command: str) -> str:
    """The call of another command in the form of this process's call.

    Args:
        command: one of `main.COMMANDS`.
    """
    program = Path(sys.argv[0])
    if program.name in SCRIPTS.values() and command in SCRIPTS:
        return shlex.join(["python", str(program.with_name(SCRIPTS[command]))])
    installed = program.name.startswith("inpainting-tf")  # on Windows with an ending
    return f"inpainting-tf {command}" if installed else f"python -m inpainting_tf {command}"


def shown(path: Path) -> Path:
    """A path to print: relative to the working folder where it leads below it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _run(command: Command, options: Sequence[str]) -> int | None:
    args = parse(command, options)
    if args.help:
        print(help_text(command, args))
        return 0
    return command.run(args)


def _paragraph(flag: flags.Flag) -> str:
    facts = [flag.parser.syntactic_help]
    if isinstance(flag, flags.MultiFlag):
        facts.append("may be repeated")
    if flag.default is not None and flag.default is not False and flag.default != []:
        facts.append(f"default: {', '.join(_plain(flag.default))}")
    text = flag.help.partition(";\n")[0]  # absl appends how to repeat it
    details = "; ".join(filter(None, facts))
    name = f"[no]{flag.name}" if flag.boolean else flag.name
    return textwrap.fill(
        f"--{name}: {text}" + (f" ({details})" if details else ""),
        WIDTH,
        initial_indent="  ",
        subsequent_indent="      ",
        break_on_hyphens=False,
    )


def _plain(default: Any) -> list[str]:
    values = default if isinstance(default, list) else [default]
    return [str(value).lower() if isinstance(value, bool) else str(value) for value in values]


def _printed(message: str, status: int) -> int:
    """Prints an error and returns its exit status."""
    print(message, file=sys.stderr)
    return status
