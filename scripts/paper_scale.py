"""Trains the papers' systems at full size one after the other, each for a given number of minutes.

KERAS_BACKEND=jax python scripts/paper_scale.py --data_dir=celeba_128 --data_dir=celeba_64 --minutes=8

The first system without a result, whose pictures one of the folders holds, is trained (or continued, if it
was interrupted), measured on the test pictures and packed: RESULTS/NAME holds half-precision weights, recipe,
history and metrics, and is what `inpainting_tf.load` and `eval.py --workdir` take. Calling it again trains
the next one.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from absl import flags

sys.path.insert(0, str(Path(__file__).parents[1]))

from inpainting_tf.commands import cli
from inpainting_tf.errors import InputError

cli.define_recipe_flags()
flags.adopt_module_key_flags(cli)
flags.FLAGS.set_default("preset", "gpu")
flags.DEFINE_multi_string(
    "data_dir", [], "Folder, archive or prepared folder of pictures; may be repeated, one for each data set."
)
flags.DEFINE_string("workdir", "runs/paper_scale", "The runs, a folder for each.")
flags.DEFINE_string("results", "results", "What is kept of them, a folder for each, and table.md.")
flags.DEFINE_float("minutes", 10.0, "Training time of each system, without compilation.", lower_bound=0.01)
flags.DEFINE_integer("count", 1, "How many systems to train before it stops.", lower_bound=1)
flags.DEFINE_float("checkpoint_minutes", 2.0, "How much work a kill may cost.", lower_bound=0)

COLUMNS = ("psnr", "ssim", "hole_psnr")


def queue() -> list[str]:
    """Every model, or the one of --model, that has no result yet, in the order of the papers."""
    from inpainting_tf import recipes

    args = flags.FLAGS
    names = [args.model] if args.model else list(recipes.RECIPES)
    return [name for name in names if not (Path(args.results) / name / "metrics.json").exists()]


def sized(recipe: Any, place: str | None, minutes: float) -> Any:
    """The recipe with as many epochs as fit, by the time that a step of each phase takes here."""
    from inpainting_tf import data
    from inpainting_tf.data import pipeline
    from inpainting_tf.recipes import assembly

    images = data.load(recipe.data, place, splits=("train",)).train.images
    per_epoch = pipeline.steps_per_epoch(len(images), recipe.batch_size)
    batch = next(iter(assembly.training_batches(recipe, images, 0, 1)))
    seconds = seconds_per_step(recipe, batch)
    epochs = max(1, int(60 * minutes / (per_epoch * seconds)))
    rate = recipe.batch_size / seconds
    print(
        f"{recipe.name}: {rate:.0f} pictures/s, so {epochs} epochs in {minutes:g} minutes.", file=sys.stderr
    )
    return recipe.override({"schedule.epochs": epochs})


def seconds_per_step(recipe: Any, batch: dict[str, Any]) -> float:
    """The mean over the phases, weighted by their shares of the training."""
    from inpainting_tf import backends
    from inpainting_tf.recipes import assembly
    from inpainting_tf.training import precision

    with precision.policy(precision.resolve(recipe.mixed_precision)):
        trainer = assembly.trainer(recipe, total := 1_000_000)
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


def train(name: str, place: str | None) -> Path:
    """Trains or continues a system on the pictures of a folder, packs it, and measures what was packed."""
    from inpainting_tf import runs
    from inpainting_tf.evaluation import comparison

    args = flags.FLAGS
    folder, result = Path(args.workdir) / name, Path(args.results) / name
    begun = (folder / "recipe.json").exists()
    recipe = (
        runs.open_run(folder).recipe if begun else sized(cli.recipe_from_flags(name), place, args.minutes)
    )
    run = runs.train(recipe, folder, data_dir=place, checkpoint_minutes=args.checkpoint_minutes)
    packed = runs.pack(run, result)
    comparison.compare([comparison.of_run(packed)], comparison.TestSet.of(run), result)
    return result


def table(results: Path) -> str:
    """Every result beside what its paper printed, as Markdown."""
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


def main() -> None:
    from inpainting_tf import data, files

    args = flags.FLAGS
    # What was compiled for an interrupted training is found again by the next process.
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(args.workdir).resolve() / "compiled"))
    waiting = queue()
    if not waiting:
        raise InputError(
            f"--results must lack a system to train. Received {args.results!r}: it has them all."
        )
    trained = 0
    for name in waiting:
        if trained == args.count:
            break
        try:
            place = data.place(cli.recipe_from_flags(name).data, args.data_dir)
        except InputError as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
            continue
        result = train(name, place)
        files.write_text(Path(args.results) / "table.md", table(Path(args.results)) + "\n")
        print(f"{name}: {result}")
        trained += 1
    if not trained:
        raise InputError("--data_dir must hold the pictures of a system without a result; see above.")
    print(table(Path(args.results)))
    rest = queue()
    print(
        f"Left: {', '.join(rest)}. The same command trains the next." if rest else "Every system is trained."
    )


if __name__ == "__main__":
    cli.run(main)
