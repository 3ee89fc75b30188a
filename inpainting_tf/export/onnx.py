"""ONNX: one file for the many runtimes that read it, for pictures of any size that the network takes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from inpainting_tf import environment, files
from inpainting_tf.export import folding
from inpainting_tf.inference.engines import graphs
from inpainting_tf.inpainter import Inpainter

OPSET = 17
_AXES = ("batch", "height", "width")


def write(model: Inpainter, path: str | os.PathLike) -> Path:
    """Writes a completion network as an .onnx file.

    It takes image float32 [batch, height, width, 3] in [0, 1] and mask float32 [batch, height, width, 1],
    1 = missing, and returns completed, like image: known pixels as given, the hole filled. Height and width
    are free where they are in the model. A network with a prefill takes the image with its hole filled by it
    (`Facts.prefill`).

    Args:
        model: a float32 completion network, from `inpainting_tf.load`.
        path: the file. The facts for `load` are in its metadata.

    Raises:
        InputError: a network that cannot be converted, a file that cannot be written, or tf2onnx is not
            installed.
    """
    graphs.check(model)
    onnx, tf2onnx = environment.needed("onnx", "onnx"), environment.needed("tf2onnx", "onnx")
    inputs = graphs.signature(model)
    with graphs.converting(model, "ONNX"):
        function = graphs.completed(folding.fold(model), inputs)
        converted, _ = tf2onnx.convert.from_function(function, inputs, opset=OPSET)
        _pad_dilated(converted.graph, onnx.helper)
        _name_axes(converted.graph)
        onnx.helper.set_model_props(converted, {graphs.NOTE: graphs.note(model.facts)})
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


def _name_axes(graph: Any) -> None:
    """Gives the free axes names instead of numbers."""
    for value in (*graph.input, *graph.output):
        for axis, name in zip(value.type.tensor_type.shape.dim, _AXES, strict=False):
            if not axis.dim_value:
                axis.dim_param = name
