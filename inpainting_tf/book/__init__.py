"""The reproduction book: every table and figure of the five papers, made from systems trained here, and of
`best`, our own.

A module per paper lists its tables and figures; `entries` has their kinds, `experiments` the trained systems
and their measurements, `claims` the tests of the papers' claims, `pages` the output.
"""

from __future__ import annotations

from inpainting_tf.book import (
    best,
    cifar_cars,
    face_gan,
    multiscale_context_encoder,
    skip_connection,
    unet_vs_cgan,
)
from inpainting_tf.book.entries import Entry
from inpainting_tf.book.pages import Paper
from inpainting_tf.errors import unknown

PAPERS: dict[str, Paper] = {
    each.PAPER.name: each.PAPER
    for each in (face_gan, unet_vs_cgan, skip_connection, cifar_cars, multiscale_context_encoder, best)
}

__all__ = ["PAPERS", "Paper", "select"]


def select(paper: str, entry: str | None = None) -> list[tuple[Paper, list[Entry]]]:
    """The chosen papers, with their entries.

    Args:
        paper: a key of `PAPERS`, or "all".
        entry: one of the paper's, by its key ("table 4.3") or by its number alone ("4.3"); None for all.

    Raises:
        InputError: no such paper or entry; the message names the nearest one.
    """
    if paper not in (*PAPERS, "all"):
        raise unknown("paper", paper, [*PAPERS, "all"])
    chosen = list(PAPERS.values()) if paper == "all" else [PAPERS[paper]]
    if entry is None:
        return [(each, list(each.entries)) for each in chosen]
    found = [(each, [e for e in each.entries if entry.lower() in _names(e.key)]) for each in chosen]
    found = [(each, entries) for each, entries in found if entries]
    if not found:
        raise unknown("table", entry, [e.key for each in chosen for e in each.entries])
    return found


def _names(key: str) -> set[str]:
    """Names of an entry for `select`: "figures 4.1, 4.2", "figure 4.1", "4.1", ..."""
    kind, _, numbers = key.lower().partition(" ")
    kind = kind.removesuffix("s")
    single = numbers.replace(" to ", ", ").split(", ")
    return {key.lower(), numbers, *single, *(f"{kind} {number}" for number in single)}
