"""ONNX: one file for the many runtimes that read it, for pictures of any size that the network takes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from inpainting_tf import environment, files
from inpainting_tf.errors import unknown
from inpainting_tf.export import folding
from inpainting_tf.inference.engines import graphs, notes
from inpainting_tf.inpainter import Inpainter

OPSET = 17
PRECISIONS = ("float32", "float16")
_AXES = ("batch", "height", "width")


def write(model: Inpainter, path: str | os.PathLike, *, precision: str = "float32") -> Path:
    """Writes a completion network as an .onnx file.

    It takes image float32 [batch, height, width, 3] in [0, 1] and mask float32 [batch, height, width, 1],
    1 = missing, and returns two pictures like image: completed, known pixels as given and the hole filled,
    and prediction, the whole predicted picture. Height and width are free where they are in the model. A
    network with a prefill takes the image with its hole filled by it (`Facts.prefill`).

    Args:
        model: a float32 completion network, from `Inpainter.from_preset`.
        path: the file. The facts for `load` are in its metadata.
        precision: of the stored weights: "float32"; or "float16", half the size. It computes in float32.

    Raises:
        InputError: an unknown precision, a network that cannot be converted, a file that cannot be written,
            or tf2onnx is not installed.
    """
    if precision not in PRECISIONS:
        raise unknown("precision", precision, PRECISIONS)
    graphs.check(model)
    onnx, tf2onnx = environment.needed("onnx", "onnx"), environment.needed("tf2onnx", "onnx")
    inputs = graphs.signature(model)
    with graphs.converting(model, "ONNX"):
        function = graphs.both(folding.fold(model), inputs)
        converted, _ = tf2onnx.convert.from_function(function, inputs, opset=OPSET)
        _pad_dilated(converted.graph, onnx.helper)
        if precision == "float16":
            _halve(converted.graph, onnx)
        _name_axes(converted.graph)
        onnx.helper.set_model_props(converted, {notes.NOTE: notes.note(model.facts)})
        onnx.checker.check_model(converted)
    with files.replacing(path) as temporary:
        temporary.write_bytes(converted.SerializeToString())
    return Path(path)


def _pad_dilated(graph: Any, helper: Any) -> None:
    """Makes the padding of dilated convolutions explicit: ONNX Runtime does not derive it for them.

    They have stride 1, so it is the same for every size.
    """
    for node in graph.node:
        given = {attribute.name: attribute for attribute in node.attribute}
        if node.op_type != "Conv" or "dilations" not in given or "auto_pad" not in given:
            continue
        if given["auto_pad"].s != b"SAME_UPPER" or max(given["dilations"].ints) == 1:
            continue
        sides = zip(given["kernel_shape"].ints, given["dilations"].ints, strict=True)
        total = [(side - 1) * dilation for side, dilation in sides]
        node.attribute.remove(given["auto_pad"])
        pads = [each // 2 for each in total] + [each - each // 2 for each in total]
        node.attribute.append(helper.make_attribute("pads", pads))


def _halve(graph: Any, onnx: Any) -> None:
    """Stores kernels in half precision; a runtime casts them once, when it loads the file."""
    casts = []
    for weight in graph.initializer:
        values = onnx.numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.ndim < 2:
            continue
        name, half = weight.name, f"{weight.name}_half"
        weight.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), half))
        casts.append(onnx.helper.make_node("Cast", [half], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]  # in the order of their use
    del graph.node[:]
    graph.node.extend(nodes)


def _name_axes(graph: Any) -> None:
    """Gives the free axes names instead of numbers."""
    for value in (*graph.input, *graph.output):
        for axis, name in zip(value.type.tensor_type.shape.dim, _AXES, strict=False):
            if not axis.dim_value:
                axis.dim_param = name
