"""A few of the made-up requests of `scripts/fuzz_page.py`, and what it would notice."""

from __future__ import annotations

import numpy as np
import pytest
from running import ROOT

from inpainting_tf import photographs

pytest.importorskip("starlette", reason="needs the extra apps")


@pytest.fixture
def fuzz_page(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    from scripts import fuzz_page

    return fuzz_page


def test_nothing_goes_wrong(fuzz_page):
    with fuzz_page.served() as client:
        found = [fuzz_page.check(client, 1, number) for number in range(12)]
    assert sum(count for count, _ in found) > 40
    assert [reason for _, reason in found if reason] == []


def test_what_goes_wrong_is_noticed(fuzz_page, monkeypatch):
    def fails(*_):
        raise KeyError("x")

    monkeypatch.setattr(fuzz_page.retouching, "hole_of", fails)
    with fuzz_page.served() as client:
        reasons = {fuzz_page.check(client, 1, number)[1] for number in range(6)}
    assert any("500" in reason for reason in reasons - {None})


def test_a_known_pixel_that_changed_is_noticed(fuzz_page):
    rgb, paint = np.zeros((20, 30, 3), np.uint8), np.zeros((20, 30), np.uint8)
    paint[5, 5] = 255
    near, far = rgb.copy(), rgb.copy()
    near[5, 8], far[5, 12] = 1, 1
    encoded = [photographs.encoded_mask(each[..., 0] / 255) for each in (rgb, near, far)]
    fuzz_page._check_known(encoded[0], encoded[1], paint)
    with pytest.raises(fuzz_page.Wrong, match="known pixel"):
        fuzz_page._check_known(encoded[0], encoded[2], paint)
