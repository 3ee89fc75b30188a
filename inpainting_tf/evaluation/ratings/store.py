"""The file of a rating study: its plan and the raters' scores.

One SQLite file holds the plan and every score. Each score is a transaction of its own that takes the write
lock at its beginning and is on the disk at its end, so several servers and many raters can write at once and
no score is lost when a server is killed. The journal is SQLite's ordinary one: a few scores a second need no
write-ahead log, and the study stays one file that can be copied.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import os
import random
import sqlite3
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path

from inpainting_tf.errors import InputError

SCORES = {1: "unnatural", 2: "rather unnatural", 3: "in between", 4: "rather natural", 5: "natural"}
ORIGINAL = "original"  # the system that leaves pictures unchanged: a control, which is not tested
DATABASE = "ratings.sqlite"
SCHEMA = 2  # raise it when the tables change; 1 had no `together`
_PATIENCE = 30.0  # seconds for which a writer waits for the others
_LONGEST_NAME = 40
_TABLES = """
CREATE TABLE study (seed INTEGER NOT NULL, together INTEGER NOT NULL);
CREATE TABLE systems (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, fingerprint TEXT NOT NULL);
CREATE TABLE pictures (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, fingerprint TEXT NOT NULL);
CREATE TABLE ratings (
    rater TEXT NOT NULL,
    picture TEXT NOT NULL REFERENCES pictures (name),
    system TEXT NOT NULL REFERENCES systems (name),
    score INTEGER NOT NULL CHECK (score BETWEEN 1 AND 5),
    position INTEGER NOT NULL, -- in the rater's order, from 1
    rated_at TEXT NOT NULL, -- ISO 8601, UTC
    UNIQUE (rater, picture, system)
);
"""


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is rated: every picture as filled by every system.

    Attributes:
        systems: names in the order of the figure -> fingerprints.
        pictures: names of the pictures -> fingerprints of pixels and hole.
        seed: of the raters' orders.
        together: whether all fills of a picture are shown at once, each with a score of its own.
    """

    systems: Mapping[str, str]
    pictures: Mapping[str, str]
    seed: int = 0
    together: bool = False

    def order(self, rater: str) -> list[tuple[str, str]]:
        """All (picture, system), in a random order that is a function of seed and rater.

        In rounds: each shows every picture once, by systems drawn at random. So a picture never comes twice
        in a row (where there are several), which would invite a comparison of two fills instead of a score of
        each; and effects of learning and fatigue are spread over pictures and systems. ITU-T P.910 recommends
        the same. Where the fills are shown together, those of a picture follow each other.
        """
        drawn = random.Random(f"{self.seed}/{rater}")
        if self.together:
            pictures = drawn.sample(list(self.pictures), len(self.pictures))
            return [
                (picture, system)
                for picture in pictures
                for system in drawn.sample(list(self.systems), len(self.systems))
            ]
        left = {picture: drawn.sample(list(self.systems), len(self.systems)) for picture in self.pictures}
        found: list[tuple[str, str]] = []
        for _ in self.systems:
            around = drawn.sample(list(self.pictures), len(self.pictures))
            if found and around[0] == found[-1][0]:
                around.append(around.pop(0))
            found += [(picture, left[picture].pop()) for picture in around]
        return found


def rater_name(text: str | None) -> str:
    """A rater's input as the name under which scores are stored; case and spacing do not matter.

    Raises:
        InputError: empty, too long, or not beginning with a letter or digit.
    """
    name = " ".join(unicodedata.normalize("NFKC", text or "").casefold().split())
    if not name:
        raise InputError("Please enter a name or a number: your scores are kept under it.")
    # A spreadsheet that opens the exported table would evaluate a name that begins like a formula.
    if len(name) > _LONGEST_NAME or not name[0].isalnum() or not name.isprintable():
        raise InputError(
            f"A name begins with a letter or digit and has at most {_LONGEST_NAME} characters. "
            f"Received {name[:_LONGEST_NAME]!r}."
        )
    return name


@dataclasses.dataclass(frozen=True)
class Store:
    """The SQLite file of a study; safe to use from several threads and processes at once.

    All of its functions raise InputError for a file that is missing, damaged, another's, or that cannot be
    read or written.
    """

    path: Path

    @classmethod
    def create(cls, path: str | os.PathLike, plan: Plan) -> Store:
        """A new study in a new file."""
        store = cls(Path(path))
        with store._connection("rwc") as connection:
            connection.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {SCHEMA}")
            connection.execute("INSERT INTO study VALUES (?, ?)", [plan.seed, plan.together])
            for table, named in (("systems", plan.systems), ("pictures", plan.pictures)):
                rows = [(number, *item) for number, item in enumerate(named.items(), 1)]
                connection.executemany(f"INSERT INTO {table} VALUES (?, ?, ?)", rows)
            connection.execute("COMMIT")
        return store

    def plan(self) -> Plan:
        """The study's plan."""
        with self._connection() as connection:
            [version] = connection.execute("PRAGMA user_version").fetchone()
            if version not in (1, SCHEMA):
                raise InputError(
                    f"{str(self.path)!r} must be a study of version 1 to {SCHEMA}. Received version "
                    f"{version}: name another --output."
                )
            seed, *together = connection.execute("SELECT * FROM study").fetchone()
            systems, pictures = (
                dict(connection.execute(f"SELECT name, fingerprint FROM {table} ORDER BY number"))
                for table in ("systems", "pictures")
            )
        return Plan(systems, pictures, seed, bool(*together))

    def require(self, plan: Plan) -> None:
        """InputError unless this is the study's plan: scores of two studies are never mixed."""
        own = self.plan()
        begun = f"--output {str(self.path.parent)!r} holds a study"
        advice = "name another --output, or leave out all other options to go on with that one"
        for what, mine, other in (
            ("systems", own.systems, plan.systems),
            ("pictures", own.pictures, plan.pictures),
        ):
            if mine.keys() != other.keys():
                raise InputError(
                    f"{begun} of the {what} {', '.join(mine)}. Received {', '.join(other)}: {advice}."
                )
            changed = [name for name in mine if mine[name] != other[name]]
            if changed:
                part = "weights" if what == "systems" else "pixels or another hole"
                raise InputError(f"{begun} in which {changed[0]} had other {part} than now: {advice}.")
        if own.seed != plan.seed:
            raise InputError(f"{begun} with --seed={own.seed}. Received {plan.seed}: {advice}.")
        if own.together != plan.together:
            kept, given = ("--together" if each.together else "--notogether" for each in (own, plan))
            raise InputError(f"{begun} with {kept}. Received {given}: {advice}.")

    def rate(self, rater: str, picture: str, system: str, score: int, position: int) -> bool:
        """Stores a score, on the disk when this returns; False if that rater has scored that fill already.

        Args:
            rater: a `rater_name`.
            picture: as in the plan.
            system: as in the plan.
            score: in `SCORES`.
            position: in the rater's order, from 1.
        """
        if score not in SCORES:
            raise InputError(f"`score` must be one of {', '.join(map(str, SCORES))}. Received {score!r}.")
        now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            done = connection.execute(
                "INSERT INTO ratings VALUES (?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (rater, picture, system) DO NOTHING",
                (rater, picture, system, score, position, now),
            )
            connection.execute("COMMIT")
        return done.rowcount == 1

    def rated(self, rater: str) -> set[tuple[str, str]]:
        """The (picture, system) that a rater has scored."""
        with self._connection() as connection:
            return set(connection.execute("SELECT picture, system FROM ratings WHERE rater = ?", [rater]))

    def rows(self) -> list[dict[str, str | int]]:
        """Every score in the order given: rater, picture, system, score, position, rated_at."""
        with self._connection() as connection:
            found = connection.execute("SELECT * FROM ratings ORDER BY rowid")
            names = [column[0] for column in found.description]
            return [dict(zip(names, row, strict=True)) for row in found]

    @contextlib.contextmanager
    def _connection(self, mode: str = "rw") -> Iterator[sqlite3.Connection]:
        address = f"{self.path.resolve().as_uri()}?mode={mode}"
        try:
            with contextlib.closing(
                sqlite3.connect(address, uri=True, timeout=_PATIENCE, isolation_level=None)
            ) as connection:
                connection.execute("PRAGMA foreign_keys = ON")
                yield connection
        except sqlite3.Error as error:
            raise InputError(
                f"{str(self.path)!r} must be the file of a study, readable and writable: {error}. "
                "Check the disk and the permissions, or name another --output."
            ) from error
