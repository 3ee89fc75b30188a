"""Figures: pictures filled by the systems, their losses, bars, raters' scores, and the encoder comparison."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from inpainting_tf import figures, tables
from inpainting_tf.book import encoders
from inpainting_tf.book.claims import CANNOT, Claim, Finding
from inpainting_tf.book.entries.entry import (
    Block,
    Entry,
    PerSystem,
    Picture,
    Verdict,
    collected,
    failed,
    told,
)
from inpainting_tf.book.experiments import NO_PICTURES, Experiments, Missing
from inpainting_tf.errors import InputError
from inpainting_tf.evaluation import comparison, ratings


@dataclasses.dataclass(frozen=True)
class Curves(PerSystem):
    """The losses of each system over its training."""

    def picture(self, experiments: Experiments, name: str, folder: Path) -> Picture:
        path = figures.loss_curves(experiments.run(name).history(), self.file(folder, f"_{name}"))
        return Picture(path, f"{self.key}: {name}", public=True)


SHEETS = {  # of an evaluation; the best and the worst by the PSNR inside the hole
    "sheet": "the first test pictures",
    "good": "the best filled test pictures",
    "failed": "the worst filled test pictures",
    "patches": "original and predicted patches of the first test pictures",
    "diverse": "several fills of the same holes",
}


@dataclasses.dataclass(frozen=True)
class Sheets(PerSystem):
    """Pictures filled by each system, a sheet for each.

    Attributes:
        which: a key of `SHEETS`.
    """

    which: str = "sheet"

    def picture(self, experiments: Experiments, name: str, folder: Path) -> Picture:
        return Picture(experiments.sheet_of(name, self.which), f"{self.key}: `{name}`, {SHEETS[self.which]}")


@dataclasses.dataclass(frozen=True)
class SideBySide(Entry):
    """The first test pictures filled by all systems, a column for each.

    Attributes:
        raw: show the raw predictions, and not the composites.
        source: other pictures than those that the systems were trained on, e.g. "synthetic_faces".
        baselines: classical methods, in columns before the systems; not of another source.
    """

    raw: bool = False
    source: str | None = None
    baselines: tuple[str, ...] = ()

    def make(self, experiments: Experiments, folder: Path) -> Iterator[Block]:
        found, missing = collected(self.systems, lambda name: experiments.evaluation(name, self.source))
        if found:
            first = next(iter(found))
            found = {name: experiments.baseline(name, first) for name in self.baselines} | found
        missing |= {name: NO_PICTURES for name, each in found.items() if not len(each.images)}
        found = {name: each for name, each in found.items() if name not in missing}
        for name, reason in missing.items():
            yield failed(name, reason)
        for size in sorted({str(each.summary["image_size"]) for each in found.values()}):
            alike = [each for each in found.values() if str(each.summary["image_size"]) == size]
            path = comparison.sheet(alike, self.file(folder, f"_{size.split(',')[0][1:]}"), raw=self.raw)
            shown = "whole predictions" if self.raw else "their known pixels kept"
            yield Picture(path, f"{self.key}: {shown}", public=self.source == "synthetic_faces")


@dataclasses.dataclass(frozen=True)
class Bars(Entry):
    """Bars of the systems' means."""

    metrics: tuple[str, ...] = ("psnr",)

    def make(self, experiments: Experiments, folder: Path) -> Iterator[Block]:
        found, missing = collected(self.systems, experiments.evaluation)
        for name, reason in missing.items():
            yield failed(name, reason)
        if found:
            path = figures.comparison_bars(list(found.values()), self.file(folder), keys=self.metrics)
            yield Picture(path, f"{self.key}: {self.title}", public=True)


@dataclasses.dataclass(frozen=True)
class Progress(PerSystem):
    """The same validation pictures, filled after several epochs of a system's training."""

    def picture(self, experiments: Experiments, name: str, folder: Path) -> Picture:
        return Picture(experiments.progress(name), f"{self.key}: `{name}`")


@dataclasses.dataclass(frozen=True)
class Ratings(Entry):
    """Raters' scores of the systems' fills.

    Attributes:
        claims: the paper's.
    """

    claims: tuple[Claim, ...] = ()

    def make(self, experiments: Experiments, folder: Path) -> Iterator[Block]:
        if experiments.study is None:
            runs = " ".join(f"--runs={experiments.home / name}" for name in self.systems)
            yield Verdict(
                "**Cannot be judged**: it takes people. This page asks them, and with `--study=FOLDER` "
                f"their scores are here: `python -m inpainting_tf.apps.study {runs} --together "
                "--output=FOLDER`.",
                tuple(Finding(claim, CANNOT, "it takes people") for claim in self.claims),
            )
            return
        try:
            yield ratings.report(experiments.study)
        except InputError as error:
            raise Missing(str(error)) from error
        yield Picture(Path(experiments.study) / "ratings.png", f"{self.key}: {self.title}", public=True)


@dataclasses.dataclass(frozen=True)
class EncoderAccuracy(Entry):
    """Two encoders as classifiers of CIFAR-10."""

    def make(self, experiments: Experiments, folder: Path) -> Iterator[Block]:
        try:
            rows = experiments.encoders()
        except Missing as reason:
            yield Verdict(f"**Cannot be judged**: {_LOST}", tuple(_encoder_findings()))
            yield told(reason)
            return
        path = encoders.accuracy_curves(rows, self.file(folder))
        yield Picture(path, f"{self.key}: test accuracy after each epoch", public=True)
        first, last = rows[0], rows[-1]
        names = [name for name in encoders.ENCODERS if name in first]
        cells = [["encoder", "accuracy after epoch 1", f"after epoch {last['epoch']}", "seconds of training"]]
        seconds = {name: sum(row[f"{name}_seconds"] for row in rows) for name in names}
        for name in names:
            cells.append([name, f"{first[name]:.3f}", f"{last[name]:.3f}", f"{seconds[name]:.0f}"])
        yield tables.table(cells)
        yield Verdict(_encoders_verdict(rows, seconds), tuple(_encoder_findings(rows)))
        size = encoders.SIZES[experiments.scale]
        yield (
            f"{size.train or 'All'} training pictures, seed 0: `python scripts/encoder_comparison.py "
            f"--epochs={size.epochs} --width={size.width}{f' --train={size.train}' if size.train else ''}`."
        )


_LOST = "the encoder's strides and the classifier on it are lost with the paper's tables."


def _encoder_findings(rows: Sequence[dict] = ()) -> Iterator[Finding]:
    """The paper's two claims, with the differences here, of one training, where there is one."""
    claims = (
        Claim("improved", "glcic", "accuracy", "figure 13", words="`improved` converges faster than `glcic`"),
        Claim("improved", "glcic", "accuracy", "figure 13: without reducing the accuracy", tie=True),
    )
    ahead = [row["improved"] - row["glcic"] for row in rows] or [math.nan]
    for claim, difference in zip(claims, (np.mean(ahead), ahead[-1]), strict=True):
        yield Finding(claim, CANNOT, "the encoder's strides are lost", float(difference), trainings=(1, 1))


def _encoders_verdict(rows: Sequence[dict], seconds: Mapping[str, float]) -> str:
    """The line on the paper's claim, that the improved encoder converges faster and ends no worse."""
    compared = []
    for name in (name for name in seconds if name != "glcic"):
        ahead = sum(row[name] > row["glcic"] for row in rows)
        final = rows[-1][name] - rows[-1]["glcic"]
        compared.append(
            f"`{name}` is ahead of GLCIC's after {ahead} of {len(rows)} epochs, and by {100 * final:+.1f} % "
            f"of the pictures at the end, in {seconds[name] / seconds['glcic']:.2f} of the time"
        )
    measured_here = f"As measured here, once: {'; '.join(compared)}."
    return f"**Cannot be judged**: {_LOST} The result rests on ours. {measured_here}"
