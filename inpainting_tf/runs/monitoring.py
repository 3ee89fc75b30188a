"""What a run shows of itself while it trains: validation, history, curves, samples, TensorBoard's files."""

from __future__ import annotations

from typing import Any

import numpy as np

from inpainting_tf import figures, files
from inpainting_tf.data import pipeline
from inpainting_tf.data.decoding import Decoded
from inpainting_tf.ops import metrics
from inpainting_tf.ops.images import composite, to_uint8
from inpainting_tf.runs.events import Events
from inpainting_tf.runs.run import Run
from inpainting_tf.training.distribution import Apart

MEASURED = ("val_psnr", "val_hole_psnr")  # columns of the history
SHOWN = 6  # validation pictures in the sample sheets
SAMPLES = 10  # sample sheets of a run, at most


class Monitor:
    """Measures and shows a run at the end of its epochs.

    Args:
        run: where `history.csv`, figures, samples and TensorBoard's files are written.
        network: the completion network that is measured.
        validation: the pictures to measure on; with none of them nothing is measured.
        start: the step at which this process begins; later rows of an interrupted one are dropped.

    Raises:
        InputError: here and in every method, when something cannot be written.
    """

    def __init__(self, run: Run, network: Apart, validation: Decoded, start: int) -> None:
        self._run, self._network, self._pictures = run, network, validation
        self._rows: list[dict[str, Any]] = [r for r in run.history() if int(r["step"]) <= start]
        self._board = Events(run.board, start)

    def close(self) -> None:
        self._board.close()

    def epoch_ended(self, row: dict[str, Any]) -> dict[str, Any]:
        """Measures the network, draws what there is to draw, and adds the epoch to the history.

        Args:
            row: as `training.callbacks.History` makes it.

        Returns:
            The row with "val_psnr" and "val_hole_psnr", which are None where nothing was measured.
        """
        epoch, epochs = row["epoch"], self._run.recipe.schedule.epochs
        pictured = epoch % -(-epochs // SAMPLES) == 0 or epoch == epochs
        row = dict.fromkeys(MEASURED) | row
        # A search for codes takes longer than an epoch's training.
        if self._pictures.names and (pictured or self._run.recipe.trainer != "generative"):
            row |= self._measure(epoch, row["step"], pictured)
        self._rows.append(row)
        columns = ["epoch", *(c for c in row if c not in ("epoch", "seconds")), "seconds"]
        files.write_csv(self._run.folder / "history.csv", [{c: r[c] for c in columns} for r in self._rows])
        self._board.scalars({k: v for k, v in row.items() if isinstance(v, float)}, row["step"])
        if pictured:
            figures.loss_curves(self._rows, self._run.figures / "loss_curves.png")
        return row

    def _measure(self, epoch: int, step: int, pictured: bool) -> dict[str, float]:
        """Fills the validation pictures: two metrics for the history, and the first ones to be looked at."""
        image, mask, completed = self._filled()
        if pictured:
            self._show(epoch, step, image[:SHOWN], mask[:SHOWN], completed[:SHOWN])
        return {
            "val_psnr": float(np.mean(metrics.psnr(image, completed))),
            "val_hole_psnr": float(np.mean(metrics.hole_psnr(image, completed, mask))),
        }

    def _filled(self) -> tuple[np.ndarray, ...]:
        """The validation pictures, their holes, and the pictures as the network completes them now."""
        recipe, pictures = self._run.recipe, self._pictures
        batches = pipeline.test_batches(
            pictures.images,
            recipe.mask.test,
            batch_size=recipe.batch_size,
            names=pictures.names,
            crop=recipe.data.crop,
        )
        self._network.update()
        done = []
        for batch in batches:
            image, mask = batch["image"], batch["mask"]
            prediction = self._network.fill(image * (1 - mask), mask)
            done.append((image, mask, composite(image, prediction, mask)))
        image, mask, completed = map(np.concatenate, zip(*done, strict=True))
        return image, mask, completed

    def _show(
        self, epoch: int, step: int, image: np.ndarray, mask: np.ndarray, completed: np.ndarray
    ) -> None:
        """Pictures as a sheet, as the course of the training, and in TensorBoard."""
        columns = {"input": figures.input_view(image, mask), "filled": completed, "original": image}
        title = f"{self._run.recipe.name}, validation pictures after epoch {epoch}"
        figures.sheet(columns, self._run.figures / f"samples_epoch_{epoch:04d}.png", title=title)
        self._progress(epoch, columns)
        strip = np.concatenate([np.concatenate(list(column), 0) for column in columns.values()], 1)
        self._board.picture("input_filled_original", to_uint8(strip), step)

    def _progress(self, epoch: int, columns: dict[str, np.ndarray]) -> None:
        """The same pictures as they were filled after each sampled epoch, side by side."""
        folder = self._run.samples
        with files.replacing(folder / f"epoch_{epoch:04d}.npy") as temporary, open(temporary, "wb") as file:
            np.save(file, to_uint8(columns["filled"]))
        sampled = {int(file.stem[-4:]): file for file in folder.glob("epoch_*.npy")}
        course = {f"epoch {n}": np.load(file) for n, file in sorted(sampled.items()) if n <= epoch}
        columns = {"input": columns["input"], **course, "original": columns["original"]}
        title = f"{self._run.recipe.name}, the same pictures as the training went on"
        figures.sheet(columns, self._run.figures / "progress.png", title=title)
