"""Large holes and many small ones in photographs of many megapixels, before and after in one run.

python benchmarks/holes.py [--side=1000 --side=1500 ...] [--output=holes.json]

"Before" is version 0.1's way: an unknown for each missing pixel in the equations of blending, solved by one
factorisation, and windows of one size for holes of all sizes. "Now" is `inpaint`, without the detail for
large holes, which version 0.1 did not have, and "with detail" is its default. Each runs in a process of its
own, for its peak of memory; seconds are of the call alone, with the network loaded and warm, and the best of
several. Processor seconds tell more than those of the clock where a machine has other work.

The photographs are scikit-image's, enlarged and tiled. "Before" needs 8 GB for a hole of 2190 pixels.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from absl import flags

sys.path.insert(0, str(Path(__file__).parents[1]))

from inpainting_tf import processes
from inpainting_tf.commands import cli

WAYS = ("before", "now", "with detail")


def define_flags(define: cli.Define) -> None:
    define.integers("side", [400, 1000, 1500, 2190], "Sides of the one square hole, in pixels.")
    define.integer("height", 3000, "Of the photograph with a large hole, three quarters of its width.")
    define.integer("specks", 1500, "Specks of 3 to 11 pixels.", lower_bound=1)
    define.integer("specks_height", 4000, "Of the photograph with specks, four fifths of its width.")
    define.string("model", "faces", "A shipped model, a run's folder or a .keras file.")
    define.integer("repetitions", 2, "Of which the fastest counts.", lower_bound=1)
    define.string("output", None, "A JSON file for the figures.")


def photograph(height: int, width: int) -> Any:
    """uint8 [H, W, 3]: two of scikit-image's pictures side by side, enlarged, with a camera's noise."""
    import cv2
    import numpy as np
    import skimage.data

    pictures = [cv2.resize(each, (600, 400)) for each in (skimage.data.astronaut(), skimage.data.coffee())]
    large = cv2.resize(np.concatenate(pictures, axis=1), (width, height), interpolation=cv2.INTER_CUBIC)
    noise = np.random.default_rng(0).normal(0, 4, large.shape).astype(np.float32)
    return np.clip(large + noise, 0, 255).astype(np.uint8)


def square(height: int, width: int, side: int) -> Any:
    """Bool [H, W], missing in a square in the middle."""
    import numpy as np

    mask, top, left = np.zeros((height, width), bool), (height - side) // 2, (width - side) // 2
    mask[top : top + side, left : left + side] = True
    return mask


def specks(height: int, width: int, count: int) -> Any:
    """Bool [H, W], missing in discs of 3 to 11 pixels."""
    import cv2
    import numpy as np

    random, mask = np.random.default_rng(1), np.zeros((height, width), np.uint8)
    for _ in range(count):
        place = (int(random.integers(width)), int(random.integers(height)))
        cv2.circle(mask, place, int(random.integers(1, 6)), 1, -1)
    return mask > 0


def direct(hole: Any, values: Any) -> Any:
    """`inpainting_tf.ops.harmonic.harmonic` with an unknown for each missing pixel."""
    import numpy as np
    import scipy.sparse.linalg

    from inpainting_tf.ops.harmonic import edge

    number = np.zeros(hole.shape, np.int32)
    number[hole] = np.arange(1, np.count_nonzero(hole) + 1)
    number[edge(hole)] = -np.arange(1, len(values) + 1)
    beside = [(number[:-1], number[1:]), (number[:, :-1], number[:, 1:])]
    both = [pair[::step] for pair in beside for step in (1, -1)]
    one, other = (np.concatenate([pair[end].ravel() for pair in both]) for end in (0, 1))
    linked = (one > 0) & (other != 0)
    one, other = one[linked] - 1, other[linked]
    inner, count = other > 0, int(number.max())

    def matrix(rows: Any, columns: Any, width: int) -> Any:
        return scipy.sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(count, width))

    links = matrix(one[inner], other[inner] - 1, count)
    contacts = matrix(one[~inner], -other[~inner] - 1, len(values))
    degrees = links.sum(axis=1) + contacts.sum(axis=1)
    system = (scipy.sparse.diags_array(degrees) - links).tocsc()
    solver = scipy.sparse.linalg.splu(system, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
    return solver.solve(contacts @ values.astype("float64")).astype(np.float32)


def repaired(way: str, model: Any, picture: Any, mask: Any) -> Any:
    """The picture, uint8 [H, W, 3], filled in one of `WAYS`."""
    import unittest.mock

    import inpainting_tf
    from inpainting_tf.inference import geometry, windows

    detail = "auto" if way == "with detail" else "none"
    if way != "before":
        return inpainting_tf.inpaint(model, picture, mask, detail=detail)
    one_shape = lambda picture, shape, divisor, xp: (shape,)  # noqa: E731
    with (
        unittest.mock.patch.object(windows, "harmonic", direct),
        unittest.mock.patch.object(geometry, "level_shapes", one_shape),
    ):
        return inpainting_tf.inpaint(model, picture, mask, detail=detail)


def measure(way: str, name: str, picture: Any, mask: Any, repetitions: int, result: str) -> dict[str, float]:
    """The figures of one way, whose picture goes to the file `result`; in a process of its own."""
    import numpy as np

    import inpainting_tf

    model = inpainting_tf.load(name)
    small = slice(0, 96)
    inpainting_tf.inpaint(model, picture[small, small], square(96, 96, 11))  # warm
    loaded, runs = _used(), []
    for _ in range(repetitions):
        before = _used()
        filled = repaired(way, model, picture, mask)
        runs.append({key: value - before[key] for key, value in _used().items()})
    np.save(result, filled)
    best = min(runs, key=lambda run: run["processor_s"])
    return {**best, "peak_gb": _used()["peak_gb"], "loaded_gb": loaded["peak_gb"]}


def _used() -> dict[str, float]:
    now = resource.getrusage(resource.RUSAGE_SELF)
    unit = 2**30 if sys.platform == "darwin" else 2**20  # macOS counts bytes, Linux KiB
    seconds = {"seconds": time.perf_counter(), "processor_s": now.ru_utime + now.ru_stime}
    return {**seconds, "peak_gb": now.ru_maxrss / unit}


def compared(case: str, picture: Any, mask: Any, args: flags.FlagValues) -> list[dict[str, Any]]:
    """A row for each way, with the largest and the mean difference from the first in levels of 255."""
    import numpy as np

    rows, results = [], []
    with tempfile.TemporaryDirectory() as folder:
        for way in WAYS:
            file = str(Path(folder) / "filled.npy")
            try:
                found = processes.run(measure, way, args.model, picture, mask, args.repetitions, file)
            except (processes.Died, MemoryError) as error:
                print(f"{case}, {way}: {str(error) or 'out of memory'}")
                continue
            results.append(np.load(file)[mask].astype(int))
            difference = np.abs(results[-1] - results[0])
            levels = {"largest": int(difference.max()), "mean": float(difference.mean())}
            rows.append({"case": case, "way": way, **found, "levels": levels})
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    lines = [
        "| case | way | seconds | processor | peak GB (loaded) | levels, largest (mean) |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        lines.append(
            f"| {row['case']} | {row['way']} | {row['seconds']:.1f} | {row['processor_s']:.1f} | "
            f"{row['peak_gb']:.2f} ({row['loaded_gb']:.2f}) | "
            f"{row['levels']['largest']} ({row['levels']['mean']:.2f}) |"
        )
    return "\n".join(lines)


def run(args: flags.FlagValues) -> None:
    from inpainting_tf import files

    rows = []
    height, width = args.height, args.height * 4 // 3
    picture = photograph(height, width)
    for side in args.side:
        case = f"{height * width / 1e6:.3g} MP, a hole of {side**2 / 1e6:.3g} MP"
        rows += compared(case, picture, square(height, width, side), args)
    height, width = args.specks_height, args.specks_height * 5 // 4
    case = f"{height * width / 1e6:.3g} MP, {args.specks:,} specks"
    rows += compared(case, photograph(height, width), specks(height, width, args.specks), args)
    print(table(rows))
    if args.output:
        files.write_json(args.output, {"model": args.model, "rows": rows})


if __name__ == "__main__":
    cli.main(sys.modules[__name__])
