"""The trained systems and measurements behind the book's tables and figures, each made once.

WORKDIR/SCALE/NAME                     a run, as train.py writes it
WORKDIR/SCALE/NAME-seed1               another training of it, with another seed
WORKDIR/SCALE/evaluations/KEY/NAME     an evaluation of one system, as eval.py writes it, and pictures.json

A KEY is readable and ends with a hash of the recipe and of the test set, so that a change of either has a
folder of its own. pictures.json holds `data.fingerprint` of the test pictures: with other files under the
same names they are measured again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from inpainting_tf import data, environment, evaluation, files, processes, recipes, runs
from inpainting_tf.book import encoders, places, results, trainings
from inpainting_tf.book.claims import NOT_TRAINED
from inpainting_tf.book.minutes import LAPTOP_MINUTES, OTHERS
from inpainting_tf.errors import Diverged, InputError, unknown
from inpainting_tf.evaluation import Evaluation, comparison
from inpainting_tf.evaluation.comparison import Subject, TestSet
from inpainting_tf.recipes import Recipe
from inpainting_tf.runs import Run

NO_PICTURES = "its pictures are not among the results"
MOST_SEEDS = 8  # trainings of a system that are looked for
SCALES = ("smoke", "laptop", "gpu", "paper")  # the presets that every system has


class Missing(Exception):
    """A system or measurement of a table or figure is missing; the message is the reason, for the page."""


@dataclasses.dataclass
class Experiments:
    """The runs and measurements of one scale in a folder.

    Attributes:
        workdir: the folder of all scales.
        scale: one of `SCALES`.
        places: folders and archives of pictures; the first that holds a system's is used.
        lpips: what `lpips.load` returns, or None.
        study: the folder of a rating study, or None.
        only_trained: train nothing; use the existing runs only, and of those that are missing the `results`.
        seeds: how often a system that a claim ranks is trained. All trainings that exist are measured.
        results: the folder of all scales' small files of each run, see `results`; None keeps none.
        failures: training -> why it failed.

    Raises:
        InputError: no such scale.
    """

    workdir: Path
    scale: str = "laptop"
    places: Sequence[str] = ()
    lpips: Callable | None = None
    study: str | None = None
    only_trained: bool = False
    seeds: int = 1
    results: Path | None = None
    failures: dict[str, str] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.scale not in SCALES:
            raise unknown("scale", self.scale, SCALES)

    @property
    def home(self) -> Path:
        return self.workdir / self.scale

    def recipe(self, name: str) -> Recipe:
        """A system's recipe at this scale."""
        return recipes.get(name, self.scale)

    def training(self, name: str, nth: int) -> tuple[str, Recipe]:
        """The folder's name and the recipe of a system's training, counted from 0: each has its own seed."""
        recipe = self.recipe(name)
        if not nth:
            return name, recipe
        seed = recipe.seed + nth
        return f"{name}-seed{seed}", recipe.override({"seed": seed})

    # Training

    def train(self, names: Sequence[str], ranked: Sequence[str] = ()) -> None:
        """Trains what is not trained yet, one after the other, and prints an estimate of the time.

        A failure is recorded in `failures`, and the next one begins.

        Args:
            names: of systems, to train once.
            ranked: those of them to train `seeds` times; the further trainings come after all first ones.
        """
        wanted = [(name, 0) for name in names]
        wanted += [(name, nth) for nth in range(1, self.seeds) for name in ranked]
        waiting = [each for each in dict.fromkeys(wanted) if not self._there(*each)]
        if self.only_trained:
            if waiting:
                print(
                    f"{len(waiting)} of {len(dict.fromkeys(wanted))} trainings are missing.", file=sys.stderr
                )
            return
        for number, (name, nth) in enumerate(waiting):
            label, recipe = self.training(name, nth)
            left = self._minutes_left([each for each, _ in waiting[number:]])
            print(f"[{number + 1}/{len(waiting)}] {label}{left}", file=sys.stderr)
            try:
                place = data.place(recipe.data, self.places)
                processes.run(_train, recipe, self.home / label, place)
            except Exception as error:
                self.failures[label] = _reason(error)
                print(f"{label} failed: {error}", file=sys.stderr)

    def run(self, name: str, nth: int = 0) -> Run:
        """A trained run of a system, or what `results` has of it.

        Raises:
            Missing: it could not be trained.
        """
        label, _ = self.training(name, nth)
        if self._trained(name, nth):
            return runs.open_run(self.home / label)
        if kept := self._kept(name, nth):
            return kept
        raise Missing(self.failures.get(label, NOT_TRAINED))

    def runs(self, name: str) -> list[Run]:
        """All trained runs of a system, each with a seed of its own.

        Raises:
            Missing: there is none.
        """
        found = [self.run(name)]
        with contextlib.suppress(Missing):
            for nth in range(1, MOST_SEEDS):
                found.append(self.run(name, nth))
        return found

    def minutes(self, names: Iterable[str]) -> float:
        """The training time of the trained ones in total."""
        total = 0.0
        for name in names:
            with contextlib.suppress(Missing):
                total += sum(run.minutes for run in self.runs(name))
        return total

    def _there(self, name: str, nth: int) -> bool:
        """Whether a training need not be made."""
        return self._trained(name, nth) or self._kept(name, nth) is not None

    def _trained(self, name: str, nth: int = 0) -> bool:
        """Whether there is a finished run of exactly this recipe."""
        label, recipe = self.training(name, nth)
        return self._finished(self.home / label, recipe) is not None

    def _kept(self, name: str, nth: int) -> Run | None:
        """What `results` has of a training; only where nothing is to be trained."""
        label, recipe = self.training(name, nth)
        if self.results is None or not self.only_trained:
            return None
        folder = self.results / self.scale / label
        return self._finished(folder, recipe) if results.kept(folder) else None

    def _finished(self, folder: Path, recipe: Recipe) -> Run | None:
        """The finished run of exactly this recipe in a folder, if there is one."""
        if not (folder / "recipe.json").is_file():
            return None
        try:
            run = runs.open_run(folder)
        except InputError:  # training there fails as well, with the reason
            return None
        # `scripts/paper_scale.py` fits the epochs to the machine.
        sized = {"schedule.epochs"} if self.scale == "gpu" else set()
        other = run.recipe.differences(recipe).keys() - sized
        return run if not other and trainings.finished(run) else None

    def _minutes_left(self, waiting: Sequence[str]) -> str:
        """The estimated time of the rest, by the speed so far."""
        done = [name for name in LAPTOP_MINUTES if self._trained(name)]
        nominal = sum(LAPTOP_MINUTES[name] for name in done)
        if nominal:
            factor = sum(self.run(name).minutes for name in done) / nominal
        elif self.scale == "laptop":
            factor = 1.0
        else:
            return ""
        minutes = factor * sum(LAPTOP_MINUTES.get(name, OTHERS) for name in waiting)
        return f": about {trainings.duration(minutes)} of training left in all"

    # Measuring

    def evaluation(self, name: str, source: str | None = None) -> Evaluation:
        """A system's evaluation on its own holes, measured now or before.

        Args:
            name: of a recipe, whose run is used.
            source: of other pictures than those it was trained on.

        Raises:
            Missing: it is not trained, or does not take these pictures.
        """
        return self._of_run(name, self.run(name), source)

    def evaluations(self, name: str) -> list[Evaluation]:
        """The evaluations of all trainings of a system on its own holes; as `evaluation` otherwise."""
        return [self._of_run(name, run) for run in self.runs(name)]

    def after(self, name: str, epoch: int) -> Evaluation:
        """The evaluation of the model of an epoch that was kept; as `evaluation` otherwise."""
        run, label = self.run(name), f"{name}-epoch{epoch}"
        if trainings.measured_file(run) == run.kept_file(epoch):
            return self._of_run(name, run)

        def measure() -> Evaluation:
            file = run.kept_file(epoch)
            if not file.exists():
                raise Missing("its run does not keep this epoch")
            return self._measured(label, lambda: comparison.of_model(file), self._test_set(run), run)

        return self._kept_or(label, run, measure)

    def on_training(self, name: str) -> list[Evaluation]:
        """Those of all trainings on as many training pictures as there are test pictures; as `evaluation`."""

        def measure(run: Run) -> Evaluation:
            own = self._test_set(run)
            names = own.names or {}
            trained = list(names.get("train", ()))[: len(names.get("test", ()))]
            if not trained:
                raise Missing("its training pictures are not recorded")
            known = dataclasses.replace(own, names={**names, "test": trained})
            return self._measured(name, functools.partial(_network, run), known, run, False)

        return [
            self._kept_or(f"{run.folder.name}-trained", run, functools.partial(measure, run))
            for run in self.runs(name)
        ]

    def subject(self, name: str) -> Subject:
        """A trained system; Missing as in `run`."""
        run = self.run(name)
        if results.kept(run.folder):
            raise Missing("its network is not among the results")
        return _network(run)

    def test_set(self, name: str) -> TestSet:
        """What a trained system is measured on; Missing as in `run`."""
        return self._located(self._test_set(self.run(name)))

    def operations(self, name: str) -> float:
        """The multiply-adds of a system's training; Missing as in `run`."""
        return trainings.operations_of(self.run(name))

    def _of_run(self, name: str, run: Run, source: str | None = None) -> Evaluation:
        if results.kept(run.folder):
            if source is not None:
                raise Missing("its network is not among the results")
            return results.read(run.folder)
        found = self._measured(
            name, functools.partial(_network, run), self._test_set(run, source), run, source is None
        )
        if self.results is not None and source is None:
            results.write(self.results / self.scale / run.folder.name, run, found)
        return found

    def baseline(self, name: str, like: str) -> Evaluation:
        """A classical method's evaluation on the pictures and holes of the trained system `like`."""
        run = self.run(like)
        test_set = self._test_set(run)

        def measure() -> Evaluation:
            return self._measured(name, lambda: comparison.of_baseline(name), test_set)

        return self._kept_or(f"{name}-{places.key(test_set)}", run, measure)

    def _kept_or(self, label: str, run: Run, measure: Callable[[], Evaluation]) -> Evaluation:
        """A further measurement: of a run that is among the results alone as it was kept, if it was."""
        if self.results is None:
            return measure()
        folder, alone = self.results / self.scale / label, results.kept(run.folder)
        if alone and results.kept(folder):
            return results.read(folder)
        found = measure()
        if not alone:
            results.write_evaluation(folder, found)
        return found

    def _test_set(self, run: Run, source: str | None = None) -> TestSet:
        """What a run is measured on; of another source only the pictures that a sheet shows."""
        own = TestSet.of(run)
        if source is None:
            return own
        other = own.changed(source=source)
        return dataclasses.replace(other, data=dataclasses.replace(other.data, test=comparison.SHOWN))

    def _located(self, test_set: TestSet) -> TestSet:
        """The test set with the present folder of its pictures, which may have moved since the training."""
        if self.places:
            with contextlib.suppress(InputError):
                return test_set.changed(data_dir=data.place(test_set.data, self.places))
        return test_set

    def _measured(
        self,
        name: str,
        subject: Callable[[], Subject],
        test_set: TestSet,
        run: Run | None = None,
        texture: bool = True,
    ) -> Evaluation:
        folder = self._folder(name, test_set, run)
        located = self._located(test_set)
        pictures = data.fingerprint(located.data, located.data_dir, places.test_names(test_set))
        try:
            if places.is_newer(folder / "metrics.json", run) and places.is_of(folder, pictures):
                found = evaluation.read(folder)
                if self.lpips is None or found.summary.get("raw_lpips") is not None:
                    return found
            [found] = comparison.compare([subject()], located, folder, lpips=self.lpips, texture=texture)
            files.write_json(folder / places.PICTURES, {"fingerprint": pictures})
        except Exception as error:
            raise Missing(_reason(error)) from error
        return found

    def _folder(self, name: str, test_set: TestSet, run: Run | None) -> Path:
        """The folder of a measurement; `run` is None for a classical method."""
        return self.home / "evaluations" / places.key(test_set, None if run is None else run.recipe) / name

    def sheet_of(self, name: str, which: str) -> Path:
        """One of the sheets of a system's evaluation, e.g. "good"."""
        self.evaluation(name)
        run = self.run(name)
        if results.kept(run.folder):
            raise Missing(NO_PICTURES)
        file = self._folder(name, self._test_set(run), run) / f"{which}.png"
        if not file.exists():
            raise Missing(f"no sheet {which!r}: its holes are not boxes of one size")
        return file

    def progress(self, name: str) -> Path:
        """The sheet of a system's samples over its training.

        Raises:
            Missing: it is not trained, or its run was packed.
        """
        file = self.run(name).figures / "progress.png"
        if not file.exists():
            raise Missing("its run keeps no samples")
        return file

    def encoders(self) -> list[dict[str, Any]]:
        """The accuracies of two encoders as classifiers, `classification.encoder_comparison`.

        Raises:
            Missing: CIFAR-10 was not found, or a classifier could not be trained.
        """
        size, folder = encoders.SIZES[self.scale], self.home / "encoders"
        made_with: dict[str, Any] = {"epochs": size.epochs, "width": size.width, "batch_size": 100, "seed": 0}
        try:
            if rows := encoders.finished(folder, made_with):
                return rows
            if self.only_trained:
                raise Missing(NOT_TRAINED)
            place = data.place(data.Data("cifar10", 32, train=size.train), self.places)
            pictures = encoders.labelled_pictures(place, size.train)
            return encoders.encoder_comparison(*pictures, **made_with, output=folder)
        except Missing:
            raise
        except Exception as error:
            raise Missing(_reason(error)) from error


def _train(recipe: Recipe, folder: Path, place: str | None) -> None:
    environment.pin_defaults()  # this is a process of its own
    runs.train(recipe, folder, data_dir=place, keep_epochs=trainings.kept_epochs(recipe), settings=False)


def _network(run: Run) -> Subject:
    return comparison.of_run(run, trainings.measured_file(run))


def _reason(error: Exception) -> str:
    """The reason of a failure of any kind; unexpected errors are printed with their traceback."""
    if not isinstance(error, (InputError, Diverged, processes.Died)):
        traceback.print_exception(error)
    return str(error) or repr(error)
