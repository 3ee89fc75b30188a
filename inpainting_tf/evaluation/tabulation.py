"""Evaluations side by side, as tables: plain text that is also Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from inpainting_tf import tables
from inpainting_tf.evaluation.measuring import Evaluation

Summary = Mapping[str, Any]

_LPIPS, _TIME = "LPIPS x100", "ms/picture"
_COLUMNS: dict[str, Callable[[Summary], str]] = {
    "hole PSNR": lambda s: _number(s.get("hole_psnr"), 2),
    "PSNR": lambda s: _number(s.get("psnr"), 2),
    "SSIM": lambda s: _number(s.get("ssim"), 4),
    _LPIPS: lambda s: _number(s.get("lpips"), 2, scale=100.0),
    "raw PSNR": lambda s: _number(s.get("raw_psnr"), 2),
    "raw SSIM": lambda s: _number(s.get("raw_ssim"), 4),
    "MAE": lambda s: _number(s.get("mae"), 4),
    _TIME: lambda s: _number(s.get("seconds_per_image"), 1, scale=1000.0),
}


def report(evaluations: Iterable[Evaluation | Summary]) -> str:
    """Both tables: over all pictures, and by the size of the hole where the holes differ in it."""
    evaluations = list(evaluations)
    return "\n\n".join(filter(None, (table(evaluations), table_by_hole_size(evaluations))))


def table(evaluations: Iterable[Evaluation | Summary]) -> str:
    """Several runs side by side, in the order given, as plain text that is also a Markdown table.

    Args:
        evaluations: `Evaluation` objects, or their summaries as ``metrics.json`` holds them.

    Returns:
        A line per run under a header: PSNR in dB, MAE in [0, 1]; "-" for what was not measured. The column of
        LPIPS is there only if a run has it.
    """
    summaries = _summaries(evaluations)
    columns = _columns(summaries)
    rows = [[summary["model"], *_cells(columns, summary)] for summary in summaries]
    return tables.table([["model", *columns], *rows])


def table_by_hole_size(evaluations: Iterable[Evaluation | Summary]) -> str:
    """The same for each size of the holes: the share of the picture that is missing, in tenths.

    Returns:
        A line per run and size, the smallest holes first; "" where the holes of all pictures have one size.
    """
    summaries = _summaries(evaluations)
    columns = _columns(summaries)
    del columns[_TIME]
    lines = [(part["missing"], each["model"], part) for each in summaries for part in _parts(each)]
    if len({tuple(bounds) for bounds, *_ in lines}) < 2:
        return ""
    rows = [
        [f"{100 * low:.0f} to {100 * high:.0f} %", name, part["images"], *_cells(columns, part)]
        for (low, high), name, part in sorted(lines, key=lambda line: line[0])
    ]
    return tables.table([["missing", "model", "pictures", *columns], *rows], left=(0, 1))


def _summaries(evaluations: Iterable[Evaluation | Summary]) -> list[Summary]:
    return [each.summary if isinstance(each, Evaluation) else each for each in evaluations]


def _parts(summary: Summary) -> Sequence[Summary]:
    """The means by the size of the hole; none in a summary of an earlier version."""
    return summary.get("by_hole_size") or ()


def _columns(summaries: Iterable[Summary]) -> dict[str, Callable[[Summary], str]]:
    columns = dict(_COLUMNS)
    if all(summary.get("lpips") is None for summary in summaries):
        del columns[_LPIPS]
    return columns


def _cells(columns: Mapping[str, Callable[[Summary], str]], means: Summary) -> list[str]:
    return [column(means) for column in columns.values()]


def _number(value: float | None, digits: int, scale: float = 1.0) -> str:
    return "-" if value is None else f"{value * scale:.{digits}f}"
