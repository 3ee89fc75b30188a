"""Pull and push: a smooth fill of a hole by a pyramid, with arrays of any kind.

`ops.filling` does it with tensors, `classical.exemplar` with NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Array = Any  # a NumPy array or a tensor of the Keras backend


def pull_push(
    picture: Array,
    known: Array,
    depth: int,
    halved: Callable[[Array, Array], tuple[Array, Array]],
    enlarged: Callable[[Array, Array], Array],
    last: Array | float = 0.0,
    relaxed: Callable[[Array, Array], Array] | None = None,
) -> Array:
    """Fills holes by pull and push (Gortler et al. 1996), with arrays of any kind.

    Pull: pictures of half the size are means of the known pixels alone. Push: from the coarsest one back,
    each missing pixel is taken from the next coarser picture.

    Args:
        picture: float [..., H, W, C], finite.
        known: float [..., H, W, 1], 1 = known, 0 = missing.
        depth: the number of halvings; `halvings` of the size leaves no hole.
        halved: takes the picture, black in its holes, and `known`; returns the picture of half the size, a
            mean over the known pixels, and its `known`.
        enlarged: takes a picture and the one of twice its size whose shape the result must have.
        last: the values of the coarsest picture's holes.
        relaxed: takes the filled picture of a level and its `known`, and improves the fill; None keeps it.

    Returns:
        The filled picture.
    """
    levels = []
    for _ in range(depth):
        levels.append((picture * known, known))
        picture, known = halved(*levels[-1])
    picture = picture * known + last * (1.0 - known)
    for fine, known in reversed(levels):
        picture = fine + (1.0 - known) * enlarged(picture, fine)
        picture = picture if relaxed is None else relaxed(picture, known)
    return picture


def halvings(size: tuple[int | None, ...]) -> int:
    """How often a picture of (height, width) can be halved; of unknown size, as often as photographs can."""
    known = [side for side in size if side is not None]
    return (max(known) - 1).bit_length() if len(known) == len(size) else 10
