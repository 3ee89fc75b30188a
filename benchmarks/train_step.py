"""The GLCIC training step with the package's layers and with Keras's own, in turns in one run.

python benchmarks/train_step.py --image_size=64 --width=32 --batch_size=32 [--output=train_step.json]

Both trainers get the same weights and batches; in float32 their losses must agree before anything is timed.
"""

from __future__ import annotations

import contextlib
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from absl import flags

sys.path.insert(0, str(Path(__file__).parents[1]))

from inpainting_tf.commands import cli

AGREEMENT = 1e-4  # of the losses, relative, in float32


def define_flags(define: cli.Define) -> None:
    define.integer("image_size", 64, "Side of the pictures in pixels.", lower_bound=16)
    define.integer("width", 32, "Channels of the first convolution.", lower_bound=2)
    define.integer("batch_size", 32, "Pictures per step.", lower_bound=1)
    define.integer("steps", 10, "Timed steps of each kind.", lower_bound=1)
    define.enums("precision", None, ["off", "bfloat16", "float16"], "Default: off, and the machine's.")
    define.enums("phase", ["completion", "joint"], ["completion", "joint"], "Which steps to time.")
    define.string("output", None, "A JSON file for the figures.")


@contextlib.contextmanager
def keras_layers() -> Iterator[None]:
    """Makes the builders use Keras's own Conv2D and BatchNormalization."""
    import keras

    from inpainting_tf.networks import blocks, glcic

    ours = [(module, name) for module in (blocks, glcic) for name in ("Conv2D", "BatchNormalization")]
    before = [(module, name, getattr(module, name)) for module, name in ours if hasattr(module, name)]
    for module, name, _ in before:
        setattr(module, name, getattr(keras.layers, name))
    try:
        yield
    finally:
        for module, name, layer in before:
            setattr(module, name, layer)


def trainers(args: flags.FlagValues, setting: str, phase: str) -> dict[str, Any]:
    """{"stock": ..., "fast": ...}: two trainers in the same state, at the beginning of `phase`."""
    from inpainting_tf import recipes
    from inpainting_tf.recipes import assembly
    from inpainting_tf.training import precision

    shares = {"completion": (1.0, 0.0), "joint": (0.0, 0.0)}[phase]
    recipe = recipes.get("glcic").override(
        {
            "data.image_size": args.image_size,
            "network.width": args.width,
            "discriminator.width": args.width,
            "batch_size": args.batch_size,
            "schedule.completion_share": shares[0],
            "schedule.discriminator_share": shares[1],
        }
    )
    with precision.policy(precision.resolve(setting)):
        fast = assembly.trainer(recipe, total_steps=1_000_000)
        with keras_layers():
            stock = assembly.trainer(recipe, total_steps=1_000_000)
    for network in ("completion", "discriminator"):
        getattr(stock, network).set_weights(getattr(fast, network).get_weights())
    return {"stock": stock, "fast": fast}


def batch(args: flags.FlagValues) -> dict[str, Any]:
    """One batch of generated faces with their holes."""
    from inpainting_tf.data import Data, load, pipeline
    from inpainting_tf.ops.masks import Mask

    count = args.batch_size
    faces = load(Data("synthetic_faces", args.image_size, train=count, test=1), splits=("train",)).train
    settings = {"batch_size": count, "seed": 0, "flip": False, "start": 0, "stop": 1}
    return next(iter(pipeline.training_batches(faces.images, Mask(), **settings)))


def measure(args: flags.FlagValues, setting: str, phase: str, data: dict[str, Any]) -> dict[str, Any]:
    """Seconds per step of both kinds, in turns; the first step of each is compilation and is left out."""
    from inpainting_tf import backends
    from inpainting_tf.training import precision

    both = trainers(args, setting, phase)
    steps = {name: backends.compiled_step(trainer) for name, trainer in both.items()}
    first = {name: float(step(data)["loss"]) for name, step in steps.items()}
    difference = abs(first["stock"] - first["fast"]) / abs(first["stock"])
    if setting == "off" and difference > AGREEMENT:
        raise ArithmeticError(f"The two kinds of layers disagree: losses {first} in the {phase} step.")
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(args.steps):
        for name, step in steps.items():
            start = time.perf_counter()
            float(step(data)["loss"])  # waits for the result
            seconds[name].append(time.perf_counter() - start)
    median = {name: statistics.median(values) for name, values in seconds.items()}
    return {
        "phase": phase,
        "precision": precision.resolve(setting),
        "stock_seconds": median["stock"],
        "fast_seconds": median["fast"],
        "stock_pictures_per_second": args.batch_size / median["stock"],
        "fast_pictures_per_second": args.batch_size / median["fast"],
        "ratio": median["stock"] / median["fast"],
        "first_loss": first,
    }


def table(rows: list[dict[str, Any]]) -> str:
    """The figures as a Markdown table."""
    lines = [
        "| step | precision | stock, pictures/s | fast, pictures/s | ratio |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {row['phase']} | {row['precision']} | {row['stock_pictures_per_second']:.1f} "
        f"| {row['fast_pictures_per_second']:.1f} | {row['ratio']:.2f} |"
        for row in rows
    ]
    return "\n".join(lines)


def run(args: flags.FlagValues) -> None:
    from inpainting_tf import files
    from inpainting_tf.training import precision

    settings = args.precision or ["off", "auto"][: 1 + (precision.resolve("auto") != "float32")]
    data = batch(args)
    rows = [measure(args, setting, phase, data) for setting in settings for phase in args.phase]
    print(f"GLCIC at {args.image_size} px, width {args.width}, batch {args.batch_size}:")
    print(table(rows))
    if args.output:
        size = {name: getattr(args, name) for name in ("image_size", "width", "batch_size", "steps")}
        files.write_json(args.output, {**size, "rows": rows})


if __name__ == "__main__":
    cli.main(sys.modules[__name__])
