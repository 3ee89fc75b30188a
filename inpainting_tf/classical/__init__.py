"""Classical fills with the signature of a network's `fill`: the baselines."""

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
