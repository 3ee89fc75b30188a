"""The base class of the papers' tables and figures, and its output for a page."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from inpainting_tf import tables
from inpainting_tf.book.claims import NOT_TRAINED, Claim, Finding
from inpainting_tf.book.experiments import Experiments, Missing

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Picture:
    """A figure on a page.

    Attributes:
        file: a PNG file.
        caption: below it.
        public: whether it may be published; pictures of a data set may not.
    """

    file: Path
    caption: str
    public: bool = False


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What an entry says of the paper's claims.

    Attributes:
        line: a sentence, for the page and for the index.
        findings: the claims one by one, for the table of all results.
    """

    line: str
    findings: tuple[Finding, ...] = ()


Block = str | Picture | Verdict


@dataclasses.dataclass(frozen=True)
class Entry:
    """A table or figure.

    Attributes:
        key: its kind and number in the paper, e.g. "table 4.3".
        title: of its section.
        systems: the models whose runs it needs.
    """

    key: str
    title: str
    systems: tuple[str, ...] = ()

    @property
    def slug(self) -> str:
        """Its key as part of a file's name."""
        return re.sub("[^a-z0-9]+", "_", self.key.lower())

    @property
    def heading(self) -> str:
        """Of its section."""
        return f"{self.key[0].upper()}{self.key[1:]}: {self.title}"

    @property
    def ranked(self) -> tuple[str, ...]:
        """Those of its systems that a claim ranks, which are trained more than once."""
        return ()

    def make(self, experiments: Experiments, folder: Path) -> Iterator[Block]:
        """Its part of the page; pictures that it draws are written into `folder`.

        Raises:
            Missing: nothing of it can be made.
        """
        raise NotImplementedError

    def file(self, folder: Path, suffix: str = "") -> Path:
        """The path of a figure that it draws."""
        return folder / f"{self.slug}{suffix}.png"


class PerSystem(Entry):
    """An entry with a picture for each system."""

    def picture(self, experiments: Experiments, name: str, folder: Path) -> Picture:
        """The picture of the system `name`; as `make` otherwise."""
        raise NotImplementedError

    def make(self, experiments: Experiments, folder: Path) -> Iterator[Block]:
        for name in self.systems:
            try:
                yield self.picture(experiments, name, folder)
            except Missing as reason:
                yield failed(name, reason)


def systems_of(entries: Iterable[Entry]) -> list[str]:
    """The models that some entries need, each once."""
    return list(dict.fromkeys(name for entry in entries for name in entry.systems))


def ranked_by(claims: Iterable[Claim], systems: Sequence[str]) -> tuple[str, ...]:
    """Those of the systems that some claims name, each once."""
    every = (form for claim in claims for form in (claim, *claim.forms))
    named = dict.fromkeys(name for each in every for name in (each.better, each.worse))
    return tuple(name for name in named if name in systems)


def ranked(entries: Iterable[Entry]) -> list[str]:
    """The models that the claims of some entries rank, each once."""
    return list(dict.fromkeys(name for entry in entries for name in entry.ranked))


def collected(systems: Iterable[str], of: Callable[[str], T]) -> tuple[dict[str, T], dict[str, str]]:
    """What there is of each system, and the reasons of those of which `of` raises `Missing`."""
    found, missing = {}, {}
    for name in systems:
        try:
            found[name] = of(name)
        except Missing as reason:
            missing[name] = str(reason)
    return found, missing


def failed(name: str, reason: object) -> str:
    """The line in place of a system without a result."""
    return f"`{name}`: {told(reason)}"


def told(reason: object) -> str:
    """Why there is no result, for a page."""
    return NOT_TRAINED if str(reason) == NOT_TRAINED else f"failed: {tables.plain(reason)}"
