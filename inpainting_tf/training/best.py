"""The best epoch of a training by validation, and when to stop for want of a better one."""

from __future__ import annotations

import math
from typing import Any

MONITORED = "val_hole_psnr"  # the column of a row; more is better


class Best:
    """The best epoch of the phase that a training is in.

    Each phase has a best of its own: adversarial training lowers the PSNR that the completion phase reached,
    so that its epochs compare among themselves alone.

    Args:
        state: what `state` returned when the run was interrupted, or None at its beginning.

    Attributes:
        phase, epoch, value: of the best epoch, counted from 1; "" and 0 before the first.
        measured: the last epoch that had a value.
    """

    def __init__(self, state: dict[str, Any] | None = None) -> None:
        state = state or {"phase": "", "epoch": 0, "value": 0.0, "measured": 0}
        self.phase, self.epoch, self.value = state["phase"], state["epoch"], state["value"]
        self.measured = state["measured"]

    def state(self) -> dict[str, Any]:
        """The state from which a continued run finds the same best epoch."""
        return dict(vars(self))

    def update(self, row: dict[str, Any]) -> bool:
        """Whether an epoch is the best of its phase so far, which is remembered.

        Args:
            row: with "epoch", "phase" and, where the epoch was measured, `MONITORED`.
        """
        value = row.get(MONITORED)
        if value is None or not math.isfinite(value):
            return False
        self.measured = row["epoch"]
        if row["phase"] == self.phase and value <= self.value:
            return False
        self.phase, self.epoch, self.value = row["phase"], row["epoch"], value
        return True

    def waited(self, patience: int | None, last_phase: str) -> bool:
        """Whether the last phase has been without a better epoch for `patience` epochs; None: never.

        The other phases end when they were planned to: the one after them is what the run is for.
        """
        if patience is None or self.phase != last_phase:
            return False
        return self.measured - self.epoch >= patience
