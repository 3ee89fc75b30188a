"""Figures of networks at work on chosen test pictures: something removed, and colours that are wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from inpainting_tf import figures
from inpainting_tf.book.claims import CANNOT, Claim, Finding
from inpainting_tf.book.entries.entry import Block, Entry, Picture, Verdict
from inpainting_tf.book.experiments import Experiments, Missing
from inpainting_tf.evaluation import Fill
from inpainting_tf.evaluation.comparison import SHOWN
from inpainting_tf.ops.images import composite, to_float

_BATCH = 50
# The glasses before the eyes of aligned CelebA, as shares of the side of its central square: their middles,
# and half their height and width.
_EYES = ((0.53, 0.37), (0.53, 0.62))
_GLASS = (0.12, 0.155)
_BAR = (0.425, 0.52, 0.16, 0.82)  # top, bottom, left, right of the bridge and the sidepieces


@dataclasses.dataclass(frozen=True)
class Removal(Entry):
    """Sunglasses removed by a hole of their shape, in pictures aligned as in CelebA.

    Attributes:
        pictures: the names of those with sunglasses among the system's test pictures.
        claims: the paper's, which nobody can judge: what is behind the glasses is not known.
    """

    pictures: tuple[str, ...] = ()
    claims: tuple[Claim, ...] = ()

    def make(self, experiments: Experiments, folder: Path) -> Iterator[Block]:
        yield Verdict(
            "**Cannot be judged**: nobody knows what the sunglasses hide.",
            tuple(Finding(claim, CANNOT, "nobody knows the hidden eyes") for claim in self.claims),
        )
        (name,) = self.systems
        subject, test_set = experiments.subject(name), experiments.test_set(name)
        known = test_set.pictures()
        chosen = [number for number, each in enumerate(known.names) if each in self.pictures]
        if not chosen:
            raise Missing(f"none of {', '.join(self.pictures)} is among its test pictures")
        shown = to_float(np.asarray(known.images[chosen]))
        mask = np.repeat(glasses(shown.shape[1:3])[None], len(chosen), 0)
        filled = _filled(subject.fill, shown, mask)
        columns = {"picture": shown, "input": figures.input_view(shown, mask), "filled": filled}
        path = figures.sheet(columns, self.file(folder), title=f"{name}: sunglasses removed")
        yield Picture(path, f"{self.key}: a hole of our own over the sunglasses, `{name}`")
        yield (
            f"{len(chosen)} of the {len(known.names)} test pictures have sunglasses "
            f"({', '.join(known.names[number] for number in chosen)}): found by the darkness around the eyes "
            "beside the cheeks', and looked at. The hole is that of a pair of glasses, the same in each. Any "
            f"picture and any hole: `inpaint --model={experiments.home / name} --image=PICTURE --mask=MASK "
            "--output=OUTPUT`."
        )


@dataclasses.dataclass(frozen=True)
class WrongColours(Entry):
    """The test pictures whose fill misses the hole's mean colour most, its brightness aside."""

    def make(self, experiments: Experiments, folder: Path) -> Iterator[Block]:
        (name,) = self.systems
        subject, test_set = experiments.subject(name), experiments.test_set(name)
        known = test_set.pictures()
        shown = to_float(np.asarray(known.images[:]))
        masks = test_set.holes().fixed(np.arange(len(shown)), known.names)
        filled = _filled(subject.fill, shown, masks)
        off = 255 * colour_error(shown, filled, masks)
        worst = np.argsort(-off, kind="stable")[:SHOWN]
        columns = {
            "input": figures.input_view(shown[worst], masks[worst]),
            "filled": filled[worst],
            "original": shown[worst],
        }
        notes = {"filled": [f"colour off by {off[number]:.0f} levels" for number in worst]}
        title = f"{name}: the most wrong colours of {len(shown)} test pictures"
        path = figures.sheet(columns, self.file(folder), title=title, notes=notes)
        yield Picture(path, f"{self.key}: `{name}`, the test pictures with the most wrong colours")
        yield (
            f"The fills of `{name}` miss the mean colour of the hole, its brightness aside, by "
            f"{np.median(off):.1f} levels of 255 in the median of {len(off)} test pictures, and by "
            f"{off[worst[0]]:.0f} at worst."
        )


def glasses(size: Sequence[int]) -> np.ndarray:
    """A hole in the shape of a pair of glasses, float32 [H, W, 1], 1 = missing.

    Args:
        size: (height, width) of pictures that are the central square of aligned CelebA.
    """
    rows, columns = ((np.arange(side) + 0.5) / side for side in size)
    rows = rows[:, None]
    top, bottom, left, right = _BAR
    hole = (top < rows) & (rows < bottom) & (left < columns) & (columns < right)
    for row, column in _EYES:
        hole |= ((rows - row) / _GLASS[0]) ** 2 + ((columns - column) / _GLASS[1]) ** 2 < 1
    return hole[..., None].astype("float32")


def colour_error(images: np.ndarray, filled: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """How far the mean colour of a fill is from the hole's, in 0..1, without what all channels share.

    Args:
        images, filled: float32 [N, H, W, 3] in [0, 1].
        masks: float32 [N, H, W, 1], 1 = missing.

    Returns:
        float32 [N], the root of the mean square over the channels.
    """
    shift = ((filled - images) * masks).sum((1, 2)) / masks.sum((1, 2))
    return np.sqrt(np.square(shift - shift.mean(-1, keepdims=True)).mean(-1))


def _filled(fill: Fill, images: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """The composites, [N, H, W, 3]."""
    known = images * (1.0 - masks)
    starts = range(0, len(images), _BATCH)
    fills = [np.asarray(fill(known[at : at + _BATCH], masks[at : at + _BATCH])) for at in starts]
    return composite(images, np.concatenate(fills), masks)
