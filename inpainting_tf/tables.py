"""Markdown tables, readable as plain text, too."""

from __future__ import annotations

from collections.abc import Container, Sequence


def plain(text: object) -> str:
    """Text from elsewhere, e.g. an error message, with its HTML escaped."""
    return str(text).replace("<", "&lt;")


def table(rows: Sequence[Sequence[object]], left: Container[int] = (0,)) -> str:
    """The rows, the first of which is the header; columns in `left` aligned left, others right."""
    cells = [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    widths = [max(3, *(len(row[i]) for row in cells)) for i in range(len(cells[0]))]
    rule = ["-" * width if i in left else "-" * (width - 1) + ":" for i, width in enumerate(widths)]

    def line(row: Sequence[str]) -> str:
        cells = (c.ljust(widths[i]) if i in left else c.rjust(widths[i]) for i, c in enumerate(row))
        return f"| {' | '.join(cells)} |"

    return "\n".join(map(line, [cells[0], rule, *cells[1:]]))
