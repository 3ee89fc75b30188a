"""`best` against the papers' systems: a statement per opponent, of trainings that compute no more than it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from inpainting_tf.book.claims import HOLDS, Claim, Finding
from inpainting_tf.book.entries.measurements import Table
from inpainting_tf.book.experiments import Experiments, Missing

METRICS = ("hole_psnr", "hole_mae", "ssim")  # all of which must say the same, and LPIPS where it is measured


@dataclasses.dataclass(frozen=True)
class Contest(Table):
    """Our system and its opponents on one hole.

    Attributes:
        ours: trainings of it, of different lengths. An opponent meets the longest of them that computed no
            more than it did, counted in operations.
    """

    columns: tuple[str, ...] = ("hole_psnr", "hole_mae", "psnr", "ssim")
    course: str = "operations"
    texture: bool = True
    ours: tuple[str, ...] = ()

    @property
    def ranked(self) -> tuple[str, ...]:
        return self.systems

    def asked(self, experiments: Experiments) -> list[Claim]:
        """A claim per opponent, in all metrics."""
        metrics = (*METRICS, *(["lpips"] if experiments.lpips else []))
        found = []
        for other in (name for name in self.systems if name not in self.ours):
            mine = self._equal(experiments, other)
            first, *forms = (Claim(mine, other, metric, "no more operations") for metric in metrics)
            found.append(dataclasses.replace(first, forms=tuple(forms)))
        return found

    def verdict(self, findings: Sequence[Finding]) -> str:
        won = sum(each.verdict == HOLDS for each in findings)
        return (
            f"**Better than {won} of {len(findings)} opponents** in every metric, after no more operations."
        )

    def _equal(self, experiments: Experiments, other: str) -> str:
        """The longest of ours that computed no more than an opponent; a name without a run where none did."""
        try:
            limit = experiments.operations(other)
            costs = {name: experiments.operations(name) for name in self.ours}
        except Missing:
            return self.ours[0]
        fair = [name for name in self.ours if costs[name] <= limit]
        return max(fair, key=costs.__getitem__, default=f"{self.ours[0]} within its operations")
