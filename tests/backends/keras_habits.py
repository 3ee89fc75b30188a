"""What a Keras user expects of the trainers, losses and metrics, in whichever backend this process has.

python keras_habits.py FOLDER    raises AssertionError where it is not so; FOLDER is for what is saved

`test_keras_habits` calls the same functions on TensorFlow. Everything expected is computed in NumPy from the
networks' outputs in inference mode.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import keras
import numpy as np

from inpainting_tf import backends
from inpainting_tf.networks import cifar_cars, dcgan
from inpainting_tf.ops import losses, metrics
from inpainting_tf.training import (
    PSNR,
    SSIM,
    Adversarial,
    BoundaryWeighted,
    Generative,
    HolePSNR,
    MaskedMSE,
    Reconstruction,
    Variational,
    Weight,
    precision,
)
from inpainting_tf.training.generative import TEST_SEED

HEIGHT, WIDTH = SIZE = (16, 32)
COUNT, BATCH = 6, 4  # the last batch is smaller
KINDS = ("reconstruction", "variational", "adversarial", "generative")
SAVED_KINDS = (*KINDS, "float16")  # which must keep its policy and both loss scales
ALPHA = 0.3


def pictures(seed: int = 0) -> dict[str, np.ndarray]:
    """Pictures with holes of different sizes and places, none of them symmetrical."""
    random = np.random.default_rng(seed)
    mask, real_mask = np.zeros((2, COUNT, *SIZE, 1), "float32")
    for i in range(COUNT):
        mask[i, 1 + i : 8 + i, 3 : 9 + 3 * i] = 1
        real_mask[i, 2:9, 20 - i : 28] = 1
    image = random.random((COUNT, *SIZE, 3), "float32")
    return {"image": image, "mask": mask, "real_mask": real_mask}


def trainer(kind: str) -> Reconstruction:
    keras.utils.set_random_seed(0)
    if kind == "float16":
        with precision.policy("mixed_float16"):
            return trainer("adversarial")
    if kind == "generative":
        model = Generative(dcgan.semantic_inpainting(SIZE, width=4, latent=8, iterations=3), seed=3)
    elif kind == "variational":
        model = Variational(cifar_cars.cvae(SIZE, width=4, latent=8), losses.mse, kl_weight=0.1)
    elif kind == "adversarial":
        judge = cifar_cars.cars_discriminator(SIZE, width=4)  # with dropout
        weights, term = [Weight(ALPHA, begin=1, ramp=0)], BoundaryWeighted("masked_mse", 2.0, 3)
        game = losses.ADVERSARIAL["non_saturating"]
        network = cifar_cars.autoencoder(SIZE, width=4)
        model = Adversarial(network, judge, term, game, weights, (0, 0), convex=True)
    else:
        model = Reconstruction(cifar_cars.autoencoder(SIZE, width=4), losses.masked_mse)
    # Keras's own in one of them alone: the package's is traced in a fraction of the time.
    adam = keras.optimizers.Adam if kind == "reconstruction" else backends.Adam
    one, other = optimizer(adam(1e-3)), optimizer(adam(2e-4, beta_1=0.5))
    model.compile(one, other) if kind in ("adversarial", "generative") else model.compile(one)
    return model


def optimizer(adam: keras.Optimizer) -> keras.Optimizer:
    half = keras.mixed_precision.dtype_policy().compute_dtype == "float16"
    return keras.optimizers.LossScaleOptimizer(adam, initial_scale=8.0) if half else adam


def array(x: object) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(x))


def state(model: Reconstruction) -> dict[int, bytes]:
    """All that a training moves."""
    return dict(enumerate(array(each).tobytes() for each in (*model.variables, *model.optimizer.variables)))


# Evaluation


def expected(model: Reconstruction, kind: str, data: dict[str, np.ndarray]) -> dict[str, float]:
    """The losses over all pictures at once, in NumPy."""
    image, mask = data["image"], data["mask"]
    if kind == "generative":
        fake = np.concatenate([array(model.generator(codes(model, n))) for n in (BATCH, COUNT - BATCH)])
        return judged(model, image, mask, fake, mask)
    prediction = array(model.completion({"image": image, "mask": mask}))
    squared = (image - prediction) ** 2
    if kind == "reconstruction":
        return both(np.mean((squared * mask).sum((1, 2, 3)) / (3 * mask.sum((1, 2, 3)))))
    if kind == "variational":
        _, mean, log_variance = (array(each) for each in model.with_latent({"image": image, "mask": mask}))
        kl = np.mean(0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance).sum(1))
        return {"reconstruction": squared.mean(), "kl": kl, "loss": squared.mean() + 0.1 * kl}
    weights = mask * array(losses.boundary_weights(mask, 2.0, 3))
    term = np.mean((squared * weights).sum((1, 2, 3)) / (3 * weights.sum((1, 2, 3))))
    found = judged(model, image, data["real_mask"], np.where(mask > 0, prediction, image), mask)
    return found | {"reconstruction": term, "loss": (1 - ALPHA) * term + ALPHA * found["adversarial"]}


def codes(model: Generative, count: int) -> np.ndarray:
    return keras.random.uniform((count, 8), -1.0, 1.0, seed=TEST_SEED)


def both(value: float) -> dict[str, float]:
    return {"loss": value, "reconstruction": value}


def judged(model: Reconstruction, real, real_mask, fake, fake_mask) -> dict[str, float]:
    ones, zeros = (
        1 / (1 + np.exp(-array(model.discriminator({"image": image, "mask": mask}))))
        for image, mask in ((real, real_mask), (fake, fake_mask))
    )
    term = -np.log(zeros).mean()
    scores = {"real_score": ones.mean(), "fake_score": zeros.mean()}
    return {
        "loss": term,
        "adversarial": term,
        "discriminator": -np.log(ones).mean() - np.log(1 - zeros).mean(),
        **scores,
    }


def evaluation_reports_the_means_over_all_pictures(kind: str) -> None:
    model, training, test = trainer(kind), pictures(0), pictures(1)
    settings = {"batch_size": BATCH, "epochs": 2, "verbose": 0, "shuffle": False}
    history = model.fit(training, validation_data=test, **settings).history
    right = expected(model, kind, test)
    assert set(right) == set(model.means)
    for name, value in right.items():
        np.testing.assert_allclose(history[f"val_{name}"][-1], value, rtol=2e-4, err_msg=f"{kind} {name}")
    before = state(model)
    found = model.evaluate(test, batch_size=BATCH, verbose=0, return_dict=True)
    assert found == {name: history[f"val_{name}"][-1] for name in right}
    assert state(model) == before, "an evaluation updates nothing"
    # And the training neither sees the validation nor what it drew.
    alone = trainer(kind)
    assert alone.fit(training, **settings).history == {k: v for k, v in history.items() if k in right}
    assert state(alone) == before and history["loss"][-1] != 0
    unmarked = {name: test[name] for name in ("image", "mask")}  # as users' own batches are
    assert set(model.test_on_batch(unmarked, return_dict=True)) == set(right)


# Saving


def a_saved_trainer_goes_on_as_the_original(kind: str, folder: Path) -> None:
    model, file = trainer(kind), folder / f"{kind}.keras"
    model.fit(pictures(0), batch_size=BATCH, verbose=0, shuffle=False)
    model.save(file)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # Keras warns where it cannot restore an optimizer
        loaded = keras.models.load_model(file)
    assert type(loaded) is type(model) and int(loaded.steps) == 2
    assert state(loaded) == state(model)
    assert int(loaded.optimizer.iterations) == 2 and loaded.dtype_policy == model.dtype_policy
    logs = [each.train_on_batch(pictures(2), return_dict=True) for each in (model, loaded)]
    assert logs[0] == logs[1] and state(loaded) == state(model)
    tests = [each.evaluate(pictures(1), verbose=0, return_dict=True) for each in (model, loaded)]
    assert tests[0] == tests[1]
    assert int(keras.models.load_model(file, compile=False).steps) == 2


# Losses and metrics in any Keras model


class Batches(keras.utils.PyDataset):
    """(x, y, sample_weight), as Keras takes them."""

    def __init__(self) -> None:
        super().__init__()
        self.data = pictures(1)

    def __len__(self) -> int:
        return -(-COUNT // BATCH)

    def __getitem__(self, index: int) -> tuple:
        chosen = slice(index * BATCH, (index + 1) * BATCH)
        image, mask = (self.data[name][chosen] for name in ("image", "mask"))
        return {"image": image, "mask": mask}, image, mask


def plain_keras_takes_losses_and_metrics(folder: Path) -> None:
    keras.utils.set_random_seed(0)
    model, data = cifar_cars.autoencoder(SIZE, width=4), pictures(1)
    metrics_given = {"metrics": [PSNR(), SSIM()], "weighted_metrics": [HolePSNR(), PSNR(name="again")]}
    model.compile("adam", loss=MaskedMSE(), **metrics_given)
    history = model.fit(Batches(), validation_data=Batches(), epochs=2, verbose=0).history
    image, mask = data["image"], data["mask"]
    prediction = array(model({"image": image, "mask": mask}))
    right = {
        "loss": losses.masked_mse(image, prediction, mask),
        "psnr": np.mean(array(metrics.psnr(image, prediction))),
        "again": np.mean(array(metrics.psnr(image, prediction))),
        "ssim": np.mean(array(metrics.ssim(image, prediction))),
        "hole_psnr": np.mean(array(metrics.hole_psnr(image, prediction, mask))),
    }
    for name, value in right.items():
        np.testing.assert_allclose(history[f"val_{name}"][-1], float(value), rtol=1e-4, err_msg=name)
    model.save(folder / "plain.keras")
    loaded = keras.models.load_model(folder / "plain.keras")
    found = loaded.evaluate(Batches(), verbose=0, return_dict=True)
    for name in right:
        np.testing.assert_allclose(found[name], history[f"val_{name}"][-1], rtol=1e-5, err_msg=name)


if __name__ == "__main__":
    place = Path(sys.argv[1])
    # To compile takes JAX long on a CPU: one network alone, and the most that a step has.
    for each in ("reconstruction", "adversarial"):
        evaluation_reports_the_means_over_all_pictures(each)
    a_saved_trainer_goes_on_as_the_original("adversarial", place)
    plain_keras_takes_losses_and_metrics(place)
