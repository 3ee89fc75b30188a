"""The metrics as Keras objects: means over pictures, not batches, with the mask as `sample_weight`."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest

from inpainting_tf.errors import InputError
from inpainting_tf.ops import metrics
from inpainting_tf.training import PSNR, SSIM, HolePSNR

CLASSES = {"psnr": PSNR, "ssim": SSIM, "hole_psnr": HolePSNR}
CUTS = [slice(0, 3), slice(3, 5), slice(5, 6)]  # batches of three, two and one


def pictures() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Image, prediction and mask; each picture is worse than the one before."""
    random = np.random.default_rng(0)
    image = random.random((6, 12, 20, 3), "float32")
    noise = random.normal(size=image.shape) * np.linspace(0.02, 0.5, 6)[:, None, None, None]
    mask = np.zeros((6, 12, 20, 1), "float32")
    for i in range(6):
        mask[i, 1 : 5 + i, 2 : 14 - i] = 1
    return image, (image + noise).astype("float32"), mask


def function(name: str, mask: np.ndarray) -> Callable:
    of_all = {"psnr": metrics.psnr, "ssim": metrics.ssim}
    return of_all.get(name, lambda a, b: metrics.hole_psnr(a, b, mask))


def again(metric: keras.metrics.Metric) -> keras.metrics.Metric:
    """What Keras makes of a saved metric."""
    return keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))


@pytest.mark.parametrize("name", CLASSES)
def test_the_mean_is_over_pictures_and_not_batches(name):
    image, prediction, mask = pictures()
    each = np.array(function(name, mask)(image, prediction))
    for metric in (CLASSES[name](), again(CLASSES[name]())):
        for cut in CUTS:
            metric.update_state(image[cut], prediction[cut], sample_weight=mask[cut])
        assert float(metric.result()) == pytest.approx(each.mean(), rel=1e-5)
        assert abs(each.mean() - np.mean([each[cut].mean() for cut in CUTS])) > 1e-3
        metric.reset_state()
        metric.update_state(image[:1], prediction[:1], mask[:1])
        assert float(metric.result()) == pytest.approx(each[0], rel=1e-5)
    assert again(CLASSES[name](name="mine")).name == "mine" and CLASSES[name]().name == name


def test_the_hole_is_where_the_mask_is_one():
    image, _, mask = pictures()
    metric = HolePSNR()
    metric.update_state(image, np.where(mask > 0, image, image + 0.5), mask)
    assert float(metric.result()) == metrics.MAX_PSNR
    metric.reset_state()
    metric.update_state(image, np.where(mask > 0, image + 0.1, image), mask)
    assert float(metric.result()) == pytest.approx(20.0, abs=1e-3)


@pytest.mark.parametrize("name", ["psnr", "ssim"])
def test_metrics_of_the_picture_do_without_a_mask(name):
    image, prediction, mask = pictures()
    found = []
    for given in ((), (mask,)):
        metric = CLASSES[name]()
        metric.update_state(image, prediction, *given)
        found.append(float(metric.result()))
    assert found[0] == found[1]


def test_the_metric_of_a_hole_refuses_what_is_no_mask():
    image, prediction, mask = pictures()
    with pytest.raises(InputError, match=r"`sample_weight` of HolePSNR must be the mask.*weighted_metrics"):
        HolePSNR().update_state(image, prediction)
    with pytest.raises(InputError, match="`mask` must have shape"):
        HolePSNR().update_state(image, prediction, mask[..., 0])


def test_all_are_registered_under_the_package():
    for kind in CLASSES.values():
        assert keras.saving.get_registered_name(kind) == f"inpainting_tf>{kind.__name__}"
