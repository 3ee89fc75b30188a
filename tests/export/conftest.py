"""A network and its SavedModel, for all tests of these."""

from __future__ import annotations

from pathlib import Path

import keras
import pytest
from exported import functions, lively

import inpainting_tf
from inpainting_tf.export import saved_model


@pytest.fixture(scope="session")
def model() -> keras.Model:
    """For any size; it knows that it was trained on 32 x 32 pixels with holes up to 8."""
    network = lively(inpainting_tf.build("glcic", image_size=None, width=4))
    network.set_training((32, 8))
    return network


@pytest.fixture(scope="session")
def folder(model, tmp_path_factory) -> Path:
    return saved_model.write(model, tmp_path_factory.mktemp("models") / "inpainting" / "1")


@pytest.fixture(scope="session")
def loaded(served):
    """What TensorFlow makes of the folder."""
    return served[0].keep


@pytest.fixture(scope="session")
def served(folder):
    """`serving_default` and `encoded` as functions of arrays and of lists of bytes."""
    return functions(folder)
