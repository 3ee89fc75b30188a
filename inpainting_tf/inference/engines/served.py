"""A network on a server as an engine: windows, blending and detail here, predictions there."""

from __future__ import annotations

import json
import os
from pathlib import Path

from inpainting_tf.errors import InputError
from inpainting_tf.inference.engine import Fill, Runtime
from inpainting_tf.inference.engines import notes

NOTE = f"{notes.NOTE}.json"  # in the folder of an exported SavedModel


def load(path: str | os.PathLike, predict: Fill) -> Runtime:
    """An exported SavedModel that runs elsewhere; `inpaint` is that of the same network in Python.

    A picture stays here: the server receives the windows around its holes, in the network's size.

    Args:
        path: the exported folder, or a copy of the file `inpainting_tf.json` in it.
        predict: calls the signature `predict` of the server: images float32 [N, H, W, 3] in [0, 1] and masks
            float32 [N, H, W, 1], 1 = missing -> its "prediction", float32 [N, H, W, 3].

    Raises:
        InputError: no such file, or it is not one of a SavedModel that this package exported.

    Example:
        >>> import numpy as np
        >>> import tensorflow as tf
        >>> import inpainting_tf
        >>> from inpainting_tf.export import saved_model
        >>> from inpainting_tf.inference.engines import served
        >>> network = inpainting_tf.build("glcic", image_size=None, width=4)
        >>> folder = saved_model.write(network, "models/inpainting/1")
        >>> loaded = tf.saved_model.load(str(folder))  # in place of a server
        >>> def predict(images, masks):
        ...     given = {"image": tf.constant(images), "mask": tf.constant(masks)}
        ...     return loaded.signatures["predict"](**given)["prediction"].numpy()
        >>> image = np.full((48, 64, 3), (200, 120, 40), np.uint8)
        >>> mask = np.zeros((48, 64), np.uint8)
        >>> mask[20:26, 30:40] = 255  # missing
        >>> served.load(folder, predict).inpaint(image, mask).shape
        (48, 64, 3)
    """
    place = Path(path).expanduser()
    file = notes.existing(place / NOTE if place.is_dir() else place, f"SavedModel's {NOTE}")
    try:
        facts = json.loads(file.read_text(encoding="utf-8"))["facts"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{str(file)!r} is not of a SavedModel with the signature `predict`: export the network again."
        ) from error
    return notes.noted(json.dumps(facts), predict)
