"""How many pictures per second one, two and four processes train on together; and a model of a cluster.

python benchmarks/scaling.py --model=glcic --image_size=64 --width=32 --batch_size=32
python benchmarks/scaling.py --only_model --rate=4000 --parameters=6060000 --batch_size=64

The processes are on this machine and share its cores: what they show is the overhead of training together.
The table of a cluster is a model and no measurement: every device computes its part of the batch at the rate
of one device, then all of them exchange the gradients, float32, in a ring, and nothing overlaps.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from absl import flags

from inpainting_tf import tables
from inpainting_tf.commands import cli

WARM_UP = 3  # steps that are not measured: they compile
LINKS = {"10 Gbit/s Ethernet": 10.0, "100 Gbit/s Ethernet": 100.0, "900 GB/s NVLink": 7200.0}
DEVICES = (1, 2, 4, 8, 16, 64)


def define_flags(define: cli.Define) -> None:
    define.string("model", "glcic", "The recipe; its completion phase is measured.")
    define.integer("image_size", 64, "Side of the pictures in pixels.", lower_bound=16)
    define.integer("width", 32, "Of the networks.", lower_bound=1)
    define.integer("batch_size", 32, "Pictures of a step, of all processes together.", lower_bound=1)
    define.integer("steps", 20, "Steps that are measured.", lower_bound=1)
    define.integers("processes", [1, 2, 4], "How many processes, again for each.", lower_bound=1)
    define.boolean("only_model", False, "Model a cluster from --rate and --parameters, and measure nothing.")
    define.float("rate", 0.0, "Pictures per second of one device of the cluster; 0: as measured here.")
    define.integer("parameters", 0, "Weights whose gradients are exchanged; 0: as measured here.")
    define.string("report", None, "Of a process that this script starts: its file.")


def run(args: flags.FlagValues) -> None:
    if args.report:
        Path(args.report).write_text(json.dumps(_train(args)), encoding="utf-8")
        return
    rate, parameters = args.rate, args.parameters
    if not args.only_model:
        found = {count: _together(args, count) for count in args.processes}
        print(_measured(found))
        first = next(iter(found.values()))
        rate, parameters = rate or first["rate"], parameters or first["parameters"]
    print(_cluster(rate, parameters, args.batch_size))


def modelled(rate: float, parameters: int, batch_size: int, devices: int, gigabits: float) -> float:
    """Pictures per second of a cluster, by a model.

    Args:
        rate: pictures per second of one device.
        parameters: weights, whose gradients have 4 bytes each.
        batch_size: of each device.
        devices: how many.
        gigabits: per second that each device sends at.
    """
    exchanged = 2 * (devices - 1) / devices * 4 * parameters  # bytes that each device sends in a ring
    return devices * batch_size / (batch_size / rate + exchanged * 8 / (gigabits * 1e9))


def _together(args: flags.FlagValues, count: int) -> dict[str, Any]:
    """What the first of some processes reports that train together."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    workers = [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
    for each in sockets:
        each.close()
    names = ("model", "image_size", "width", "batch_size", "steps")
    options = [f"--{name}={args[name].value}" for name in names]
    with tempfile.TemporaryDirectory() as folder:
        children = []
        for index in range(count):
            config = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
            env = {**os.environ, "TF_CONFIG": json.dumps(config)}
            call = [sys.executable, __file__, *options, f"--report={folder}/{index}.json"]
            children.append(subprocess.Popen(call, env=env))
        if any([child.wait() for child in children]):
            raise SystemExit(f"One of {count} processes failed.")
        return json.loads((Path(folder) / "0.json").read_text(encoding="utf-8"))


def _train(args: flags.FlagValues) -> dict[str, Any]:
    """This process's share of a training; its rate."""
    import keras
    import numpy as np

    from inpainting_tf import recipes
    from inpainting_tf.recipes import assembly
    from inpainting_tf.training import distribution

    used = distribution.devices("multi_worker")
    recipe = recipes.get(args.model, "laptop").override(
        {
            "data.image_size": args.image_size,
            "network.width": args.width,
            "batch_size": args.batch_size,
            "mixed_precision": "off",
        }
    )
    share, last = distribution.rows(used, args.batch_size), WARM_UP + args.steps
    with used.scope():
        trainer = assembly.trainer(recipe, 10**6)
    images = np.zeros((4 * args.batch_size, *recipe.data.shape, 3), np.uint8)
    times: list[float] = []
    clock = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda *_, **__: times.append(time.perf_counter())
    )
    with used.fitting():
        batches = assembly.training_batches(recipe, trainer.completion, images, 0, last, share)
        trainer.fit(used.spread(batches), steps_per_epoch=last, verbose=0, shuffle=False, callbacks=[clock])
    seconds = times[-1] - times[WARM_UP - 1]
    weights = trainer.completion.trainable_weights
    return {
        "rate": args.steps * args.batch_size / seconds,
        "parameters": sum(int(np.prod(weight.shape)) for weight in weights),
    }


def _measured(found: dict[int, dict[str, Any]]) -> str:
    first = next(iter(found.values()))["rate"]
    rows = [[count, f"{each['rate']:.1f}", f"{each['rate'] / first:.2f}"] for count, each in found.items()]
    title = f"{os.cpu_count()} cores shared by all; {next(iter(found.values()))['parameters']} weights"
    return f"{title}\n\n{tables.table([['processes', 'pictures/s', 'ratio'], *rows])}\n"


def _cluster(rate: float, parameters: int, batch_size: int) -> str:
    rows = []
    for devices in DEVICES:
        rates = (modelled(rate, parameters, batch_size, devices, speed) for speed in LINKS.values())
        rows.append([devices, *(f"{each:.0f} ({each / devices / rate:.0%})" for each in rates)])
    title = f"Modelled, not measured: {rate:.0f} pictures/s and a batch of {batch_size} per device"
    return f"{title}\n\n{tables.table([['devices', *LINKS], *rows])}"


if __name__ == "__main__":
    cli.main(sys.modules[__name__])
