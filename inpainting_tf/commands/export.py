"""Writes a trained network in the format of another program.

inpainting-tf export --workdir=runs/glcic --output=models/inpainting/1
inpainting-tf export --workdir=runs/glcic --output=glcic.onnx --format=onnx
inpainting-tf export --workdir=runs/glcic --output=glcic.tflite --format=litert --image_size=128x192
inpainting-tf export --workdir=runs/glcic --output=glcic.tflite --format=litert --precision=int8
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from absl import flags

from inpainting_tf import environment, sizes
from inpainting_tf.commands import cli
from inpainting_tf.errors import InputError, unknown

FORMATS = ("saved_model", "litert", "onnx")
CALIBRATION = 100  # pictures for the scales of int8, as TensorFlow's guide recommends

_ONLY = {
    "direct": ["saved_model"],
    "image_size": ["litert"],
    "precision": ["litert", "onnx"],
    "data_dir": ["litert"],
}


def define_flags(define: cli.Define) -> None:
    """Defines the network, the format and its settings."""
    define.string("workdir", None, "What to export: a run's folder, a .keras file; see inpainting_tf.load.")
    define.string("output", None, "Folder (saved_model) or file (litert, onnx) to write.")
    define.string("format", FORMATS[0], f"{', '.join(FORMATS)}.")
    define.boolean("direct", None, "saved_model: pass the network the whole picture, not a window of it.")
    define.string("image_size", None, "litert: side or HEIGHTxWIDTH in pixels; default: as it was trained.")
    define.string("precision", None, "Of the weights; onnx: float32 (default) or float16; litert: int8, too.")
    define.string("data_dir", None, "int8: folder or archive of the run's pictures; default: as it was.")


def run(args: flags.FlagValues) -> None:
    """Exports, and prints the size of the result."""
    _check(args)
    environment.pin_defaults()
    import keras

    import inpainting_tf

    if keras.backend.backend() != "tensorflow":
        raise InputError(f"Export takes KERAS_BACKEND=tensorflow. Received {keras.backend.backend()!r}.")
    path = _write(inpainting_tf.Inpainter.from_preset(args.workdir), args)
    parts = path.rglob("*") if path.is_dir() else [path]
    print(f"Wrote {path}, {sum(part.stat().st_size for part in parts) / 1e6:.1f} MB.")


def _check(args: flags.FlagValues) -> None:
    for name in ("workdir", "output"):
        if not args[name].value:
            raise InputError(f"--{name} must be given. Received none.")
    if args.format not in FORMATS:
        raise unknown("--format", args.format, FORMATS)
    for name, forms in _ONLY.items():
        if args[name].value is not None and args.format not in forms:
            raise InputError(
                f"--{name} is for --format={' and '.join(forms)}. Received --format={args.format}."
            )


def _write(model: Any, args: flags.FlagValues) -> Path:
    precision = args.precision or "float32"
    if args.format == "onnx":
        from inpainting_tf.export import onnx

        return onnx.write(model, args.output, precision=precision)
    if args.format == "saved_model":
        from inpainting_tf.export import saved_model

        return saved_model.write(model, args.output, direct=bool(args.direct))
    from inpainting_tf.export import litert

    size = _image_size(model, args.image_size)
    seen = _calibration(args.workdir, size, args.data_dir) if precision == "int8" else {}
    return litert.write(model, args.output, image_size=size, precision=precision, **seen)


def _image_size(model: Any, text: str | None) -> tuple[int, int]:
    if text is not None:
        return sizes.shape(sizes.parse(text))
    scale = model.facts.scale
    if scale is None:
        raise InputError("--image_size must be given: this network takes any size. Received none.")
    return scale.size


def _calibration(workdir: str, size: tuple[int, int], data_dir: str | None) -> dict[str, Any]:
    """Training pictures of a run, cut to `size`, and their holes, as `litert.write` takes them."""
    from inpainting_tf import data, runs
    from inpainting_tf.data import pipeline

    run = runs.open_run(workdir)
    known, wanted = run.pictures(), dataclasses.replace(run.recipe.data, image_size=sizes.parse(size))
    names = {"train": known["train"][:CALIBRATION], "test": []}
    found = data.load(wanted, data_dir or known.get("data_dir"), names=names, splits=("train",))
    images, holes = found.train.images[:], run.recipe.mask.test
    batch = next(pipeline.test_batches(images, holes, batch_size=CALIBRATION, crop=wanted.crop))
    return {"images": batch["image"], "masks": batch["mask"]}
