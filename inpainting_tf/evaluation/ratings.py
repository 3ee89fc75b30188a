"""The rating study without its page: who is shown what in which order, what they said, and what follows.

One SQLite file holds what was to be rated and every score. Each score is a transaction of its own that takes
the write lock at its beginning and is on the disk at its end, so several servers and many raters can write
at once and a killed server loses nothing. The journal is SQLite's ordinary one: a few scores a second need
no write-ahead log, and the study stays one file that can be copied.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import itertools
import os
import random
import sqlite3
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy import stats

from inpainting_tf import figures, files
from inpainting_tf.errors import InputError
from inpainting_tf.evaluation import intervals
from inpainting_tf.evaluation.intervals import FEWEST

SCORES = {1: "unnatural", 2: "rather unnatural", 3: "in between", 4: "rather natural", 5: "natural"}
ORIGINAL = "original"  # the system that leaves pictures as they are: a control, which is not tested
DATABASE = "ratings.sqlite"
SCHEMA = 1  # raise it when the tables change
_PATIENCE = 30.0  # seconds for which a writer waits for the others
_LONGEST_NAME = 40
_PAIRS_IN_A_CAPTION = 6
_TABLES = """
CREATE TABLE study (seed INTEGER NOT NULL);
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
Row = Mapping[str, str | int]


# What is rated, and by whom


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is rated: every picture as filled by every system.

    Attributes:
        systems: their names in the order of the figure, each with what tells it from another of that name.
        pictures: the same of the pictures and their holes.
        seed: of the orders in which raters see them.
    """

    systems: Mapping[str, str]
    pictures: Mapping[str, str]
    seed: int = 0

    def order(self, rater: str) -> list[tuple[str, str]]:
        """All (picture, system), in an order that is the rater's own and the same each time.

        In rounds: each shows every picture once, by systems drawn at random. So a picture never comes twice
        in a row (where there are several), which would invite to compare two fills and to spot what differs,
        rather than to say how natural each one looks; and whatever raters learn, or tire of, on the way is
        spread over pictures and systems. ITU-T P.910 asks for the same.
        """
        drawn = random.Random(f"{self.seed}/{rater}")
        left = {picture: drawn.sample(list(self.systems), len(self.systems)) for picture in self.pictures}
        found: list[tuple[str, str]] = []
        for _ in self.systems:
            around = drawn.sample(list(self.pictures), len(self.pictures))
            if found and around[0] == found[-1][0]:
                around.append(around.pop(0))
            found += [(picture, left[picture].pop()) for picture in around]
        return found


def rater_name(text: str | None) -> str:
    """What a rater typed as the name that scores are kept under; case and spacing do not matter.

    Raises:
        InputError: empty, too long, or not beginning with a letter or digit.
    """
    name = " ".join(unicodedata.normalize("NFKC", text or "").casefold().split())
    if not name:
        raise InputError("Please enter a name or a number: your scores are kept under it.")
    # What begins like a formula would be one where a spreadsheet opens the exported table.
    if len(name) > _LONGEST_NAME or not name[0].isalnum() or not name.isprintable():
        raise InputError(
            f"A name begins with a letter or digit and has at most {_LONGEST_NAME} characters. "
            f"Received {name[:_LONGEST_NAME]!r}."
        )
    return name


# What was said


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
            connection.execute("INSERT INTO study VALUES (?)", [plan.seed])
            for table, named in (("systems", plan.systems), ("pictures", plan.pictures)):
                rows = [(number, *item) for number, item in enumerate(named.items(), 1)]
                connection.executemany(f"INSERT INTO {table} VALUES (?, ?, ?)", rows)
            connection.execute("COMMIT")
        return store

    def plan(self) -> Plan:
        """What the study was begun with."""
        with self._connection() as connection:
            [version] = connection.execute("PRAGMA user_version").fetchone()
            if version != SCHEMA:
                raise InputError(
                    f"{str(self.path)!r} must be a study of version {SCHEMA}. Received version {version}: "
                    "name another --output."
                )
            [seed] = connection.execute("SELECT seed FROM study").fetchone()
            named = [
                dict(connection.execute(f"SELECT name, fingerprint FROM {table} ORDER BY number"))
                for table in ("systems", "pictures")
            ]
        return Plan(*named, seed)

    def require(self, plan: Plan) -> None:
        """InputError unless the study was begun with this plan: scores of two studies are never mixed."""
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

    def rate(self, rater: str, picture: str, system: str, score: int, position: int) -> bool:
        """Keeps a score, on the disk when this returns; False where that rater has scored that fill already.

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


# What follows


@dataclasses.dataclass(frozen=True)
class Summary:
    """The scores of a system; None where there are none.

    Attributes:
        system: its name.
        scores: one by one.
        median, mean, quartiles: of them, the quartiles interpolated linearly.
    """

    system: str
    scores: Sequence[int]
    median: float | None = None
    mean: float | None = None
    quartiles: tuple[float, float] | None = None

    @classmethod
    def of(cls, system: str, scores: Sequence[int]) -> Summary:
        if not scores:
            return cls(system, scores)
        low, middle, high = np.percentile(scores, [25, 50, 75])
        return cls(system, scores, float(middle), float(np.mean(scores)), (float(low), float(high)))


@dataclasses.dataclass(frozen=True)
class Test:
    """A test's result, or the reason why there is none.

    Attributes:
        n: complete blocks of the Friedman test, or untied pairs of a Wilcoxon test.
        statistic: chi-square with one degree of freedom less than systems, or the smaller sum of ranks.
        p: two-sided.
        reason: in words, where the other two are None.
    """

    __test__ = False  # not a pytest class

    n: int
    statistic: float | None = None
    p: float | None = None
    reason: str = ""


@dataclasses.dataclass(frozen=True)
class Pair:
    """Two systems compared: `difference` is the mean of first minus second, `holm` the adjusted p."""

    first: str
    second: str
    difference: float | None
    test: Test
    holm: float | None


@dataclasses.dataclass(frozen=True)
class Findings:
    """What the scores so far say; see `find`."""

    raters: int
    pictures: int
    summaries: list[Summary]
    blocks: int
    friedman: Test
    pairs: list[Pair]


def find(plan: Plan, rows: Sequence[Row]) -> Findings:
    """Describes each system and tests whether they differ (face_gan, section 5.1.3, which does not test).

    The tests use complete blocks: the scores of one picture by one rater who has scored it by all systems.
    (A rater's blocks are taken for independent, as those of different raters are.) Untouched originals are
    described but not tested: that they look better is no finding, and would make any comparison significant.
    """
    scores: dict[str, list[int]] = {system: [] for system in plan.systems}
    for row in rows:
        scores[row["system"]].append(row["score"])
    tested = [system for system in plan.systems if system != ORIGINAL]
    table = blocks(rows, tested)
    return Findings(
        raters=len({row["rater"] for row in rows}),
        pictures=len(plan.pictures),
        summaries=[Summary.of(system, each) for system, each in scores.items()],
        blocks=len(table),
        friedman=friedman(table),
        pairs=pairs(table, tested),
    )


def blocks(rows: Sequence[Row], systems: Sequence[str]) -> np.ndarray:
    """The scores of the complete blocks, int [blocks, systems]."""
    found: dict[tuple, dict] = {}
    for row in rows:
        found.setdefault((row["rater"], row["picture"]), {})[row["system"]] = row["score"]
    complete = [[block[s] for s in systems] for block in found.values() if block.keys() >= set(systems)]
    return np.array(complete, int).reshape(len(complete), len(systems))


def friedman(table: np.ndarray) -> Test:
    """Friedman's test, corrected for ties, that all systems are scored alike.

    Args:
        table: int [blocks, systems].
    """
    count, systems = table.shape
    if systems < 3:
        return Test(count, reason="it takes at least three systems")
    if count < FEWEST:
        return Test(count, reason=f"{count} complete blocks, at least {FEWEST} are needed")
    if (table == table[:, :1]).all():
        return Test(count, reason="within each block all systems have the same score")
    statistic, p = stats.friedmanchisquare(*table.T)
    return Test(count, float(statistic), float(p))


def wilcoxon(differences: np.ndarray) -> Test:
    """Wilcoxon's signed-rank test, pairs without a difference left out, with the exact p.

    Scores of 1 to 5 tie all the time, for which SciPy has only an approximation: here the sums of ranks of
    all 2**n ways to give the differences a sign are counted, rank by rank.

    Args:
        differences: int [pairs].
    """
    untied = differences[differences != 0]
    if len(differences) < FEWEST:
        return Test(len(untied), reason=f"{len(differences)} pairs, at least {FEWEST} are needed")
    if not len(untied):
        return Test(0, reason="both have the same scores")
    doubled = np.rint(2 * stats.rankdata(np.abs(untied))).astype(int)  # ranks of ties end in .5
    share = np.zeros(doubled.sum() + 1)  # of the ways, by the doubled sum of the positive ranks
    share[0] = 1.0
    for rank in doubled:
        share = (share + np.concatenate([np.zeros(rank), share[:-rank]])) / 2
    positive, negative = doubled[untied > 0].sum(), doubled[untied < 0].sum()
    smaller = min(positive, negative)  # the distribution is symmetric
    return Test(len(untied), float(smaller / 2), float(min(1.0, 2 * share[: smaller + 1].sum())))


def pairs(table: np.ndarray, systems: Sequence[str]) -> list[Pair]:
    """Wilcoxon's test of every two systems; Holm's correction is over those that could be tested.

    Args:
        table: int [blocks, systems].
        systems: their names.
    """
    both = list(itertools.combinations(range(len(systems)), 2))
    differences = [table[:, i] - table[:, j] for i, j in both]
    tests = [wilcoxon(each) for each in differences]
    adjusted = iter(intervals.holm([test.p for test in tests if test.p is not None]))
    return [
        Pair(
            systems[i],
            systems[j],
            float(each.mean()) if len(each) else None,
            test,
            None if test.p is None else next(adjusted),
        )
        for (i, j), each, test in zip(both, differences, tests, strict=True)
    ]


# What is told


def report(folder: str | os.PathLike) -> str:
    """Writes `ratings.csv`, `ratings.png` and `report.md` into a study's folder.

    Returns:
        The text of `report.md`.

    Raises:
        InputError: no study, no score yet, or the folder cannot be written.
    """
    folder = Path(folder)
    store = Store(folder / DATABASE)
    if not store.path.is_file():
        raise InputError(f"--output must be the folder of a study. Received {str(folder)!r}: none in it.")
    plan, rows = store.plan(), store.rows()
    if not rows:
        raise InputError(f"The study in {str(folder)!r} has no scores yet: there is nothing to report.")
    found = find(plan, rows)
    files.write_csv(folder / "ratings.csv", rows)
    figures.rating_boxes(
        {each.system: each.scores for each in found.summaries},
        folder / "ratings.png",
        title=f"How natural filled pictures look to people: {_extent(found)}",
        caption=conclusion(found),
    )
    text = as_markdown(found)
    files.write_text(folder / "report.md", text + "\n")
    return text


def as_markdown(found: Findings) -> str:
    """Tables of the systems and of their comparisons, with the tests in words."""
    lines = [f"{_extent(found)}; scores from 1 ({SCORES[1]}) to 5 ({SCORES[5]}).", ""]
    lines += ["| system | n | median | mean | quartiles |", "|---|---|---|---|---|"]
    for each in found.summaries:
        numbers = ("", "", "")
        if each.quartiles:
            low, high = each.quartiles
            numbers = (f"{each.median:g}", f"{each.mean:.2f}", f"{low:g} to {high:g}")
        lines.append(f"| {' | '.join((each.system, str(len(each.scores)), *numbers))} |")
    lines += ["", _friedman_in_words(found)]
    if found.pairs:
        lines += ["", "Wilcoxon signed-rank tests, two-sided and exact, over the same blocks:", ""]
        lines += ["| systems | mean difference | untied pairs | W | p | p (Holm) |", "|" + "---|" * 6]
        lines += [_pair_row(each) for each in found.pairs]
    return "\n".join(lines)


def conclusion(found: Findings) -> str:
    """The tests in a few lines, for a caption."""
    lines = [_friedman_in_words(found)]
    tested = [each for each in found.pairs if each.holm is not None]
    if len(tested) > _PAIRS_IN_A_CAPTION:
        lines.append("Wilcoxon signed-rank tests of every two: see report.md.")
    elif tested:
        lines.append("Wilcoxon signed-rank tests, p with Holm's correction, and mean differences:")
        lines += [
            f"{each.first} - {each.second}: {intervals.in_words(each.holm)}, {each.difference:+.2f}"
            for each in tested
        ]
    if any(each.system == ORIGINAL for each in found.summaries):
        lines.append("The originals are a control: they are not tested.")
    return "\n".join(lines)


def _friedman_in_words(found: Findings) -> str:
    test, systems = found.friedman, sum(each.system != ORIGINAL for each in found.summaries)
    what = "Friedman test, in blocks of one rater and picture"
    if test.p is None:
        return f"{what}: not made, {test.reason}."
    p = intervals.in_words(test.p)
    return f"{what}: chi2({systems - 1}) = {test.statistic:.2f}, {p}, {test.n} complete blocks."


def _pair_row(pair: Pair) -> str:
    difference = "" if pair.difference is None else f"{pair.difference:+.2f}"
    test = pair.test
    if test.p is None:
        cells = (difference, str(test.n), "", f"not tested: {test.reason}", "")
    else:
        cells = (
            difference,
            str(test.n),
            f"{test.statistic:g}",
            intervals.cell(test.p),
            intervals.cell(pair.holm),
        )
    return f"| {pair.first} - {pair.second} | {' | '.join(cells)} |"


def _extent(found: Findings) -> str:
    raters = f"{found.raters} rater{'s' * (found.raters != 1)}"
    return f"{raters}, {found.pictures} picture{'s' * (found.pictures != 1)}"
