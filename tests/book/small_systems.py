"""The two systems of seconds that the tests of the book share."""

from __future__ import annotations

from running import tiny

from inpainting_tf import recipes
from inpainting_tf.book.experiments import Experiments

SYSTEMS = ("direct_conv", "cvae")  # one that makes whole pictures, and one that draws several patches


def small(lab: Experiments, name: str) -> recipes.Recipe:
    """In place of `Experiments.recipe`: recipes are data."""
    return tiny(name, data__test=8, seed=3)
