"""The size of pictures as people write it: the side of a square, or HEIGHTxWIDTH, in pixels."""

from __future__ import annotations

import re
from typing import Any

from inpainting_tf.errors import InputError

Size = int | tuple[int, int]  # a side, or (height, width) where they differ
LEAST = 16  # pixels: the smallest side of pictures to train and measure on
_WRITTEN = re.compile(r"(\d+)(?:x(\d+))?")


def parse(value: Any, *, least: int = 1, argument: str = "image_size") -> Size:
    """A size from text ("64", "96x160"), a whole number or a pair of them.

    Args:
        value: the size.
        least: the smallest side allowed.
        argument: what it is called in a message.

    Returns:
        The side of a square, else (height, width).

    Raises:
        InputError: another text or value, or a side below `least`.

    Example:
        >>> from inpainting_tf import sizes
        >>> sizes.parse("96x160"), sizes.parse("64x64"), sizes.text((96, 160))
        ((96, 160), 64, '96x160')
    """
    written = text(value) if isinstance(value, (tuple, list)) else str(value)
    found = _WRITTEN.fullmatch(written)
    if not found:
        raise InputError(
            f"`{argument}` must be a side or HEIGHTxWIDTH in whole pixels, e.g. 96x160. Received {value!r}."
        )
    height, width = int(found[1]), int(found[2] or found[1])
    if min(height, width) < least:
        raise InputError(f"`{argument}` must be at least {least} pixels. Received {written}.")
    return height if height == width else (height, width)


def shape(size: Size) -> tuple[int, int]:
    """(height, width) of a size."""
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def text(size: Any) -> str:
    """A size as `parse` takes it."""
    return "x".join(map(str, size)) if isinstance(size, (tuple, list)) else str(size)
