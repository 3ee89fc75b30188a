"""Classes of pictures: as TFDS gives them, and in the script that trains classifiers."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
import tfds_copy
from PIL import Image
from running import command

from inpainting_tf.book import encoders
from inpainting_tf.data import sources
from inpainting_tf.errors import InputError

pytestmark = pytest.mark.usefixtures("nowhere")

CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
NUMBERS = {"train": range(16), "test": range(16, 24)}


def label(number: int) -> int:
    return number * 7 % 10


def example(_, number: int) -> dict:
    """A picture that is 10 times its number grey."""
    file = io.BytesIO()
    Image.fromarray(np.full((32, 32, 3), 10 * number, np.uint8)).save(file, "png")
    file.seek(0)
    return {"id": f"made_{number:05d}", "image": file, "label": label(number)}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    return tfds_copy.prepare("cifar10", tmp_path_factory.mktemp("tfds"), NUMBERS, example, CLASSES)


def numbers(images: np.ndarray) -> list[int]:
    return [int(image[0, 0, 0]) // 10 for image in images]


def test_each_picture_has_its_label(made):
    for source in (sources.cifar10(made), sources.cifar10(made, "ship,automobile")):
        seen = numbers([source.read(index) for index in range(len(source))])
        assert [source.label(index) for index in range(len(source))] == [label(number) for number in seen]


def test_pictures_without_classes_have_no_label(made):
    with pytest.raises(
        InputError, match=r"pictures of 'synthetic_faces' have no classes \(cifar10, dtd do\)"
    ):
        sources.synthetic_faces(count=3).label(0)


def test_a_damaged_record_has_no_label(made, tmp_path):
    shutil.copytree(made, tmp_path / "copy")
    tfds_copy.damage_first_record(tmp_path / "copy")
    source = sources.cifar10(tmp_path / "copy")
    with pytest.raises(InputError, match=r"-train.*__0 is a damaged record: prepare the data set again"):
        source.label(0)
    assert source.label(1) in range(10)
    images, labels, *_ = encoders.labelled_pictures(tmp_path / "copy")  # as without labels: left out
    assert len(images) == len(labels) == 15


@pytest.mark.parametrize("train", [None, 5])
def test_labelled_pictures_are_those_of_both_splits(made, train):
    images, labels, test_images, test_labels = encoders.labelled_pictures(made, train)
    assert images.dtype == np.uint8 and images.shape == (train or 16, 32, 32, 3)
    assert {*numbers(images)} <= {*NUMBERS["train"]} and {*numbers(test_images)} == {*NUMBERS["test"]}
    for seen, found in ((images, labels), (test_images, test_labels)):
        assert found.tolist() == [label(number) for number in numbers(seen)]


@pytest.mark.slow
def test_the_script_draws_the_curve(made, tmp_path):
    options = ("--epochs=1", "--width=4", "--batch_size=4", "--train=9", f"--output={tmp_path / 'out'}")
    done = command("scripts/encoder_comparison.py", f"--data_dir={made}", *options)
    assert done.status == 0, done.err
    assert "improved: " in done.out and "glcic: " in done.out and "% after 1 epochs" in done.out
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "accuracy.csv",
        "accuracy.png",
        "comparison.json",
    }


def test_the_script_tells_mistakes_in_one_line(made, tmp_path):
    script = "scripts/encoder_comparison.py"
    assert command(script, f"--data_dir={tmp_path}").refuses("CIFAR-10 was not found", str(tmp_path))
    done = command(script, f"--data_dir={made}", "--batch_size=17", f"--output={tmp_path / 'out'}")
    assert done.refuses("`batch_size` must be at most the number of training pictures, 16. Received 17.")
    assert not (tmp_path / "out").exists()
