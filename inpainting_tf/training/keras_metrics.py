"""PSNR and SSIM as `keras.metrics.Metric`, for `compile(metrics=..., weighted_metrics=...)` of a Keras model.

Means over all pictures since the last reset, whatever the sizes of the batches, of the functions of
`inpainting_tf.ops.metrics`. Pictures are [N, H, W, C] in [0, 1]; `y_pred` is measured raw, known pixels too.
`sample_weight` is the mask, float [N, H, W, 1] with 1 = missing, as for the losses of `keras_losses`.
"""

from __future__ import annotations

from typing import Any

import keras

from inpainting_tf.errors import InputError
from inpainting_tf.ops import metrics

_register = keras.saving.register_keras_serializable("inpainting_tf")


@_register
class PSNR(keras.metrics.Mean):
    """Peak signal-to-noise ratio of the whole picture in dB; see `ops.metrics.psnr`."""

    def __init__(self, name: str = "psnr", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Adds a batch. A mask is accepted, as `weighted_metrics` passes one, and unused."""
        super().update_state(metrics.psnr(y_true, y_pred))


@_register
class SSIM(keras.metrics.Mean):
    """Structural similarity of the whole picture, at least 11x11 pixels; see `ops.metrics.ssim`."""

    def __init__(self, name: str = "ssim", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Adds a batch. A mask is accepted, as `weighted_metrics` passes one, and unused."""
        super().update_state(metrics.ssim(y_true, y_pred))


@_register
class HolePSNR(keras.metrics.Mean):
    """PSNR over the missing pixels in dB; see `ops.metrics.hole_psnr`. For `weighted_metrics`.

    Raises:
        InputError: (when updated) no mask, or one that does not fit the pictures.
    """

    def __init__(self, name: str = "hole_psnr", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Adds a batch; `sample_weight` is the mask."""
        if sample_weight is None:
            raise InputError(
                "`sample_weight` of HolePSNR must be the mask, [N, H, W, 1] with 1 = missing. Received none: "
                "put it in `weighted_metrics`, and use batches of (x, image, mask)."
            )
        super().update_state(metrics.hole_psnr(y_true, y_pred, sample_weight))
