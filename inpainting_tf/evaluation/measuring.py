"""Measures anything that fills holes on a data set: a row per picture, and a summary.

A network, a classical method and a user's own function are measured by the same code on the same batches. The
metrics are those of `metrics.py`, of the composite (plain names), of the raw prediction (``raw_``) and inside
the hole alone (``hole_``); and LPIPS (`lpips.py`) of both, if its weights are given.
"""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import time
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops
from tqdm.auto import tqdm

from inpainting_tf import environment, files
from inpainting_tf.errors import InputError
from inpainting_tf.evaluation import intervals, means
from inpainting_tf.evaluation.means import MEANS
from inpainting_tf.ops import metrics
from inpainting_tf.ops.images import composite, to_float, to_uint8

Array = Any  # a NumPy array or a tensor of the Keras backend
Fill = Callable[[np.ndarray, np.ndarray], Array]
# Receives a batch of `evaluate`: names, pictures, masks, raw predictions.
Watch = Callable[[Sequence[str], np.ndarray, np.ndarray, np.ndarray], None]

_MEASURED = {"model", "image_size", "images", "seconds_per_image", "by_hole_size", "versions", *MEANS}
_RANGE_SLACK = 1e-3  # tolerance outside [0, 1] for rounding, far below one of 255 levels


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """The result of `evaluate`.

    Attributes:
        name: what was evaluated.
        rows: a dict per picture, in the order of the batches: ``index, name``, ``missing`` (the share of its
            pixels in the hole), the `MEANS`, ``seconds``.
        summary: the content of ``metrics.json``: facts, means over all pictures and by the size of the hole,
            versions.
        images: float32 [k, H, W, 3] in [0, 1], the first pictures, without a hole, for figures.
        masks: float32 [k, H, W, 1], 1 = missing.
        predictions: float32 [k, H, W, 3] in [0, 1], raw; `images.composite` puts them into their pictures.
    """

    name: str
    rows: list[dict[str, Any]]
    summary: dict[str, Any]
    images: np.ndarray
    masks: np.ndarray
    predictions: np.ndarray

    def interval(self, key: str) -> tuple[float, float]:
        """The 95 % bootstrap interval of a column's mean over the pictures; NaN twice if unknown."""
        return intervals.interval([row[key] for row in self.rows if row.get(key) is not None])


def evaluate(
    name: str,
    fill: Fill,
    batches: Iterable[Mapping[str, Array]],
    *,
    names: Iterable[str] | None = None,
    keep: int = 8,
    lpips: Callable[[Array, Array], Array] | None = None,
    watch: Watch | None = None,
    **facts: Any,
) -> Evaluation:
    """Fills every picture of ``batches`` with ``fill`` and measures the result.

    Args:
        name: of the method, in tables and figures.
        fill: ``fill(images, masks) -> predictions``: from pictures float32 [N, H, W, 3] in [0, 1], whose
            holes are blanked to 0 here so that no method receives the true pixels, and masks float32
            [N, H, W, 1], 1 = missing, to whole predicted pictures like ``images``, as an array or a tensor.
        batches: dicts ``{"image", "mask"}`` of that kind, with the true pixels under the hole.
        names: one name per picture, in the order of the batches, e.g. file names; the index by default.
        keep: number of pictures kept for figures (of the first picture's size).
        lpips: ``lpips(images, completed) -> [N]``, what `lpips.load` returns; None leaves LPIPS out.
        watch: called with each batch once it is filled, e.g. to save the pictures.
        **facts: further entries of the summary: ``dataset, split, mask, recipe`` and any others.

    Returns:
        The rows, the summary and the first pictures. ``seconds`` is the time of ``fill`` alone, its batch's
        time divided by the batch's size; the first batch of each shape is filled once before it is timed, so
        that compilation is not timed.

    Raises:
        InputError: for no batches, pictures, masks or predictions of the wrong shape or range, predictions
            that are not finite, ``names`` that do not match the pictures, and facts that are measured here.

    Example:
        >>> import numpy as np
        >>> from inpainting_tf import classical, evaluation
        >>> from inpainting_tf.data import pipeline
        >>> from inpainting_tf.ops.masks import Mask
        >>> images = np.random.default_rng(0).integers(0, 256, (4, 32, 48, 3), np.uint8)
        >>> batches = pipeline.test_batches(images, Mask("rectangle"), batch_size=2)
        >>> found = evaluation.evaluate("telea", classical.get("telea"), batches)
        >>> len(found.rows), found.summary["psnr"] > found.summary["hole_psnr"]
        (4, True)
    """
    _check_facts(facts)
    names = None if names is None else [str(each) for each in names]
    timed = _Timed(fill)
    rows: list[dict[str, Any]] = []
    kept: list[tuple[np.ndarray, ...]] = []
    for batch in tqdm(batches, desc=name, unit="batch", disable=None):
        images, masks = _read(batch)
        predictions, seconds = timed(images * (1.0 - masks), masks)
        _check_prediction(name, predictions, images, first=len(rows))
        labels = _labels(names, len(rows), len(images))
        _keep_first(kept, (images, masks, predictions), keep)
        rows += _rows(labels, len(rows), _measure(images, masks, predictions, lpips), seconds)
        if watch is not None:
            watch(labels, images, masks, predictions)
    if not rows:
        raise InputError("`batches` must hold at least one picture. Received none: is the data set empty?")
    if names is not None and len(names) != len(rows):
        raise _wrong_names(len(names), len(rows))
    shown = [np.concatenate(parts) for parts in zip(*kept, strict=True)] or [np.empty(0)] * 3
    return Evaluation(name, rows, _summary(name, rows, timed.sizes, facts), *shown)


def write(evaluation: Evaluation, folder: str | os.PathLike) -> None:
    """Writes ``per_image.csv``, ``metrics.json`` and ``shown.npz`` into ``folder``, each atomically.

    ``shown.npz`` has the first pictures in 8 bits: ``images``, ``masks`` (1 = missing) and ``predictions``.

    Raises:
        InputError: when they cannot be written, see `files.replacing`.
    """
    files.write_csv(Path(folder) / "per_image.csv", evaluation.rows)
    with files.replacing(Path(folder) / "shown.npz") as temporary:
        np.savez_compressed(
            temporary,
            images=to_uint8(evaluation.images),
            masks=evaluation.masks.astype("uint8"),
            predictions=to_uint8(evaluation.predictions),
        )
    files.write_json(Path(folder) / "metrics.json", evaluation.summary)


def read(folder: str | os.PathLike) -> Evaluation:
    """The evaluation that `write` wrote; the pictures in 8 bits' precision.

    Raises:
        InputError: the folder lacks one of the files, or one cannot be read.
    """
    folder = Path(folder)
    try:
        summary = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
        with open(folder / "per_image.csv", newline="", encoding="utf-8") as file:
            rows = [{key: _parsed(key, text) for key, text in row.items()} for row in csv.DictReader(file)]
        with np.load(folder / "shown.npz") as shown:
            images, masks, predictions = (shown[name] for name in ("images", "masks", "predictions"))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(f"`folder` must hold an evaluation. Received {str(folder)!r}: {error}.") from error
    pictures = (to_float(images), masks.astype("float32"), to_float(predictions))
    return Evaluation(summary["model"], rows, summary, *pictures)


class _Timed:
    """``fill`` with its result as float32 NumPy and the seconds per picture; warms up once per new shape."""

    def __init__(self, fill: Fill):
        self._fill = fill
        self._shapes: set[tuple[int, ...]] = set()

    def __call__(self, images: np.ndarray, masks: np.ndarray) -> tuple[np.ndarray, float]:
        if images.shape not in self._shapes:
            _numpy(self._fill(images.copy(), masks.copy()))
            self._shapes.add(images.shape)
        images, masks = images.copy(), masks.copy()  # a `fill` may work in place
        start = time.perf_counter()
        # The conversion is timed too: before it an accelerator may not have finished.
        predictions = _numpy(self._fill(images, masks))
        return predictions, (time.perf_counter() - start) / len(images)

    @property
    def sizes(self) -> set[tuple[int, ...]]:
        """The (height, width) of all pictures so far."""
        return {shape[1:3] for shape in self._shapes}


def _read(batch: Mapping[str, Array]) -> tuple[np.ndarray, np.ndarray]:
    """Pictures and masks of a batch as float32 NumPy, after the checks."""
    images, masks = _numpy(batch["image"]), _numpy(batch["mask"])
    if images.ndim != 4 or not images.size or masks.shape != (*images.shape[:3], 1):
        raise InputError(
            "`batches` must hold images [N, H, W, 3] and masks [N, H, W, 1]. "
            f"Received {images.shape} and {masks.shape}."
        )
    if not _in_range(images):
        raise InputError(
            f"`batches` must hold images in [0, 1]. Received {images.min():g} to {images.max():g}: "
            "convert uint8 pictures with `images.to_float`."
        )
    if not ((masks == 0) | (masks == 1)).all():
        raise InputError(
            f"`batches` must hold masks of 0 (known) and 1 (missing). Received {masks.min():g} to "
            f"{masks.max():g}: convert them with `images.to_mask`."
        )
    return images, masks


def _check_prediction(name: str, predictions: np.ndarray, images: np.ndarray, first: int) -> None:
    if predictions.shape != images.shape:
        raise InputError(
            f"`fill` of {name!r} must return whole pictures of shape {images.shape}. "
            f"Received {predictions.shape}."
        )
    finite = np.isfinite(predictions).all(axis=(1, 2, 3))
    if not finite.all():
        raise InputError(
            f"`fill` of {name!r} must return finite numbers. Received NaN or infinity in picture "
            f"{first + int(np.argmin(finite))}: has the training diverged?"
        )
    if not _in_range(predictions):
        raise InputError(
            f"`fill` of {name!r} must return values in [0, 1]. Received {predictions.min():g} to "
            f"{predictions.max():g}: rescale or clip them."
        )


def _check_facts(facts: Mapping[str, Any]) -> None:
    measured = sorted(_MEASURED & facts.keys())
    if measured:
        raise InputError(f"`facts` must not name what `evaluate` measures. Received {', '.join(measured)}.")


def _parsed(column: str, text: str) -> Any:
    """A cell of per_image.csv."""
    if column == "name":
        return text
    return int(text) if column == "index" else float(text) if text else None


def _labels(names: list[str] | None, first: int, count: int) -> list[str]:
    """The names of ``count`` pictures from ``first`` on."""
    if names is None:
        return [str(index) for index in range(first, first + count)]
    if len(names) < first + count:
        raise _wrong_names(len(names), f"at least {first + count}")
    return names[first : first + count]


def _wrong_names(received: int, pictures: int | str) -> InputError:
    return InputError(f"`names` must hold one name per picture. Received {received} for {pictures} pictures.")


def _keep_first(kept: list[tuple[np.ndarray, ...]], arrays: tuple[np.ndarray, ...], keep: int) -> None:
    """Appends a batch's pictures to ``kept``, up to ``keep`` and of the same size as those before."""
    room = keep - sum(len(parts[0]) for parts in kept)
    if room > 0 and (not kept or kept[0][0].shape[1:] == arrays[0].shape[1:]):
        kept.append(tuple(array[:room].copy() for array in arrays))


def _measure(
    images: np.ndarray, masks: np.ndarray, predictions: np.ndarray, lpips: Callable | None
) -> dict[str, np.ndarray]:
    """The missing share and every metric of a batch: name -> [N]."""
    completed = composite(images, predictions, masks)
    values = {}
    for prefix, pictures in (("", completed), ("raw_", predictions)):
        for metric in (metrics.mse, metrics.mae, metrics.psnr, metrics.ssim):
            values[prefix + metric.__name__] = metric(images, pictures)
    for of_hole in (metrics.hole_mse, metrics.hole_psnr, metrics.hole_mae):
        values[of_hole.__name__] = of_hole(images, predictions, masks)
    if lpips is not None:
        values["lpips"] = lpips(images, completed)
        values["raw_lpips"] = lpips(images, predictions)
    share = masks.mean((1, 2, 3), dtype=np.float64)
    return {"missing": share, **{key: _numpy(value) for key, value in values.items()}}


def _rows(
    labels: Sequence[str], first: int, values: Mapping[str, np.ndarray], seconds: float
) -> list[dict[str, Any]]:
    rows = []
    for i, label in enumerate(labels):
        measured = {key: float(values[key][i]) if key in values else None for key in ("missing", *MEANS)}
        rows.append({"index": first + i, "name": label, **measured, "seconds": seconds})
    return rows


def _summary(name: str, rows: list[dict], sizes: set[tuple], facts: Mapping[str, Any]) -> dict[str, Any]:
    """The content of metrics.json; ``image_size`` is None for pictures of several sizes."""
    others = {key: facts[key] for key in facts if key not in ("dataset", "split", "mask", "recipe")}
    return {
        "model": name,
        "dataset": facts.get("dataset"),
        "split": facts.get("split"),
        "image_size": list(min(sizes)) if len(sizes) == 1 else None,
        "mask": facts.get("mask"),
        "images": len(rows),
        **means.of(rows),
        "seconds_per_image": means.mean(rows, "seconds"),
        "by_hole_size": means.by_hole_size(rows),
        **others,
        "recipe": facts.get("recipe"),
        "versions": environment.describe(),
    }


def _numpy(values: Array) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(values)).astype("float32")


def _in_range(pictures: np.ndarray) -> bool:
    return bool(pictures.min() >= -_RANGE_SLACK and pictures.max() <= 1.0 + _RANGE_SLACK)
