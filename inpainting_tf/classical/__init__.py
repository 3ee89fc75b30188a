"""Classical fills behind the same call as a network's: what a learned completion has to beat."""

from __future__ import annotations

from inpainting_tf.classical.methods import (
    BASELINES,
    biharmonic,
    get,
    mean_colour,
    navier_stokes,
    patchmatch,
    telea,
)

__all__ = ["BASELINES", "biharmonic", "get", "mean_colour", "navier_stokes", "patchmatch", "telea"]
