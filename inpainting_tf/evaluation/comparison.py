"""Compares several fills of the same holes of the same pictures: rows, a table, a bar chart, a sheet."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inpainting_tf import classical, data, evaluation, figures, files, models, runs, sizes
from inpainting_tf.data import Data, holes, measured, pipeline
from inpainting_tf.data.decoding import Decoded
from inpainting_tf.data.holes import Holes
from inpainting_tf.data.mask_files import MaskFiles
from inpainting_tf.errors import InputError
from inpainting_tf.evaluation import Evaluation, Fill
from inpainting_tf.evaluation.measuring import Watch
from inpainting_tf.evaluation.pictures import saving
from inpainting_tf.inpainter import Inpainter
from inpainting_tf.ops import texture as textures_of
from inpainting_tf.ops.boxes import bounding_box, box_shape
from inpainting_tf.ops.images import composite, to_float
from inpainting_tf.ops.masks import Mask

TEXTURES = 250  # pictures whose texture is measured
SHOWN = 8  # pictures in a sheet
DRAWS = 5  # fills of one hole


@dataclasses.dataclass(frozen=True)
class Subject:
    """What is evaluated.

    Attributes:
        name: as in tables and figures.
        fill: a network's or a classical method's.
        recipe: the recipe in its `metrics.json`.
        draw: (images, masks, count) -> float32 [count, N, H, W, 3], several fills of each hole; None for a
            method with one fill.
    """

    name: str
    fill: Fill
    recipe: Mapping[str, Any] | None = None
    draw: Callable[[np.ndarray, np.ndarray, int], np.ndarray] | None = None


@dataclasses.dataclass(frozen=True)
class TestSet:
    """Test pictures with their fixed holes.

    Attributes:
        data: source, size and split.
        mask: the holes.
        data_dir: the source's folder or archive; None searches the usual ones.
        names: the test pictures, from a run's folder; None: all of a folder of pictures, and the test
            pictures of another data set.
    """

    __test__ = False  # not a pytest class

    data: Data
    mask: Mask
    data_dir: str | None = None
    names: Mapping[str, Sequence[str]] | None = None

    @classmethod
    def of(cls, run: runs.Run) -> TestSet:
        """The pictures and holes that the run itself is measured on."""
        pictures = run.pictures()
        return cls(run.recipe.data, run.recipe.mask.test, pictures.get("data_dir"), pictures or None)

    def pictures(self) -> Decoded:
        """The decoded pictures.

        Raises:
            InputError: they were not found.
        """
        names = self.names or measured.whole(self.data, self.data_dir)[0]
        return data.load(self.data, self.data_dir, names=names, splits=("test",)).test

    def holes(self) -> Holes:
        """The holes of such pictures.

        Raises:
            InputError: they cannot be drawn, or were not found.
        """
        return holes.of(self.mask, self.data.shape, self.data.crop)

    def changed(
        self,
        *,
        source: str | None = None,
        classes: str | None = None,
        image_size: sizes.Size | str | None = None,
        crop: str | None = None,
        mask: str | None = None,
        invert_masks: bool | None = None,
        data_dir: str | None = None,
    ) -> TestSet:
        """A copy with all arguments that are not None; `classes` "none" is all of them.

        `mask` is a kind of holes, or a folder of mask files, of which `invert_masks` exchanges black and
        white. New classes reset the names, a new source also the folder and the classes.
        """
        here = self
        if source is not None and source != self.data.source:
            other = dataclasses.replace(here.data, source=source, classes=None)
            here = dataclasses.replace(here, data=other, data_dir=None, names=None)
        wanted = {None: here.data.classes, "none": None}.get(classes, classes)
        if wanted != here.data.classes:
            here = dataclasses.replace(here, data=dataclasses.replace(here.data, classes=wanted), names=None)
        if image_size is not None:
            size = sizes.parse(image_size, least=sizes.LEAST)
            here = dataclasses.replace(here, data=dataclasses.replace(here.data, image_size=size))
        if crop is not None:
            here = dataclasses.replace(here, data=dataclasses.replace(here.data, crop=crop))
        if mask is not None:
            here = dataclasses.replace(here, mask=holes.named(mask))
        if invert_masks is not None:
            here = dataclasses.replace(here, mask=dataclasses.replace(here.mask, invert=invert_masks))
        return here if data_dir is None else dataclasses.replace(here, data_dir=data_dir)


def of_run(run: runs.Run, file: Path | None = None) -> Subject:
    """A trained run, named after its folder; with `file` another of its models than the last."""
    network = Inpainter.from_preset(file or run.folder)
    return _of_network(models.shown_name(run.folder), network, run.recipe.to_json())


def of_model(path: str | os.PathLike) -> Subject:
    """A saved completion network, named after its file, or after its folder if that is a run's model."""
    return _of_network(models.shown_name(path), Inpainter.from_preset(path))


def _of_network(name: str, model: Inpainter, recipe: Mapping[str, Any] | None = None) -> Subject:
    return Subject(name, model.fill, recipe, model.draw if model.code else None)


def of_baseline(name: str) -> Subject:
    """A classical method of `inpainting_tf.classical`."""
    return Subject(name, classical.get(name))


def compare(
    subjects: Sequence[Subject],
    test_set: TestSet,
    output: str | os.PathLike,
    *,
    batch_size: int = 16,
    lpips: Callable | None = None,
    save_pictures: bool = False,
    texture: bool = False,
) -> list[Evaluation]:
    """Evaluates all subjects on the same pictures and holes and writes the results.

    `output` receives `sheet.png` (the first pictures: input, each result, original), with several subjects
    also `table.md` and `comparison.png`. For each subject, in a subfolder if there are several:
    `metrics.json`, `per_image.csv`, the pictures that it filled best and worst inside the hole (`good.png`,
    `failed.png`), the patches alone where all holes are boxes of one size (`patches.png`), several fills of
    the same holes where a subject has `draw` (`diverse.png`), and, if wanted, every picture (`pictures/`, see
    `evaluation.pictures`).

    Args:
        subjects: one or more, with different names.
        test_set: the pictures and the holes.
        output: the folder for all of this.
        batch_size: pictures per call of `fill`.
        lpips: what `lpips.load` returns; None leaves LPIPS out.
        save_pictures: save every picture, its hole, the fill and the composite.
        texture: measure the sliced Wasserstein distance of the holes of the first pictures as well: "swd" in
            the summary, at each scale from the finest, `ops.texture.sliced_wasserstein`.

    Raises:
        InputError: no subjects, two of the same name, no data, a size that a network refuses, a full disk.
    """
    names = [subject.name for subject in subjects]
    if not names or len(set(names)) < len(names):
        raise InputError(
            "`subjects` must be one or more, with different names (of folder, file or method). "
            f"Received {names}: rename one, or evaluate it by itself."
        )
    pictures, output = test_set.pictures(), Path(output)
    folders = [output / name if len(names) > 1 else output for name in names]
    found = []
    for subject, folder in zip(subjects, folders, strict=True):
        with _watching(folder, pictures, save_pictures) as watch:
            textures = _Textures(watch)
            watched = textures if texture else watch
            each = _measured(subject, test_set, pictures, batch_size, lpips, watched)
            if texture:
                each.summary["swd"] = textures.distances()
            found.append(each)
    sheet(found, output / "sheet.png")
    for subject, each, folder in zip(subjects, found, folders, strict=True):
        _write(subject, each, test_set, pictures, folder)
    if len(found) > 1:
        files.write_text(output / "table.md", evaluation.report(found) + "\n")
        figures.comparison_bars(found, output / "comparison.png")
    return found


class _Textures:
    """Keeps the first pictures of an evaluation and their fills, and passes every batch on to `watch`."""

    def __init__(self, watch: Watch | None) -> None:
        self._watch = watch
        self._kept: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def __call__(
        self, names: Sequence[str], images: np.ndarray, masks: np.ndarray, fills: np.ndarray
    ) -> None:
        if self._watch is not None:
            self._watch(names, images, masks, fills)
        room = TEXTURES - len(self._kept)
        filled = composite(images[:room], fills[:room], masks[:room])
        self._kept += [
            (image, fill, mask[..., 0] > 0)
            for image, fill, mask in zip(images[:room], filled, masks[:room], strict=True)
        ]

    def distances(self) -> list[float]:
        return [
            float(each) for each in textures_of.sliced_wasserstein(*zip(*self._kept, strict=True), patches=64)
        ]


def _watching(folder: Path, pictures: Decoded, save: bool) -> contextlib.AbstractContextManager[Watch | None]:
    return saving(folder / "pictures", pictures.names) if save else contextlib.nullcontext()


def _measured(
    subject: Subject,
    test_set: TestSet,
    pictures: Decoded,
    batch_size: int,
    lpips: Callable | None,
    watch: Watch | None,
) -> Evaluation:
    return evaluation.evaluate(
        subject.name,
        subject.fill,
        pipeline.test_batches(
            pictures.images,
            test_set.mask,
            batch_size=batch_size,
            names=pictures.names,
            crop=test_set.data.crop,
        ),
        names=pictures.names,
        keep=SHOWN,
        lpips=lpips,
        watch=watch,
        dataset=test_set.data.source,
        split="test",
        mask=dataclasses.asdict(test_set.mask),
        **_own_masks(test_set, pictures),
        recipe=subject.recipe,
    )


def _own_masks(test_set: TestSet, pictures: Decoded) -> dict[str, Any]:
    """Of holes from files: how many there are, which, and how many pictures have the mask of their name."""
    found = test_set.holes()
    if not isinstance(found, MaskFiles):
        return {}
    paired = sum(each is not None for each in found.paired(pictures.names))
    return {"masks": {"files": len(found.names), "paired": paired, "digest": found.digest}}


def _write(subject: Subject, found: Evaluation, test_set: TestSet, pictures: Decoded, folder: Path) -> None:
    _extremes(subject, found, pictures, test_set, folder)
    _patches(found, folder)
    _diversity(subject, found, folder)
    evaluation.write(found, folder)  # last: metrics.json marks a complete folder


def _extremes(
    subject: Subject, found: Evaluation, pictures: Decoded, test_set: TestSet, folder: Path
) -> None:
    """Good and failed examples (cifar_cars, figures 3.9 and 3.10), chosen by the PSNR inside the hole."""
    psnr = np.array([row["hole_psnr"] for row in found.rows])
    worst_first = np.argsort(psnr, kind="stable")
    for name, chosen in (("good", worst_first[::-1][:SHOWN]), ("failed", worst_first[:SHOWN])):
        images = to_float(np.asarray(pictures.images[chosen]))
        missing = test_set.holes().fixed(chosen, [pictures.names[i] for i in chosen])
        known = images * (1.0 - missing)
        columns = {
            "input": figures.input_view(images, missing),
            "filled": composite(known, np.asarray(subject.fill(known, missing)), missing),
            "original": images,
        }
        notes = {"filled": [f"{psnr[i]:.1f} dB in the hole" for i in chosen]}
        title = f"{found.name}: the {len(chosen)} {'best' if name == 'good' else 'worst'} of {len(psnr)}"
        figures.sheet(columns, folder / f"{name}.png", title=title, notes=notes)


def _patches(found: Evaluation, folder: Path) -> None:
    """Original and predicted patches (cifar_cars, figure 3.5), where every hole is a box of the same size."""
    boxes = [bounding_box(mask[..., 0]) for mask in found.masks]
    if len(set(map(box_shape, boxes))) > 1 or not all(
        mask[box].all() for mask, box in zip(found.masks, boxes, strict=True)
    ):
        return

    def cut(pictures: np.ndarray) -> np.ndarray:
        return np.stack([picture[box] for picture, box in zip(pictures, boxes, strict=True)])

    columns = {
        "original patch": cut(found.images),
        "predicted patch": cut(found.predictions),
        "filled": composite(found.images, found.predictions, found.masks),
    }
    figures.sheet(columns, folder / "patches.png", title=found.name)


def _diversity(subject: Subject, found: Evaluation, folder: Path) -> None:
    """Several fills of the same holes, and how much they differ."""
    if subject.draw is None:
        return
    images, missing = found.images, found.masks
    known = images * (1.0 - missing)
    fills = [composite(known, fill, missing) for fill in subject.draw(known, missing, DRAWS)]
    spread = np.std(fills, 0)[np.broadcast_to(missing > 0, images.shape)].mean() * 255
    columns = {"input": figures.input_view(images, missing)}
    columns |= {f"draw {number}": fill for number, fill in enumerate(fills, 1)} | {"original": images}
    title = f"{found.name}: {DRAWS} draws; inside the hole they deviate by {spread:.1f} levels of 255"
    figures.sheet(columns, folder / "diverse.png", title=title)


def sheet(found: Iterable[Evaluation], path: str | os.PathLike, *, raw: bool = False) -> Path:
    """The first test pictures: input, each result with its PSNR inside the hole, original.

    Args:
        found: evaluations on the same pictures and holes.
        path: the PNG file.
        raw: show the raw predictions, and not the composites.
    """
    found = list(found)
    first = found[0]
    columns: dict[str, np.ndarray] = {"input": figures.input_view(first.images, first.masks)}
    notes = {}
    for each in found:
        kept = composite(each.images, each.predictions, each.masks)
        columns[each.name] = each.predictions if raw else kept
        notes[each.name] = [f"{row['hole_psnr']:.1f} dB in the hole" for row in each.rows[: len(each.images)]]
    columns["original"] = first.images
    return figures.sheet(columns, path, notes=notes)
