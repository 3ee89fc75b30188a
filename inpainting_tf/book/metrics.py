"""The metrics that claims are about, and what is a small difference in each."""

from __future__ import annotations

import dataclasses
import math

MARGIN = 0.05  # of the error: what two trainings of one system commonly differ by (docs/experiments.md)


@dataclasses.dataclass(frozen=True)
class Metric:
    """A metric.

    Attributes:
        name: as printed.
        sign: 1 where larger is better, -1 where smaller is.
        perfect: of a picture without an error; None for decibels, which have no end.
        digits: after the decimal point.
        axis: what is drawn on one axis with others, e.g. all PSNRs; "" for the name.
        scale, unit: of the number that is printed.
    """

    name: str
    sign: int = 1
    perfect: float | None = None
    digits: int = 2
    scale: float = 1.0
    unit: str = ""
    axis: str = ""

    def margin(self, level: float) -> float:
        """The difference that is `MARGIN` of the error, of systems whose mean is `level`."""
        if self.perfect is None:
            return -10 * math.log10(1 - MARGIN)
        return MARGIN * abs(level - self.perfect)

    def text(self, value: float, form: str = "") -> str:
        """A value as it is printed, e.g. with its sign (`form` "+")."""
        return f"{value * self.scale:{form}.{self.digits}f}{self.unit}"


DECIBELS, LPIPS = "PSNR (dB)", "LPIPS x100"
METRICS = {
    "psnr": Metric("PSNR", axis=DECIBELS),
    "ssim": Metric("SSIM", perfect=1.0, digits=4),
    "hole_psnr": Metric("hole PSNR", axis=DECIBELS),
    "hole_mae": Metric("hole L1", -1, 0.0, 4),
    "raw_psnr": Metric("raw PSNR", axis=DECIBELS),
    "raw_ssim": Metric("raw SSIM", perfect=1.0, digits=4, axis="SSIM"),
    "lpips": Metric("LPIPS x100", -1, 0.0, scale=100.0, axis=LPIPS),
    "raw_lpips": Metric("raw LPIPS x100", -1, 0.0, scale=100.0, axis=LPIPS),
    "seconds": Metric("time per picture", -1, 0.0, scale=1000.0, unit=" ms", axis="time per picture (ms)"),
    "operations": Metric("multiply-adds of the training", -1, 0.0, 0, 1e-12, " T", "multiply-adds (10^12)"),
    "settled": Metric("epochs until the validation settles", -1, 0.0, 1, axis="epochs"),
    "accuracy": Metric("accuracy", perfect=1.0, scale=100.0, unit=" %", axis="accuracy (%)"),
    "naturalness": Metric("naturalness to people"),
}
