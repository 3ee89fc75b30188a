"""Two data sets of seconds, drawn faces and a small CelebA, and what makes two of them the same."""

from __future__ import annotations

import numpy as np

from inpainting_tf import data
from inpainting_tf.data import Data, Dataset

WANTED = Data("synthetic_faces", 16, train=15, validation=2, test=5, split_seed=2)
CELEBA = Data("celeba", 16, train=13, validation=2, test=3, ids="1-5000")


def same(one: Dataset, other: Dataset) -> None:
    assert one.names() == other.names()
    for which in data.SPLITS:
        np.testing.assert_array_equal(getattr(one, which).images[:], getattr(other, which).images[:])
