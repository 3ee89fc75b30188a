"""The page that a reader sees first: all results, claim by claim, in a sentence, a table and a figure."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from inpainting_tf import figures, files, tables
from inpainting_tf.book import claims
from inpainting_tf.book.claims import CANNOT, HOLDS, NOT_FOUND, NOT_TRAINED, OPEN, OPPOSITE, VERDICTS, Finding
from inpainting_tf.book.entries import Entry, Picture, Verdict, systems_of
from inpainting_tf.book.experiments import Experiments
from inpainting_tf.book.metrics import METRICS
from inpainting_tf.book.pages import Chapter, Link, publish
from inpainting_tf.book.trainings import duration
from inpainting_tf.errors import InputError

Address = Callable[[Chapter, Entry], str]  # of an entry's section


@dataclasses.dataclass(frozen=True)
class Result:
    """A paper's claim with what was found, and where."""

    chapter: Chapter
    entry: Entry
    finding: Finding


def of(chapters: Iterable[Chapter]) -> list[Result]:
    """The papers' claims, each once, in the papers' order; a chapter of ours makes none."""
    found: dict[tuple, Result] = {}
    for chapter in chapters:
        for entry, blocks in () if chapter.paper.ours else chapter.parts:
            for block in blocks:
                for each in block.findings if isinstance(block, Verdict) else ():
                    what = (chapter.name, each.claim.statement, each.claim.printed, each.verdict)
                    found.setdefault(what, Result(chapter, entry, each))
    return list(found.values())


def sentence(results: Sequence[Result]) -> str:
    """What holds, what does not, what nobody can know, and what is not decided yet."""
    count = Counter(each.finding.verdict for each in results)
    denied = [f"{count[each]} {each}" for each in (OPPOSITE, NOT_FOUND) if count[each]]
    parts = [f"Of {len(results)} statements of the papers **{_number(count[HOLDS], 'hold')} here**."]
    if denied:
        parts.append(
            f"**{_number(count[OPPOSITE] + count[NOT_FOUND], 'do', 'does')} not**: {', '.join(denied)}."
        )
    if count[CANNOT]:
        parts.append(
            f"**{count[CANNOT]} nobody can know**: what they rest on is lost with the paper, or takes people."
        )
    if count[OPEN]:
        parts.append(f"{_number(count[OPEN], 'are', 'is')} open: these trainings do not decide.")
    if count[NOT_TRAINED]:
        parts.append(f"{_number(count[NOT_TRAINED], 'wait')} for a training.")
    return " ".join(parts)


def _number(count: int, several: str, one: str = "") -> str:
    """A number with its verb."""
    return f"{count} {several if count != 1 else one or f'{several}s'}"


def table(results: Sequence[Result], address: Address) -> str:
    """A row per claim, by verdict."""
    rows = [["here", "statement", "in", "printed effect", "effect here, 95 % interval", "trainings"]]
    for each in sorted(results, key=lambda each: VERDICTS.index(each.finding.verdict)):
        found, metric = each.finding, METRICS[each.finding.claim.metric]
        printed = found.claim.printed
        rows.append(
            [
                found.told,
                found.claim.statement,
                f"[`{each.chapter.paper.name}`, {each.entry.key}]({address(each.chapter, each.entry)})",
                "in words" if printed is None else metric.text(printed, "+"),
                found.effect,
                found.counts,
            ]
        )
    return tables.table(rows, left=(0, 1, 2))


def figure(results: Sequence[Result], path: Path) -> Picture | None:
    """All effects, as printed and as here, by paper and unit; None where there is no number."""
    panels: dict[tuple[str, str], list[figures.Effect]] = {}
    for each in results:
        found = each.finding
        metric = METRICS[found.claim.metric]
        panel = panels.setdefault((each.chapter.paper.name, metric.axis or metric.name), [])
        low, high = found.interval
        panel.append(
            figures.Effect(
                found.claim.statement.replace("`", ""),
                metric.scale * (float("nan") if found.claim.printed is None else found.claim.printed),
                metric.scale * found.difference,
                (metric.scale * low, metric.scale * high),
                metric.scale * found.margin,
                found.verdict,
            )
        )
    try:
        figures.effects([figures.Panel(*key, effects) for key, effects in panels.items()], path)
    except InputError:
        return None
    return Picture(path, "All effects: printed, and here with their intervals", public=True)


def as_markdown(chapters: Sequence[Chapter], experiments: Experiments, link: Link, address: Address) -> str:
    """The page.

    Args:
        chapters: all of them.
        experiments: their systems.
        link: the link to a picture.
        address: of a section.
    """
    results = of(chapters)
    drawn = figure(results, experiments.home / "figures" / "effects.png")
    systems = systems_of(entry for chapter in chapters for entry, _ in chapter.parts)
    lines = [
        "# Five papers, reproduced",
        "Our numbers beside the printed ones, and whether the papers' rankings hold here. "
        f"{_trained(experiments, systems)}; each page ends with their commands and machines.",
        "## What holds, what does not, what nobody can know",
        sentence(results),
        link(drawn) if drawn else None,
        table(results, address),
        "Effects are positive where they are as the paper says. Trainings: of the better system, and of the "
        "worse one if that differs.",
        "## Table by table",
        _verdicts((chapter for chapter in chapters if not chapter.paper.ours), address),
    ]
    own = [chapter for chapter in chapters if chapter.paper.ours]
    if own:
        lines += ["## Beside them: our own system", _verdicts(own, address)]
    lines += ["## How a verdict is found", claims.RULE]
    return "\n\n".join(line for line in lines if line is not None) + "\n"


def _trained(experiments: Experiments, systems: Sequence[str]) -> str:
    minutes = experiments.minutes(systems)
    return f"All trainings took {duration(minutes)}" if minutes else "No training is finished yet"


def _verdicts(chapters: Iterable[Chapter], address: Address) -> str:
    """The verdict of each table and figure that has one."""
    rows = [["", "", "verdict"]]
    for chapter in chapters:
        for entry, blocks in chapter.parts:
            linked = f"[`{chapter.paper.name}`]({address(chapter, entry)})"
            verdicts = [block.line for block in blocks if isinstance(block, Verdict)]
            rows += [[linked, f"{entry.key}: {entry.title}", verdict] for verdict in verdicts]
    return tables.table(rows, left=(0, 1, 2))


def on_page(chapter: Chapter, entry: Entry) -> str:
    """The address of a section of a Markdown page, as GitHub makes it of the heading."""
    anchor = re.sub(r"[^\w\- ]", "", entry.heading.lower()).replace(" ", "-")
    return f"{chapter.name}.md#{anchor}"


def in_report(chapter: Chapter, _: Entry) -> str:
    """The address of a chapter in the report."""
    return f"#{chapter.paper.name}"


def write(chapters: Sequence[Chapter], experiments: Experiments, folder: Path) -> Path:
    """The index of the Markdown pages in `folder`."""
    index = folder / "README.md"

    def link(picture: Picture) -> str | None:
        return publish(picture, folder, picture.file.name)

    files.write_text(index, as_markdown(chapters, experiments, link, on_page))
    return index
