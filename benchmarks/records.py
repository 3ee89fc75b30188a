"""Writes and reads a sharded data set of very many generated pictures: time and memory.

python benchmarks/records.py --pictures=1000000 --size=8 --shards=64 --folder=/tmp/records
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator

import numpy as np
from absl import flags

from inpainting_tf import storage
from inpainting_tf.commands import cli
from inpainting_tf.data import pipeline, records
from inpainting_tf.ops.masks import Mask

_TOGETHER = 4096  # pictures drawn at a time


def define_flags(define: cli.Define) -> None:
    define.integer("pictures", 1_000_000, "How many.", lower_bound=1)
    define.integer("size", 8, "Their side in pixels.", lower_bound=8)
    define.integer("shards", 64, "Files.", lower_bound=1)
    define.integer("batch_size", 64, "Pictures of a step.", lower_bound=1)
    define.integer("steps", 2000, "Steps to read.", lower_bound=1)
    define.integer("hosts", 2, "Hosts, one after the other.", lower_bound=1)
    define.string("folder", None, "New or empty, or an address such as memory://records.")


def run(args: flags.FlagValues) -> None:
    storage.require_free(args.folder)
    place = storage.absolute(args.folder)
    begin = time.perf_counter()
    _tell("imported", 0, begin)
    records.write(place, "train", _pictures(args.pictures, args.size), args.shards)
    _tell(f"wrote {args.pictures} pictures of {args.size} px into {args.shards} shards", args.pictures, begin)
    shape = (args.pictures, args.size, args.size, 3)
    block = records.block_of(args.pictures, 3 * args.size**2)
    for host in range(args.hosts):
        rows = args.batch_size // args.hosts
        share = slice(host * rows, (host + 1) * rows)
        stored, begin = records.Records(place, "train", shape, args.shards, block), time.perf_counter()
        settings = {"batch_size": args.batch_size, "seed": 0, "flip": True, "start": 0, "stop": args.steps}
        read = sum(
            len(batch["image"])
            for batch in pipeline.training_batches(stored, Mask(), **settings, share=share)
        )
        _tell(f"host {host + 1} of {args.hosts} read {args.steps} steps in blocks of {block}", read, begin)


def _pictures(count: int, size: int) -> Iterator[np.ndarray]:
    random = np.random.default_rng(0)
    for first in range(0, count, _TOGETHER):
        yield from random.integers(0, 256, (min(_TOGETHER, count - first), size, size, 3), np.uint8)


def _tell(done: str, pictures: int, begin: float) -> None:
    seconds = time.perf_counter() - begin
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    print(f"{done}: {seconds:.1f} s, {pictures / seconds:.0f} pictures/s, {memory:.0f} MiB at most")


if __name__ == "__main__":
    cli.main(sys.modules[__name__])
