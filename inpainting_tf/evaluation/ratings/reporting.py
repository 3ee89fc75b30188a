"""The findings of a rating study as text, tables and box plots."""

from __future__ import annotations

import os
from pathlib import Path

from inpainting_tf import figures, files, tables
from inpainting_tf.errors import InputError
from inpainting_tf.evaluation import intervals
from inpainting_tf.evaluation.ratings.findings import Findings, Pair, Summary, find
from inpainting_tf.evaluation.ratings.store import DATABASE, ORIGINAL, SCORES, Store

_PAIRS_IN_A_CAPTION = 6


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
    """Tables of the systems and of their comparisons, with the tests as text."""
    parts = [
        f"{_extent(found)}; scores from 1 ({SCORES[1]}) to 5 ({SCORES[5]}).",
        tables.table([["system", "n", "median", "mean", "quartiles"], *map(_system_row, found.summaries)]),
        _friedman_text(found),
    ]
    if found.pairs:
        parts.append(
            "Wilcoxon signed-rank tests, two-sided, over the same blocks; p exact for up to "
            f"{intervals.EXACT} untied pairs:"
        )
        header = ["systems", "mean difference", "untied pairs", "W", "p", "p (Holm)"]
        parts.append(tables.table([header, *map(_pair_row, found.pairs)]))
    return "\n\n".join(parts)


def conclusion(found: Findings) -> str:
    """The tests in a few lines, for a caption."""
    lines = [_friedman_text(found)]
    tested = [(each, each.holm) for each in found.pairs if each.holm is not None]
    if len(tested) > _PAIRS_IN_A_CAPTION:
        lines.append("Wilcoxon signed-rank tests of every two: see report.md.")
    elif tested:
        lines.append("Wilcoxon signed-rank tests, p with Holm's correction, and mean differences:")
        lines += [
            f"{each.first} - {each.second}: {intervals.equation(p)}, {each.difference:+.2f}"
            for each, p in tested
        ]
    if any(each.system == ORIGINAL for each in found.summaries):
        lines.append("The originals are a control: they are not tested.")
    return "\n".join(lines)


def _friedman_text(found: Findings) -> str:
    test, systems = found.friedman, sum(each.system != ORIGINAL for each in found.summaries)
    what = "Friedman test, in blocks of one rater and picture"
    if test.p is None:
        return f"{what}: not made, {test.reason}."
    p = intervals.equation(test.p)
    return f"{what}: chi2({systems - 1}) = {test.statistic:.2f}, {p}, {test.n} complete blocks."


def _system_row(summary: Summary) -> list[str]:
    if summary.quartiles is None:
        return [summary.system, "0", "", "", ""]
    low, high = summary.quartiles
    numbers = (f"{summary.median:g}", f"{summary.mean:.2f}", f"{low:g} to {high:g}")
    return [summary.system, str(len(summary.scores)), *numbers]


def _pair_row(pair: Pair) -> list[str]:
    difference = "" if pair.difference is None else f"{pair.difference:+.2f}"
    test, cells = pair.test, ("", f"not tested: {pair.test.reason}", "")
    if test.p is not None and pair.holm is not None:
        cells = (f"{test.statistic:g}", intervals.cell(test.p), intervals.cell(pair.holm))
    return [f"{pair.first} - {pair.second}", difference, str(test.n), *cells]


def _extent(found: Findings) -> str:
    raters = f"{found.raters} rater{'s' * (found.raters != 1)}"
    return f"{raters}, {found.pictures} picture{'s' * (found.pictures != 1)}"
