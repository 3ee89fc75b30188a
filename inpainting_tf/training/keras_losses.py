"""The reconstruction losses as `keras.losses.Loss`, for `compile(loss=...)` of any Keras model.

In Keras the mask is `sample_weight`: float [N, H, W, 1] with 1 = missing. A data set yields
`({"image": image, "mask": mask}, image, mask)`:

    model.compile("adam", loss=MaskedMSE(), metrics=[PSNR()], weighted_metrics=[HolePSNR()])
    model.fit(dataset)

Each class is one function of `inpainting_tf.ops.losses`, where it is defined. Pictures are [N, H, W, C] in
[0, 1]; the result is a float32 scalar, the mean over the pictures of a batch.
"""

from __future__ import annotations

from typing import Any, ClassVar

import keras
from keras import ops

from inpainting_tf.errors import InputError, unknown
from inpainting_tf.ops import losses

_register = keras.saving.register_keras_serializable("inpainting_tf")


class ReconstructionLoss(keras.losses.Loss):
    """Base class of these losses: passes the mask to the function.

    Called as `loss(image, prediction, mask)` they also serve as the `reconstruction` of a trainer.

    Args:
        name: None for that of the function.

    Attributes:
        key: of the function in `inpainting_tf.ops.losses.RECONSTRUCTION`.
        needs_mask: whether it is defined by the hole. The others ignore the mask.

    Raises:
        InputError: (when called) no mask where one is needed, or one of another shape than [N, H, W, 1].
    """

    key: str
    needs_mask: ClassVar[bool] = False

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name=name or self.key)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        if self.needs_mask:
            _check_mask(sample_weight, type(self).__name__)
        # With the target, and not as weights: Keras would multiply the loss of each pixel by them.
        target = {"image": y_true, "mask": sample_weight} if self.needs_mask else {"image": y_true}
        return super().__call__(target, y_pred)

    def call(self, y_true: dict[str, Any], y_pred: Any) -> Any:
        """The loss as [1]: of a vector Keras takes the mean, and its share of a distributed batch."""
        return ops.reshape(self.value(y_true["image"], y_pred, y_true.get("mask")), (1,))

    def value(self, target: Any, prediction: Any, mask: Any) -> Any:
        """The loss as a scalar; `mask` is None where none is needed."""
        return losses.RECONSTRUCTION[self.key](target, prediction, mask)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name}


@_register
class MSE(ReconstructionLoss):
    """`ops.losses.mse`: mean squared error over the whole picture."""

    key = "mse"


@_register
class L1(ReconstructionLoss):
    """`ops.losses.l1`: mean absolute error over the whole picture."""

    key = "l1"


@_register
class MSEAndDSSIM(ReconstructionLoss):
    """`ops.losses.mse_dssim`: (MSE + DSSIM) / 2 over the whole picture."""

    key = "mse_dssim"


@_register
class L1AndDSSIM(ReconstructionLoss):
    """`ops.losses.l1_dssim`: (L1 + DSSIM) / 2 over the whole picture."""

    key = "l1_dssim"


@_register
class MaskedMSE(ReconstructionLoss):
    """`ops.losses.masked_mse`: mean squared error inside the hole, picture by picture.

    Example:
        >>> import numpy as np
        >>> from inpainting_tf.training import MaskedMSE
        >>> image, prediction = np.zeros((2, 8, 12, 3)), np.full((2, 8, 12, 3), 0.5)
        >>> mask = np.zeros((2, 8, 12, 1))
        >>> mask[:, 2:4, 3:9] = 1  # missing
        >>> float(MaskedMSE()(image, prediction, sample_weight=mask))
        0.25
    """

    key = "masked_mse"
    needs_mask = True


@_register
class MaskedLogMSE(ReconstructionLoss):
    """`ops.losses.masked_log_mse`: logarithm of each picture's mean squared error inside the hole."""

    key = "masked_log_mse"
    needs_mask = True


@_register
class KnownMSE(ReconstructionLoss):
    """`ops.losses.known_mse`: mean squared error outside the hole, picture by picture."""

    key = "known_mse"
    needs_mask = True


@_register
class TanhMSE(ReconstructionLoss):
    """`ops.losses.tanh_mse`: mean squared error over the whole picture, of pictures in [-1, 1]."""

    key = "tanh_mse"


@_register
class TanhMaskedMSE(ReconstructionLoss):
    """`ops.losses.tanh_masked_mse`: mean squared error inside the hole, of pictures in [-1, 1]."""

    key = "tanh_masked_mse"
    needs_mask = True


@_register
class TanhBlankedMSE(ReconstructionLoss):
    """`ops.losses.tanh_blanked_mse`: over all pixels, those of the hole blanked, of pictures in [-1, 1]."""

    key = "tanh_blanked_mse"
    needs_mask = True


@_register
class BoundaryWeighted(ReconstructionLoss):
    """One of the losses with `ops.losses.boundary_weights`: largest at the hole's edge.

    Args:
        loss: its name in `inpainting_tf.ops.losses.RECONSTRUCTION`.
        strength: the weight of a pixel that touches the edge, minus 1.
        reach: distance from the edge in pixels at which the weight has fallen to 1.
        name: None for that of the loss.

    Raises:
        InputError: unknown `loss`; see also `ReconstructionLoss`.
    """

    needs_mask = True

    def __init__(self, loss: str, strength: float, reach: int, name: str | None = None) -> None:
        if loss not in losses.RECONSTRUCTION:
            raise unknown("loss", loss, losses.RECONSTRUCTION)
        self.key, self.strength, self.reach = loss, strength, reach
        super().__init__(name)

    def value(self, target: Any, prediction: Any, mask: Any) -> Any:
        weights = losses.boundary_weights(mask, self.strength, self.reach)
        return losses.RECONSTRUCTION[self.key](target, prediction, mask, weights)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "loss": self.key, "strength": self.strength, "reach": self.reach}


def _check_mask(mask: Any, loss: str) -> None:
    shape = None if mask is None else tuple(mask.shape)
    if shape is None or len(shape) != 4 or shape[-1] != 1:
        raise InputError(
            f"`sample_weight` of {loss} must be the mask, [N, H, W, 1] with 1 = missing. "
            f"Received {'none' if shape is None else shape}: use batches of (x, image, mask)."
        )
