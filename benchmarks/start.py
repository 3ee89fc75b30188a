"""From the shell to the file: what one repaired picture costs, the start of the program included.

python benchmarks/start.py [--way=onnx --way=keras ...] [--repetitions=5] [--output=start.json]

Each way repairs the same photograph of 512 px (scikit-image's) in a process of its own, in turns, so that
what else the machine does meets all alike; the medians count. "import" is `import inpainting_tf` alone, "cv2"
OpenCV's Telea in Python, the least that any program can do. Memory is the peak of the process (on Linux).
Processor seconds tell more than those of the clock where a machine has other work.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from absl import flags

sys.path.insert(0, str(Path(__file__).parents[1]))

from inpainting_tf import files, tables
from inpainting_tf.commands import cli
from inpainting_tf.errors import unknown

ROOT = Path(__file__).parents[1]
_SHELL = "from inpainting_tf.commands import main; main.inpaint()"
# The peak of this program alone: what `wait4` tells is at least what the process was forked from.
_PEAK = """
import atexit, re
peak = lambda: int(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status", encoding="utf-8").read())[1])
atexit.register(lambda: print(peak(), flush=True))
"""
_FILES = ("--image=photo.png", "--mask=mask.png", "--output=out.png", "--overwrite")
_TELEA = (
    "import cv2; mask = cv2.imread('mask.png', 0); photo = cv2.imread('photo.png'); "
    "cv2.imwrite('out.png', cv2.inpaint(photo, mask, 5, cv2.INPAINT_TELEA))"
)
WAYS = {
    "onnx": (_SHELL, *_FILES, "--engine=onnx"),
    "openvino": (_SHELL, *_FILES, "--engine=openvino"),
    "keras": (_SHELL, *_FILES, "--engine=keras"),
    "import": ("import inpainting_tf",),
    "cv2": (_TELEA,),
}


def define_flags(define: cli.Define) -> None:
    """Defines the ways, and how often each is tried."""
    define.strings("way", list(WAYS), f"What is measured: {', '.join(WAYS)}.")
    define.string("model", "photos", "A shipped model.")
    define.integer("repetitions", 5, "Of which the median counts.", lower_bound=1)
    define.integer("side", 64, "Of the square hole, in pixels.", lower_bound=1)
    define.string("output", None, "A JSON file for the figures.")


def run(args: flags.FlagValues) -> None:
    """Measures, and prints the table."""
    for way in args.way:
        if way not in WAYS:
            raise unknown("--way", way, WAYS)
    found: dict[str, list[dict[str, float]]] = {way: [] for way in args.way}
    with tempfile.TemporaryDirectory() as folder:
        draw(Path(folder), args.side)
        for repetition in range(args.repetitions + 1):
            for way in args.way:
                figures = measured(way, args.model, folder)
                if repetition:  # the first fills the caches
                    found[way].append(figures)
    medians = {way: medians_of(rows) for way, rows in found.items()}
    head = ("way", "seconds", "processor seconds", "peak MB")
    print(tables.table([head, *((way, *_shown(row)) for way, row in medians.items())]))
    if args.output:
        files.write_json(Path(args.output), {"side": args.side, "cores": os.cpu_count(), "medians": medians})


def medians_of(rows: list[dict[str, float]]) -> dict[str, float]:
    return {key: statistics.median(row[key] for row in rows) for key in rows[0]}


def _shown(row: dict[str, float]) -> tuple[str, str, str]:
    return f"{row['seconds']:.2f}", f"{row['processor']:.2f}", f"{row['megabytes']:.0f}"


def draw(folder: Path, side: int) -> None:
    import cv2
    import numpy as np
    import skimage.data

    photo = skimage.data.astronaut()
    mask = np.zeros(photo.shape[:2], np.uint8)
    mask[200 : 200 + side, 300 : 300 + side] = 255
    cv2.imwrite(str(folder / "photo.png"), photo[..., ::-1])
    cv2.imwrite(str(folder / "mask.png"), mask)


def measured(way: str, model: str, folder: str) -> dict[str, float]:
    """One run in a new process: the clock's and the processor's seconds, and the peak of memory."""
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    code, *options = WAYS[way]
    chosen = [f"--model={model}"] if code == _SHELL else []
    call = [sys.executable, "-c", _PEAK + code, *options, *chosen]
    start = time.perf_counter()
    process = subprocess.Popen(call, cwd=folder, env=environ, stdout=subprocess.PIPE, encoding="utf-8")
    with process.stdout as out:
        said = out.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status:
        raise SystemExit(f"{way}: it failed with status {os.waitstatus_to_exitcode(status)}.")
    return {
        "seconds": seconds,
        "processor": usage.ru_utime + usage.ru_stime,
        "megabytes": int(said.split()[-1]) / 1024,
    }


if __name__ == "__main__":
    cli.main(sys.modules[__name__])
