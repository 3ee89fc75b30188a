"""The page of the speed: the newest table, and the ratios of each version and processor."""

from __future__ import annotations

from collections.abc import Mapping

from inpainting_tf import tables

NEWEST, HISTORY = "## The newest measurement\n", "## The ratios by version\n"
KEYS = ("version", "processor")  # of a row


def recorded(page: str, about: Mapping[str, str], table: str, ratios: Mapping[str, str]) -> str:
    """The page with another measurement.

    Args:
        page: its text, which has both headings, the history last.
        about: what each of `KEYS` is, and "caption", the line above the table.
        table: takes the place of the newest one.
        ratios: a row of the history, in the place of the one of the same version and processor. It may have
            other columns than the others.
    """
    above, _, rest = page.partition(NEWEST)
    _, _, history = rest.partition(HISTORY)
    row = {key: about[key] for key in KEYS} | dict(ratios)
    rows = [each for each in parsed(history) if not _same(each, row)] + [row]
    columns = list(dict.fromkeys(column for each in rows for column in each))
    lines = [columns, *([each.get(column, "") for column in columns] for each in rows)]
    newest = f"{NEWEST}\n{about['caption']}\n\n{table}\n\n"
    return f"{above}{newest}{HISTORY}\n{tables.table(lines, left=range(len(KEYS)))}\n"


def _same(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    return all(one[key] == other[key] for key in KEYS)


def parsed(text: str) -> list[dict[str, str]]:
    """The rows of a Markdown table as {column: cell}; [] without one."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [dict(zip(cells[0], row, strict=True)) for row in cells[2:]]


def processor(cpuinfo: str, cores: int) -> str:
    """What /proc/cpuinfo says of it: its name, what it computes bfloat16 with, and the cores in use."""
    fields = dict(line.split(":", 1) for line in cpuinfo.splitlines() if ":" in line)
    fields = {name.strip(): value.strip() for name, value in fields.items()}
    flags = fields.get("flags", "").split()
    units = {"amx_bf16": "AMX", "avx512_bf16": "AVX512-BF16", "avx2": "AVX2"}
    best = next((name for flag, name in units.items() if flag in flags), None)
    name = fields.get("model name", "unknown processor")
    return ", ".join(each for each in (name, best, f"{cores} cores") if each)
