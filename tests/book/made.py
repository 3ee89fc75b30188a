"""What the tests of the book's entries share: an entry made, and its tables read."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

import numpy as np
from PIL import Image

from inpainting_tf.book.entries import Block, Entry, Picture, Verdict


@dataclasses.dataclass(frozen=True)
class Given(Entry):
    """Blocks that are given, a picture for each file's name; an error is raised in its place."""

    blocks: tuple = ()

    def make(self, lab, folder) -> Iterator[Block]:
        folder.mkdir(parents=True, exist_ok=True)
        for number, block in enumerate(self.blocks):
            if isinstance(block, Exception):
                raise block
            if isinstance(block, Picture):
                block = dataclasses.replace(block, file=folder / block.file)
                Image.new("RGB", (48, 32), (number, 0, 0)).save(block.file)
            yield block


def made(entry, lab) -> tuple[list[str], list[Picture]]:
    """Its texts and its pictures, all of which are there."""
    blocks = list(entry.make(lab, lab.home / "figures"))
    pictures = [block for block in blocks if isinstance(block, Picture)]
    for picture in pictures:
        with Image.open(picture.file) as image:
            assert np.asarray(image.convert("RGB")).std() > 5, picture.file
    return [text for text in map(text_of, blocks) if text is not None], pictures


def text_of(block: Block) -> str | None:
    """A block's text; None of a picture."""
    return block.line if isinstance(block, Verdict) else block if isinstance(block, str) else None


def cells(table: str) -> dict[str, dict[str, str]]:
    """A Markdown table's rows by their first cell."""
    lines = [re.split(r" *(?<!\\)\| *", line)[1:-1] for line in table.splitlines()]
    assert len({len(line) for line in lines}) == 1, table
    return {line[0].strip("`"): dict(zip(lines[0], line, strict=True)) for line in lines[2:]}
