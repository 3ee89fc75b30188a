"""The comparison of two encoders as classifiers, on pictures whose classes are their colours."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import pytest
from PIL import Image

from inpainting_tf.book import encoders
from inpainting_tf.errors import Diverged, InputError

SMALL = {"epochs": 3, "width": 4, "batch_size": 8, "seed": 3}  # of 36 pictures: 3 epochs of 4 steps


def coloured(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise 32 px wide and high; in class 0 it is dark, in class 1 it is bright."""
    random = np.random.default_rng(seed)
    labels = random.permutation(np.arange(count) % 2)
    noise = random.integers(0, 100, (count, 32, 32, 3), np.uint8)
    return noise + 150 * labels.astype("uint8")[:, None, None, None], labels


@pytest.fixture(scope="module")
def pictures() -> tuple[np.ndarray, ...]:
    return *coloured(36, 0), *coloured(20, 1)


class Compared(NamedTuple):
    """A finished comparison: its rows, its folder and the weights of both classifiers."""

    rows: list[dict[str, float]]
    folder: Path
    weights: list[np.ndarray]


def compare(pictures, folder: Path, **changes) -> Compared:
    models, build = [], encoders._classifier
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoders, "_classifier", lambda *given: models.append(build(*given)) or models[-1])
        rows = encoders.encoder_comparison(*pictures, **SMALL | changes, output=folder)
    return Compared(rows, folder, [weight for model in models for weight in model.get_weights()])


@pytest.fixture(scope="module")
def compared(pictures, tmp_path_factory) -> Compared:
    """One that was not interrupted."""
    return compare(pictures, tmp_path_factory.mktemp("comparison") / "new")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def table(folder: Path) -> list[dict[str, float]]:
    """The rows of accuracy.csv."""
    with open(folder / "accuracy.csv", newline="", encoding="utf-8") as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]


@pytest.fixture
def quick(monkeypatch):
    """Trains so fast that a few steps will do."""
    monkeypatch.setattr(encoders, "LEARNING_RATE", 0.01)


def test_both_encoders_are_tested_after_every_epoch(compared):
    rows = compared.rows
    assert [[*row] for row in rows] == [
        ["epoch", *(f"{name}{ending}" for name in encoders.ENCODERS for ending in ("", "_seconds"))]
    ] * 3
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    for row in rows:
        assert all(round(20 * row[name], 6).is_integer() for name in encoders.ENCODERS)  # of 20 pictures
        assert row["improved_seconds"] > 0 and row["glcic_seconds"] > 0
    assert table(compared.folder) == rows


def test_both_encoders_get_the_same_new_order_each_epoch(pictures, monkeypatch, tmp_path):
    trained = []
    monkeypatch.setattr(encoders, "_train", lambda *given: trained.append((given[0].name, given[3])) or 1.0)
    monkeypatch.setattr(encoders, "accuracy", lambda *_: 0.5)

    def batches(folder: str, **changes) -> list[np.ndarray]:
        trained.clear()
        compare(pictures, tmp_path / folder, **{"epochs": 2} | changes)
        assert [name.partition("_")[0] for name, _ in trained] == ["improved", "glcic", "improved"] * 2
        return [order for _, order in trained]

    first, same, _, second, *_ = found = batches("one")
    for order in found:  # of 36 pictures, four do not fill a batch
        assert order.shape == (4, 8) and len({*order.flat}) == 32 and order.max() < 36
    assert (first == same).all() and (first != second).any()
    assert all((one == other).all() for one, other in zip(found, batches("two"), strict=True))
    assert (batches("three", seed=4)[0] != first).any()


@pytest.mark.parametrize("build", encoders.ENCODERS.values())
def test_the_seed_decides_the_weights(build):
    def weights(seed: int) -> np.ndarray:
        return encoders._classifier(build, (32, 32), 4, seed).get_layer("conv1").get_weights()[0]

    np.testing.assert_array_equal(weights(1), weights(1))
    assert np.abs(weights(1) - weights(2)).max() > 0.01


def test_encoders_learn_the_classes(quick, pictures):
    images, labels, test_images, test_labels = pictures
    batches = np.arange(32).reshape(4, 8)
    for build in encoders.ENCODERS.values():
        model = encoders._classifier(build, (32, 32), 8, 0)
        normalizations = [n for n in model.layers if isinstance(n, keras.layers.BatchNormalization)]
        assert len(normalizations) >= 5 and all(n.momentum == 0.9 for n in normalizations)
        for layer in normalizations:
            layer.momentum = 0.5  # even that lags behind for a few steps
        bar = encoders.tqdm(disable=True)
        for _ in range(6):
            encoders._train(model, images, labels, batches, bar)
        assert encoders.accuracy(model, test_images, test_labels) >= 0.9


def test_accuracy_counts_the_largest_logits():
    image = keras.Input((2, 2, 3))
    model = keras.Model(image, image[:, 0, 0])  # the class is the channel that is brightest
    images = np.zeros((5, 2, 2, 3), np.uint8)
    images[np.arange(5), 0, 0, [0, 1, 2, 2, 1]] = 255
    labels = np.array([0, 1, 2, 0, 0])
    assert encoders.accuracy(model, images, labels, batch_size=2) == 0.6


def test_the_curves_show_both_encoders_over_the_epochs(drawn, tmp_path):
    rows = [{"epoch": 1, "improved": 0.3, "glcic": 0.25}, {"epoch": 2, "improved": 0.5, "glcic": 0.5}]
    path = encoders.accuracy_curves(rows, tmp_path / "a.png")
    with Image.open(path) as picture:
        assert picture.format == "PNG" and min(picture.size) > 400
    (axes,) = drawn[0].axes
    lines = {line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in axes.lines}
    assert lines == {
        "improved encoder": ([1, 2], [30.0, 50.0]),
        "encoder of GLCIC": ([1, 2], [25.0, 50.0]),
    }
    assert axes.get_xlabel() == "epoch" and axes.get_ylabel() == "test pictures classified rightly (%)"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [*lines]
    assert len({line.get_color() for line in axes.lines}) == 2


def test_a_comparison_draws_its_curves(compared):
    with Image.open(compared.folder / "accuracy.png") as picture:
        assert len({*picture.convert("RGB").getdata()}) > 10


# What a kill costs


class Interrupted:
    """A progress bar: Ctrl-C comes where it says `description` for the first time, or after `batches`."""

    def __init__(self, description: str = "", batches: int = 0) -> None:
        self.description, self.batches, self.count = description, batches, 0

    def __call__(self, **settings):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def set_description(self, text: str) -> None:
        if text == self.description:
            raise KeyboardInterrupt

    def update(self) -> None:
        self.count += 1
        if self.count == self.batches:
            raise KeyboardInterrupt


def interrupt(pictures, folder: Path, **when) -> list[dict[str, float]]:
    """Starts or continues a comparison until it is interrupted; what accuracy.csv then says."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(encoders, "tqdm", Interrupted(**when))
        compare(pictures, folder)
    return table(folder)


def accuracies(rows) -> list[tuple[float, ...]]:
    return [(row["epoch"], row["improved"], row["glcic"]) for row in rows]


def test_one_that_was_interrupted_twice_ends_as_one_that_was_not(pictures, compared, tmp_path, monkeypatch):
    first = interrupt(pictures, tmp_path, description="epoch 2, improved")  # between two epochs
    assert [row["epoch"] for row in first] == [1]
    second = interrupt(pictures, tmp_path, batches=12 + 4 + 2)  # in the third epoch, the second encoder's
    assert second[:1] == first and [row["epoch"] for row in second] == [1, 2]
    assert names(tmp_path) == {"accuracy.csv", "accuracy.png", "comparison.json", "unfinished"}

    bar = Interrupted()
    monkeypatch.setattr(encoders, "tqdm", bar)
    last = compare(pictures, tmp_path)
    assert bar.count == 12, "more than the third epoch was trained"
    assert last.rows[:2] == second and table(tmp_path) == last.rows
    assert accuracies(last.rows) == accuracies(compared.rows)
    assert len(last.weights) > 50
    for mine, theirs in zip(last.weights, compared.weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert names(tmp_path) == names(compared.folder) == {"accuracy.csv", "accuracy.png", "comparison.json"}


def test_one_that_is_finished_returns_its_rows_at_once(pictures, compared, monkeypatch):
    monkeypatch.setattr(encoders, "_classifier", None)  # nothing is built, let alone trained
    (compared.folder / "unfinished").mkdir()  # as a kill may leave it at the very end
    again = encoders.encoder_comparison(*pictures, **SMALL, output=compared.folder)
    assert again == compared.rows and [type(row["epoch"]) for row in again] == [int] * 3
    assert "unfinished" not in names(compared.folder)


def test_weights_that_are_not_finite_are_not_kept(pictures, tmp_path, monkeypatch):
    def spoil(model, *_) -> float:
        bias = model.get_layer("logits").bias
        bias.assign(np.full(bias.shape, np.nan))
        return 1.0

    monkeypatch.setattr(encoders, "_train", spoil)
    with pytest.raises(Diverged, match="logits/bias is not finite after step 4"):
        compare(pictures, tmp_path)
    assert not (tmp_path / "unfinished").exists()


OTHERS = {
    "epochs 3 there and 4 here": lambda p: {"epochs": 4},
    "width 4 there and 8 here": lambda p: {"width": 8},
    "batch_size 8 there and 4 here": lambda p: {"batch_size": 4},
    "seed 3 there and 0 here": lambda p: {"seed": 0},
    "training pictures 36 there and 30 here": lambda p: {"images": p[0][:30], "labels": p[1][:30]},
    "test pictures 20 there and 9 here": lambda p: {"test_images": p[2][:9], "test_labels": p[3][:9]},
    "width 4 there and 6 here, seed 3 there and 5 here": lambda p: {"width": 6, "seed": 5},
}


def given(pictures, **changes) -> dict:
    """The arguments of `encoder_comparison`."""
    arrays = dict(zip(("images", "labels", "test_images", "test_labels"), pictures, strict=True))
    return {**arrays, **SMALL, **changes}


@pytest.mark.parametrize("difference", OTHERS)
@pytest.mark.parametrize("finished", [True, False])
def test_the_folder_of_another_comparison_is_refused(pictures, compared, tmp_path, difference, finished):
    record = json.loads((compared.folder / "comparison.json").read_text(encoding="utf-8"))
    assert record["rows"] == compared.rows
    (tmp_path / "comparison.json").write_text(
        json.dumps(record if finished else record | {"rows": []}), encoding="utf-8"
    )
    with pytest.raises(InputError, match=f"`output` .* holds another comparison: {difference}. Choose"):
        encoders.encoder_comparison(**given(pictures, output=tmp_path, **OTHERS[difference](pictures)))
    assert names(tmp_path) == {"comparison.json"}


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"settings": {"epochs": 3}, "rows": []}'])
def test_a_damaged_record_is_named(pictures, tmp_path, content):
    (tmp_path / "comparison.json").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=r"comparison.json' cannot be read .*`output`") as caught:
        encoders.encoder_comparison(*pictures, **SMALL, output=tmp_path)
    assert "\n" not in str(caught.value) and names(tmp_path) == {"comparison.json"}


# Mistakes


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
    with pytest.raises(InputError, match=message):
        encoders.encoder_comparison(**given(pictures, output=tmp_path / "new", **changes(pictures)))
    assert not (tmp_path / "new").exists()


def test_an_output_that_cannot_be_written_is_named_before_the_training(pictures, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match=r"file/comparison.json' could not be written: .* is a file"):
        encoders.encoder_comparison(*pictures, **SMALL, output=tmp_path / "file")
