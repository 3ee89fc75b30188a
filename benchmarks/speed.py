"""The package's speed beside PyTorch's and OpenCV's, in turns in one run: training, inference, the shell.

python benchmarks/speed.py [--page=benchmarks/speed.md --output=speed.json]

- training: GLCIC's completion and joint step, and the same algorithm in PyTorch (`glcic_torch.py`), eager and
  compiled, from the same weights: their first losses must agree;
- inference: the same completion network on each engine of the package, and compiled by PyTorch with frozen
  weights, at each batch size: their fills must agree;
- shell: `inpaint` of a picture of 512 px from the shell to the file, beside OpenCV's Telea (`start.py`).

What is measured while other programs have more than `--other_work` of the machine does not count and is
measured again (`idle.py`). A ratio above 1 says that the package is the faster one; the best peer counts.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.util
import os
import sys
import tempfile
import time
import types
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from absl import flags

sys.path.insert(0, str(Path(__file__).parents[1]))

import history
import idle
import start
import steps

import inpainting_tf
from inpainting_tf import environment, files, processes, tables
from inpainting_tf.commands import cli
from inpainting_tf.errors import InputError

PARTS = ("training", "inference", "shell")
PICTURES, SECONDS = "pictures/s", "s"  # units: of the first more is better, of the second less
CALLS = 3  # of an engine in a sample, at least
DIFFERENCE = 0.2  # of fills, in the mean, in standard deviations: bfloat16 is a few hundredths off


def define_flags(define: cli.Define) -> None:
    define.enums("part", list(PARTS), PARTS, "What to measure.")
    define.integer("image_size", 128, "Side of the pictures in pixels.", lower_bound=16)
    define.integer("width", 64, "Channels of the first convolution.", lower_bound=2)
    define.integer("batch_size", 8, "Pictures per training step.", lower_bound=1)
    precision = "Of the training steps and of PyTorch's inference; auto: what the processor is fastest in."
    define.enum("precision", "auto", ["auto", "off", "bfloat16"], precision)
    define.integers("inference_batch", [1, 8], "Pictures per call of an engine.", lower_bound=1)
    define.integer("turns", 5, "Samples of each side, of which the median counts.", lower_bound=1)
    define.float("seconds", 1.0, "Length of a sample, at least.", lower_bound=0.0)
    define.float("other_work", 0.05, "The share of the machine that others may have in a sample: 0 to 1.")
    define.enums("torch_mode", ["eager", "default"], ["eager", "default"], "Of the peer's training steps.")
    define.string("label", inpainting_tf.__version__, "The version's name in the history.")
    define.string("page", None, "A page such as speed.md, which gets the table and a row of its history.")
    define.string("output", None, "A JSON file for all samples.")


@dataclasses.dataclass(frozen=True)
class Contest:
    """What took turns: a line of the table for each of ours.

    Attributes:
        what: the first column.
        unit: `PICTURES` or `SECONDS`.
        ours: {side: the ratio's column in the history}; the other sides are peers.
        samples: of each side.
        notes: more about a side, for the table.
    """

    what: str
    unit: str
    ours: Mapping[str, str]
    samples: Mapping[str, idle.Samples]
    notes: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def best_peer(self) -> str | None:
        """The fastest one; None where none was measured."""
        medians = {name: each.median for name, each in self.samples.items() if name not in self.ours}
        measured = {name: median for name, median in medians.items() if median is not None}
        choose = max if self.unit == PICTURES else min
        return choose(measured, key=lambda name: measured[name]) if measured else None

    def ratio(self, side: str) -> float | None:
        """How many times as fast as the best peer a side is."""
        peer = self.best_peer()
        if peer is None or self.samples[side].median is None:
            return None
        ours, theirs = self.samples[side].median, self.samples[peer].median
        return ours / theirs if self.unit == PICTURES else theirs / ours

    def lines(self) -> Iterator[tuple[str, ...]]:
        """The table's."""
        peer = self.best_peer()
        theirs = "" if peer is None else self._cell(peer)
        for side in self.ours:
            ratio = self.ratio(side)
            yield self.what, self._cell(side), theirs, "" if ratio is None else f"{ratio:.2f}"

    def _cell(self, side: str) -> str:
        median = self.samples[side].median
        digits = 1 if self.unit == PICTURES else 2
        value = "the machine had other work" if median is None else f"{median:.{digits}f} {self.unit}"
        note = self.notes.get(side)
        return f"{side} {value}" + (f" ({note})" if note else "")


def table(contests: list[Contest]) -> str:
    """The Markdown table of all contests."""
    head = ("what", "ours", "best peer", "ratio")
    return tables.table([head, *(line for each in contests for line in each.lines())], left=(0, 1, 2))


def ratios(contests: list[Contest]) -> dict[str, str]:
    """The row of the history: {column: ratio}; of several batch sizes all, "0.14 / 0.16"."""
    found: dict[str, list[str]] = {}
    for contest in contests:
        for side, column in contest.ours.items():
            ratio = contest.ratio(side)
            if ratio is not None:
                found.setdefault(column, []).append(f"{ratio:.2f}")
    return {column: " / ".join(each) for column, each in found.items()}


def rejections(contests: list[Contest]) -> str:
    """How many samples did not count, in one line."""
    each = [samples for contest in contests for samples in contest.samples.values()]
    rejected = [share for samples in each for share in samples.rejected]
    taken = len(rejected) + sum(len(samples.kept) for samples in each)
    most = f", up to {max(rejected):.0%} of it" if rejected else ""
    return f"{len(rejected)} of {taken} samples were rejected, as others had the machine{most}."


def busy(contests: list[Contest]) -> list[str]:
    """The sides without a sample that counts."""
    return [
        f"{contest.what}: {side}"
        for contest in contests
        for side, samples in contest.samples.items()
        if not samples.kept
    ]


# Training


def training(args: types.SimpleNamespace) -> Iterator[Contest]:
    """The steps of both phases."""
    from inpainting_tf.training import precision

    recipe = steps.recipe_of("glcic", args.image_size, args.width, args.batch_size)
    policy = precision.resolve(args.precision)
    images = steps.faces(args.image_size, 2 * args.batch_size)  # a part of them is for validation
    batch = next(iter(steps.batches(images, args.batch_size, 1)))
    sides = _trainers(args, recipe, policy, batch)
    for phase in ("completion", "joint"):
        rows: list[dict[str, Any]] = [{"phase": phase} for _ in sides]
        for side, row in zip(sides, rows, strict=True):
            steps.progress(f"{phase} step: {side.name} warms up")
            steps.warm_up(side, row, args.seconds)
            if phase == "completion":  # they still have the same weights
                steps.require_agreement(rows[0], row)
        rates = {
            side.name: functools.partial(_rate_of_steps, side, row["steps"], args.batch_size)
            for side, row in zip(sides, rows, strict=True)
        }
        what = f"{phase} step, {_size(args)}, batch {args.batch_size}, {policy.removeprefix('mixed_')}"
        samples = idle.in_turns(rates, args.turns, args.other_work)
        yield Contest(what, PICTURES, {sides[0].name: f"{phase} step"}, samples)


def _trainers(args: types.SimpleNamespace, recipe: Any, policy: str, batch: Any) -> list[Any]:
    ours = steps.KerasSide(recipe, policy, batch)
    if not _has_torch():
        return [ours]
    peers = [steps.TorchSide(ours.trainer, recipe, policy, batch, mode) for mode in args.torch_mode]
    return [ours, *peers]


def _rate_of_steps(side: Any, count: int, batch_size: int) -> float:
    return batch_size / steps.seconds_per_step(side, count)


def _has_torch() -> bool:
    found = importlib.util.find_spec("torch") is not None
    if not found:
        steps.progress("PyTorch is left out: it is not installed (pip install '.[benchmark]').")
    return found


def _size(args: types.SimpleNamespace) -> str:
    return f"{args.image_size} px, width {args.width}"


# Inference


def inference(args: types.SimpleNamespace) -> Iterator[Contest]:
    """The engines at each batch size. `auto` is what `load` takes for an exported or a shipped model."""
    import keras
    import numpy as np

    from inpainting_tf.training import precision

    keras.utils.set_random_seed(0)
    network = inpainting_tf.build("glcic", image_size=None, width=args.width)
    images = steps.faces(args.image_size, 2 * max(args.inference_batch)).astype(np.float32) / 255
    masks = np.zeros((*images.shape[:3], 1), np.float32)
    masks[:, args.image_size // 4 : args.image_size // 2, args.image_size // 3 : args.image_size // 2] = 1
    _settle(network, images, masks)
    with tempfile.TemporaryDirectory() as folder:
        engines = _engines(network, Path(folder))
        ours = {name: f"inference, {name}" for name in engines}
        fills = {name: engine.fill for name, engine in engines.items()}
        if _has_torch():
            fills |= _peers(network, args.width, precision.resolve(args.precision))
        for count in args.inference_batch:
            steps.progress(f"inference, batch {count}: {', '.join(fills)}")
            batch = images[:count], masks[:count]
            require_same({name: fill(*batch) for name, fill in fills.items()}, "keras")
            rates = {
                name: functools.partial(_rate, fill, batch, args.seconds) for name, fill in fills.items()
            }
            what = f"inference, {_size(args)}, batch {count}"
            yield Contest(what, PICTURES, ours, idle.in_turns(rates, args.turns, args.other_work))


def _settle(network: Any, images: Any, masks: Any) -> None:
    """Gives the untrained network statistics of pictures, so that its fills have contrast."""
    for layer in network.layers:
        if hasattr(layer, "moving_variance"):
            layer.momentum = 0.0
    network({"image": images, "mask": masks}, training=True)


def _engines(network: Any, folder: Path) -> dict[str, Any]:
    """Those that are installed, from files of their own."""
    from inpainting_tf.export import onnx

    network.save(folder / "network.keras")
    exported = onnx.write(network, folder / "network.onnx")
    sources = {name: exported for name in ("auto", "onnx", "openvino")}
    found = {}
    for name, file in {**sources, "keras": folder / "network.keras"}.items():
        try:
            found[name] = inpainting_tf.load(file, engine=name)
        except InputError as error:
            steps.progress(f"{name} is left out: {error}")
    return found


def _peers(network: Any, width: int, policy: str) -> dict[str, Callable[..., Any]]:
    import glcic_torch

    found = {}
    for name, compiled in (("PyTorch, eager", False), ("PyTorch, compiled and frozen", True)):
        module = glcic_torch.Completion(width)
        glcic_torch.load_keras_weights([module], [network])
        found[name] = glcic_torch.Inference(module, precision=policy, compiled=compiled).fill
    return found


def require_same(fills: Mapping[str, Any], reference: str) -> None:
    """Raises ArithmeticError unless all fills are the reference's but for rounding in bfloat16."""
    contrast = fills[reference].std()
    for name, fill in fills.items():
        difference = float(abs(fill - fills[reference]).mean() / contrast)
        if not difference <= DIFFERENCE:  # nor NaN
            raise ArithmeticError(f"{name} fills otherwise than {reference}: {difference:.2f} deviations off")


def _rate(fill: Callable[..., Any], batch: tuple[Any, Any], seconds: float) -> float:
    """Pictures per second of calls that take at least so long."""
    begin, calls = time.perf_counter(), 0
    while calls < CALLS or time.perf_counter() < begin + seconds:
        fill(*batch)
        calls += 1
    return calls * len(batch[0]) / (time.perf_counter() - begin)


# From the shell to the file


def shell(args: types.SimpleNamespace) -> Iterator[Contest]:
    """A repair, and the import, in new processes."""
    ways = {"inpaint": "onnx", "OpenCV": "cv2", "import inpainting_tf": "import"}
    figures: dict[str, list[dict[str, float]]] = {name: [] for name in ways}

    def seconds(name: str) -> float:
        figures[name].append(start.measured(ways[name], "photos", folder))
        return figures[name][-1]["seconds"]

    steps.progress("from the shell to the file")
    with tempfile.TemporaryDirectory() as folder:
        start.draw(Path(folder), 64)
        for name in ways:
            start.measured(ways[name], "photos", folder)  # fills the caches
        sides = {name: functools.partial(seconds, name) for name in ways}
        samples = idle.in_turns(sides, args.turns, args.other_work)
    notes = {name: _cost(start.medians_of(rows)) for name, rows in figures.items()}
    alone = samples.pop("import inpainting_tf")
    yield Contest("`inpaint`, 512 px, shell to file", SECONDS, {"inpaint": "shell"}, samples, notes)
    name = "import inpainting_tf"
    yield Contest("import, a process of its own", SECONDS, {name: ""}, {name: alone}, notes)


def _cost(figures: Mapping[str, float]) -> str:
    return f"{figures['processor']:.2f} s of processor, {figures['megabytes']:.0f} MB"


# The command


def run(args: flags.FlagValues) -> int:
    if args.page and set(args.part) != set(PARTS):
        raise InputError(f"--page takes a whole measurement, without --part. Received --part={args.part[0]}.")
    if args.page and not Path(args.page).exists():
        raise InputError(f"--page must be a page with a history, such as speed.md. Received {args.page!r}.")
    begin = time.monotonic()
    contests = []
    for part in PARTS:
        if part in args.part:
            contests += processes.run(_measured, part, types.SimpleNamespace(**args.flag_values_dict()))
    about = {
        "version": args.label,
        "processor": history.processor(environment.cpuinfo(), os.cpu_count() or 1),
    }
    about["caption"] = f"{about['version']} on {about['processor']}; {_versions()}. {rejections(contests)}"
    print(f"{about['caption']}\n\n{table(contests)}\n\n{time.monotonic() - begin:.0f} s in all.")
    if args.output:
        rows = [dataclasses.asdict(each) for each in contests]
        files.write_json(args.output, {**about, "ratios": ratios(contests), "contests": rows})
    without = busy(contests)
    if without:
        steps.progress(f"The machine had other work: nothing counts of {'; '.join(without)}.")
        return 1
    if args.page:
        page = Path(args.page).read_text(encoding="utf-8")
        files.write_text(args.page, history.recorded(page, about, table(contests), ratios(contests)))
    return 0


def _measured(part: str, args: types.SimpleNamespace) -> list[Contest]:
    """A part, in a process of its own; each line of the table is printed at once: an accident loses none."""
    if part == "training":
        environment.prefer_onednn()  # as `train` does
    contests = []
    for contest in globals()[part](args):
        for line in contest.lines():
            steps.progress(" | ".join(line))
        contests.append(contest)
    return contests


def _versions() -> str:
    from importlib import metadata

    names = ("tensorflow", "keras", "onnxruntime", "openvino", "torch")
    there = [name for name in names if importlib.util.find_spec(name)]
    return ", ".join(f"{name} {metadata.version(name)}" for name in there)


if __name__ == "__main__":
    cli.main(sys.modules[__name__])
