"""Classical fills with the signature of a network's `fill`: the baselines."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from inpainting_tf import errors
from inpainting_tf.classical.methods import biharmonic, mean_colour, navier_stokes, patchmatch, telea
from inpainting_tf.classical.others import fsr, pypatchmatch, shift_map

__all__ = [
    "BASELINES",
    "biharmonic",
    "fsr",
    "get",
    "mean_colour",
    "navier_stokes",
    "patchmatch",
    "pypatchmatch",
    "shift_map",
    "telea",
]

Baseline = Callable[[np.ndarray, np.ndarray], np.ndarray]
BASELINES: dict[str, Baseline] = {
    "mean_colour": mean_colour,
    "telea": telea,
    "navier_stokes": navier_stokes,
    "biharmonic": biharmonic,
    "patchmatch": patchmatch,
    "fsr": fsr,
    "shift_map": shift_map,
    "pypatchmatch": pypatchmatch,
}


def get(name: str) -> Baseline:
    """The baseline of that name; an unknown name raises `InputError` with the nearest valid one.

    Example:
        >>> import numpy as np
        >>> from inpainting_tf import classical
        >>> images = np.full((1, 24, 32, 3), 0.25, np.float32)
        >>> masks = np.zeros((1, 24, 32, 1), np.float32)
        >>> masks[0, 5:9, 10:20] = 1  # missing
        >>> filled = classical.get("biharmonic")(images, masks)
        >>> bool(np.allclose(filled, 0.25))
        True
    """
    if name not in BASELINES:
        raise errors.unknown("baseline", name, BASELINES)
    return BASELINES[name]
