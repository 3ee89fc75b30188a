"""The exceptions that the command lines tell in one line, and the hint that goes with a misspelt name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """A mistake in what the user passed: its message is one line that says what is wrong and what to do.

    The command lines print the message alone, without a traceback, and exit with status 2.
    """


class Diverged(ArithmeticError):
    """A loss or a weight is not finite any more; the message names it and the step. Exit status 1."""


def unknown(argument: str, value: object, names: Iterable[str]) -> InputError:
    """The error for a value outside a fixed set of names, with the nearest valid one.

    Args:
        argument: what the user set, as they know it, e.g. ``"model"`` or ``"--mask"``.
        value: what was received.
        names: the valid names.
    """
    names = sorted(names)
    close = difflib.get_close_matches(str(value), names, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return InputError(f"`{argument}` must be one of {', '.join(names)}. Received {value!r}.{hint}")
