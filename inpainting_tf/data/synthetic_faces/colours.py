"""Colours as three numbers from 0 to 255."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Colour = Sequence[float] | np.ndarray


def mix(a: Colour, b: Colour, t: float) -> tuple[float, ...]:
    """`a` at t = 0, `b` at t = 1, in between and beyond on a straight line."""
    return tuple(p + t * (q - p) for p, q in zip(a, b, strict=True))


def vary(colour: Colour, rng: np.random.Generator, spread: float) -> tuple[float, ...]:
    """A random similar colour: mostly lighter or darker, within 8 to 250."""
    return tuple(np.clip(np.add(colour, rng.normal(0, spread) + rng.normal(0, spread / 3, 3)), 8, 250))


def tone(colour: Colour, factor: float = 1.0) -> tuple[int, ...]:
    """A colour `factor` times as bright, as Pillow takes it."""
    return tuple([min(max(int(channel * factor), 0), 255) for channel in colour])
