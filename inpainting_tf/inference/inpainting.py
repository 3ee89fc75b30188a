"""Using a trained completion network: as a fill for evaluation, and on one's own pictures."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np

from inpainting_tf import classical
from inpainting_tf.errors import InputError, unknown
from inpainting_tf.inference import windows
from inpainting_tf.networks.layers import PREFILLS, blank_hole
from inpainting_tf.ops.images import check_two_levels, to_mask

BLENDS = ("poisson", "none")
_AT_ONCE = 16  # windows in a call of the network
Fill = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Network:
    """A completion network as an engine runs it, and what has to be known to feed it.

    Attributes:
        predict: images float32 [N, H, W, 3] in [0, 1] and masks float32 [N, H, W, 1], 1 = missing -> the raw
            prediction, float32 [N, H, W, 3] in [0, 1].
        size: the (height, width) it takes, each None where any multiple of `divisor` will do.
        divisor: of height and width.
        scale: what it was trained on, if that is known.
        prefill: the classical method that fills the hole before the network sees it, if it wants one.
    """

    predict: Fill
    size: tuple[int | None, int | None] = (None, None)
    divisor: int = 1
    scale: windows.Scale | None = None
    prefill: str | None = None

    @classmethod
    def of(cls, model: keras.Model) -> Network:
        """A Keras model on the backend it was built with."""

        def predict(images: np.ndarray, masks: np.ndarray) -> np.ndarray:
            return np.asarray(model.predict_on_batch({"image": images, "mask": masks}), np.float32)

        return cls(predict, **_described(model))

    def fill(self, images: np.ndarray, masks: np.ndarray) -> np.ndarray:
        """`predict` for pictures of a size that the network takes; InputError for others."""
        self._check_size(images.shape[1:3])
        if self.prefill is not None:
            images = classical.get(self.prefill)(images, masks)
        return self.predict(images, masks)

    def _check_size(self, size: tuple[int, int]) -> None:
        if any(side is not None and side != given for side, given in zip(self.size, size, strict=True)):
            raise InputError(
                f"`image` must be {self.size[0]} x {self.size[1]} pixels for this model. Received {size}."
            )
        if any(side % self.divisor for side in size):
            raise InputError(
                f"`image` must have a height and width divisible by {self.divisor}. "
                f"Received {size[0]} x {size[1]}."
            )


def network_fill(model: keras.Model) -> Fill:
    """`fill(images, masks) -> predictions`, the call that networks and classical methods share.

    Images float32 [N, H, W, 3] in [0, 1], masks float32 [N, H, W, 1] with 1 = missing; the result is the raw
    prediction, float32 [N, H, W, 3] in [0, 1]. It raises InputError for pictures of a size that the network
    does not take. Where the network wants the hole filled by a classical method first, that is done here.
    """
    return Network.of(model).fill


def inpaint(
    model: keras.Model | Network,
    image: np.ndarray,
    mask: np.ndarray,
    *,
    blend: str = "poisson",
    direct: bool = False,
) -> np.ndarray:
    """Fills the holes of a picture of any size, or of a batch of pictures of one size.

    The network is shown windows around the holes at the scale that it was trained on (see
    `inpainting_tf.inference.windows`), so that a large photograph costs no more than its holes do.

    Args:
        model: a completion network, from `inpainting_tf.load` or `inpainting_tf.build`.
        image: uint8 RGB [H, W, 3] or [N, H, W, 3]. What is under the hole is ignored.
        mask: [H, W], [H, W, 1], [N, H, W] or [N, H, W, 1]; any non-zero value is missing. One mask for a
            batch is used for all its pictures.
        blend: "poisson" takes the network's details and lets their colours follow from what is around the
            hole, so that no edge shows; "none" takes the network's pixels as they are.
        direct: show the network the whole picture at once and as it is. For networks that take any size, on
            pictures that look to them like those they know.

    Returns:
        uint8, shape of `image`: known pixels bit-identical, the missing ones filled.

    Raises:
        InputError: a wrong type, shape or size, or a mask that leaves nothing to fill, or nothing to go by,
            with the argument, the rule and what was received.
    """
    if blend not in BLENDS:
        raise unknown("blend", blend, BLENDS)
    images, masks = _checked(image, mask)
    network = model if isinstance(model, Network) else Network.of(model)
    plans = [_plan(network, mask, direct) for mask in masks]
    filled = images.copy()
    predictions = _predictions(network, images, masks, plans)
    for index, group in itertools.groupby(predictions, key=lambda item: item[0]):
        canvas = windows.Canvas(plans[index])
        for _, window, prediction in group:
            canvas.add(window, prediction)
        canvas.paint(filled[index], blend == "poisson")
    return filled if np.ndim(image) == 4 else filled[0]


def _described(model: keras.Model) -> dict[str, Any]:
    """What `Network` has to know, from the model's input and its first layer."""
    layer, size = blank_hole(model), tuple(model.input["image"].shape[1:3])
    if layer is None:
        return {"size": size}
    scale = None
    if layer.trained_on is not None:
        side, hole = layer.trained_on
        scale = windows.Scale(size if None not in size else (side, side), min(hole, side // 2))
    prefill = layer.fill if layer.fill in PREFILLS else None
    return {"size": size, "divisor": layer.divisor, "scale": scale, "prefill": prefill}


def _checked(image: np.ndarray, mask: Any) -> tuple[np.ndarray, np.ndarray]:
    """The pictures, uint8 [N, H, W, 3], and their masks, bool [N, H, W]."""
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.ndim not in (3, 4) or image.shape[-1] != 3 or 0 in image.shape:
        raise InputError(
            "`image` must be uint8 RGB [H, W, 3] or [N, H, W, 3]. "
            f"Received {image.dtype} of shape {image.shape}."
        )
    images = image if image.ndim == 4 else image[None]
    masks = _masks_for(images, mask)
    missing = masks.mean(axis=(1, 2))
    for number, share in enumerate(missing):
        if share in (0, 1):
            which = f" {number} of the batch" if len(images) > 1 else ""
            what = (
                "no missing pixel (none is non-zero)" if share == 0 else "no known pixel (all are non-zero)"
            )
            raise InputError(f"`mask`{which} must have both missing and known pixels. Received {what}.")
    return images, masks


def _masks_for(images: np.ndarray, mask: Any) -> np.ndarray:
    mask = np.asarray(mask)
    masks = to_mask(mask)[..., 0] > 0
    if mask.dtype == np.uint8:
        check_two_levels(mask)
    masks = masks if masks.ndim == 3 else masks[None]
    if masks.shape[1:] != images.shape[1:3] or masks.shape[0] not in (1, len(images)):
        raise InputError(
            f"`mask` must have the height and width of `image`, {images.shape[1]} x {images.shape[2]}, and "
            f"be one or as many as the pictures, {len(images)}. Received shape {np.shape(mask)}."
        )
    return np.broadcast_to(masks, images.shape[:3])


def _plan(network: Network, mask: np.ndarray, direct: bool) -> windows.Plan:
    fixed = None not in network.size
    if direct or (network.scale is None and not fixed):
        plan = windows.whole(mask, network.divisor)
        network._check_size(plan.windows[0].shape)
        return plan
    # Of a network that fits one size and says no more, the size is known.
    scale = network.scale or windows.Scale(network.size, min(network.size) // 2)
    if fixed:
        return windows.around_holes(mask, scale, network.size)
    shape = [min(seen, side) for seen, side in zip(scale.size, mask.shape, strict=True)]
    rounded = tuple(-(-side // network.divisor) * network.divisor for side in shape)
    return windows.around_holes(mask, scale, rounded)


def _predictions(
    network: Network, images: np.ndarray, masks: np.ndarray, plans: list[windows.Plan]
) -> Iterator[tuple[int, windows.Window, np.ndarray]]:
    """The windows of all pictures in turn: the picture's index, the window, the prediction there."""
    jobs = ((index, window) for index, plan in enumerate(plans) for window in plan.windows)
    while chunk := list(itertools.islice(jobs, _AT_ONCE)):
        seen = [windows.cut(images[index], masks[index], window) for index, window in chunk]
        pictures, holes = (np.stack(each) for each in zip(*seen, strict=True))
        predicted = network.fill(pictures, holes)
        for (index, window), prediction in zip(chunk, predicted, strict=True):
            yield index, window, prediction
