"""Training batches from pictures in memory and from pictures decoded on demand, at several sizes.

python benchmarks/pipeline.py --data_dir=CELEBA --count=200000 [--output=pipeline.json]

The pictures of the folder are linked under as many names as --count says. For each size: pictures/s that the
pipeline delivers alone, from an array in memory (of the first pictures, as many as --memory holds) and on
demand, with nothing kept; and the share of its time for which a training waits for its batches. Both ways
must deliver the same bits. The memory is that of the whole process.
"""

from __future__ import annotations

import hashlib
import itertools
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from absl import flags

sys.path.insert(0, str(Path(__file__).parents[1]))

from inpainting_tf.commands import cli
from inpainting_tf.errors import InputError


def define_flags(define: cli.Define) -> None:
    define.string("data_dir", None, "Folder of pictures.")
    define.integer("count", 200_000, "Names under which they are linked.", lower_bound=64)
    define.integers("image_size", [64, 128, 256], "Sides of the pictures in pixels.")
    define.integer("batch_size", 16, "Pictures per step.", lower_bound=1)
    define.string("model", "glcic", "What is trained, at the width of its laptop preset.")
    define.integer("steps", 12, "Steps of the training; the first ones are not timed.", lower_bound=4)
    define.float("seconds", 5.0, "For which each pipeline is measured alone.", lower_bound=0.1)
    define.float("memory", 0.25, "GiB of pictures in memory.", lower_bound=0.01)
    define.string("output", None, "A JSON file for the figures.")


def linked(place: str, count: int, folder: Path) -> Any:
    """A source of `count` names, each a link to a picture of `place`."""
    from inpainting_tf.data import sources

    files = [file.resolve() for file in sources.folder(place).files]
    for number in range(count):
        if number % 1000 == 0:
            (folder / f"{number // 1000:03d}").mkdir()
        (folder / f"{number // 1000:03d}" / f"{number:06d}{files[0].suffix}").symlink_to(
            files[number % len(files)]
        )
    return sources.folder(folder)


def batches_of(images: Any, args: flags.FlagValues, steps: int) -> Any:
    from inpainting_tf.data import pipeline
    from inpainting_tf.ops.masks import Mask

    settings = {"batch_size": args.batch_size, "seed": 0, "flip": True, "start": 0, "stop": steps}
    return pipeline.training_batches(images, Mask(), **settings)


def rate(images: Any, args: flags.FlagValues) -> float:
    """Pictures/s of the pipeline alone, once it is at work."""
    batches = iter(batches_of(images, args, 10**6))
    for _ in range(4):
        next(batches)
    start, done = time.perf_counter(), 0
    while time.perf_counter() - start < args.seconds:
        next(batches)
        done += 1
    return done * args.batch_size / (time.perf_counter() - start)


def digest(images: Any, args: flags.FlagValues) -> str:
    import numpy as np

    found = hashlib.sha256()
    for batch in _batches(batches_of(images, args, 3)):
        found.update(np.asarray(batch["image"]).tobytes())
    return found.hexdigest()


def waiting(images: Any, side: int, args: flags.FlagValues) -> tuple[float, float]:
    """The pictures/s of a training and the share of its time for which it waits for batches."""
    from inpainting_tf import backends, recipes
    from inpainting_tf.recipes import assembly
    from inpainting_tf.training import precision

    recipe = recipes.get(args.model, "laptop").override({"data.image_size": side})
    with precision.policy(precision.resolve(recipe.mixed_precision)):
        step = backends.compiled_step(assembly.trainer(recipe, 1_000_000))
    waited, worked = [], []
    moment = time.perf_counter()
    for batch in _batches(batches_of(images, args, args.steps)):
        got = time.perf_counter()
        float(step(batch)["loss"])  # waits for the result
        waited.append(got - moment)
        moment = time.perf_counter()
        worked.append(moment - got)
    waited, worked = waited[3:], worked[3:]  # compilation, and the pipeline's beginning
    total = sum(waited) + sum(worked)
    return len(worked) * args.batch_size / total, sum(waited) / total


def _batches(found: Any) -> Iterator[dict[str, Any]]:
    for batch in found:
        yield batch[0] if isinstance(batch, tuple) else batch


def measure(source: Any, side: int, args: flags.FlagValues) -> dict[str, Any]:
    from inpainting_tf.data import decoding

    size = (side, side)
    room = min(len(source), int(args.memory * 2**30) // decoding.bytes_each(size))
    kept = decoding.decode(source, range(room), size, memory=2**40).images
    few = decoding.decode(source, range(room), size, memory=0, check=False).images
    every = decoding.decode(source, range(len(source)), size, memory=0, check=False).images
    if digest(kept, args) != digest(few, args):
        raise ArithmeticError("The two ways deliver different pictures.")
    row: dict[str, Any] = {"image_size": side, "pictures": len(source), "in_memory": room}
    for name, images in (("memory", kept), ("demand", every)):
        row[f"{name}_rate"] = rate(images, args)
        row[f"{name}_trained"], row[f"{name}_waiting"] = waiting(images, side, args)
    row["peak_gib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    row["all_gib"] = len(source) * decoding.bytes_each(size) / 2**30
    return row


def table(rows: list[dict[str, Any]]) -> list[list[object]]:
    head = ["px", "all pictures, GiB", "way", "pipeline alone, pictures/s", "training, pictures/s", "waits"]
    ways = (("in memory", "memory"), ("on demand", "demand"))
    return [head] + [
        [
            row["image_size"],
            f"{row['all_gib']:.1f}",
            way,
            f"{row[f'{name}_rate']:,.0f}",
            f"{row[f'{name}_trained']:.1f}",
            f"{100 * row[f'{name}_waiting']:.1f} %",
        ]
        for row, (way, name) in itertools.product(rows, ways)
    ]


def run(args: flags.FlagValues) -> None:
    from inpainting_tf import files, tables

    if not args.data_dir:
        raise InputError("--data_dir must be a folder of pictures. Received none.")
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        source = linked(args.data_dir, args.count, Path(folder))
        print(f"{len(source)} pictures, linked and found in {time.perf_counter() - start:.1f} s.")
        rows = [measure(source, side, args) for side in args.image_size]
    print(tables.table(table(rows), left=(2,)))
    print(f"The process took {max(row['peak_gib'] for row in rows):.2f} GiB at most.")
    if args.output:
        files.write_json(args.output, {"batch_size": args.batch_size, "model": args.model, "rows": rows})


if __name__ == "__main__":
    cli.main(sys.modules[__name__])
