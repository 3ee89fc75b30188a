"""The comparison of two encoders as classifiers, on pictures whose classes are their colours."""

from __future__ import annotations

import csv

import keras
import numpy as np
import pytest
from PIL import Image

from inpainting_tf import classification
from inpainting_tf.errors import InputError

SMALL = {"epochs": 2, "width": 4, "batch_size": 8, "seed": 3}


def coloured(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise 32 px wide and high; in class 0 it is dark, in class 1 it is bright."""
    random = np.random.default_rng(seed)
    labels = random.permutation(np.arange(count) % 2)
    noise = random.integers(0, 100, (count, 32, 32, 3), np.uint8)
    return noise + 150 * labels.astype("uint8")[:, None, None, None], labels


@pytest.fixture(scope="module")
def pictures() -> tuple[np.ndarray, ...]:
    return *coloured(36, 0), *coloured(20, 1)


@pytest.fixture(scope="module")
def compared(pictures, tmp_path_factory):
    """(rows, folder) of a comparison."""
    folder = tmp_path_factory.mktemp("comparison") / "new"
    return classification.encoder_comparison(*pictures, **SMALL, output=folder), folder


@pytest.fixture
def quick(monkeypatch):
    """Trains so fast that a few steps will do."""
    monkeypatch.setattr(classification, "LEARNING_RATE", 0.01)


def test_both_encoders_are_tested_after_every_epoch(compared):
    rows, folder = compared
    assert [[*row] for row in rows] == [
        ["epoch", "improved", "improved_seconds", "glcic", "glcic_seconds"]
    ] * 2
    assert [row["epoch"] for row in rows] == [1, 2]
    for row in rows:
        assert all(round(20 * row[name], 6).is_integer() for name in ("improved", "glcic"))  # of 20 pictures
        assert row["improved_seconds"] > 0 and row["glcic_seconds"] > 0
    with open(folder / "accuracy.csv", newline="") as file:
        written = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    assert written == rows


def test_both_encoders_get_the_same_new_order_each_epoch(pictures, monkeypatch, tmp_path):
    trained = []
    monkeypatch.setattr(
        classification, "_train", lambda *given: trained.append((given[0].name, given[3])) or 1.0
    )
    monkeypatch.setattr(classification, "accuracy", lambda *_: 0.5)

    def batches(**changes) -> list[np.ndarray]:
        trained.clear()
        classification.encoder_comparison(*pictures, **SMALL | changes, output=tmp_path)
        assert [name.partition("_")[0] for name, _ in trained] == ["improved", "glcic"] * 2
        return [order for _, order in trained]

    first, same, second, _ = found = batches()
    for order in found:  # of 36 pictures, four do not fill a batch
        assert order.shape == (4, 8) and len({*order.flat}) == 32 and order.max() < 36
    assert (first == same).all() and (first != second).any()
    assert all((one == other).all() for one, other in zip(found, batches(), strict=True))
    assert (batches(seed=4)[0] != first).any()


@pytest.mark.parametrize("build", classification.ENCODERS.values())
def test_the_seed_decides_the_weights(build):
    def weights(seed: int) -> np.ndarray:
        return classification._classifier(build, (32, 32), 4, seed).get_layer("conv1").get_weights()[0]

    np.testing.assert_array_equal(weights(1), weights(1))
    assert np.abs(weights(1) - weights(2)).max() > 0.01


def test_encoders_learn_the_classes(quick, pictures):
    images, labels, test_images, test_labels = pictures
    batches = np.arange(32).reshape(4, 8)
    for build in classification.ENCODERS.values():
        model = classification._classifier(build, (32, 32), 8, 0)
        normalizations = [n for n in model.layers if isinstance(n, keras.layers.BatchNormalization)]
        assert len(normalizations) >= 5 and all(n.momentum == 0.9 for n in normalizations)
        for layer in normalizations:
            layer.momentum = 0.5  # even that lags behind for a few steps
        bar = classification.tqdm(disable=True)
        for _ in range(6):
            classification._train(model, images, labels, batches, bar)
        assert classification.accuracy(model, test_images, test_labels) >= 0.9


def test_accuracy_counts_the_largest_logits():
    image = keras.Input((2, 2, 3))
    model = keras.Model(image, image[:, 0, 0])  # the class is the channel that is brightest
    images = np.zeros((5, 2, 2, 3), np.uint8)
    images[np.arange(5), 0, 0, [0, 1, 2, 2, 1]] = 255
    labels = np.array([0, 1, 2, 0, 0])
    assert classification.accuracy(model, images, labels, batch_size=2) == 0.6


def test_the_curves_show_both_encoders_over_the_epochs(monkeypatch, tmp_path):
    drawn = []
    save = classification.Figure.savefig
    monkeypatch.setattr(classification.Figure, "savefig", lambda f, path: drawn.append(f) or save(f, path))
    rows = [{"epoch": 1, "improved": 0.3, "glcic": 0.25}, {"epoch": 2, "improved": 0.5, "glcic": 0.5}]
    path = classification.accuracy_curves(rows, tmp_path / "a.png")
    with Image.open(path) as picture:
        assert picture.format == "PNG" and min(picture.size) > 400
    (axes,) = drawn[0].axes
    lines = {line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in axes.lines}
    assert lines == {
        "improved encoder": ([1, 2], [30.0, 50.0]),
        "encoder of GLCIC": ([1, 2], [25.0, 50.0]),
    }
    assert axes.get_xlabel() == "epoch" and axes.get_ylabel() == "pictures classified rightly (%)"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [*lines]
    assert (
        len({line.get_color() for line in axes.lines}) == len({line.get_marker() for line in axes.lines}) == 2
    )


def test_a_comparison_draws_its_curves(compared):
    with Image.open(compared[1] / "accuracy.png") as picture:
        assert len({*picture.convert("RGB").getdata()}) > 10


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (lambda p: {"images": p[0].astype("float32")}, r"`images` must be uint8.*float32 \[36, 32, 32, 3\]"),
        (lambda p: {"test_images": p[2][:0], "test_labels": p[3][:0]}, r"`test_images` must be.*\[0, 32"),
        (lambda p: {"labels": p[1][:5]}, r"`images` must have a label.*36 pictures and labels \[5\]"),
        (lambda p: {"labels": p[1] - 1}, r"`images`.*0\.\.9.*from -1 to 0"),
        (lambda p: {"test_labels": p[3] + 9}, r"`test_images`.*0\.\.9.*from 9 to 10"),
        (lambda p: {"epochs": 0}, r"`epochs` must be positive.*0"),
        (lambda p: {"batch_size": 0}, r"`batch_size` must be positive.*0"),
        (lambda p: {"batch_size": 37}, r"`batch_size` must be at most.*36.*37"),
        (lambda p: {"width": 0}, r"`width`.*0"),
        (lambda p: {"images": p[0][:, :30], "test_images": p[2][:, :30]}, r"divisible by 32.*30 x 32"),
    ],
)
def test_mistakes_are_named_before_anything_is_written(pictures, tmp_path, changes, message):
    given = dict(zip(("images", "labels", "test_images", "test_labels"), pictures, strict=True))
    with pytest.raises(InputError, match=message):
        classification.encoder_comparison(
            **{**given, **SMALL, "output": tmp_path / "new", **changes(pictures)}
        )
    assert not (tmp_path / "new").exists()


def test_an_output_that_cannot_be_written_is_named_before_the_training(pictures, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"file' could not be written"):
        classification.encoder_comparison(*pictures, **SMALL, output=tmp_path / "file")
