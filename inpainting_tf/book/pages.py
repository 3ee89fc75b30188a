"""The book's pages: Markdown to publish, and one HTML file with all the pictures in it."""

from __future__ import annotations

import base64
import dataclasses
import html
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import markdown as python_markdown
from tqdm.auto import tqdm

from inpainting_tf import files, sizes, tables
from inpainting_tf.book import claims, departures
from inpainting_tf.book.entries import Block, Entry, Picture, Table, systems_of
from inpainting_tf.book.experiments import Experiments, Missing
from inpainting_tf.book.trainings import command, device_of, duration, pictures, trained_epochs
from inpainting_tf.errors import InputError
from inpainting_tf.recipes import Recipe
from inpainting_tf.runs import Run


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
            blocks.append(f"Failed: {tables.plain(reason)}")
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
            rows.append([f"`{name}`", f"failed: {tables.plain(reason)}", *[""] * 6])
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


def as_markdown(chapter: Chapter, link: Callable[[Picture], str | None]) -> str:
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
        shown = [link(block) if isinstance(block, Picture) else block for block in blocks]
        texts = [text for text in shown if text is not None]
        if blocks and not texts:
            unseen.append(f"- {_heading(entry)}")
            continue
        lines += [f"## {_heading(entry)}", *texts]
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


def _heading(entry: Entry) -> str:
    return f"{entry.key[0].upper()}{entry.key[1:]}: {entry.title}"


def write_page(chapter: Chapter, folder: Path) -> Path:
    """A chapter as Markdown to publish: pictures of data sets are left out, the others are in figures/."""

    def link(picture: Picture) -> str | None:
        if not picture.public:
            return None
        name = f"{chapter.paper.name}_{picture.file.name}"
        with files.replacing(folder / "figures" / name) as temporary:
            temporary.write_bytes(picture.file.read_bytes())
        return f"![{picture.caption}](figures/{name})"

    page = folder / f"{chapter.name}.md"
    files.write_text(page, as_markdown(chapter, link))
    return page


def write_index(chapters: Sequence[Chapter], experiments: Experiments, folder: Path) -> Path:
    """The verdict of each table, with links to the pages, and the training time."""
    papers = [chapter for chapter in chapters if not chapter.paper.ours]
    own = [chapter for chapter in chapters if chapter.paper.ours]
    systems = systems_of(entry for chapter in chapters for entry, _ in chapter.parts)
    text = [
        "# Five papers, reproduced",
        "Our numbers beside the printed ones, and whether the papers' rankings hold here. All trainings took "
        f"{duration(experiments.minutes(systems))}; each page ends with their commands and machines.",
        _verdicts(papers),
    ]
    if own:
        text += ["## Beside them: our own system", _verdicts(own)]
    text += ["## How a verdict is found", claims.RULE]
    index = folder / "README.md"
    files.write_text(index, "\n\n".join(text) + "\n")
    return index


def _verdicts(chapters: Iterable[Chapter]) -> str:
    """The verdict of each table, as a table."""
    rows = [["paper", "", "verdict"]]
    for chapter in chapters:
        for entry, blocks in chapter.parts:
            verdicts = [block for block in blocks if isinstance(block, str) and block.startswith("**")]
            paper = f"[`{chapter.paper.name}`]({chapter.name}.md)"
            rows += [[paper, f"{entry.key}: {entry.title}", verdict] for verdict in verdicts]
    return tables.table(rows, left=(0, 1, 2))


def write_report(chapters: Sequence[Chapter], path: Path) -> Path:
    """All chapters as one HTML file that holds its pictures."""
    bodies = [_html(chapter) for chapter in chapters]
    contents = "".join(
        f'<li><a href="#{chapter.paper.name}">{html.escape(chapter.paper.title)}</a></li>'
        for chapter in chapters
    )
    files.write_text(path, _DOCUMENT.format(contents=contents, body="\n".join(bodies)))
    return path


def _html(chapter: Chapter) -> str:
    pictures: list[Picture] = []

    def link(picture: Picture) -> str:
        pictures.append(picture)
        return f"@@{len(pictures) - 1}@@"

    body = _converted(as_markdown(chapter, link))
    for number, picture in enumerate(pictures):
        body = body.replace(f"<p>@@{number}@@</p>", _figure(picture))
    return f'<section id="{chapter.paper.name}">{body}</section>'


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
