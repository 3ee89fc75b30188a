"""What the systems' trainings took, and when they had settled."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from inpainting_tf import tables
from inpainting_tf.book import claims, trainings
from inpainting_tf.book.claims import Claim, Finding
from inpainting_tf.book.entries.entry import Block, Entry, Verdict, collected, ranked_by, told
from inpainting_tf.book.entries.measurements import findings_table
from inpainting_tf.book.experiments import Experiments
from inpainting_tf.runs import Run

# A metric's number of a training.
NUMBERS: dict[str, Callable[[Run], float]] = {
    "operations": trainings.operations_of,
    "settled": trainings.settled,
}


@dataclasses.dataclass(frozen=True)
class Course(Entry):
    """What each system's trainings took, in time and in operations, and when they had settled.

    Attributes:
        claims: the paper's, about numbers of `NUMBERS`.
    """

    claims: tuple[Claim, ...] = ()

    @property
    def ranked(self) -> tuple[str, ...]:
        return ranked_by(self.claims, self.systems)

    def make(self, experiments: Experiments, folder: Path) -> Iterator[Block]:
        found, missing = collected(self.systems, experiments.runs)
        rows = [["", "epochs", "settled after", "minutes", "10^12 multiply-adds", "trainings"]]
        for name in self.systems:
            cells = _cells(found[name]) if name in found else [told(missing[name]), *[""] * 4]
            rows.append([f"`{name}`", *cells])
        yield tables.table(rows)
        yield (
            "Means over the trainings. One has settled at its first epoch whose validation pictures are "
            "filled as well as at its best one, but for a small difference. Time is that of the machine with "
            "whatever else ran on it; claims about it are judged by multiply-adds, which nothing disturbs."
        )
        findings = [_finding(claim, found, missing) for claim in self.claims]
        yield Verdict(claims.verdict(findings), tuple(findings))
        yield findings_table(findings)


def _cells(runs: Sequence[Run]) -> list[str]:
    means = (
        np.mean([int(run.history()[-1]["epoch"]) for run in runs]),
        np.mean([trainings.settled(run) for run in runs]),
        np.mean([run.minutes for run in runs]),
        np.mean([trainings.operations_of(run) for run in runs]) / 1e12,
    )
    return [f"{mean:.1f}".removesuffix(".0") for mean in means] + [str(len(runs))]


def _finding(claim: Claim, found: dict[str, list[Run]], missing: dict[str, str]) -> Finding:
    absent = [name for name in (claim.better, claim.worse) if name not in found]
    if absent:
        return claims.judge([claim], {}, missing)[0]
    number = NUMBERS[claim.metric]
    better, worse = ([number(run) for run in found[name]] for name in (claim.better, claim.worse))
    return claims.of_trainings(claim, better, worse)
