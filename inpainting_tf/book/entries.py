"""The kinds of tables and figures that papers have: what each needs, and how it becomes a part of a page."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from inpainting_tf import figures, tables
from inpainting_tf.book import claims, encoders
from inpainting_tf.book.claims import Claim
from inpainting_tf.book.experiments import ENCODERS, Experiments, Missing
from inpainting_tf.errors import InputError
from inpainting_tf.evaluation import Evaluation, comparison, intervals, ratings
from inpainting_tf.ops import images, masks

BASELINES = ("biharmonic", "navier_stokes", "telea", "patchmatch")


@dataclasses.dataclass(frozen=True)
class Picture:
    """A figure on a page.

    Attributes:
        file: a PNG file.
        caption: below it.
        public: whether it may be shown to everybody. Pictures of a data set may not be published.
    """

    file: Path
    caption: str
    public: bool = False


Block = str | Picture


@dataclasses.dataclass(frozen=True)
class Entry:
    """A table or figure.

    Attributes:
        key: its kind and number in the paper, e.g. "table 4.3".
        title: what it shows.
        systems: the models whose runs it needs.
    """

    key: str
    title: str
    systems: tuple[str, ...] = ()

    @property
    def slug(self) -> str:
        """Its key as a part of a file's name."""
        return re.sub("[^a-z0-9]+", "_", self.key.lower())

    def make(self, lab: Experiments, folder: Path) -> Iterator[Block]:
        """Its part of the page; pictures that it draws are written into `folder`.

        Raises:
            Missing: nothing of it can be made.
        """
        raise NotImplementedError

    def file(self, folder: Path, suffix: str = "") -> Path:
        """Where it draws a picture."""
        return folder / f"{self.slug}{suffix}.png"


class PerSystem(Entry):
    """An entry with a picture for each system."""

    def picture(self, lab: Experiments, name: str, folder: Path) -> Picture:
        """The picture of the system `name`; as `make` otherwise."""
        raise NotImplementedError

    def make(self, lab: Experiments, folder: Path) -> Iterator[Block]:
        for name in self.systems:
            try:
                yield self.picture(lab, name, folder)
            except Missing as reason:
                yield _failed(name, reason)


@dataclasses.dataclass(frozen=True)
class Table(Entry):
    """Systems and classical fills on the same pictures and holes, beside what the paper printed.

    Attributes:
        claims: what the paper says about their order.
        columns: metrics, as `evaluation.MEANS` names them.
        as_printed: another column, by the formula that the paper printed: its header, and what makes it of a
            picture's proper PSNR.
        printed: the key of the table that the paper's numbers stand in, if that is another one.
        course: against what to draw the validation PSNR over the training, too: "epoch" or "minutes".
        note: what else the reader must know.
    """

    claims: tuple[Claim, ...] = ()
    columns: tuple[str, ...] = ("psnr", "ssim", "hole_psnr", "raw_psnr", "raw_ssim")
    as_printed: tuple[str, Callable[[float], float]] | None = None
    printed: str = ""
    course: str = ""
    note: str = ""

    def make(self, lab: Experiments, folder: Path) -> Iterator[Block]:
        found, missing = measured(lab, self.systems)
        if not found:
            raise Missing("; ".join(f"{name}: {reason}" for name, reason in missing.items()))
        classic = {}
        for name in BASELINES:
            try:
                classic[name] = lab.baseline(name, next(iter(found)))
            except Missing as reason:
                missing[name] = str(reason)
        yield self._table(lab, found | classic, missing)
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
            path = _course(lab, found, self.course, self.file(folder, "_course"))
            yield Picture(path, COURSE, public=True)
        shown = [
            *found.values(),
            *(classic[name] for name in ("biharmonic", "patchmatch") if name in classic),
        ]
        sheet = comparison.sheet(shown, self.file(folder, "_sheet"))
        yield Picture(sheet, f"{self.key}: the first test pictures, their known pixels kept")

    def _table(self, lab: Experiments, found: dict[str, Evaluation], missing: dict[str, str]) -> str:
        columns = [*self.columns, *(["lpips"] if lab.lpips else [])]
        printed = {name: lab.recipe(name).printed.get(self.printed or self.key, {}) for name in self.systems}
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


IN_BRACKETS = (
    "In brackets: 95 % bootstrap interval of the mean over the pictures. Every system was trained once; what "
    f"another seed may change as well, less than {claims.METRICS['psnr'].retrained:g} dB or "
    f"{claims.METRICS['ssim'].retrained:g} of SSIM, ranks nothing."
)
COURSE = "PSNR in the holes of 64 test pictures while the systems were trained"


@dataclasses.dataclass(frozen=True)
class Curves(PerSystem):
    """The losses of each system over its training."""

    def picture(self, lab: Experiments, name: str, folder: Path) -> Picture:
        path = figures.loss_curves(lab.run(name).history(), self.file(folder, f"_{name}"))
        return Picture(path, f"{self.key}: {name}", public=True)


@dataclasses.dataclass(frozen=True)
class Sheets(PerSystem):
    """Pictures as each system fills them, a sheet of its own for each.

    Attributes:
        which: a key of `SHEETS`.
    """

    which: str = "sheet"

    def picture(self, lab: Experiments, name: str, folder: Path) -> Picture:
        return Picture(lab.sheet_of(name, self.which), f"{self.key}: `{name}`, {SHEETS[self.which]}")


SHEETS = {  # that come with an evaluation; the best and the worst by the PSNR inside the hole
    "sheet": "the first test pictures",
    "good": "the best filled test pictures",
    "failed": "the worst filled test pictures",
    "patches": "original and predicted patches of the first test pictures",
    "diverse": "several fills of the same holes",
}


@dataclasses.dataclass(frozen=True)
class SideBySide(Entry):
    """The first test pictures as all systems fill them, a column for each.

    Attributes:
        raw: show the whole predictions, and not the known pixels' own.
        source: other pictures than those that the systems were trained on, e.g. "synthetic_faces".
    """

    raw: bool = False
    source: str | None = None

    def make(self, lab: Experiments, folder: Path) -> Iterator[Block]:
        found, missing = measured(lab, self.systems, self.source)
        for name, reason in missing.items():
            yield _failed(name, reason)
        for size in sorted({str(each.summary["image_size"]) for each in found.values()}):
            alike = [each for each in found.values() if str(each.summary["image_size"]) == size]
            path = comparison.sheet(alike, self.file(folder, f"_{size.split(',')[0][1:]}"), raw=self.raw)
            shown = "whole predictions" if self.raw else "their known pixels kept"
            yield Picture(path, f"{self.key}: {shown}", public=self.source == "synthetic_faces")


@dataclasses.dataclass(frozen=True)
class Bars(Entry):
    """Bars of the systems' means."""

    metrics: tuple[str, ...] = ("psnr",)

    def make(self, lab: Experiments, folder: Path) -> Iterator[Block]:
        found, missing = measured(lab, self.systems)
        for name, reason in missing.items():
            yield _failed(name, reason)
        if found:
            path = figures.comparison_bars(list(found.values()), self.file(folder), keys=self.metrics)
            yield Picture(path, f"{self.key}: {self.title}", public=True)


@dataclasses.dataclass(frozen=True)
class Progress(PerSystem):
    """The same test pictures as they were filled while a system was trained."""

    def picture(self, lab: Experiments, name: str, folder: Path) -> Picture:
        return Picture(lab.progress(name), f"{self.key}: `{name}`")


@dataclasses.dataclass(frozen=True)
class Ratings(Entry):
    """Scores that people gave the systems' fills."""

    def make(self, lab: Experiments, folder: Path) -> Iterator[Block]:
        if lab.study is None:
            runs = " ".join(f"--runs={lab.home / name}" for name in self.systems)
            yield (
                "**Cannot be judged**: it takes people. This page asks them, and with `--study=FOLDER` "
                f"their scores are here: `python -m inpainting_tf.apps.study {runs} --pictures=PICTURES "
                "--output=FOLDER`."
            )
            return
        try:
            yield ratings.report(lab.study)
        except InputError as error:
            raise Missing(str(error)) from error
        yield Picture(Path(lab.study) / "ratings.png", f"{self.key}: {self.title}", public=True)


@dataclasses.dataclass(frozen=True)
class Removal(Entry):
    """A hole where the user wants something gone: glasses, on pictures whose eyes are where CelebA has them.

    Attributes:
        hole: of the pictures, (top, bottom, left, right) as shares of the side.
    """

    hole: tuple[float, float, float, float] = (0.44, 0.60, 0.2, 0.8)

    def make(self, lab: Experiments, folder: Path) -> Iterator[Block]:
        (name,) = self.systems
        shown = lab.evaluation(name).images
        mask = np.zeros((*shown.shape[:3], 1), "float32")
        height, width = shown.shape[1:3]
        top, bottom, left, right = (
            round(share * side) for share, side in zip(self.hole, (height, height, width, width), strict=True)
        )
        mask[:, top:bottom, left:right] = 1.0
        fill = comparison.of_run(lab.run(name)).fill
        filled = images.composite(shown, np.asarray(fill(shown * (1 - mask), mask)), mask)
        columns = {"picture": shown, "input": figures.input_view(shown, mask), "filled": filled}
        path = figures.sheet(columns, self.file(folder), title=f"{name}: what was over the eyes is removed")
        yield Picture(path, f"{self.key}: a hole of the user's own over the eyes, `{name}`")
        yield (
            "Any picture and any hole: `inpaint --model="
            f"{lab.home / name} --image=PICTURE --mask=MASK --output=OUTPUT`."
        )


@dataclasses.dataclass(frozen=True)
class EncoderAccuracy(Entry):
    """Two encoders as classifiers of CIFAR-10."""

    def make(self, lab: Experiments, folder: Path) -> Iterator[Block]:
        rows = lab.encoders()
        path = encoders.accuracy_curves(rows, self.file(folder))
        yield Picture(path, f"{self.key}: test accuracy after each epoch", public=True)
        first, last = rows[0], rows[-1]
        cells = [["encoder", "accuracy after epoch 1", f"after epoch {last['epoch']}", "seconds of training"]]
        seconds = {name: sum(row[f"{name}_seconds"] for row in rows) for name in encoders.ENCODERS}
        for name in encoders.ENCODERS:
            cells.append([name, f"{first[name]:.3f}", f"{last[name]:.3f}", f"{seconds[name]:.0f}"])
        yield tables.table(cells)
        yield _encoders_verdict(rows, seconds)
        size = ENCODERS[lab.scale]
        yield (
            f"{size.train or 'All'} training pictures, seed 0: `python scripts/encoder_comparison.py "
            f"--epochs={size.epochs} --width={size.width}{f' --train={size.train}' if size.train else ''}`."
        )


def _encoders_verdict(rows: Sequence[dict], seconds: Mapping[str, float]) -> str:
    """The paper: the improved encoder converges faster, and is no worse in the end."""
    ahead = sum(row["improved"] > row["glcic"] for row in rows)
    final = rows[-1]["improved"] - rows[-1]["glcic"]
    words = (
        f"the improved encoder is ahead after {ahead} of {len(rows)} epochs, and by {100 * final:+.1f} % "
        f"of the pictures at the end, in {seconds['improved'] / seconds['glcic']:.2f} of the time"
    )
    if ahead == len(rows) and final > 0:
        return f"**Reproduced**: {words}."
    if ahead < len(rows) / 2:
        return f"**Not reproduced**: {words}."
    return f"**Cannot be judged**: {words}; one seed."


def systems_of(entries: Iterable[Entry]) -> list[str]:
    """The models that some entries need, each once."""
    return list(dict.fromkeys(name for entry in entries for name in entry.systems))


def measured(
    lab: Experiments, systems: Sequence[str], source: str | None = None
) -> tuple[dict[str, Evaluation], dict[str, str]]:
    """The systems' evaluations, and the reasons of those that have none."""
    found, missing = {}, {}
    for name in systems:
        try:
            found[name] = lab.evaluation(name, source)
        except Missing as reason:
            missing[name] = str(reason)
    return found, missing


def _failed(name: str, reason: object) -> str:
    return f"`{name}`: failed: {tables.plain(reason)}"


def _course(lab: Experiments, systems: Iterable[str], over: str, path: Path) -> Path:
    histories = {
        name: [row | {"minutes": float(row["seconds"]) / 60} for row in lab.run(name).history()]
        for name in systems
    }
    return figures.course(histories, "val_hole_psnr", path, over=over, label="hole PSNR (dB)")


def _of(found: Evaluation) -> str:
    """What was measured, in a sentence."""
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
    """A printed number; of one that was followed over the epochs, the last."""
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
        words = f"{each.claim.words}: "
        form = ".4f" if each.claim.metric.endswith("ssim") else ".2f"
        unit = " ms" if seconds else ""
        rows.append(
            [
                each.claim.words,
                each.claim.where,
                f"{difference:+{form}}{unit} ({low:+{form}} to {high:+{form}})"
                if np.isfinite(difference)
                else "",
                intervals.cell(each.p) if np.isfinite(each.p) else "",
                f"open: {each.reason.removeprefix(words)}" if each.verdict == claims.OPEN else each.verdict,
            ]
        )
    return tables.table(rows, words=(0, 1, 4))
