"""Pictures per second of the training steps on an accelerator, beside a PyTorch peer in the same run.

KERAS_BACKEND=jax python benchmarks/gpu.py [--batch_size=64 --precision=bfloat16 --output=gpu.json]

Every trainer at the papers' size, a batch that stays on the device, so that the step alone is measured; the
pipeline that has to keep up with it is measured apart. `glcic_torch.py` takes its turns with `glcic`, from
the same weights: the losses of the first step must agree before anything is timed.
"""

from __future__ import annotations

import gc
import importlib.util
import itertools
import os
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from absl import flags

sys.path.insert(0, str(Path(__file__).parents[1]))

from steps import (
    KerasSide,
    TorchSide,
    batches,
    faces,
    first_line,
    progress,
    recipe_of,
    require_agreement,
    seconds_per_step,
    warm_up,
)

from inpainting_tf.commands import cli

# Dense TFLOP/s by the vendor's data sheets. float32 is compared with TF32 where the chip has it, because all
# three frameworks use it there. The names are those of the parts with these rates, not of their slower kin.
PEAKS = {
    r"\bH200$|\bH100 80GB HBM3": {"float32": 495.0, "mixed_bfloat16": 989.0, "mixed_float16": 989.0},
    r"\bA100\b": {"float32": 156.0, "mixed_bfloat16": 312.0, "mixed_float16": 312.0},
    r"\bL4$": {"float32": 60.0, "mixed_bfloat16": 121.0, "mixed_float16": 121.0},
    r"\bT4$": {"float32": 8.1, "mixed_float16": 65.0},
    r"\bV100-SXM": {"float32": 15.7, "mixed_float16": 125.0},
}


def define_flags(define: cli.Define) -> None:
    define.strings("model", ["glcic", "double_autoencoder"], "Whose steps to time.")
    define.integer("image_size", 128, "Side of the pictures in pixels.", lower_bound=16)
    define.integer("width", 64, "Channels of the first convolution.", lower_bound=2)
    define.integers("batch_size", [64], "Pictures per step.", lower_bound=1)
    define.enums("precision", ["bfloat16", "off", "float16"], ["off", "bfloat16", "float16"], "Of the steps.")
    define.enums("phase", ["joint", "completion"], ["completion", "joint"], "Which steps to time.")
    define.integer("groups", 5, "Groups of steps, of which the median counts.", lower_bound=1)
    define.float("seconds", 0.5, "Length of a group.", lower_bound=0.0)
    define.float("minutes", 8.0, "Starts no new row after so long.", lower_bound=0.0)
    define.float("peak_tflops", None, "The chip's peak in the precision measured, where it is not known.")
    define.boolean("torch", True, "Whether PyTorch takes its turns with glcic.")
    define.enum(
        "torch_mode",
        "default",
        ["eager", "default", "reduce-overhead", "max-autotune-no-cudagraphs"],
        "How torch.compile compiles; eager: not at all.",
    )
    define.string("output", None, "A JSON file for the figures, written anew after every row.")


def step_flops(trainer: Any, phase: str, batch_size: int) -> int:
    """Floating-point operations of a step: 2 x multiply-adds, in passes as in `operations.PASSES`.

    The first layers' gradients for the picture count though C's and D's own updates do without them: under
    1 % of a step at the papers' size.
    """
    from inpainting_tf.recipes import operations

    return 2 * batch_size * operations.of_step(trainer, phase)


def accelerator() -> str | None:
    """What the backend computes on, by the vendor's name; None for a CPU."""
    import keras

    if keras.backend.backend() == "jax":
        import jax

        device = jax.devices()[0]
        return None if device.platform == "cpu" else device.device_kind
    import tensorflow as tf

    cards = tf.config.list_physical_devices("GPU")
    return tf.config.experimental.get_device_details(cards[0]).get("device_name", "GPU") if cards else None


def peak(device: str | None, policy: str) -> float | None:
    """The peak in TFLOP/s that a policy's rate is compared with; None where it is not known."""
    if device is None or "MIG" in device:  # a part of a card
        return None
    return next((rates.get(policy) for name, rates in PEAKS.items() if re.search(name, device)), None)


def pipeline_rate(images: Any, batch_size: int, count: int = 120, left_out: int = 20) -> float:
    """Pictures per second of the pipeline in `fit` with a trivial step.

    The first batches, which were prepared ahead or waited for the compiler, are left out.
    """
    import keras

    from inpainting_tf import backends

    class Idle(backends.Trainer):
        def train_step(self, data: Any) -> dict[str, Any]:
            batch, *_ = keras.utils.unpack_x_y_sample_weight(data)
            return {"loss": keras.ops.mean(batch["image"])}

    idle, times = Idle(), []
    idle.built = True
    idle.compile("sgd")

    def tick(batch: int, logs: Any = None) -> None:
        times.append(time.perf_counter())

    clock = keras.callbacks.LambdaCallback(on_train_batch_end=tick)
    idle.fit(batches(images, batch_size, count), verbose=0, shuffle=False, callbacks=[clock])
    return (count - 1 - left_out) * batch_size / (times[-1] - times[left_out])


def cells(args: flags.FlagValues) -> list[tuple[Any, str]]:
    """(recipe, Keras policy) of everything to be measured, the likeliest choices of a user first."""
    from inpainting_tf.training import precision

    asked = itertools.product(args.precision, args.batch_size, args.model)
    return [
        (recipe_of(model, args.image_size, args.width, size), precision.resolve(setting))
        for setting, size, model in asked
    ]


def measured(
    args: flags.FlagValues, recipe: Any, policy: str, images: Any, deadline: float
) -> Iterator[list[dict[str, Any]]]:
    """The rows of one trainer, phase after phase until the deadline. A failure is reported in its row."""
    phases = [phase for phase in args.phase if phase == "completion" or recipe.discriminator]
    common = {"model": recipe.name, "precision": policy, "batch_size": recipe.batch_size}
    both: list[Any] = []
    for phase in phases:
        if time.monotonic() > deadline:
            progress(f"{args.minutes:g} minutes are over; left out: {recipe.name} {phase} {policy}")
            continue
        try:
            both = both or sides(args, recipe, policy, next(iter(batches(images, recipe.batch_size, 1))))
            rows = in_turns(args, both, phase, check=phase == phases[0])
            flops = step_flops(both[0].trainer, phase, recipe.batch_size)
        except Exception as error:
            rows, flops = [{"phase": phase, "engine": "", "error": first_line(error)}], 0
        best = args.peak_tflops or peak(accelerator(), policy)
        yield [common | rated(row, flops, recipe.batch_size, best) for row in rows]


def sides(args: flags.FlagValues, recipe: Any, policy: str, batch: dict[str, Any]) -> list[Any]:
    """The sides compared: the package's trainer and, for glcic, PyTorch where it is installed."""
    ours = KerasSide(recipe, policy, batch)
    if not (args.torch and recipe.name == "glcic" and importlib.util.find_spec("torch")):
        return [ours]
    try:
        return [ours, TorchSide(ours.trainer, recipe, policy, batch, args.torch_mode)]
    except Exception as error:
        progress(f"PyTorch is left out: {first_line(error)}")
        return [ours]


def in_turns(args: flags.FlagValues, both: list[Any], phase: str, check: bool) -> list[dict[str, Any]]:
    """A row for each side: warm-up, then groups of steps in turns.

    Args:
        args: the flags.
        both: the sides.
        phase: whose step.
        check: whether the sides still have the same weights, so that their first losses must agree.
    """
    rows = [{"phase": phase, "groups": []} for _ in both]
    for side, row in zip(both, rows, strict=True):
        attempt(row, side, warm_up, side, row, args.seconds)
        if check:
            attempt(row, side, require_agreement, rows[0], row)
        row["engine"] = side.name
    for _ in range(args.groups):
        for side, row in zip(both, rows, strict=True):
            attempt(row, side, time_group, side, row)
    return rows


def time_group(side: Any, row: dict[str, Any]) -> None:
    """Adds a group's seconds per step to the row."""
    row["groups"].append(seconds_per_step(side, row["steps"]))


def attempt(row: dict[str, Any], side: Any, action: Callable[..., None], *args: Any) -> None:
    """Runs an action of a side. An error is recorded in the row, and the side is not used again."""
    if side.error is None:
        try:
            action(*args)
        except Exception as error:
            side.error = first_line(error)
    if side.error is not None:
        row["error"] = side.error


def rated(row: dict[str, Any], flops: int, batch_size: int, peak_tflops: float | None) -> dict[str, Any]:
    """A row with its rates, unless it failed."""
    if "error" not in row:
        seconds = statistics.median(row["groups"])
        row |= {"seconds_per_step": seconds, "pictures_per_second": batch_size / seconds}
        row |= {"tflops": flops / seconds / 1e12, "peak_tflops": peak_tflops}
        row["share_of_peak"] = row["tflops"] / peak_tflops if peak_tflops else None
    return row


def _forget() -> None:
    """Frees the memory of a cell before the next one begins."""
    import keras

    keras.utils.clear_session()
    gc.collect()
    if "jax" in sys.modules:
        sys.modules["jax"].clear_caches()
    if "torch" in sys.modules:
        sys.modules["torch"].cuda.empty_cache()


def table(rows: list[dict[str, Any]]) -> str:
    """The figures as a Markdown table; no share where the chip's peak is unknown."""
    lines = [
        "| model | step | precision | batch | on | warm-up, s | ms/step | pictures/s | TFLOP/s | of peak |",
        "| --- | --- | --- | ---: | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        cells = [row[key] for key in ("model", "phase", "precision", "batch_size", "engine")]
        if "error" in row:
            cells += [row["error"].replace("|", "/"), "", "", "", ""]
        else:
            share = row["share_of_peak"]
            cells += [
                f"{row['warm_up_seconds']:.0f}",
                f"{1e3 * row['seconds_per_step']:.1f}",
                f"{row['pictures_per_second']:.0f}",
                f"{row['tflops']:.3g}",
                "" if share is None else f"{share:.0%}",
            ]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def versions() -> dict[str, str]:
    """The environment: the backend, and the versions of the packages compared."""
    import keras

    names = [name for name in ("keras", keras.backend.backend(), "torch") if importlib.util.find_spec(name)]
    modules = {name: importlib.import_module(name) for name in names}
    return {"backend": keras.backend.backend()} | {name: m.__version__ for name, m in modules.items()}


def run(args: flags.FlagValues) -> None:
    # Two frameworks share the card: neither may take all of its memory at once.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    from inpainting_tf import files

    deadline = time.monotonic() + 60 * args.minutes
    everything = cells(args)  # raises for a mistyped name before anything runs
    report = {name: getattr(args, name) for name in ("image_size", "width", "torch_mode")}
    report |= {"device": accelerator() or "CPU", "versions": versions(), "pipeline": [], "rows": []}
    images = faces(args.image_size, max(256, *args.batch_size))
    for batch_size in args.batch_size:
        rate = pipeline_rate(images, batch_size)
        progress(f"pipeline, batch {batch_size}: {rate:.0f} pictures/s")
        report["pipeline"].append({"batch_size": batch_size, "pictures_per_second": rate})
    for recipe, policy in everything:
        for rows in measured(args, recipe, policy, images, deadline):
            report["rows"] += rows
            for line in table(rows).splitlines()[2:]:
                progress(line)
            if args.output:
                files.write_json(args.output, report)
        _forget()
    print(f"{report['device']}, {args.image_size} px, width {args.width}, {report['versions']}:")
    print(table(report["rows"]))
    for row in report["pipeline"]:
        print(f"The pipeline alone, batch {row['batch_size']}: {row['pictures_per_second']:.0f} pictures/s.")


if __name__ == "__main__":
    cli.main(sys.modules[__name__])
