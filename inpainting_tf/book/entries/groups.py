"""One system on two groups of pictures: those it was trained on and others, turned faces and front faces."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from inpainting_tf import tables
from inpainting_tf.book import claims
from inpainting_tf.book.claims import Claim
from inpainting_tf.book.entries.entry import Block, Entry, Verdict, collected, ranked_by, told
from inpainting_tf.book.entries.measurements import findings_table, mean_of
from inpainting_tf.book.experiments import Experiments
from inpainting_tf.evaluation import Evaluation
from inpainting_tf.ops.images import to_float

METRIC = "hole_psnr"
_FACE = (0.34, 0.85, 0.22, 0.78)  # top, bottom, left, right in the central square of aligned CelebA
_GREY = np.array([0.299, 0.587, 0.114], "float32")


@dataclasses.dataclass(frozen=True)
class Groups(Entry):
    """Systems on two groups of pictures, and the paper's claims on which are filled better.

    Attributes:
        claims: of a system on the first group against itself on the second; `better` is its name.
    """

    claims: tuple[Claim, ...] = ()

    @property
    def ranked(self) -> tuple[str, ...]:
        return ranked_by(self.claims, self.systems)

    def make(self, experiments: Experiments, folder: Path) -> Iterator[Block]:
        found, missing = collected(self.systems, functools.partial(self.measured, experiments))
        rows = [["", *self.groups, "difference"]]
        for name in self.systems:
            cells = _cells(*found[name]) if name in found else [told(missing[name]), "", ""]
            rows.append([f"`{name}`", *cells])
        yield tables.table(rows)
        yield f"PSNR inside the holes, in dB. {self.about}"
        findings = [
            claims.of_groups(claim, *map(_values, found[claim.better]))
            if claim.better in found
            else claims.judge([claim], {}, missing)[0]
            for claim in self.claims
        ]
        yield Verdict(claims.verdict(findings), tuple(findings))
        yield findings_table(findings)

    @property
    def groups(self) -> tuple[str, str]:
        """What both groups are."""
        raise NotImplementedError

    @property
    def about(self) -> str:
        """How the pictures were chosen."""
        raise NotImplementedError

    def measured(self, experiments: Experiments, name: str) -> tuple[list[Evaluation], list[Evaluation]]:
        """The evaluations of all trainings of a system on either group; Missing as in `Entry.make`."""
        raise NotImplementedError


@dataclasses.dataclass(frozen=True)
class Overfitting(Groups):
    """Systems on pictures that they were trained on, and on test pictures."""

    groups = ("training pictures", "test pictures")
    about = "As many training pictures as test pictures, each with a hole that is drawn as the test's are."

    def measured(self, experiments: Experiments, name: str) -> tuple[list[Evaluation], list[Evaluation]]:
        return experiments.on_training(name), experiments.evaluations(name)


@dataclasses.dataclass(frozen=True)
class Poses(Groups):
    """Systems on the third of the test pictures with the least symmetric faces, and on that with the most."""

    groups = ("turned faces", "front faces")
    about = (
        "CelebA's pictures come without their poses: the front faces are the third of the test pictures "
        "whose outlines agree best with their mirror images, the turned ones the third in which they agree "
        "least."
    )

    def measured(self, experiments: Experiments, name: str) -> tuple[list[Evaluation], list[Evaluation]]:
        found = experiments.evaluations(name)
        pictures = experiments.test_set(name).pictures()
        order = np.argsort([symmetry(to_float(image)) for image in pictures.images[:]], kind="stable")
        third = len(order) // 3
        turned, front = order[:third], order[len(order) - third :]
        return [_part(each, turned) for each in found], [_part(each, front) for each in found]


def symmetry(picture: np.ndarray) -> float:
    """How well the outlines of a face agree with their mirror image, -1 to 1: their correlation.

    Args:
        picture: float32 [H, W, 3] in [0, 1], the central square of an aligned CelebA picture.
    """
    height, width = picture.shape[:2]
    top, bottom, left, right = (
        round(share * side) for share, side in zip(_FACE, (height, height, width, width), strict=True)
    )
    outlines = np.hypot(*np.gradient((picture @ _GREY)[top:bottom, left:right]))
    outlines -= outlines.mean()
    power = float(np.square(outlines).sum())
    return float((outlines * outlines[:, ::-1]).sum()) / power if power else 0.0


def _part(found: Evaluation, numbers: Sequence[int] | np.ndarray) -> Evaluation:
    """An evaluation's rows of some pictures."""
    return dataclasses.replace(found, rows=[found.rows[number] for number in numbers])


def _cells(first: Sequence[Evaluation], second: Sequence[Evaluation]) -> list[str]:
    difference = np.mean(_values(first)) - np.mean(_values(second))
    return [mean_of(first, METRIC), mean_of(second, METRIC), f"{difference:+.2f}"]


def _values(system: Sequence[Evaluation]) -> np.ndarray:
    """[trainings, pictures]."""
    return np.array([[row[METRIC] for row in each.rows] for each in system], "float64")
