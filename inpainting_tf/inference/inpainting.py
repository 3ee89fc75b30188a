"""A completion network applied to people's pictures, of any size."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import numpy as np

from inpainting_tf.errors import InputError, unknown
from inpainting_tf.inference import detail as details
from inpainting_tf.inference import geometry, rims, windows
from inpainting_tf.inference.facts import Facts
from inpainting_tf.ops.images import check_two_levels, to_mask

BLENDS = ("poisson", "none")
_AT_ONCE = 16  # windows in a call of the network, and more of small ones:
_PIXELS_AT_ONCE = 2**16

Prediction = tuple[int, windows.Window, np.ndarray]  # the picture's index, the window, the prediction there


class Model(Protocol):
    """The interface that `inpaint` needs; `inference.Engine` has it."""

    @property
    def facts(self) -> Facts:
        """What must be known to use it."""

    def fill(self, images: np.ndarray, masks: np.ndarray) -> np.ndarray:
        """The raw predictions for a batch."""


def inpaint(
    model: Model,
    image: np.ndarray,
    mask: np.ndarray,
    *,
    blend: str = "poisson",
    detail: str = "auto",
    direct: bool = False,
    trust_rim: bool = False,
) -> np.ndarray:
    """Fills the holes of a picture of any size, or of a batch of pictures of one size.

    The network receives windows around the holes at the scale that it was trained on (see
    `inpainting_tf.inference.windows`), so that the cost depends on the holes and not on the picture's size.

    Args:
        model: a completion network on any engine, from `inpainting_tf.load` or `inpainting_tf.build`.
        image: uint8 RGB [H, W, 3] or [N, H, W, 3]; or uint16, of 16 bits. What is under the hole is ignored.
        mask: [H, W], [H, W, 1], [N, H, W] or [N, H, W, 1]. Of bool and integers any non-zero value is
            missing; floats are opacities in [0, 1], with which the fill is laid over the picture: what is
            under less than 0.1 counts as known. One mask for a batch is used for all its pictures.
        blend: "poisson" takes the prediction's gradients, with the known pixels around the hole as boundary
            values, so that no edge is visible; "none" takes the prediction unchanged, and the known pixels
            around the hole as they are, mixed or not.
        detail: of large holes, whose prediction is smooth. "exemplar" takes the picture's own patches that
            look like the prediction when they are blurred (see `inpainting_tf.inference.detail`); "auto" does
            so where there are such, and nowhere with `blend="none"` or for a network that was trained on
            aligned faces, which knows better than the picture's patches; "none" keeps the prediction.
        direct: pass the whole picture to the network at once, unscaled. For networks that take any size, on
            pictures like those of their training.
        trust_rim: do not look for known pixels beside a hole that are mixed with what it hides: the hole was
            grown over them. With `blend="none"` it is never done.

    Returns:
        Type and shape of `image`: known pixels bit-identical, the missing ones filled. Known pixels beside a
        hole that are mixed with what it hides (see `inpainting_tf.inference.rims`) stay, but the fill does
        not begin at them.

    Raises:
        InputError: a wrong type, shape or size, or a mask without missing or without known pixels; with the
            argument, the rule and what was received.

    Example:
        >>> import numpy as np
        >>> import inpainting_tf
        >>> model = inpainting_tf.load("photos")
        >>> image = np.full((300, 400, 3), (200, 120, 40), np.uint8)
        >>> mask = np.zeros((300, 400), np.uint8)
        >>> mask[100:130, 200:240] = 255  # missing
        >>> image[mask > 0] = 0
        >>> filled = inpainting_tf.inpaint(model, image, mask)
        >>> bool((filled == image)[mask == 0].all()), filled.dtype
        (True, dtype('uint8'))
    """
    if blend not in BLENDS:
        raise unknown("blend", blend, BLENDS)
    if detail not in details.DETAILS:
        raise unknown("detail", detail, details.DETAILS)
    if not isinstance(getattr(model, "facts", None), Facts):
        raise InputError(
            "`model` must be an inpainting_tf.Inpainter or another engine. Received "
            f"{type(model).__name__}: load it with inpainting_tf.load, or wrap it as "
            "Inpainter(model.input, model.output)."
        )
    if detail == "auto" and not adds_detail(model, blend):
        detail = "none"
    images, opacities = _checked(image, mask)
    wholes, partly, weights = _holes(images, opacities, trust_rim or blend == "none")
    del opacities  # of a large picture, as large as what is to come
    plans = [_plan(model.facts, whole, direct) for whole in wholes]
    filled = images.copy()
    predictions = _predictions(model, images, wholes, plans)
    for index, group in itertools.groupby(predictions, key=lambda item: item[0]):
        _paint(filled[index], plans[index], group, blend)
        details.add(filled[index], wholes[index], detail)
    mixture = images[partly] * (1.0 - weights) + filled[partly] * weights
    filled[partly] = np.rint(mixture).astype(filled.dtype)
    return filled if np.ndim(image) == 4 else filled[0]


def adds_detail(model: Model, blend: str) -> bool:
    """Whether `inpaint` with `detail="auto"` copies patches: not to a prediction alone, nor into faces."""
    return blend != "none" and not model.facts.aligned


def _paint(picture: np.ndarray, plan: windows.Plan, predictions: Iterable[Prediction], blend: str) -> None:
    """Fills a picture's holes in place."""
    canvas = windows.Canvas(plan)
    for _, window, prediction in predictions:
        canvas.add(window, prediction)
    canvas.paint(picture, blend == "poisson")


def _holes(images: np.ndarray, opacities: np.ndarray, trust_rim: bool) -> tuple[np.ndarray, ...]:
    """What is to be filled; where the picture shows through it, both bool [N, H, W]; the fill's share."""
    holes = opacities >= rims.FAINT
    wholes = holes
    if not trust_rim:
        # On a mixed rim neither network nor blending may rely.
        wholes = np.stack([rims.grown_over(*each)[0] for each in zip(holes, images, strict=True)])
    partly = wholes & (opacities < 1)
    return wholes, partly, np.where(holes[partly], opacities[partly], 0.0)[:, None]


def _checked(image: np.ndarray, mask: Any) -> tuple[np.ndarray, np.ndarray]:
    """The pictures [N, H, W, 3], and their masks as opacities, float32 [N, H, W]."""
    image = np.asarray(image)
    if (
        image.dtype not in (np.uint8, np.uint16)
        or image.ndim not in (3, 4)
        or image.shape[-1] != 3
        or 0 in image.shape
    ):
        raise InputError(
            "`image` must be uint8 RGB [H, W, 3] or [N, H, W, 3] (or uint16). "
            f"Received {image.dtype} of shape {image.shape}."
        )
    images = image if image.ndim == 4 else image[None]
    opacities = _opacities_for(images, mask)
    missing = (opacities >= rims.FAINT).mean(axis=(1, 2))
    for number, share in enumerate(missing):
        if share in (0, 1):
            which = f" {number} of the batch" if len(images) > 1 else ""
            what = (
                "no missing pixel (none is non-zero)" if share == 0 else "no known pixel (all are non-zero)"
            )
            raise InputError(f"`mask`{which} must have both missing and known pixels. Received {what}.")
    return images, opacities


def _opacities_for(images: np.ndarray, mask: Any) -> np.ndarray:
    mask = np.asarray(mask)
    masks = to_mask(mask)[..., 0]
    if mask.dtype == np.uint8:
        check_two_levels(mask)
    if mask.dtype.kind == "f":
        masks = np.clip(mask, 0.0, 1.0).astype(np.float32).reshape(masks.shape)
    masks = masks if masks.ndim == 3 else masks[None]
    if masks.shape[1:] != images.shape[1:3] or masks.shape[0] not in (1, len(images)):
        raise InputError(
            f"`mask` must have the height and width of `image`, {images.shape[1]} x {images.shape[2]}, and "
            f"be one or as many as the pictures, {len(images)}. Received shape {np.shape(mask)}."
        )
    return np.broadcast_to(masks, images.shape[:3])


def _plan(facts: Facts, mask: np.ndarray, direct: bool) -> windows.Plan:
    scale = facts.scale
    if direct or scale is None:
        plan = windows.whole(mask, facts.divisor)
        facts.check_size(plan.windows[0].shape)
        return plan
    if facts.fixed_size:
        return windows.around_holes(mask, scale, [facts.fixed_size])
    size = np.array(mask.shape)
    shape = geometry.input_shape(size, np.array(scale.size), facts.divisor, np)
    shapes = geometry.level_shapes(size, shape, facts.divisor, np)
    return windows.around_holes(mask, scale, [tuple(each.tolist()) for each in shapes])


def _predictions(
    model: Model, images: np.ndarray, masks: np.ndarray, plans: list[windows.Plan]
) -> Iterator[Prediction]:
    """Of the windows of all pictures in turn."""
    for chunk in _chunks(plans):
        inputs = [windows.cut(images[index], masks[index], window) for index, window in chunk]
        pictures, holes = (np.stack(each) for each in zip(*inputs, strict=True))
        predicted = model.fill(pictures, holes)
        for (index, window), prediction in zip(chunk, predicted, strict=True):
            yield index, window, prediction


def _chunks(plans: list[windows.Plan]) -> Iterator[list[tuple[int, windows.Window]]]:
    """Windows of one shape, each with its picture's index, as many as a call of the network takes."""
    jobs = ((index, window) for index, plan in enumerate(plans) for window in plan.windows)
    for (height, width), alike in itertools.groupby(jobs, key=lambda job: job[1].shape):
        at_once = max(_AT_ONCE, _PIXELS_AT_ONCE // (height * width))
        while chunk := list(itertools.islice(alike, at_once)):
            yield chunk
