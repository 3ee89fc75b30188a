"""Ten steps of each trainer in each phase, in whichever backend this process has; run by test_jax.

python ten_steps.py FOLDER    writes FOLDER/BACKEND-CASE.npz: losses, variables afterwards, traces, ...

The networks start from the checkpoint FOLDER/CASE, which is written where it is missing. Their ReLUs are
replaced by a smooth function: a ReLU that flips on the last bit of its input would make two correct
backends drift apart.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from PIL import Image

from inpainting_tf import backends
from inpainting_tf.data import pipeline
from inpainting_tf.inpainter import Inpainter
from inpainting_tf.networks import cifar_cars, context_encoder, dcgan, glcic
from inpainting_tf.ops import losses
from inpainting_tf.ops.masks import Mask
from inpainting_tf.runs import checkpoints
from inpainting_tf.training import Adversarial, Generative, Reconstruction, Variational, Weight, precision

SIZE, WIDTH, BATCH, STEPS = 32, 8, 4, 10
# The step that each begins at.
CASES = {
    "reconstruction": 0,
    "variational": 0,
    "generative": 0,
    "completion": 0,
    "discriminator": 10,
    "joint": 20,
    "float16": 20,
}


def smooth(network: keras.Model) -> keras.Model:
    def layer(original: keras.layers.Layer) -> keras.layers.Layer:
        if isinstance(original, (keras.layers.ReLU, keras.layers.LeakyReLU)):
            return keras.layers.Activation("silu", name=original.name)
        config = original.get_config()
        if config.get("activation") == "relu":
            config["activation"] = "silu"
        return type(original).from_config(config)

    copy = keras.models.clone_model(network, clone_function=layer)
    return network.with_graph(copy) if isinstance(network, Inpainter) else copy


def same_noise(shape: tuple[int, ...], *limits: float, **settings: object) -> object:
    """In place of `keras.random.normal` and `uniform`, whose numbers are each backend's own."""
    random = np.random.default_rng(0)
    noise = random.uniform(*limits, shape) if limits else random.standard_normal(shape)
    return keras.ops.convert_to_tensor(noise.astype("float32"))


def trainer(kind: str) -> Reconstruction:
    keras.utils.set_random_seed(0)
    if kind == "variational":
        keras.random.normal = same_noise
        network = smooth(cifar_cars.cvae(SIZE, width=WIDTH, latent=64))
        model = Variational(network, losses.mse, kl_weight=1e-3)
        model.compile(optimizer(1e-3))
        return model
    if kind == "generative":
        keras.random.uniform = same_noise
        settings = {"image_size": SIZE, "width": WIDTH}
        networks = dcgan.dcgan_generator(latent=16, **settings), dcgan.dcgan_discriminator(**settings)
        model = Generative(dcgan.completion(*map(smooth, networks)))
        model.compile(optimizer(2e-4, beta_1=0.5), optimizer(2e-4, beta_1=0.5))
        return model
    if kind == "reconstruction":
        model = Reconstruction(smooth(cifar_cars.autoencoder(SIZE, width=WIDTH)), losses.masked_mse)
        model.compile(optimizer(1e-3))
        return model
    completion, discriminator = map(smooth, networks_of(kind))
    boundaries = (CASES["discriminator"], CASES["joint"])
    # Far more than Iizuka et al.'s weight, so that both terms count.
    model = Adversarial(
        completion,
        discriminator,
        losses.masked_mse,
        losses.ADVERSARIAL["non_saturating"],
        [Weight(0.05, CASES["joint"], ramp=5)],
        boundaries,
    )
    model.compile(optimizer(1e-3), optimizer(2e-4, beta_1=0.5))
    return model


def networks_of(kind: str) -> tuple[keras.Model, keras.Model]:
    """A completion network and its discriminator, normalized; others to see that half precision trains."""
    if kind == "float16":
        judge = cifar_cars.cars_discriminator(
            SIZE, width=WIDTH, dropout=0.0
        )  # its noise is each backend's own
        return cifar_cars.autoencoder(SIZE, width=WIDTH), judge
    return context_encoder.ce_model1(SIZE, width=WIDTH), glcic.local_discriminator(SIZE, width=WIDTH)


def optimizer(rate: float, **settings: float) -> keras.Optimizer:
    adam = backends.Adam(rate, **settings)
    half = keras.mixed_precision.dtype_policy().compute_dtype == "float16"
    return keras.optimizers.LossScaleOptimizer(adam) if half else adam


def holes_of(case: str, folder: Path) -> Mask:
    """Drawn ones; for one of the cases from files, which the first process writes."""
    if case != "variational":
        return Mask()
    masks = folder / "masks"
    masks.mkdir(exist_ok=True)
    for number in range(3):
        missing = np.zeros((20, 30), np.uint8)
        missing[2 : 7 + number, 12 : 20 - number] = missing[10, 2:20] = 255
        Image.fromarray(missing).save(masks / f"{number}.png")
    return Mask("folder", folder=str(masks))


def batches(first: int, mask: Mask) -> list[dict]:
    images = np.random.default_rng(0).integers(0, 256, (16, SIZE, SIZE, 3), np.uint8)
    settings = {"batch_size": BATCH, "seed": 0, "flip": True, "start": first, "stop": first + STEPS}
    return list(pipeline.training_batches(images, mask, **settings))


@functools.cache
def compiled(kind: str) -> tuple[Reconstruction, Callable, list[None], list[np.ndarray]]:
    """A trainer, its compiled step, an entry for each time that it is traced, and its first variables."""
    with precision.policy("mixed_float16" if kind == "float16" else "float32"):
        model = trainer(kind)
    traces: list[None] = []
    original = model.train_step
    model.train_step = lambda batch: (traces.append(None), original(batch))[1]
    return model, backends.compiled_step(model), traces, values(model)


def values(model: Reconstruction) -> list[np.ndarray]:
    return [np.array(keras.ops.convert_to_numpy(each)) for each in variables(model)]


def variables(model: Reconstruction) -> list:
    return [*model.variables, *model.optimizer.variables]


def run(case: str, folder: Path) -> None:
    # One compiled step serves all phases of a training.
    kind = "adversarial" if case in ("completion", "discriminator", "joint") else case
    model, step, traces, first = compiled(kind)
    for variable, value in zip(variables(model), first, strict=True):
        variable.assign(value)
    model.steps.assign(CASES[case])
    if checkpoints.restore(folder / case, model) is None:
        checkpoints.save(folder / case, CASES[case], model, {})
    data = batches(CASES[case], holes_of(case, folder))
    logs = [{name: float(value) for name, value in step(batch).items()} for batch in data]
    found = {f"losses/{name}": [row[name] for row in logs] for name in logs[0]}
    named = checkpoints.named_variables(model)
    found |= {f"variables/{name}": keras.ops.convert_to_numpy(variable) for name, variable in named.items()}
    found |= {f"images/{index}": batch["image"] for index, batch in enumerate(data)}
    found |= {f"masks/{index}": batch["mask"] for index, batch in enumerate(data)}
    np.savez(folder / f"{backends.name}-{case}.npz", traces=len(traces), **found)


if __name__ == "__main__":
    for name in CASES:
        run(name, Path(sys.argv[1]))
