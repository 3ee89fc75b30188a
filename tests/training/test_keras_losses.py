"""The losses as Keras objects: equal to their functions, with the mask as `sample_weight`."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from inpainting_tf import training
from inpainting_tf.errors import InputError
from inpainting_tf.ops import losses
from inpainting_tf.training import keras_losses

HEIGHT, WIDTH = 12, 20
CLASSES = {
    "mse": training.MSE,
    "l1": training.L1,
    "mse_dssim": training.MSEAndDSSIM,
    "l1_dssim": training.L1AndDSSIM,
    "masked_mse": training.MaskedMSE,
    "masked_log_mse": training.MaskedLogMSE,
    "known_mse": training.KnownMSE,
    "tanh_mse": training.TanhMSE,
    "tanh_masked_mse": training.TanhMaskedMSE,
    "tanh_blanked_mse": training.TanhBlankedMSE,
}
OF_A_HOLE = ("masked_mse", "masked_log_mse", "known_mse", "tanh_masked_mse", "tanh_blanked_mse")


def pictures() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Image, prediction and mask; the holes differ in size."""
    random = np.random.default_rng(0)
    image, prediction = random.random((2, 3, HEIGHT, WIDTH, 3), "float32")
    mask = np.zeros((3, HEIGHT, WIDTH, 1), "float32")
    for i in range(3):
        mask[i, 1 : 5 + i, 2 : 14 - 3 * i] = 1
    return image, prediction, mask


def again(loss: keras.losses.Loss) -> keras.losses.Loss:
    """What Keras makes of a saved loss."""
    return keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))


def test_every_reconstruction_loss_is_there():
    assert set(CLASSES) == set(losses.RECONSTRUCTION)


@pytest.mark.parametrize("name", CLASSES)
def test_each_is_its_function_before_and_after_saving(name):
    image, prediction, mask = pictures()
    expected = np.array(losses.RECONSTRUCTION[name](image, prediction, mask))
    for loss in (CLASSES[name](), again(CLASSES[name]())):
        found = loss(image, prediction, sample_weight=mask)
        assert found.shape == () and np.array(found) == expected
        assert loss.name == name and type(loss) is CLASSES[name]
        if name not in OF_A_HOLE:
            assert np.array(loss(image, prediction)) == expected
    assert again(CLASSES[name](name="mine")).name == "mine"


def test_the_hole_is_where_the_mask_is_one():
    image, _, mask = pictures()
    wrong_inside = np.where(mask > 0, image + 0.5, image)
    assert float(training.MaskedMSE()(image, wrong_inside, mask)) == pytest.approx(0.25)
    assert float(training.KnownMSE()(image, wrong_inside, mask)) == 0
    assert float(training.MaskedLogMSE()(image, wrong_inside, mask)) == pytest.approx(np.log(0.2501))


def test_the_boundary_weighs_more():
    image, prediction, mask = pictures()
    weights = losses.boundary_weights(mask, 3.0, 2)
    expected = np.array(losses.masked_mse(image, prediction, mask, weights))
    loss = training.BoundaryWeighted("masked_mse", strength=3.0, reach=2)
    for each in (loss, again(loss)):
        assert np.array(each(image, prediction, mask)) == expected
        assert (each.key, each.strength, each.reach) == ("masked_mse", 3.0, 2)
    assert expected != np.array(losses.masked_mse(image, prediction, mask))
    with pytest.raises(InputError, match="Did you mean 'masked_mse'"):
        training.BoundaryWeighted("maskd_mse", 1.0, 2)


@pytest.mark.parametrize("name", [*OF_A_HOLE, "boundary"])
def test_losses_of_a_hole_refuse_what_is_no_mask(name):
    loss = CLASSES[name]() if name in CLASSES else training.BoundaryWeighted("mse", 1.0, 2)
    image, prediction, mask = pictures()
    for wrong in (None, mask[..., 0], mask[:, 0, 0, 0], np.repeat(mask, 3, -1)):
        with pytest.raises(InputError, match=rf"`sample_weight` of {type(loss).__name__} must be the mask"):
            loss(image, prediction, wrong)


def test_half_precision_is_computed_in_float32():
    image, prediction, mask = pictures()
    half = keras.ops.cast(prediction, "bfloat16")
    found = training.MaskedMSE()(image, half, mask)
    assert keras.backend.standardize_dtype(found.dtype) == "float32"
    assert np.array(found) == np.array(losses.masked_mse(image, half, mask))


def test_all_are_registered_under_the_package():
    for kind in (*CLASSES.values(), keras_losses.BoundaryWeighted):
        assert keras.saving.get_registered_name(kind) == f"inpainting_tf>{kind.__name__}"
