"""One completion network on every engine there is: milliseconds per picture, and the fill's error.

python benchmarks/engines.py --workdir=runs/glcic [--output=engines.json]
python benchmarks/engines.py --workdir=model.keras --data_dir=FOLDER

Speed is the fastest of several calls, because what else the machine does can only slow one down. The engines
make them in turns, a few at a time; the JSON has the medians too. The fill is compared with TensorFlow's in
float32, inside the holes of test pictures. An engine whose package is not installed, or that cannot run the
network, is left out and named.
"""

from __future__ import annotations

import dataclasses
import functools
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from absl import flags

sys.path.insert(0, str(Path(__file__).parents[1]))

from inpainting_tf.commands import cli
from inpainting_tf.errors import InputError

CALLS = 3  # in a turn: the first ones find the caches full of another engine's weights
PAUSE = 0.1  # seconds before a turn: the threads of some engines spin on for a while after their work
CALIBRATION = 100  # training pictures, for the scales of int8
REFERENCE = "TensorFlow float32"


def define_flags(define: cli.Define) -> None:
    define.string("workdir", None, "A run's folder, or a .keras file.")
    define.string("data_dir", None, "Folder of pictures; default: the run's.")
    define.integer("pictures", 96, "Test pictures to compare the fills on.", lower_bound=1)
    define.integers("image_size", [128, 512], "Sides to take the time at, in pixels.")
    define.integers("batch_size", [1, 8], "Pictures per call to take the time with.")
    define.integer("repetitions", 3, "Turns of each engine at each size.", lower_bound=1)
    define.string("output", None, "A JSON file for the figures.")


@dataclasses.dataclass(frozen=True)
class Pictures:
    """Pictures float32 [N, H, W, 3] in [0, 1] and their holes float32 [N, H, W, 1], 1 = missing."""

    images: Any
    masks: Any

    @property
    def size(self) -> tuple[int, int]:
        return self.images.shape[1:3]

    def resized(self, side: int, count: int, mask: Any) -> Pictures:
        """The first `count` of them, again and again if there are fewer, with holes of the same kind."""
        import cv2
        import numpy as np

        from inpainting_tf.ops import masks

        chosen = self.images[np.arange(count) % len(self.images)]
        images = np.stack([cv2.resize(each, (side, side), interpolation=cv2.INTER_LINEAR) for each in chosen])
        return Pictures(images, masks.fixed(mask, np.arange(count), (side, side)))


@dataclasses.dataclass(frozen=True)
class Subject:
    """What is measured: a float32 network, its recipe if it is a run's, pictures for test and calibration."""

    model: Any
    recipe: Any
    mask: Any
    test: Pictures
    calibration: Pictures


def subject(args: flags.FlagValues) -> Subject:
    """The network and the pictures of the flags."""
    import inpainting_tf
    from inpainting_tf import runs
    from inpainting_tf.data import Data
    from inpainting_tf.evaluation import comparison
    from inpainting_tf.ops.masks import Mask

    if not args.workdir:
        raise InputError("--workdir must be a run's folder or a .keras file. Received none.")
    model = inpainting_tf.Inpainter.from_preset(args.workdir)
    if Path(args.workdir).is_dir():
        run = runs.open_run(args.workdir)
        own = comparison.TestSet.of(run).changed(data_dir=args.data_dir)
        return _with_pictures(model, run.recipe, own, args.pictures)
    side = model.facts.scale.size[0] if model.facts.scale else 128
    test_set = comparison.TestSet(Data("folder", side), Mask(), args.data_dir)
    return _with_pictures(model, None, test_set, args.pictures)


def _with_pictures(model: Any, recipe: Any, test_set: Any, pictures: int) -> Subject:
    import numpy as np

    from inpainting_tf import data
    from inpainting_tf.ops import masks
    from inpainting_tf.ops.images import to_float

    counts = {"train": CALIBRATION, "test": pictures}
    names = test_set.names and {split: test_set.names[split][:count] for split, count in counts.items()}
    wanted = dataclasses.replace(test_set.data, **counts)
    found = data.load(wanted, test_set.data_dir, names=names)
    each = [
        Pictures(
            to_float(part.images),
            masks.fixed(test_set.mask, np.arange(len(part.images)), part.images.shape[1:3]),
        )
        for part in (found.test, found.train)
    ]
    return Subject(model, recipe, test_set.mask, *each)


# Engines: (subject, pictures of the size that they are to run at, folder for a file) -> engine


def _tensorflow(subject: Subject, seen: Pictures, folder: Path) -> Any:
    return subject.model


def _folded(subject: Subject, seen: Pictures, folder: Path) -> Any:
    from inpainting_tf.export import folding

    return folding.fold(subject.model)


def _mixed(subject: Subject, seen: Pictures, folder: Path) -> Any:
    """The run's network as it was trained where the machine is fast in bfloat16."""
    from inpainting_tf import networks
    from inpainting_tf.recipes import assembly
    from inpainting_tf.training import precision

    if subject.recipe is None:
        raise InputError("a .keras file does not name the layers that must stay in float32")
    any_size = networks.get(subject.recipe.network.builder).any_size
    with precision.policy("mixed_bfloat16"):
        model = assembly.completion_network(subject.recipe, **({"image_size": None} if any_size else {}))
    model.set_weights(subject.model.get_weights())
    return model


def _openvino(subject: Subject, seen: Pictures, folder: Path, *, precision: str) -> Any:
    from inpainting_tf.inference.engines import openvino

    return openvino.compile(subject.model, precision=precision)


def _onnx(subject: Subject, seen: Pictures, folder: Path) -> Any:
    from inpainting_tf.export import onnx
    from inpainting_tf.inference.engines import onnx as runtime

    return runtime.load(onnx.write(subject.model, folder / "network.onnx"))


def _litert(subject: Subject, seen: Pictures, folder: Path, *, precision: str) -> Any:
    from inpainting_tf.export import litert
    from inpainting_tf.inference.engines import litert as runtime

    file = folder / f"{precision}_{seen.size[0]}.tflite"
    samples = {"images": seen.images, "masks": seen.masks} if precision == "int8" else {}
    return runtime.load(
        litert.write(subject.model, file, image_size=seen.size, precision=precision, **samples)
    )


ENGINES: dict[str, Callable[[Subject, Pictures, Path], Any]] = {
    REFERENCE: _tensorflow,
    "TensorFlow float32, folded": _folded,
    "TensorFlow bfloat16": _mixed,
    "OpenVINO float32": functools.partial(_openvino, precision="float32"),
    "OpenVINO bfloat16": functools.partial(_openvino, precision="bfloat16"),
    "ONNX Runtime": _onnx,
    "LiteRT float32": functools.partial(_litert, precision="float32"),
    "LiteRT float16": functools.partial(_litert, precision="float16"),
    "LiteRT int8": functools.partial(_litert, precision="int8"),
}


def engines(subject: Subject, seen: Pictures, folder: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """The engines that run the network at the size of the pictures, and why the others do not."""
    ready, refused = {}, {}
    for name, make in ENGINES.items():
        try:
            ready[name] = make(subject, seen, folder)
        except InputError as error:
            refused[name] = str(error)
    return ready, refused


def fills(subject: Subject, ready: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Each engine's hole PSNR, and its fills' difference from the reference's, in grey levels of 255."""
    import numpy as np

    from inpainting_tf.ops import metrics

    images, masks = subject.test.images, subject.test.masks
    hole = np.broadcast_to(masks > 0, images.shape)
    filled = {name: _filled(network, subject.test) for name, network in ready.items()}
    psnr = {name: float(np.mean(metrics.hole_psnr(images, each, masks))) for name, each in filled.items()}
    found = {}
    for name, each in filled.items():
        difference = 255 * np.abs(each - filled[REFERENCE])[hole]
        found[name] = {
            "hole_psnr": psnr[name],
            "hole_psnr_loss": psnr[REFERENCE] - psnr[name],
            "largest_difference": float(difference.max()),
            "mean_difference": float(difference.mean()),
        }
    return found


def _filled(network: Any, pictures: Pictures) -> Any:
    import numpy as np

    known = pictures.images * (1 - pictures.masks)
    parts = [slice(start, start + 16) for start in range(0, len(known), 16)]
    return np.concatenate([network.fill(known[part], pictures.masks[part]) for part in parts])


def times(ready: dict[str, Any], pictures: Pictures, repetitions: int) -> dict[str, list[float]]:
    """Milliseconds per picture of each call; the first call of each engine is not timed."""
    found: dict[str, list[float]] = {name: [] for name in ready}
    for network in ready.values():
        network.fill(pictures.images, pictures.masks)
    for _ in range(repetitions):
        for name, network in ready.items():
            time.sleep(PAUSE)
            for _ in range(CALLS):
                start = time.perf_counter()
                network.fill(pictures.images, pictures.masks)
                found[name].append(1000 * (time.perf_counter() - start) / len(pictures.images))
    return found


def measure(args: flags.FlagValues, subject: Subject) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """A row per engine, and the reasons of the others' absence."""
    fixed = subject.model.input["image"].shape[1]
    with tempfile.TemporaryDirectory() as folder:
        ready, refused = engines(subject, subject.calibration, Path(folder))
        rows = {name: {**found, "ms": {}, "median_ms": {}} for name, found in fills(subject, ready).items()}
        for side in [fixed] if fixed else args.image_size:
            # Scales of few pictures suffice for a measurement of time alone.
            ready, _ = engines(subject, subject.calibration.resized(side, 2, subject.mask), Path(folder))
            for count in args.batch_size:
                pictures = subject.test.resized(side, count, subject.mask)
                for name, each in times(ready, pictures, args.repetitions).items():
                    setting = f"{side} px, batch {count}"
                    rows[name]["ms"][setting] = min(each)
                    rows[name]["median_ms"][setting] = statistics.median(each)
    return rows, refused


def table(rows: dict[str, dict[str, Any]]) -> str:
    """The figures as a Markdown table; in brackets, the speed relative to the reference."""
    reference = rows[REFERENCE]["ms"]
    columns = [*(f"ms, {each}" for each in reference), "largest, levels", "mean, levels", "hole PSNR"]
    lines = [f"| engine | {' | '.join(columns)} |", f"| --- |{' ---: |' * len(columns)}"]
    for name, row in rows.items():
        cells = [f"{each:.1f} ({reference[setting] / each:.2f})" for setting, each in row["ms"].items()]
        cells += [f"{row[f'{which}_difference']:.2g}" for which in ("largest", "mean")]
        lines.append(f"| {name} | {' | '.join(cells)} | {row['hole_psnr']:.3f} |")
    return "\n".join(lines)


def run(args: flags.FlagValues) -> None:
    from inpainting_tf import files

    chosen = subject(args)
    rows, refused = measure(args, chosen)
    height, width = chosen.test.size
    print(f"{args.workdir}: fills of {len(chosen.test.images)} test pictures of {height} x {width} pixels")
    print(table(rows))
    for name, reason in refused.items():
        print(f"{name} is left out: {reason}")
    if args.output:
        facts = {"pictures": len(chosen.test.images), "size": chosen.test.size, "versions": _versions()}
        files.write_json(args.output, {**facts, "engines": rows, "left_out": refused})


def _versions() -> dict[str, str]:
    from importlib import metadata

    wanted = {"tensorflow", "tensorflow_cpu", "keras", "openvino", "onnxruntime", "ai_edge_litert"}
    found = {
        each.metadata["Name"].lower().replace("-", "_"): each.version for each in metadata.distributions()
    }
    return {name: found[name] for name in sorted(wanted & found.keys())}


if __name__ == "__main__":
    cli.main(sys.modules[__name__])
