"""What is joined in which order: a kernel's channels mean nothing else, so files of weights depend on it."""

from __future__ import annotations

import keras
import pytest

from inpainting_tf import networks

CE_MODEL3 = {
    "masked_picture": ["to_tanh_range", "mask"],
    **{f"skip{i}": [f"deconv{i}_leaky_relu", f"conv{5 - i}_relu"] for i in (1, 2, 3, 4)},
    "skip5": ["deconv5_leaky_relu", "masked_picture"],
}
BEST = {
    "filled_picture": ["blank_hole", "mask"],
    "residual1_sum": ["conv5_relu", "residual1_conv2_bn"],
    "residual2_sum": ["residual1_relu", "residual2_conv2_bn"],
    "skip1": ["residual2_relu", "conv5_relu"],
    "skip2": ["deconv1_relu", "conv3_relu"],
    "skip3": ["deconv2_relu", "conv1_relu"],
}
PHOTOS = {
    "filled_picture": ["blank_hole", "mask"],
    **{f"{part}1_sum": [before, f"{part}1_conv2"] for part, before in (
        ("half_down", "down1"), ("quarter_down", "down2"), ("eighth", "down3"),
        ("quarter_up", "up3_skip"), ("half_up", "up2_skip"),
    )},
    "eighth2_sum": ["eighth1_sum", "eighth2_conv2"],
    "half_up2_sum": ["half_up1_sum", "half_up2_conv2"],
    "up3_skip": ["up3", "quarter_down1_sum"],
    "up2_skip": ["up2", "half_down1_sum"],
}  # fmt: skip
JOINS = {
    "glcic": {"masked_picture": ["blank_hole", "mask"]},
    "one_autoencoder": {"masked_picture": ["blank_hole", "mask"]},
    "double_autoencoder": {
        "masked_picture": ["blank_hole", "mask"],
        "second_picture": ["first_completed", "mask"],
    },
    "direct_conv": {"located_picture": ["blank_hole", "location_map"]},
    "autoencoder": {"located_picture": ["blank_hole", "location_map"]},
    "patch_autoencoder": {"located_picture": ["blank_hole", "location_map"]},
    "cvae": {
        "located_picture": ["blank_hole", "location_map"],
        "located_code": ["latent", "flat_location_map"],
    },
    "gan_autoencoder": {"located_picture": ["to_tanh_range", "location_map"]},
    "gan_direct_conv": {"located_picture": ["to_tanh_range", "location_map"]},
    "context_encoder": {"masked_picture": ["to_tanh_range", "mask"]},
    "ce_model2": {"masked_picture": ["to_tanh_range", "mask"]},
    "ce_model3": CE_MODEL3,
    "unet": {f"up{i}_skip": [f"down{i}_conv2_relu", f"up{i}_deconv"] for i in (5, 4, 3, 2, 1)},
    "best": BEST,
    "photos": PHOTOS,
    "multiscale_context_encoder": {},
    "iizuka_discriminator": {"joint": ["local_features", "global_features"]},
    "joint_discriminator": {"joint": ["local_features", "global_features"]},
    "multiscale_discriminator": {"logits": ["local_logit", "global_logit"]},
}


@pytest.mark.parametrize("name", JOINS)
def test_what_is_joined_in_which_order(name):
    arguments = {"dilations": (1, 2)} if name in ("best", "photos") else {}
    network = networks.get(name)(image_size=(32, 64), width=2, **arguments)
    joins = (keras.layers.Concatenate, keras.layers.Add)
    found = {
        layer.name: [tensor._keras_history.operation.name for tensor in layer.input]
        for layer in network.layers
        if isinstance(layer, joins)
    }
    assert found == JOINS[name]
