"""Using a trained completion network: as a fill for evaluation, and on one's own pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from inpainting_tf import classical
from inpainting_tf.errors import InputError
from inpainting_tf.images import composite, to_float, to_mask, to_uint8
from inpainting_tf.layers import PREFILLS, BlankHole


def network_fill(model: keras.Model) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """`fill(images, masks) -> predictions`, the call that networks and classical methods share.

    Images float32 [N, H, W, 3] in [0, 1], masks float32 [N, H, W, 1] with 1 = missing; the result is the raw
    prediction, float32 [N, H, W, 3] in [0, 1]. It raises InputError for pictures of a size that the network
    does not take. Where the network wants the hole filled by a classical method first, that is done here.
    """
    painted = next((layer.fill for layer in model.layers if isinstance(layer, BlankHole)), None)
    prefill = classical.get(painted) if painted in PREFILLS else None

    def fill(images: np.ndarray, masks: np.ndarray) -> np.ndarray:
        _check_size(model, images.shape[1:3])
        images = images if prefill is None else prefill(images, masks)
        return np.asarray(model.predict_on_batch({"image": images, "mask": masks}), np.float32)

    return fill


def inpaint(model: keras.Model, image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Fills the holes of a picture, or of a batch of pictures of one size.

    Args:
        model: a completion network, from `inpainting_tf.load` or `inpainting_tf.build`.
        image: uint8 RGB [H, W, 3] or [N, H, W, 3], of a size the network takes. What is under the hole is
            ignored.
        mask: uint8 or bool [H, W], [H, W, 1], [N, H, W] or [N, H, W, 1]; any non-zero value is missing.
            One mask for a batch is used for all its pictures.

    Returns:
        uint8, shape of `image`: known pixels bit-identical, the missing ones filled.

    Raises:
        InputError: a wrong type, shape or size, with the argument, the rule and what was received.
    """
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.ndim not in (3, 4) or image.shape[-1] != 3:
        raise InputError(
            "`image` must be uint8 RGB [H, W, 3] or [N, H, W, 3]. "
            f"Received {image.dtype} of shape {image.shape}."
        )
    images = image if image.ndim == 4 else image[None]
    masks = _masks_for(images, mask)
    known = to_float(images) * (1.0 - masks)
    completed = composite(known, network_fill(model)(known, masks), masks)
    filled = np.where(masks > 0, to_uint8(completed), images)
    return filled if image.ndim == 4 else filled[0]


def _masks_for(images: np.ndarray, mask: Any) -> np.ndarray:
    masks = to_mask(mask)
    masks = masks if masks.ndim == 4 else masks[None]
    if masks.shape[1:3] != images.shape[1:3] or masks.shape[0] not in (1, len(images)):
        raise InputError(
            f"`mask` must have the height and width of `image`, {images.shape[1]} x {images.shape[2]}, and "
            f"be one or as many as the pictures, {len(images)}. Received shape {np.shape(mask)}."
        )
    return np.broadcast_to(masks, (*images.shape[:3], 1))


def _check_size(model: keras.Model, size: tuple[int, int]) -> None:
    wanted = model.input["image"].shape[1:3]
    if any(side is not None and side != given for side, given in zip(wanted, size, strict=True)):
        raise InputError(f"`image` must be {wanted[0]} x {wanted[1]} pixels for this model. Received {size}.")
    divisor = next((layer.divisor for layer in model.layers if hasattr(layer, "divisor")), 1)
    if any(side % divisor for side in size):
        raise InputError(
            f"`image` must have a height and width divisible by {divisor}. Received {size[0]} x {size[1]}."
        )
