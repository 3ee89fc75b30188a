"""DTD as prepared for TensorFlow Datasets: textures of any size, their classes and their own division."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import tfds_copy
from PIL import Image

from inpainting_tf import data
from inpainting_tf.data import Data, sources
from inpainting_tf.errors import InputError

pytestmark = pytest.mark.usefixtures("nowhere")

CLASSES = ["banded", "woven"]
NUMBERS = {"train": range(6), "test": range(6, 9), "validation": range(9, 11)}


def example(_, number: int) -> dict:
    """A picture that is 10 times its number grey; even ones are banded."""
    file = io.BytesIO()
    Image.fromarray(np.full((30, 40, 3), 10 * number, np.uint8)).save(file, "jpeg", quality=95)
    file.seek(0)
    label = CLASSES[number % 2]
    return {"file_name": f"{label}/{number:04d}.jpg", "image": file, "label": label}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A data_dir that holds a tiny dtd."""
    return tfds_copy.prepare("dtd", tmp_path_factory.mktemp("tfds"), NUMBERS, example)


def numbers(images) -> list[int]:
    return sorted(round(float(image[5, 5, 0]) / 10) for image in images)


def test_textures_keep_their_own_division(made):
    found = data.load(Data("dtd", (16, 24), train=None, flip=False), made)
    assert found.train.images.shape == (6, 16, 24, 3)
    seen = [numbers(part.images) for part in (found.train, found.validation, found.test)]
    assert seen == [[*NUMBERS["train"]], [*NUMBERS["validation"]], [*NUMBERS["test"]]]


def test_textures_of_a_class_alone(made):
    source = sources.find("dtd", made, "woven")
    assert numbers(source.read(index) for index in range(len(source))) == [1, 3, 5, 7, 9]
    assert len({source.label(index) for index in range(len(source))}) == 1
    with pytest.raises(InputError, match="Did you mean 'woven'"):
        sources.find("dtd", made, "wooven")


def test_textures_that_are_nowhere(tmp_path):
    with pytest.raises(InputError, match=r"DTD was not found\. Searched: .*tfds\.load\('dtd'"):
        sources.find("dtd", tmp_path)
