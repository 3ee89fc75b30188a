"""What must be known of a completion network to use it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from inpainting_tf import classical
from inpainting_tf.errors import InputError
from inpainting_tf.inference.windows import Scale


@dataclasses.dataclass(frozen=True)
class Facts:
    """What a completion network takes, and what it was trained on.

    Attributes:
        size: the (height, width) in pixels that it takes, each None for any multiple of `divisor`.
        divisor: of height and width.
        hole_fill: what the hole is painted with before the first convolution: a name of
            `inpainting_tf.networks.layers.FILLS`, or a classical method; "" if unknown.
        trained_on: (side of the training pictures, smallest side of their holes) in pixels, if known.
        aligned: the training pictures show the same thing in the same place, as aligned faces do, so that the
            network knows better than other parts of a picture what is in a hole.
    """

    size: tuple[int | None, int | None] = (None, None)
    divisor: int = 1
    hole_fill: str = ""
    trained_on: tuple[int, int] | None = None
    aligned: bool = False

    @property
    def prefill(self) -> str | None:
        """The classical method that fills the hole before the network receives the picture, or None."""
        return self.hole_fill if self.hole_fill in classical.BASELINES else None

    @property
    def fixed_size(self) -> tuple[int, int] | None:
        """The (height, width) of a network that takes one size only, else None."""
        height, width = self.size
        return None if height is None or width is None else (height, width)

    @property
    def scale(self) -> Scale | None:
        """The scale of the training pictures and holes; for a network of one size, at least that size."""
        if self.trained_on is None:
            return Scale(self.fixed_size, min(self.fixed_size) // 2) if self.fixed_size else None
        side, hole = self.trained_on
        return Scale(self.fixed_size or (side, side), min(hole, side // 2))

    def check_size(self, size: tuple[int, int]) -> None:
        """Raises InputError unless the network takes pictures of (height, width)."""
        if any(own is not None and own != given for own, given in zip(self.size, size, strict=True)):
            raise InputError(
                f"`image` must be {self.size[0]} x {self.size[1]} pixels for this model. Received {size}."
            )
        if any(side % self.divisor for side in size):
            raise InputError(
                f"`image` must have a height and width divisible by {self.divisor}. "
                f"Received {size[0]} x {size[1]}."
            )

    def to_json(self) -> dict[str, Any]:
        """Plain values, for a file."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, known: Mapping[str, Any]) -> Facts:
        """The facts that `to_json` returned, or that version 0.1 wrote into exported files."""
        if "prefill" in known:
            scale = known["scale"]
            trained_on = scale and (scale["size"][0], scale["hole"])
            return cls(tuple(known["size"]), known["divisor"], known["prefill"] or "", trained_on)
        trained_on = known["trained_on"] and tuple(known["trained_on"])
        aligned = known.get("aligned", False)  # missing in files of before it was noted
        return cls(tuple(known["size"]), known["divisor"], known["hole_fill"], trained_on, aligned)
