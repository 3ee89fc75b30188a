"""What the tests of the book's entries share: an entry made, and its tables read."""

from __future__ import annotations

import re

import numpy as np
from PIL import Image

from inpainting_tf.book.entries import Picture


def made(entry, lab) -> tuple[list[str], list[Picture]]:
    """Its texts and its pictures, all of which are there."""
    blocks = list(entry.make(lab, lab.home / "figures"))
    pictures = [block for block in blocks if isinstance(block, Picture)]
    for picture in pictures:
        with Image.open(picture.file) as image:
            assert np.asarray(image.convert("RGB")).std() > 5, picture.file
    return [block for block in blocks if isinstance(block, str)], pictures


def cells(table: str) -> dict[str, dict[str, str]]:
    """A Markdown table's rows by their first cell."""
    lines = [re.split(r" *(?<!\\)\| *", line)[1:-1] for line in table.splitlines()]
    assert len({len(line) for line in lines}) == 1, table
    return {line[0].strip("`"): dict(zip(lines[0], line, strict=True)) for line in lines[2:]}
