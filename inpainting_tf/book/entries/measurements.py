"""Tables: systems and classical fills on the same pictures and holes, and the verdict on the claims."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from inpainting_tf import figures, tables
from inpainting_tf.book import claims
from inpainting_tf.book.claims import Claim
from inpainting_tf.book.entries.entry import Block, Entry, Picture, measured
from inpainting_tf.book.experiments import Experiments, Missing
from inpainting_tf.evaluation import Evaluation, comparison, intervals
from inpainting_tf.ops import masks

BASELINES = ("biharmonic", "navier_stokes", "telea", "patchmatch")

IN_BRACKETS = (
    "In brackets: 95 % bootstrap interval of the mean over the pictures. Every system was trained once; what "
    f"another seed may change as well, less than {claims.METRICS['psnr'].retrained:g} dB or "
    f"{claims.METRICS['ssim'].retrained:g} of SSIM, ranks nothing."
)

COURSE = "PSNR in the holes of the validation pictures while the systems were trained"


@dataclasses.dataclass(frozen=True)
class Table(Entry):
    """Systems and classical fills on the same pictures and holes, beside the paper's numbers.

    Attributes:
        claims: the paper's, about their order.
        columns: metrics, as `evaluation.MEANS` names them.
        as_printed: another column, by the formula that the paper printed: its header, and its function of a
            picture's PSNR.
        printed: the key of the table with the paper's numbers, if that is another one.
        course: the x axis of a figure of the validation PSNR over the training: "epoch" or "minutes".
        note: a remark for the reader.
    """

    claims: tuple[Claim, ...] = ()
    columns: tuple[str, ...] = ("psnr", "ssim", "hole_psnr", "raw_psnr", "raw_ssim")
    as_printed: tuple[str, Callable[[float], float]] | None = None
    printed: str = ""
    course: str = ""
    note: str = ""

    def make(self, experiments: Experiments, folder: Path) -> Iterator[Block]:
        found, missing = measured(experiments, self.systems)
        if not found:
            raise Missing("; ".join(f"{name}: {reason}" for name, reason in missing.items()))
        classic = {}
        for name in BASELINES:
            try:
                classic[name] = experiments.baseline(name, next(iter(found)))
            except Missing as reason:
                missing[name] = str(reason)
        yield self._table(experiments, found | classic, missing)
        yield f"{_of(next(iter(found.values())))} {IN_BRACKETS}"
        if self.note:
            yield self.note
        findings = claims.judge(self.claims, found | classic)
        yield claims.verdict(findings)
        if findings:
            yield _findings(findings)
        bars = figures.comparison_bars([*found.values(), *classic.values()], self.file(folder, "_bars"))
        yield Picture(bars, f"{self.key}: bars of the table", public=True)
        if self.course:
            path = _course(experiments, found, self.course, self.file(folder, "_course"))
            yield Picture(path, COURSE, public=True)
        shown = [
            *found.values(),
            *(classic[name] for name in ("biharmonic", "patchmatch") if name in classic),
        ]
        sheet = comparison.sheet(shown, self.file(folder, "_sheet"))
        yield Picture(sheet, f"{self.key}: the first test pictures, their known pixels kept")

    def _table(self, experiments: Experiments, found: dict[str, Evaluation], missing: dict[str, str]) -> str:
        columns = [*self.columns, *(["lpips"] if experiments.lpips else [])]
        printed = {
            name: experiments.recipe(name).printed.get(self.printed or self.key, {}) for name in self.systems
        }
        theirs = list(dict.fromkeys(key for each in printed.values() for key in each))
        header = ["", *(f"{_header(key)}, printed" for key in theirs), *map(_header, columns)]
        if self.as_printed:
            header.append(self.as_printed[0])
        rows = [[*header, "ms/picture"]]
        for name in (*self.systems, *BASELINES):
            cells = [_printed(printed.get(name, {}).get(key)) for key in theirs]
            if name in missing:
                blank = [""] * (len(rows[0]) - len(cells) - 2)
                rows.append([f"`{name}`", *cells, f"failed: {tables.plain(missing[name])}", *blank])
                continue
            each = found[name]
            cells += [_mean(each, key) for key in columns]
            if self.as_printed:
                cells.append(f"{np.mean([self.as_printed[1](row['psnr']) for row in each.rows]):.2f}")
            rows.append([f"`{name}`", *cells, f"{1000 * each.summary['seconds_per_image']:.1f}"])
        return tables.table(rows)


def _course(experiments: Experiments, systems: Iterable[str], over: str, path: Path) -> Path:
    histories = {
        name: [row | {"minutes": float(row["seconds"]) / 60} for row in experiments.run(name).history()]
        for name in systems
    }
    return figures.course(histories, "val_hole_psnr", path, over=over, label="hole PSNR (dB)")


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
    names = {"lpips": "LPIPS x100", "lpips_x100": "LPIPS x100"}
    return names.get(key) or claims.METRICS[key].name


def _printed(value: object) -> str:
    """A printed number; of one printed for several epochs, the last."""
    if isinstance(value, dict):
        epoch, value = list(value.items())[-1]
        return f"{value:g} ({epoch})"
    return "" if value is None else f"{value:g}"


def _mean(found: Evaluation, key: str) -> str:
    digits = 4 if key.endswith("ssim") else 2
    scale = 100.0 if key == "lpips" else 1.0
    values = [row[key] for row in found.rows]
    if any(value is None for value in values):
        return "-"
    low, high = intervals.interval(np.multiply(values, scale))
    mean = scale * found.summary[key]
    return (
        f"{mean:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"
        if np.isfinite(low)
        else f"{mean:.{digits}f}"
    )


def _findings(findings: Sequence[claims.Finding]) -> str:
    rows = [["statement", "where", "difference, 95 % interval", "p (Holm)", "here"]]
    for each in findings:
        seconds = each.claim.metric == "seconds"
        difference, low, high = np.multiply((each.difference, *each.interval), 1000.0 if seconds else 1.0)
        prefix = f"{each.claim.statement}: "
        form = ".4f" if each.claim.metric.endswith("ssim") else ".2f"
        unit = " ms" if seconds else ""
        rows.append(
            [
                each.claim.statement,
                each.claim.where,
                f"{difference:+{form}}{unit} ({low:+{form}} to {high:+{form}})"
                if np.isfinite(difference)
                else "",
                intervals.cell(each.p) if np.isfinite(each.p) else "",
                f"open: {each.reason.removeprefix(prefix)}" if each.verdict == claims.OPEN else each.verdict,
            ]
        )
    return tables.table(rows, left=(0, 1, 4))
