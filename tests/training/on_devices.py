"""Ten steps of each trainer and phase on several devices and on one; run by test_distribution.

python on_devices.py FOLDER DEVICES    writes FOLDER/BACKEND-CASE-DEVICES.npz: losses, variables afterwards

The networks' ReLUs are replaced by a smooth function, see `ten_steps`; their noise is their own.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
from ten_steps import optimizer, smooth

from inpainting_tf import backends
from inpainting_tf.data import pipeline
from inpainting_tf.networks import cifar_cars, dcgan
from inpainting_tf.ops import losses
from inpainting_tf.ops.masks import Mask
from inpainting_tf.runs import checkpoints
from inpainting_tf.training import Adversarial, Generative, Reconstruction, Variational, Weight, distribution

SIZE, BATCH, STEPS = 16, 8, 10
# The ten of the adversarial one are of all three phases.
CASES = ("reconstruction", "variational", "generative", "adversarial")


def trainer(case: str) -> Reconstruction:
    keras.utils.set_random_seed(0)
    if case == "reconstruction":
        model = Reconstruction(smooth(cifar_cars.autoencoder(SIZE, width=4)), losses.masked_mse)
        model.compile(optimizer(1e-3))
    elif case == "variational":
        model = Variational(smooth(cifar_cars.cvae(SIZE, width=2, latent=8)), losses.mse, kl_weight=1e-3)
        model.compile(optimizer(1e-3))
    elif case == "generative":
        settings = {"image_size": SIZE, "width": 2}
        networks = dcgan.dcgan_generator(latent=8, **settings), dcgan.dcgan_discriminator(**settings)
        model = Generative(dcgan.completion(*map(smooth, networks)))
        model.compile(optimizer(2e-4), optimizer(2e-4))
    else:
        judge = smooth(cifar_cars.cars_discriminator(SIZE, width=2, dropout=0.5))
        terms = losses.masked_mse, losses.ADVERSARIAL["non_saturating"], [Weight(0.05, 7)], (4, 7)
        model = Adversarial(smooth(cifar_cars.direct_conv(SIZE, width=4)), judge, *terms)
        model.compile(optimizer(1e-3), optimizer(2e-4))
    return model


class Losses(keras.callbacks.Callback):
    """Keeps the logs of each step."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[dict[str, float]] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.rows.append({name: float(value) for name, value in logs.items()})


def run(case: str, used: backends.Devices, file: Path) -> None:
    with used.scope():
        model = trainer(case)
    images = np.random.default_rng(0).integers(0, 256, (16, SIZE, SIZE, 3), np.uint8)
    share, kept = distribution.rows(used, BATCH), Losses()
    settings = {"batch_size": BATCH, "seed": 0, "flip": True, "start": 0, "stop": STEPS}
    with used.fitting():
        batches = used.spread(pipeline.training_batches(images, Mask(), **settings, share=share))
        model.fit(batches, steps_per_epoch=STEPS, verbose=0, shuffle=False, callbacks=[kept])
    found = {f"losses/{name}": [row[name] for row in kept.rows] for name in kept.rows[0]}
    named = checkpoints.named_variables(model)
    found |= {f"variables/{name}": keras.ops.convert_to_numpy(variable) for name, variable in named.items()}
    np.savez(file, **found)


if __name__ == "__main__":
    folder, count = sys.argv[1:]
    for used in (distribution.devices("mirrored", int(count)), distribution.devices("none")):
        for name in CASES:
            run(name, used, Path(folder) / f"{backends.name}-{name}-{used.replicas}.npz")
