"""The exceptions that the command lines print in one line, and the hint for a misspelt name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """A user's mistake: its message is one line with the argument, the rule, the value and the remedy.

    The command lines print the message alone, without a traceback, and exit with status 2.
    """


class Diverged(ArithmeticError):
    """A loss or a weight is not finite; the message names it and the step. Exit status 1."""


class OutOfMemory(MemoryError):
    """Host or device had not enough memory; the message says what to make smaller. Exit status 1."""


class HostLost(ConnectionError):
    """Another process of a training on several hosts does not answer any more. Exit status 1."""


def unknown(argument: str, value: object, names: Iterable[str], also: str = "") -> InputError:
    """The error for a value outside a fixed set of names, with the nearest valid one.

    Args:
        argument: the user's name for it, e.g. ``"model"`` or ``"--mask"``.
        value: what was received.
        names: the valid names.
        also: what else is valid, in words.
    """
    names = sorted(names)
    rule = ", ".join(names) + (f", or {also}" if also else "")
    close = difflib.get_close_matches(str(value), names, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return InputError(f"`{argument}` must be one of {rule}. Received {value!r}.{hint}")
