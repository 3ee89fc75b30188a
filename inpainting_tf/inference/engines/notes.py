"""Shared by engines whose network is in a file of its own: the network's facts beside or in it.

Loads neither Keras nor TensorFlow.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from inpainting_tf.errors import InputError
from inpainting_tf.inference.engine import Fill, Runtime
from inpainting_tf.inference.facts import Facts

NOTE = "inpainting_tf"  # the metadata key under which a file holds the network's facts


def note(facts: Facts) -> str:
    """The facts as JSON."""
    return json.dumps(facts.to_json())


def noted(text: str | bytes, run: Fill) -> Runtime:
    """An engine from `run` and the facts that `note` wrote."""
    return Runtime(run, Facts.from_json(json.loads(text)))


def existing(path: Any, ending: str) -> Path:
    """`path` as a Path; InputError unless it is a file."""
    file = Path(path).expanduser()
    if not file.is_file():
        raise InputError(f"`path` must be a {ending} file. Received {str(path)!r}: there is none.")
    return file


def foreign(path: Path, reason: object) -> InputError:
    """The error for a file that this package did not write."""
    first = str(reason).strip().partition("\n")[0]
    return InputError(f"{str(path)!r} is not a completion network that this package exported: {first}")
