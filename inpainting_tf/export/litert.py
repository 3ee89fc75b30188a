"""LiteRT (formerly TensorFlow Lite): one file for phones and small machines, for pictures of one size."""

from __future__ import annotations

import dataclasses
import os
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from inpainting_tf import classical, files
from inpainting_tf.errors import InputError, unknown
from inpainting_tf.inference import Facts
from inpainting_tf.inference.engines import graphs, notes
from inpainting_tf.inference.engines.litert import NOTE
from inpainting_tf.inpainter import Inpainter
from inpainting_tf.networks.blocks import height_width

PRECISIONS = ("float32", "float16", "int8")


def write(
    model: Inpainter,
    path: str | os.PathLike,
    *,
    image_size: tuple[int, int],
    precision: str = "float32",
    images: np.ndarray | None = None,
    masks: np.ndarray | None = None,
) -> Path:
    """Writes a completion network as a .tflite file.

    Its signature takes image float32 [1, H, W, 3] in [0, 1] and mask float32 [1, H, W, 1], 1 = missing, and
    returns completed float32 [1, H, W, 3]: known pixels as given, the hole filled. This is so for every
    precision. A network with a prefill takes the image with its hole filled by it (`Facts.prefill`).

    Args:
        model: a float32 completion network, from `inpainting_tf.load`.
        path: the file. The facts for `load` are appended as a zip archive, like LiteRT's own metadata.
        image_size: the (height, width) of the pictures.
        precision: of the weights: "float32"; "float16", half the size; "int8", a quarter, where the layers
            compute in integers too. Not for networks with a smooth fill.
        images: for int8, pictures like those it will receive, float32 [N, H, W, 3] in [0, 1]; about 100.
        masks: their holes, float32 [N, H, W, 1], 1 = missing.

    Raises:
        InputError: an argument that does not fit, a network that cannot be converted, a file that cannot be
            written.
    """
    if precision not in PRECISIONS:
        raise unknown("precision", precision, PRECISIONS)
    graphs.check(model)
    if precision == "int8" and model.facts.hole_fill in ("smooth", "thin_plate"):
        # 8 dB less: its quotients and logarithms are not representable in 255 steps.
        raise InputError(
            "`precision` must not be 'int8' for a network with a smooth fill, which loses 8 dB in integers. "
            "Choose 'float16'."
        )
    facts = model.facts
    size = _checked_size(image_size, facts)
    samples = _samples(facts, size, precision, images, masks)
    with graphs.converting(model, "LiteRT"):
        content = _converted(model, size, precision, samples)
    note = notes.note(dataclasses.replace(facts, size=size, divisor=1))
    with files.replacing(path) as temporary:
        temporary.write_bytes(content)
        with zipfile.ZipFile(temporary, "a") as archive:
            archive.writestr(zipfile.ZipInfo(NOTE), note)  # without the time: reproducible bytes
    return Path(path)


def _checked_size(image_size: tuple[int, int], facts: Facts) -> tuple[int, int]:
    height, width = height_width(image_size, facts.divisor)
    both = zip(facts.size, (height, width), strict=True)
    if height is None or width is None or any(own not in (None, side) for own, side in both):
        own = " x ".join("any" if side is None else str(side) for side in facts.size)
        raise InputError(
            f"`image_size` must be the (height, width) of this network, {own}. Received {image_size!r}."
        )
    return height, width


def _samples(
    facts: Facts,
    size: tuple[int, int],
    precision: str,
    images: np.ndarray | None,
    masks: np.ndarray | None,
) -> Callable[[], Iterator[dict[str, np.ndarray]]] | None:
    """The representative data set as the converter takes it, None if not needed."""
    if precision != "int8":
        if images is not None or masks is not None:
            raise InputError(f"`images` and `masks` are for precision int8 only. Received {precision}.")
        return None
    shapes = tuple(None if each is None else np.shape(each) for each in (images, masks))
    count = shapes[0][0] if shapes[0] else 0
    if not count or shapes != ((count, *size, 3), (count, *size, 1)):
        raise InputError(
            f"`images` and `masks` must be given for int8, [N, {size[0]}, {size[1]}, 3] and "
            f"[N, {size[0]}, {size[1]}, 1]: pictures like those it will receive. Received shapes {shapes}."
        )
    images, masks = np.asarray(images, np.float32), np.asarray(masks, np.float32)
    if facts.prefill is not None:
        images = classical.get(facts.prefill)(images, masks)
    return lambda: ({"image": i[None], "mask": m[None]} for i, m in zip(images, masks, strict=True))


def _converted(
    model: keras.Model,
    size: tuple[int, int],
    precision: str,
    samples: Callable[[], Iterator[dict[str, np.ndarray]]] | None,
) -> bytes:
    import tensorflow as tf

    inputs = graphs.signature(model, 1, size)
    # Frozen, because calibration cannot read variables; in a module, because then the signature has names.
    constant = graphs.frozen(graphs.completed(model, inputs, _select_bits if samples else None))
    module = tf.Module()
    module.complete = tf.function(lambda image, mask: {"completed": constant(image, mask)[0]}, inputs)
    function = module.complete.get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], module)
    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    converter.representative_dataset = samples
    return converter.convert() if samples is None else _quantized(converter)


def _quantized(converter: Any) -> bytes:
    """Integers in all operations but two.

    ONE_HOT, of `PastePatch`, is quantized by TensorFlow 2.21 to one that returns 0.5 instead of 0. DIV, of
    the mean colour of `BlankHole`, exists for integers in recent runtimes only.
    """
    import tensorflow as tf

    lite = tf.lite.experimental
    options = lite.QuantizationDebugOptions(denylisted_ops=["ONE_HOT", "DIV"])
    with warnings.catch_warnings():  # calibration runs on TensorFlow's own, deprecated interpreter
        warnings.filterwarnings("ignore", "(?s).*tf.lite.Interpreter is deprecated", UserWarning)
        debugger = lite.QuantizationDebugger(
            converter=converter, debug_dataset=converter.representative_dataset, debug_options=options
        )
        return debugger.get_nondebug_quantized_model()


def _select_bits(missing: Any, prediction: Any, image: Any) -> Any:
    """`tf.where` on integers, which no converter quantizes: known pixels are bit-identical."""
    import tensorflow as tf

    bits = tf.where(missing, tf.bitcast(prediction, tf.int32), tf.bitcast(image, tf.int32))
    return tf.bitcast(bits, tf.float32)
