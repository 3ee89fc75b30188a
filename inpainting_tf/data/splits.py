"""The division of a source's pictures into training, validation and test."""

from __future__ import annotations

import re
import types
from collections.abc import Container, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from inpainting_tf.data.source import SPLITS, Source
from inpainting_tf.errors import InputError

if TYPE_CHECKING:
    from inpainting_tf.data import Data

NUMBERED = "celeba"  # the source whose pictures have official numbers, but for TFDS' copy

Name = TypeVar("Name", str, int)
_VALIDATION = 1  # its stream of `split_seed`


def of_source(source: Source, data: Data) -> tuple[dict[str, list[str]], str]:
    """The splits of a source's pictures, and its account with what `data.ids` chose.

    With `data.ids` they are drawn from all of these numbers, and those that are there are taken: a picture is
    in the same split whatever else is on the disk. Only where one of the splits would be empty are they drawn
    from the pictures that are there.

    Raises:
        InputError: no picture to train on, or none to test on.
    """
    if data.ids is None or not source.numbers:
        unnumbered = data.ids is not None and source.name == NUMBERED
        note = f" They have no official numbers by which to take {data.ids} alone." if unnumbered else ""
        return split(source.names, data, source.division), source.account + note
    name = dict(zip(source.numbers, source.names, strict=True))
    first, last = ids(data.ids)
    chosen = range(first, last + 1)
    there = [number for number in chosen if number in name]
    if len(there) < 2:
        account = f"{source.account} None of {data.ids} is there: others are taken."
        return split(source.names, data, source.division), account
    own = {
        which: part
        for which, names in source.division.items()
        if (part := {n for n in there if name[n] in names})
    }
    parts = split(chosen, data, own)
    if not all(name.keys() & parts[which] for which in ("train", "test")):
        parts = split(there, data, own)
    named = {which: [name[number] for number in part if number in name] for which, part in parts.items()}
    return named, f"{source.account} Of the numbers {data.ids} {len(there)} are there; no others are taken."


def counts(names: Mapping[str, Sequence[str]]) -> str:
    """How many pictures each split has, in words."""
    train, validation, test = (len(names[which]) for which in SPLITS)
    return f"{train} training, {validation} validation and {test} test"


def ids(text: str) -> tuple[int, int]:
    """First and last number of "1-5000".

    Raises:
        InputError: it is not of that form.
    """
    match = re.fullmatch(r"(\d+)-(\d+)", text)
    if not match or int(match[1]) > int(match[2]):
        raise InputError(f"`data.ids` must be FIRST-LAST, e.g. 1-5000, or none. Received {text!r}.")
    return int(match[1]), int(match[2])


def split(
    names: Sequence[Name], data: Data, own: Mapping[str, Container[Name]] = types.MappingProxyType({})
) -> dict[str, list[Name]]:
    """{"train": names, "validation": names, "test": names}: disjoint, each in the order of `names`.

    Args:
        names: all pictures of the source.
        data: how many of each, and the seed.
        own: the names of the source's own "test" and "validation" splits; those it does not have are drawn.

    Raises:
        InputError: no picture to train on, or none to test on.
    """
    if len(names) < 2:
        raise InputError(f"Training and testing need at least two pictures. Received {len(names)}.")
    order = np.random.default_rng(data.split_seed).permutation(len(names))
    given: dict[str, np.ndarray] = {
        which: np.array([names[i] in own[which] for i in order], bool) for which in own
    }
    parts = {which: order[which_of] for which, which_of in given.items()}
    rest = order[~np.any([*given.values()], axis=0)] if own else order
    if "test" not in own:
        drawn = min(data.test, max(1, len(rest) // 5))
        parts["test"], rest = rest[:drawn], rest[drawn:]
    if not (len(parts["test"]) and len(rest)):
        raise InputError(
            "Training and testing need at least one picture each. "
            f"Received {len(rest)} and {len(parts['test'])}."
        )
    parts["train"] = rest
    limited = {which: parts[which][: getattr(data, which)] for which in SPLITS if which in parts}
    chosen = {which: [names[i] for i in np.sort(index)] for which, index in limited.items()}
    return chosen if "validation" in own else with_validation(chosen, data)


def with_validation(parts: Mapping[str, Sequence[Name]], data: Data) -> dict[str, list[Name]]:
    """The same splits with validation pictures, drawn from the training pictures unless there are some."""
    train, test, given = (list(parts.get(which, [])) for which in ("train", "test", "validation"))
    count = min(data.validation, len(train) // 5)
    if given or not count:
        return {"train": train, "validation": given, "test": test}
    # A stream of its own: the test pictures are the same with and without a validation split.
    order = np.random.default_rng([data.split_seed, _VALIDATION]).permutation(len(train))
    drawn = {train[i] for i in order[:count]}
    return {
        "train": [name for name in train if name not in drawn],
        "validation": [name for name in train if name in drawn],
        "test": test,
    }
