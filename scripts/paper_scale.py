"""Trains the papers' systems at full size one after the other, each for a given number of minutes.

KERAS_BACKEND=jax python scripts/paper_scale.py --data_dir=celeba_128 --data_dir=celeba_64 --minutes=8

The first system without a result, whose pictures one of the folders holds, is trained (or continued, if it
was interrupted), measured on the test pictures and packed: RESULTS/NAME holds half-precision weights, recipe,
history and metrics, and is what `inpainting_tf.load` and `eval.py --workdir` take. Calling it again trains
the next one.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from absl import flags

sys.path.insert(0, str(Path(__file__).parents[1]))

from inpainting_tf.commands import cli, recipe_flags
from inpainting_tf.errors import InputError

COLUMNS = ("psnr", "ssim", "hole_psnr")


def define_flags(define: cli.Define) -> None:
    recipe_flags.define_flags(define, preset="gpu")
    place = "Folder, archive or prepared folder of pictures, one for each data set."
    define.strings("data_dir", [], place)
    define.string("workdir", "runs/paper_scale", "The runs, a folder for each.")
    define.string("results", "results", "What is kept of them, a folder for each, and table.md.")
    minutes = "Training time of each system, without compilation."
    define.float("minutes", 10.0, minutes, lower_bound=0.01)
    define.integer("count", 1, "How many systems to train before it stops.", lower_bound=1)
    define.float("checkpoint_minutes", 2.0, "How much work a kill may cost.", lower_bound=0)


def queue(model: str | None, results: Path) -> list[str]:
    """Every model, or the one that is named, that has no result yet, in the order of the papers."""
    from inpainting_tf import recipes

    names = [model] if model else list(recipes.RECIPES)
    return [name for name in names if not (results / name / "metrics.json").exists()]


def sized(recipe: Any, place: str | None, minutes: float) -> Any:
    """The recipe with as many epochs as fit, by the time that a step of each phase takes here."""
    from inpainting_tf import data
    from inpainting_tf.data import pipeline

    images = data.load(recipe.data, place, splits=("train",)).train.images
    per_epoch = pipeline.steps_per_epoch(len(images), recipe.batch_size)
    seconds = seconds_per_step(recipe, images)
    epochs = max(1, int(60 * minutes / (per_epoch * seconds)))
    rate = recipe.batch_size / seconds
    print(
        f"{recipe.name}: {rate:.0f} pictures/s, so {epochs} epochs in {minutes:g} minutes.", file=sys.stderr
    )
    return recipe.override({"schedule.epochs": epochs})


def seconds_per_step(recipe: Any, images: Any) -> float:
    """The mean over the phases, weighted by their shares of the training."""
    from inpainting_tf import backends
    from inpainting_tf.recipes import assembly
    from inpainting_tf.training import precision

    with precision.policy(precision.resolve(recipe.mixed_precision)):
        trainer = assembly.trainer(recipe, total := 1_000_000)
    batch = next(iter(assembly.training_batches(recipe, trainer.completion, images, 0, 1)))
    ends = [*recipe.schedule.boundaries(total), total] if recipe.discriminator else [total]
    step, begin, mean = backends.compiled_step(trainer), 0, 0.0
    for end in ends:
        if end > begin:
            trainer.steps.assign(begin)
            mean += (end - begin) / total * _seconds(step, batch)
        begin = end
    return mean


def _seconds(step: Any, batch: dict[str, Any], least: float = 1.0) -> float:
    """Of one step, once it is compiled: the steps that fit into `least` seconds, three or more."""
    float(step(batch)["loss"])
    start, steps = time.perf_counter(), 0
    while steps < 3 or time.perf_counter() - start < least:
        float(step(batch)["loss"])  # waits for the result
        steps += 1
    return (time.perf_counter() - start) / steps


def train(recipe: Any, place: str | None, folder: Path, minutes: float, checkpoint_minutes: float) -> Any:
    """Trains a system for the given minutes, or continues its training; returns the run.

    Args:
        recipe: the system's, whose epochs follow from the minutes.
        place: the folder of its pictures.
        folder: the run's.
        minutes: of training, without compilation.
        checkpoint_minutes: how much work a kill may cost.
    """
    from inpainting_tf import runs

    begun = (folder / "recipe.json").exists()
    recipe = runs.open_run(folder).recipe if begun else sized(recipe, place, minutes)
    return runs.train(recipe, folder, data_dir=place, checkpoint_minutes=checkpoint_minutes)


def keep(run: Any, result: Path) -> None:
    """Packs a run, and measures the packed network."""
    from inpainting_tf import runs
    from inpainting_tf.evaluation import comparison

    packed = runs.pack(run, result)
    comparison.compare([comparison.of_run(packed)], comparison.TestSet.of(run), result)


def table(results: Path) -> str:
    """Every result beside its paper's numbers, as Markdown."""
    from inpainting_tf import runs, tables

    rows = [("model", "epochs", "minutes", "PSNR", "SSIM", "hole PSNR", "printed PSNR", "printed SSIM")]
    for file in sorted(results.glob("*/metrics.json"), key=lambda file: file.stat().st_mtime):
        found = json.loads(file.read_text(encoding="utf-8"))
        printed = next(iter(found["recipe"]["printed"].values()), {})
        cells = [
            found["model"],
            found["recipe"]["schedule"]["epochs"],
            f"{runs.open_run(file.parent).minutes:.1f}",
        ]
        cells += [f"{found[name]:.4f}" if name == "ssim" else f"{found[name]:.2f}" for name in COLUMNS]
        rows.append([*cells, printed.get("psnr", ""), printed.get("ssim", "")])
    return tables.table(rows)


def next_system(args: flags.FlagValues, name: str) -> bool:
    """Trains a system and packs it; prints a message and returns False if its pictures are missing."""
    from inpainting_tf import data, files

    results, recipe = Path(args.results), recipe_flags.recipe(args, name)
    try:
        place = data.place(recipe.data, args.data_dir)
    except InputError as error:
        print(f"{name} is left out: {error}", file=sys.stderr)
        return False
    trained = train(recipe, place, Path(args.workdir) / name, args.minutes, args.checkpoint_minutes)
    keep(trained, results / name)
    files.write_text(results / "table.md", table(results) + "\n")
    print(f"{name}: {results / name}")
    return True


def run(args: flags.FlagValues) -> None:
    # The next process reuses what was compiled for an interrupted training.
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(args.workdir).resolve() / "compiled"))
    results = Path(args.results)
    waiting = queue(args.model, results)
    if not waiting:
        raise InputError(
            f"--results must lack a system to train. Received {args.results!r}: it has them all."
        )
    trained = itertools.islice((name for name in waiting if next_system(args, name)), args.count)
    if not list(trained):
        raise InputError("--data_dir must hold the pictures of a system without a result; see above.")
    print(table(results))
    rest = queue(args.model, results)
    print(
        f"Left: {', '.join(rest)}. The same command trains the next." if rest else "Every system is trained."
    )


if __name__ == "__main__":
    cli.main(sys.modules[__name__])
