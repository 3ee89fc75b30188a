"""Several ways to fill the same holes of the same pictures: rows, a table, a bar chart, a sheet."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inpainting_tf import classical, data, evaluation, figures, files, runs
from inpainting_tf.data import Data, pipeline
from inpainting_tf.errors import InputError
from inpainting_tf.evaluation import Evaluation, Fill
from inpainting_tf.images import composite
from inpainting_tf.inference import network_fill
from inpainting_tf.masks import Mask

SHOWN = 8  # pictures in a sheet


@dataclasses.dataclass(frozen=True)
class Subject:
    """What is evaluated: a name, how it fills, and what its `metrics.json` says about its making."""

    name: str
    fill: Fill
    recipe: Mapping[str, Any] | None = None


@dataclasses.dataclass(frozen=True)
class TestSet:
    """Test pictures with their fixed holes.

    Attributes:
        data: source, size and split.
        mask: the holes.
        data_dir: where the source is; None looks at the usual places.
        names: the pictures of the split, from a run's folder; None splits anew.
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

    def changed(
        self,
        *,
        source: str | None = None,
        image_size: int | None = None,
        mask: str | None = None,
        data_dir: str | None = None,
    ) -> TestSet:
        """This one with whatever is not None; another source forgets the folder and the names of this one."""
        here = self
        if source is not None and source != self.data.source:
            here = dataclasses.replace(
                here, data=dataclasses.replace(here.data, source=source), data_dir=None, names=None
            )
        if image_size is not None:
            here = dataclasses.replace(here, data=dataclasses.replace(here.data, image_size=image_size))
        if mask is not None:
            here = dataclasses.replace(here, mask=Mask(mask))
        return here if data_dir is None else dataclasses.replace(here, data_dir=data_dir)


def of_run(run: runs.Run) -> Subject:
    """A trained run, named after its folder."""
    return Subject(run.folder.resolve().name, network_fill(runs.load(run.folder)), run.recipe.to_json())


def of_model(path: str | os.PathLike) -> Subject:
    """A saved completion network, named after its file, or after its folder if that is a run's model."""
    file = Path(path).expanduser().resolve()
    name = file.parent.name if file.name == "model.keras" else file.stem
    return Subject(name, network_fill(runs.load(path)))


def of_baseline(name: str) -> Subject:
    """A classical method of `inpainting_tf.classical`."""
    return Subject(name, classical.get(name))


def compare(
    subjects: Sequence[Subject], test_set: TestSet, output: str | os.PathLike, *, batch_size: int = 16
) -> list[Evaluation]:
    """Evaluates all subjects on the same pictures and holes and writes what was found.

    `output` gets `metrics.json` and `per_image.csv` (in a folder for each where there are several),
    `sheet.png` (input, each result, original), and with several subjects also `table.md` and
    `comparison.png`.

    Raises:
        InputError: no subjects, two of the same name, no data, a size that a network refuses, a full disk.
    """
    names = [subject.name for subject in subjects]
    if not names or len(set(names)) < len(names):
        raise InputError(
            "`subjects` must be one or more, with different names (of folder, file or method). "
            f"Received {names}: rename one, or evaluate it by itself."
        )
    pictures = data.load(test_set.data, test_set.data_dir, names=test_set.names, splits=("test",)).test
    facts = {"dataset": test_set.data.source, "split": "test", "mask": dataclasses.asdict(test_set.mask)}
    found = []
    for subject in subjects:
        batches = pipeline.test_batches(pictures.images, test_set.mask, batch_size=batch_size)
        found.append(
            evaluation.evaluate(
                subject.name,
                subject.fill,
                batches,
                names=pictures.names,
                keep=SHOWN,
                recipe=subject.recipe,
                **facts,
            )
        )
    _write(found, Path(output))
    return found


def _write(found: Sequence[Evaluation], output: Path) -> None:
    several = len(found) > 1
    for each in found:
        evaluation.write(each, output / each.name if several else output)
    sheet(found, output / "sheet.png")
    if several:
        files.write_text(output / "table.md", evaluation.table(found) + "\n")
        figures.comparison_bars(found, output / "comparison.png")


def sheet(found: Iterable[Evaluation], path: str | os.PathLike) -> Path:
    """The first test pictures: input, what each made of it with its PSNR inside the hole, original."""
    found = list(found)
    first = found[0]
    columns: dict[str, np.ndarray] = {"input": figures.input_view(first.images, first.masks)}
    notes = {}
    for each in found:
        columns[each.name] = composite(each.images, each.predictions, each.masks)
        notes[each.name] = [f"{row['hole_psnr']:.1f} dB in the hole" for row in each.rows[: len(each.images)]]
    columns["original"] = first.images
    return figures.sheet(columns, path, notes=notes)
