"""Figure 13 of `multiscale_context_encoder`: two encoders as classifiers of CIFAR-10.

The paper trains GLCIC's encoder and its own as classifiers and draws the accuracy of each epoch, to show that
its own converges faster. It describes neither the classifier on the features (see `networks.multiscale`) nor
the training; here both have the optimizer and batch size of its inpainting network.

A comparison's folder holds accuracy.csv and accuracy.png, which grow with every epoch; comparison.json, with
the settings and, at the end, the rows; and until then unfinished/, checkpoints to continue from.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from tqdm import tqdm

from inpainting_tf import data, figures, files
from inpainting_tf.data import decoding, pipeline, sources
from inpainting_tf.errors import InputError
from inpainting_tf.networks import multiscale
from inpainting_tf.networks.blocks import check_positive
from inpainting_tf.ops.images import to_float
from inpainting_tf.runs import checkpoints
from inpainting_tf.training import precision

CLASSES = 10
ENCODERS: dict[str, Callable[..., keras.Model]] = {
    "improved": multiscale.improved_encoder_classifier,
    "glcic": multiscale.glcic_encoder_classifier,
    # Its strides are lost with the paper's tables: ours leave one position of 32 pixels, or these 8x8.
    "improved_8x8": functools.partial(multiscale.improved_encoder_classifier, positions=8),
}
# The paper's, "Training Settings".
LEARNING_RATE, BETA_1, BETA_2 = 3e-4, 0.5, 0.999
# Of the normalizations: PyTorch's default, which the paper used. With Keras's 0.99 the averages lag behind
# the weights for hundreds of steps, and the curves with them: GLCIC's stays at chance.
MOMENTUM = 0.9
_LABELS = {
    "improved": "improved encoder",
    "glcic": "encoder of GLCIC",
    "improved_8x8": "improved encoder, 8x8",
}
_SETTINGS = ("epochs", "width", "batch_size", "seed", "training pictures", "test pictures")
_RECORD, _UNFINISHED = "comparison.json", "unfinished"


@dataclasses.dataclass(frozen=True)
class Size:
    """Settings of the encoder comparison: passes, channels of the first convolution, training pictures."""

    epochs: int
    width: int
    train: int | None = None


SIZES = {
    "smoke": Size(2, 4, 400),
    "laptop": Size(5, 32),
    "gpu": Size(20, 64),
    "paper": Size(20, 64),
}


def labelled_pictures(
    data_dir: str | os.PathLike | None = None, train: int | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """CIFAR-10 with its classes: images, labels, test images, test labels.

    Args:
        data_dir: as `inpainting_tf.data.sources.cifar10` takes it.
        train: largest number of training pictures, drawn with a fixed seed; None for all. The test pictures
            are always all.

    Returns:
        uint8 [N, 32, 32, 3] and int64 [N] of both splits; pictures that cannot be read are left out.

    Raises:
        InputError: CIFAR-10 was not found.
    """
    source = sources.cifar10(data_dir)
    wanted = data.Data("cifar10", 32, train, 0, test=len(source.division["test"]))
    names = data.split(source.names, wanted, source.division)
    position = {name: index for index, name in enumerate(source.names)}

    def part(which: str) -> tuple[np.ndarray, np.ndarray]:
        found = decoding.decode(source, [position[name] for name in names[which]], (32, 32))
        return found.images[:], np.array([source.label(position[name]) for name in found.names])

    return *part("train"), *part("test")


def encoder_comparison(
    images: np.ndarray,
    labels: np.ndarray,
    test_images: np.ndarray,
    test_labels: np.ndarray,
    *,
    epochs: int,
    width: int,
    batch_size: int,
    seed: int,
    output: str | os.PathLike,
) -> list[dict[str, Any]]:
    """Trains the encoders on the same batches, and tests each after every epoch.

    After every epoch both classifiers and their optimizers are saved in `output`, and the same call continues
    after the last saved epoch. On a CPU the accuracies are, bit for bit, those of an uninterrupted one. The
    same call on a finished comparison returns its rows at once; its checkpoints are deleted.

    Args:
        images, test_images: uint8 [N, H, W, 3], sides divisible by 32.
        labels, test_labels: integers [N] in 0..9.
        epochs: passes over the training pictures; an incomplete last batch is left out.
        width: channels of the encoders' first convolutions, 64 in the papers. Even.
        batch_size: pictures per step.
        seed: of the weights and the order.
        output: a folder for `accuracy.csv` and `accuracy.png`, which grow with every epoch, and for
            checkpoints: a new one, or that of a comparison with the same settings.

    Returns:
        The rows of `accuracy.csv`: "epoch"; of each of `ENCODERS` by its name the share of test pictures
        that it classifies correctly, in 0..1, and e.g. "improved_seconds" of the epoch's training.

    Raises:
        InputError: pictures and labels that do not fit together, an argument that is not positive, a batch
            larger than the training pictures, an `output` that holds a comparison of other settings
            (`epochs`, `width`, `batch_size`, `seed`, numbers of pictures), or a file that cannot be read or
            written.
        Diverged: a weight is not finite after an epoch; earlier checkpoints stay.
    """
    _check_labelled("images", images, labels)
    _check_labelled("test_images", test_images, test_labels)
    for argument, value in (("epochs", epochs), ("batch_size", batch_size)):
        check_positive(argument, value)
    steps = pipeline.steps_per_epoch(len(images), batch_size)
    values = (epochs, width, batch_size, seed, len(images), len(test_images))
    settings = dict(zip(_SETTINGS, values, strict=True))
    folder = Path(output)
    rows = finished(folder, settings)
    if not rows:
        models = {name: _classifier(make, images.shape[1:3], width, seed) for name, make in ENCODERS.items()}
        files.write_json(folder / _RECORD, {"settings": settings, "rows": []})  # before hours of training
        rows = (checkpoints.restore(folder / _UNFINISHED, models) or {"rows": []})["rows"]
        done, total = (count * steps * len(models) for count in (len(rows), epochs))
        with tqdm(initial=done, total=total, unit="batch", disable=None) as bar:
            for epoch in range(len(rows) + 1, epochs + 1):
                order = np.random.default_rng([seed, epoch]).permutation(len(images))
                batches = order[: steps * batch_size].reshape(steps, batch_size)
                row: dict[str, Any] = {"epoch": epoch}
                for name, model in models.items():
                    bar.set_description(f"epoch {epoch}, {name}")
                    seconds = _train(model, images, labels, batches, bar)
                    row |= {name: accuracy(model, test_images, test_labels), f"{name}_seconds": seconds}
                rows.append(row)
                files.write_csv(folder / "accuracy.csv", rows)
                accuracy_curves(rows, folder / "accuracy.png")
                checkpoints.save(folder / _UNFINISHED, epoch * steps, models, {"rows": rows})
        files.write_json(folder / _RECORD, {"settings": settings, "rows": rows})
    shutil.rmtree(folder / _UNFINISHED, ignore_errors=True)
    return rows


def finished(output: str | os.PathLike, settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of the finished comparison in a folder; none where it is not finished.

    Args:
        output: the folder.
        settings: its required settings, any of "epochs", "width", "batch_size", "seed", "training pictures",
            "test pictures".

    Raises:
        InputError: the folder holds another comparison, or its record cannot be read.
    """
    record = _record(Path(output))
    if record is None:
        return []
    there = record["settings"]
    others = [name for name in settings if there[name] != settings[name]]
    if others:
        listed = ", ".join(f"{name} {there[name]} there and {settings[name]} here" for name in others)
        raise InputError(
            f"`output` {str(output)!r} holds another comparison: {listed}. Choose another `output`."
        )
    return record["rows"]


def accuracy(model: keras.Model, images: np.ndarray, labels: np.ndarray, batch_size: int = 500) -> float:
    """The share of uint8 `images` [N, H, W, 3] whose largest logit is that of their label, in 0..1."""
    right = 0
    for start in range(0, len(images), batch_size):
        logits = model.predict_on_batch(to_float(images[start : start + batch_size]))
        right += int((np.argmax(logits, axis=-1) == labels[start : start + batch_size]).sum())
    return right / len(images)


def accuracy_curves(rows: Sequence[Mapping[str, Any]], path: str | os.PathLike) -> Path:
    """Figure 13: the test accuracy of both encoders against the epoch, as a PNG file.

    Args:
        rows: as `encoder_comparison` returns them.
        path: the PNG file.

    Raises:
        InputError: the file cannot be written.
    """
    histories = {
        label: [{"epoch": row["epoch"], "accuracy": 100 * row[name]} for row in rows]
        for name, label in _LABELS.items()
        if name in rows[0]
    }
    return figures.course(histories, "accuracy", path, label="test pictures classified rightly (%)")


def _record(folder: Path) -> dict[str, Any] | None:
    """A comparison's settings and rows in `folder`; None where there is none."""
    file = folder / _RECORD
    if not file.exists():
        return None
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        return {"settings": {name: record["settings"][name] for name in _SETTINGS}, "rows": record["rows"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{str(file)!r} cannot be read ({error}). Choose another `output`.") from error


def _classifier(build: Callable[..., keras.Model], size: Sequence[int], width: int, seed: int) -> keras.Model:
    keras.utils.set_random_seed(seed)
    with precision.policy(precision.resolve("auto")):
        model = build(tuple(size), classes=CLASSES, width=width)
        for layer in model.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = MOMENTUM
        model.compile(
            keras.optimizers.Adam(LEARNING_RATE, BETA_1, BETA_2),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )
        model.optimizer.build(model.trainable_variables)  # creates the variables of a checkpoint
    return model


def _train(
    model: keras.Model, images: np.ndarray, labels: np.ndarray, batches: np.ndarray, bar: tqdm
) -> float:
    """A step on each of the `batches` of positions [steps, batch_size]; returns the seconds it took."""
    start = time.perf_counter()
    for chosen in batches:
        model.train_on_batch(to_float(images[chosen]), labels[chosen])
        bar.update()
    return time.perf_counter() - start


def _check_labelled(argument: str, images: np.ndarray, labels: np.ndarray) -> None:
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] != 3 or not len(images):
        raise InputError(
            f"`{argument}` must be uint8 [N, H, W, 3]. Received {images.dtype} {list(images.shape)}."
        )
    if labels.shape != images.shape[:1] or labels.min() < 0 or labels.max() >= CLASSES:
        raise InputError(
            f"`{argument}` must have a label in 0..{CLASSES - 1} each. Received {len(images)} pictures and "
            f"labels {list(labels.shape)} from {labels.min()} to {labels.max()}."
        )
