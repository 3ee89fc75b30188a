"""Tables: systems and classical fills on the same pictures and holes, and the verdict on the claims."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inpainting_tf import figures, tables
from inpainting_tf.book import claims, trainings
from inpainting_tf.book.claims import Claim, Finding
from inpainting_tf.book.entries.entry import Block, Entry, Picture, Verdict, collected, ranked_by, told
from inpainting_tf.book.experiments import Experiments, Missing
from inpainting_tf.book.metrics import METRICS
from inpainting_tf.evaluation import Evaluation, comparison, intervals
from inpainting_tf.ops import masks

Systems = dict[str, list[Evaluation]]  # an evaluation of each training
BASELINES = ("biharmonic", "navier_stokes", "telea", "patchmatch")

IN_BRACKETS = (
    "In brackets: 95 % interval of the mean, over trainings and pictures where a system was trained more "
    "than once, else over the pictures alone."
)

COURSE = "PSNR in the holes of the validation pictures while the systems were trained"


@dataclasses.dataclass(frozen=True)
class Epochs(Entry):
    """Systems after the epochs for which the paper prints their LPIPS, whose models were kept."""

    columns: tuple[str, ...] = ("raw_lpips", "raw_ssim", "raw_psnr", "hole_psnr")

    def make(self, experiments: Experiments, folder: Path) -> Iterator[Block]:
        rows = [["", "epoch", "LPIPS x100, printed", *(METRICS[key].name for key in self.columns)]]
        for name in self.systems:
            for epoch, theirs in trainings.printed_epochs(experiments.recipe(name)).items():
                try:
                    found = [experiments.after(name, epoch)]
                    cells = [mean_of(found, key) for key in self.columns]
                except Missing as reason:
                    cells = [told(reason), *[""] * (len(self.columns) - 1)]
                rows.append([f"`{name}`", str(epoch), f"{theirs:g}", *cells])
        yield tables.table(rows)
        yield "Epoch 0 is the untrained network, of each system's first training."


@dataclasses.dataclass(frozen=True)
class Table(Entry):
    """Systems and classical fills on the same pictures and holes, beside the paper's numbers.

    Attributes:
        claims: the paper's, about their order.
        columns: metrics, as `evaluation.MEANS` names them.
        as_printed: another column, by the formula that the paper printed: its header, and its function of a
            picture's PSNR.
        printed: the key of the table with the paper's numbers, if that is another one.
        course: the x axis of a figure of the validation PSNR over the training: "epoch" or "operations".
        texture: whether it has a column of the sliced Wasserstein distance.
        note: a remark for the reader.
        invented: what the table rests on that is not the paper's, so that it cannot be judged; a sentence.
    """

    claims: tuple[Claim, ...] = ()
    columns: tuple[str, ...] = ("psnr", "ssim", "hole_psnr", "raw_psnr", "raw_ssim")
    as_printed: tuple[str, Callable[[float], float]] | None = None
    printed: str = ""
    course: str = ""
    texture: bool = False
    note: str = ""
    invented: str = ""

    @property
    def ranked(self) -> tuple[str, ...]:
        return ranked_by(self.claims, self.systems)

    def make(self, experiments: Experiments, folder: Path) -> Iterator[Block]:
        found, missing = collected(self.systems, experiments.evaluations)
        classic, failed = collected(
            BASELINES if found else (), lambda name: [experiments.baseline(name, next(iter(found)))]
        )
        missing |= failed
        yield self._table(experiments, found | classic, missing)
        if found:
            yield f"{_of(next(iter(found.values()))[0])} {IN_BRACKETS}"
        if self.note:
            yield self.note
        findings = claims.judge(self.asked(experiments), found | classic, missing)
        shown = claims.unjudged(findings) if self.invented else findings
        yield Verdict(self.verdict(findings), tuple(shown))
        if findings:
            yield findings_table(shown)
        if found:
            yield from self._pictures(experiments, found, classic, folder)

    def asked(self, experiments: Experiments) -> list[Claim]:
        """What is judged: its claims, with the effects that the paper prints."""
        return [self._with_effect(claim, experiments) for claim in self.claims]

    def _with_effect(self, claim: Claim, experiments: Experiments) -> Claim:
        """The claim with the effect that the paper prints, where it has numbers of both systems."""
        key, metric = self.printed or self.key, METRICS[claim.metric]
        better, worse = (
            _number(experiments.recipe(name).printed.get(key, {}), claim.metric)
            if name in self.systems
            else None
            for name in (claim.better, claim.worse)
        )
        if claim.in_words or better is None or worse is None:
            return claim
        return dataclasses.replace(claim, printed=metric.sign * (better - worse))

    def verdict(self, findings: Sequence[Finding]) -> str:
        """The line of the verdict."""
        return claims.verdict(findings, self.invented)

    def _pictures(
        self, experiments: Experiments, found: Systems, classic: Systems, folder: Path
    ) -> Iterator[Picture]:
        """Of each system's first training."""
        first = {name: system[0] for name, system in (found | classic).items()}
        bars = figures.comparison_bars(list(first.values()), self.file(folder, "_bars"))
        yield Picture(bars, f"{self.key}: bars of the table, the first training of each", public=True)
        if self.course:
            path = _course(experiments, found, self.course, self.file(folder, "_course"))
            yield Picture(path, COURSE, public=True)
        shown = [first[name] for name in (*found, "biharmonic", "patchmatch") if name in first]
        if all(len(each.images) for each in shown):
            sheet = comparison.sheet(shown, self.file(folder, "_sheet"))
            yield Picture(sheet, f"{self.key}: the first test pictures, their known pixels kept")

    def _table(self, experiments: Experiments, found: Systems, missing: dict[str, str]) -> str:
        columns = [*self.columns, *(["lpips", "raw_lpips"] if experiments.lpips else [])]
        printed = {
            name: experiments.recipe(name).printed.get(self.printed or self.key, {}) for name in self.systems
        }
        theirs = list(dict.fromkeys(key for each in printed.values() for key in each))
        header = ["", *(f"{_header(key)}, printed" for key in theirs), *map(_header, columns)]
        if self.as_printed:
            header.append(self.as_printed[0])
        if self.texture:
            header.append("SWD")
        rows = [[*header, "ms/picture", "trainings"]]
        for name in (each for each in (*self.systems, *BASELINES) if each in found or each in missing):
            cells = [_printed(printed.get(name, {}).get(key)) for key in theirs]
            if name in missing:
                blank = [""] * (len(rows[0]) - len(cells) - 2)
                rows.append([f"`{name}`", *cells, told(missing[name]), *blank])
                continue
            system = found[name]
            cells += [mean_of(system, key) for key in columns]
            every = [row for each in system for row in each.rows]
            if self.as_printed:
                cells.append(f"{np.mean([self.as_printed[1](row['psnr']) for row in every]):.2f}")
            if self.texture:
                cells.append(_texture(system))
            seconds = np.mean([row["seconds"] for row in every])
            trained = str(len(system)) if name in self.systems else ""
            rows.append([f"`{name}`", *cells, f"{1000 * seconds:.1f}", trained])
        return tables.table(rows)


def _course(experiments: Experiments, systems: Iterable[str], over: str, path: Path) -> Path:
    return figures.course(
        {name: _history(experiments, name) for name in systems},
        "val_hole_psnr",
        path,
        over=over,
        label="hole PSNR (dB)",
    )


def _history(experiments: Experiments, name: str) -> list[dict[str, Any]]:
    """The rows of a system's history, with what was computed until each, in 10^12 multiply-adds."""
    rows = experiments.run(name).history()
    each = experiments.operations(name) / int(rows[-1]["epoch"]) / 1e12
    return [row | {"operations": int(row["epoch"]) * each} for row in rows]


def _of(found: Evaluation) -> str:
    """The test set, in a sentence."""
    summary, mask = found.summary, found.summary["mask"]
    lengths = (f"{100 * length:.3g}" for length in masks.extent(masks.Mask(**mask)))
    extent = " to ".join(dict.fromkeys(lengths))
    return (
        f"{summary['images']} test pictures of {summary['dataset']} at {summary['image_size'][1]}x"
        f"{summary['image_size'][0]}, holes: {mask['kind']}, {extent} % of the side."
    )


def _header(key: str) -> str:
    return "LPIPS x100" if key == "lpips_x100" else METRICS[key].name


def _printed(value: object) -> str:
    """A printed number; of one printed for several epochs, the last."""
    if isinstance(value, dict):
        epoch, value = list(value.items())[-1]
        return f"{value:g} ({epoch})"
    return "" if value is None else f"{value:g}"


def _number(printed: Mapping[str, Any], metric: str) -> float | None:
    """A paper's number in a metric's own unit; of one that is printed for several epochs, the last."""
    if metric in ("lpips", "raw_lpips"):
        epochs = printed.get("lpips_x100")
        return None if epochs is None else list(epochs.values())[-1] / METRICS[metric].scale
    return printed.get(metric)


def mean_of(system: Sequence[Evaluation], key: str) -> str:
    """The mean over trainings and pictures, with its interval; of a raw metric of composites, a dash."""
    values = [[row.get(key) for row in each.rows] for each in system]
    if any(value is None for each in values for value in each):
        return "-"
    metric, array = METRICS[key], np.array(values, "float64")
    low, high = intervals.two_level(array)
    mean = metric.text(array.mean())
    return f"{mean} ({metric.text(low)}-{metric.text(high)})" if np.isfinite(low) else mean


def _texture(system: Sequence[Evaluation]) -> str:
    """The sliced Wasserstein distance of the holes, mean over scales and trainings; smaller is better."""
    if any("swd" not in each.summary for each in system):
        return "-"
    return f"{np.mean([each.summary['swd'] for each in system]):.0f}"


def findings_table(findings: Sequence[Finding]) -> str:
    """A row per claim."""
    rows = [["statement", "where", "printed effect", "effect here, 95 % interval", "small below", "here"]]
    for each in findings:
        rows += [_finding(each), *(_finding(form, "also: ") for form in each.forms)]
    return tables.table(rows, left=(0, 1, 5))


def _finding(found: Finding, prefix: str = "") -> list[str]:
    claim, metric = found.claim, METRICS[found.claim.metric]
    margin = metric.text(found.margin) if np.isfinite(found.margin) else ""
    printed = "in words" if claim.printed is None else metric.text(claim.printed, "+")
    return [f"{prefix}{claim.statement}", claim.where, printed, found.effect, margin, found.told]
