"""Model files of version 0.1, which stored the facts of an `Inpainter` in a network's layers."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import keras

from inpainting_tf.inpainter import Inpainter
from inpainting_tf.networks.cifar_cars import LATENT
from inpainting_tf.networks.dcgan import SEARCH


def inpainter(model: keras.Model, file: Path) -> Inpainter:
    """The network of a file that version 0.1 wrote, or of a plain functional model, with its facts.

    Args:
        model: what Keras loads from the file; its inputs are "image" and "mask".
        file: a `.keras` file.
    """
    known = _blank_hole(file)
    names = {layer.name for layer in model.layers}
    return Inpainter(
        model.input,
        model.output,
        divisor=known.get("divisor", 1),
        hole_fill=known.get("fill", ""),
        trained_on=tuple(known["trained_on"]) if known.get("trained_on") else None,
        code=LATENT if names.issuperset(LATENT) else (),
        search=SEARCH if SEARCH in names else "",
        name=model.name,
    )


def _blank_hole(file: Path) -> dict[str, Any]:
    """The settings of the layer that blanked the hole; empty where there is none."""
    with zipfile.ZipFile(file) as archive:
        config = json.loads(archive.read("config.json"))
    layers = config["config"].get("layers", ())
    return next((each["config"] for each in layers if each["class_name"] == "BlankHole"), {})
