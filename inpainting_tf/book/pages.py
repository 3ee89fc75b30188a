"""The book's pages: Markdown to publish, and one HTML file with all the pictures in it."""

from __future__ import annotations

import base64
import dataclasses
import functools
import html
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import markdown as python_markdown
from tqdm.auto import tqdm

from inpainting_tf import files, sizes, tables
from inpainting_tf.book import claims, departures
from inpainting_tf.book.entries import Block, Entry, Picture, Table, Verdict, systems_of, told
from inpainting_tf.book.experiments import Experiments, Missing
from inpainting_tf.book.trainings import command, device_of, pictures, trained_epochs
from inpainting_tf.errors import InputError
from inpainting_tf.recipes import Recipe
from inpainting_tf.runs import Run

Link = Callable[[Picture], str | None]  # of a picture as Markdown; None for one that is left out


@dataclasses.dataclass(frozen=True)
class Paper:
    """A paper of the book.

    Attributes:
        name: its short name.
        title: of its page.
        entries: its tables and figures, in its order.
        about: its introduction; "" for the usual one.
        ours: whether it is no paper, but a chapter on this package's own system.
    """

    name: str
    title: str
    entries: tuple[Entry, ...]
    about: str = ""
    ours: bool = False

    @property
    def systems(self) -> list[str]:
        """The models that its entries need, each once."""
        return systems_of(self.entries)


@dataclasses.dataclass(frozen=True)
class Chapter:
    """A paper's entries as parts of a page."""

    paper: Paper
    parts: list[tuple[Entry, list[Block]]]
    provenance: str
    departures: str
    ledger: str

    @property
    def name(self) -> str:
        """The paper's, followed by its entries if they are not all."""
        whole = len(self.parts) == len(self.paper.entries)
        return "_".join([self.paper.name, *(entry.slug for entry, _ in self.parts if not whole)])


def make(paper: Paper, entries: Sequence[Entry], experiments: Experiments, ledger: str) -> Chapter:
    """Makes some entries of a paper; failures are reported in their places.

    Args:
        paper: of the entries.
        entries: those to make.
        experiments: their systems, already trained.
        ledger: where the paper contradicts itself, as Markdown.
    """
    parts = []
    for entry in tqdm(entries, desc=paper.name, unit="entry", disable=None):
        blocks: list[Block] = []
        try:
            blocks.extend(entry.make(experiments, experiments.home / "figures" / paper.name))
        except (Missing, InputError) as reason:
            words = told(reason)
            blocks.append(f"{words[0].upper()}{words[1:]}")
        parts.append((entry, blocks))
    systems = systems_of(entries)
    departed = departures.table(_recipes(systems, experiments))
    return Chapter(paper, parts, _provenance(systems, experiments), departed, ledger)


def _recipes(systems: Iterable[str], experiments: Experiments) -> Iterator[Recipe]:
    """What the systems were trained by, or would be."""
    for name in systems:
        try:
            yield experiments.run(name).recipe
        except Missing:
            yield experiments.recipe(name)


def _provenance(systems: Iterable[str], experiments: Experiments) -> str:
    """How each number was made."""
    rows: list[list[object]] = [
        ["system", "command", "seed", "training pictures", "px", "epochs", "minutes", "on"]
    ]
    for name in systems:
        try:
            rows += [_made(name, run) for run in experiments.runs(name)]
        except Missing as reason:
            rows.append([f"`{name}`", told(reason), *[""] * 6])
    return tables.table(rows, left=(0, 1, 3, 7))


def _made(name: str, run: Run) -> list[object]:
    """A row of `_provenance`."""
    recipe = run.recipe
    return [
        f"`{name}`",
        f"`{command(run)}`",
        recipe.seed,
        f"{pictures(run) or 'all'} of {recipe.data.source}",
        sizes.text(recipe.data.image_size),
        trained_epochs(run),
        f"{run.minutes:.1f}",
        device_of(run),
    ]


def as_markdown(chapter: Chapter, link: Link) -> str:
    """A chapter as a page.

    Args:
        chapter: the chapter.
        link: the link to a picture, or None for one that is left out.
    """
    lines = [
        f"# {chapter.paper.title}",
        chapter.paper.about or f"The paper `{chapter.paper.name}`, reproduced.",
    ]
    unseen = []
    for entry, blocks in chapter.parts:
        shown = [_shown(block, link) for block in blocks]
        texts = [text for text in shown if text is not None]
        if blocks and not texts:
            unseen.append(f"- {entry.heading}")
            continue
        lines += [f"## {entry.heading}", *texts]
        if len(texts) < len(shown):
            lines.append("*Shows pictures of a data set, which may not be published: see the report.*")
    if unseen:
        lines += [
            "## Only in the report",
            "Pictures of a data set may not be published; `reproduce.py` puts them into its report.",
            "\n".join(unseen),
        ]
    lines += ["## How these numbers were made", chapter.provenance]
    if any(isinstance(entry, Table) for entry, _ in chapter.parts):
        lines += ["## How a verdict is found", claims.RULE]
    if chapter.departures:
        lines += [
            "## Where these trainings depart from the paper",
            "Each recipe here beside the paper's (`--preset=paper`, in which what is not printed is as the "
            "sources say). Everything else is the same.",
            chapter.departures,
        ]
    if chapter.ledger:
        lines += ["## Where the paper contradicts itself", chapter.ledger]
    return "\n\n".join(lines) + "\n"


def _shown(block: Block, link: Link) -> str | None:
    """A block as Markdown; None where its picture is left out."""
    if isinstance(block, Picture):
        return link(block)
    return block.line if isinstance(block, Verdict) else block


def publish(picture: Picture, folder: Path, name: str) -> str | None:
    """Copies a picture into the figures/ of a folder of pages; its Markdown, or None if it is not public."""
    if not picture.public:
        return None
    with files.replacing(folder / "figures" / name) as temporary:
        temporary.write_bytes(picture.file.read_bytes())
    return f"![{picture.caption}](figures/{name})"


def write_page(chapter: Chapter, folder: Path) -> Path:
    """A chapter as Markdown to publish: pictures of data sets are left out, the others are in figures/."""

    def link(picture: Picture) -> str | None:
        return publish(picture, folder, f"{chapter.paper.name}_{picture.file.name}")

    page = folder / f"{chapter.name}.md"
    files.write_text(page, as_markdown(chapter, link))
    return page


def write_report(
    chapters: Sequence[Chapter], path: Path, opening: Callable[[Link], str] | None = None
) -> Path:
    """All chapters as one HTML file that holds its pictures.

    Args:
        chapters: to write.
        path: the file.
        opening: Markdown before the first, of the link to a picture.
    """
    bodies = [_html(chapter.paper.name, functools.partial(as_markdown, chapter)) for chapter in chapters]
    if opening is not None:
        bodies.insert(0, _html("results", opening))
    contents = "".join(
        f'<li><a href="#{chapter.paper.name}">{html.escape(chapter.paper.title)}</a></li>'
        for chapter in chapters
    )
    files.write_text(path, _DOCUMENT.format(contents=contents, body="\n".join(bodies)))
    return path


def _html(name: str, markdown: Callable[[Link], str]) -> str:
    pictures: list[Picture] = []

    def link(picture: Picture) -> str:
        pictures.append(picture)
        return f"@@{len(pictures) - 1}@@"

    body = _converted(markdown(link))
    for number, picture in enumerate(pictures):
        body = body.replace(f"<p>@@{number}@@</p>", _figure(picture))
    return f'<section id="{name}">{body}</section>'


def _figure(picture: Picture) -> str:
    data = base64.b64encode(picture.file.read_bytes()).decode()
    caption = _converted(picture.caption).removeprefix("<p>").removesuffix("</p>")
    return (
        f'<figure><img alt="{html.escape(picture.caption)}" src="data:image/png;base64,{data}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _converted(text: str) -> str:
    """Markdown as HTML; HTML in it, e.g. in an error message, is escaped."""
    converter = python_markdown.Markdown(extensions=["tables"])
    converter.preprocessors.deregister("html_block")
    converter.inlinePatterns.deregister("html")
    return converter.convert(text)


def ledger_of(text: str, paper: str) -> str:
    """A paper's section of the ledger, without its heading; "" if it has none."""
    found = re.search(rf"^## `{re.escape(paper)}`[^\n]*\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return found.group(1).strip() if found else ""


_DOCUMENT = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>inpainting_tf: five papers reproduced</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; color: #222; }}
body {{ max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }}
table {{ border-collapse: collapse; margin: 1rem 0; font-size: .875rem; display: block; overflow-x: auto; }}
th, td {{ border-bottom: 1px solid #ddd; padding: .3rem .6rem; vertical-align: top; }}
th {{ border-bottom: 2px solid #888; }}
img {{ max-width: 100%; }}
figure {{ margin: 1rem 0; }}
figcaption {{ color: #555; font-size: .875rem; }}
h1 {{ border-top: 4px solid #0072B2; padding-top: 1rem; margin-top: 4rem; }}
code {{ background: #f3f3f3; padding: 0 .2em; }}
</style>
<p><strong>inpainting_tf</strong>: five papers, reproduced. Our numbers stand beside the printed ones.</p>
<ol>{contents}</ol>
{body}
</html>
"""
