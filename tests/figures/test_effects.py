"""The forest plot of effects: what is known is drawn in its place, what is not is named."""

from __future__ import annotations

import math

import pytest

from inpainting_tf import figures
from inpainting_tf.errors import InputError

KNOWN = figures.Effect("a better than b", 4.88, 0.5, (0.25, 0.75), 0.22, "holds")
PRINTED, WORDS = figures.Effect("a better than c", 14.77), figures.Effect("a better than d", verdict="open")


def test_each_effect_stands_in_its_row(tmp_path, drawn):
    path = figures.effects(
        [figures.Panel("faces", "PSNR (dB)", (KNOWN, PRINTED, WORDS)), figures.Panel("no", "SSIM", (WORDS,))],
        tmp_path / "effects.png",
    )
    assert path.is_file() and len(drawn[0].axes) == 1, "a panel without numbers is left out"
    [ax] = drawn[0].axes
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "a better than b", "a better than c", "a better than d",
    ]  # fmt: skip
    points = [tuple(point[0] for point in line.get_data()) for line in ax.lines if line.get_marker() in "oD"]
    assert points[:2] == [(0.5, 0), (4.88, 0)] and points[3] == (14.77, 1)
    assert all(math.isnan(points[index][0]) for index in (2, 4, 5))
    interval = ax.lines[0]
    assert (tuple(interval.get_xdata()), tuple(interval.get_ydata())) == ((0.25, 0.75), (0, 0))
    [small] = ax.patches
    assert (small.get_x(), small.get_width()) == (-0.22, 0.44)
    low, high = ax.get_xlim()
    assert low < 0 < 14.77 < high and ax.yaxis_inverted(), "the first is on top"


def test_nothing_to_draw_is_refused(tmp_path):
    with pytest.raises(InputError, match="`panels`"):
        figures.effects([figures.Panel("no", "SSIM", (WORDS,))], tmp_path / "effects.png")
    assert not list(tmp_path.iterdir())
