"""DCGAN (Radford et al. 2015), and semantic inpainting by it (Yeh et al. 2017): unet_vs_cgan's figure 5.

The generator takes a code [N, latent] in [-1, 1] and returns a picture [N, H, W, 3] in [0, 1]. Its training
uses no holes. To fill one, `semantic_inpainting` searches the code whose picture agrees with the known pixels
and has a high score, and takes the hole from that picture; it is a completion network like all others,
{"image", "mask"} -> the whole predicted picture, that computes gradients in its forward pass. Layers keep
Keras's initial weights, whose standard deviation here is close to the 0.02 of the paper.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from inpainting_tf import backends
from inpainting_tf.errors import InputError
from inpainting_tf.inpainter import Inpainter, builder
from inpainting_tf.networks.blocks import (
    ACTIVATIONS,
    ImageSize,
    check_positive,
    conv,
    fixed_size,
    picture_inputs,
    tanh_picture,
    to_tanh_range,
)
from inpainting_tf.networks.layers import BatchNormalization, BlankHole, Conv2D
from inpainting_tf.ops.blending import poisson_blend

_register = keras.saving.register_keras_serializable("inpainting_tf")

SEARCH = "latent_search"  # the layer that holds both networks
STRIDE = 16  # of the generator, from its first layer to the picture
# Of the moving statistics, which the search uses. While the generator trains, its weights change too fast for
# Keras's 0.99: its pictures in inference would not be those that the discriminator is trained on.
MOMENTUM = 0.9
_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-8  # Adam's own


def dcgan_generator(
    image_size: ImageSize = 64, *, latent: int = 100, width: int = 64, name: str = "dcgan_generator"
) -> keras.Model:
    """DCGAN's generator (Radford et al. 2015, figure 1): a dense layer and four transposed convolutions.

    It takes a code [N, latent], each number between -1 and 1, and returns a picture [N, H, W, 3] in [0, 1].
    Kernels are 5x5 as in the figure, whose 4x4x1024 start is a width of 128.

    Args:
        image_size: side or (height, width) in pixels, divisible by 16.
        latent: length of the code.
        width: channels of the last layer but one; all others scale with it.
        name: the model's name.

    Raises:
        InputError: `image_size` None or not divisible by 16, `latent` or `width` not positive.
    """
    check_positive("width", width)
    check_positive("latent", latent)
    height, across = fixed_size(image_size, STRIDE, name)
    start = (height // STRIDE, across // STRIDE, 8 * width)  # 4x4 at 64 px
    code = keras.Input((latent,), name="code")
    x = keras.layers.Dense(int(np.prod(start)), use_bias=False, name="project")(code)
    x = keras.layers.Reshape(start, name="reshape")(x)
    x = _normalized(x, "project")
    for i, multiple in enumerate((4, 2, 1), start=1):  # H/8, H/4, H/2
        x = keras.layers.Conv2DTranspose(
            multiple * width, 5, 2, "same", use_bias=False, name=f"deconv{i}"
        )(x)  # fmt: skip
        x = _normalized(x, f"deconv{i}")
    x = keras.layers.Conv2DTranspose(3, 5, 2, "same", name="deconv4")(x)  # H, W
    return keras.Model(code, tanh_picture(x, "picture"), name=name)


def dcgan_discriminator(
    image_size: ImageSize = 64, *, width: int = 64, name: str = "dcgan_discriminator"
) -> keras.Model:
    """DCGAN's discriminator (Radford et al. 2015): four 5x5 stride-2 convolutions on the whole picture.

    Leaky ReLU of slope 0.2 throughout, batch normalization in all but the first. It takes {"image", "mask"}
    like every discriminator; the mask is unused. The picture, in [0, 1] outside, is scaled to [-1, 1] inside.
    The result is a logit [N, 1].

    Args:
        image_size: side or (height, width) in pixels.
        width: channels of the first convolution; each one doubles them.
        name: the model's name.

    Raises:
        InputError: `image_size` None, a size or `width` that is not positive.
    """
    check_positive("width", width)
    inputs = picture_inputs(fixed_size(image_size, 1, name))
    keras.layers.Identity(name="unused_mask")(inputs["mask"])  # see `glcic._discriminator`
    x = to_tanh_range(inputs["image"])
    x = Conv2D(width, 5, 2, "same", name="conv1")(x)  # H/2, W/2
    x = ACTIVATIONS["leaky_relu"](name="conv1_leaky_relu")(x)
    for i, multiple in enumerate((2, 4, 8), start=2):  # H/4, H/8, H/16
        x = conv(x, multiple * width, 5, strides=2, activation="leaky_relu", name=f"conv{i}")
    x = keras.layers.Flatten(name="flatten")(x)
    return keras.Model(inputs, keras.layers.Dense(1, dtype="float32", name="logit")(x), name=name)


@builder(any_size=False)
def semantic_inpainting(
    image_size: ImageSize = 64,
    *,
    width: int = 64,
    latent: int = 100,
    iterations: int = 300,
    learning_rate: float = 0.03,
    prior: float = 0.003,
    window: int = 7,
    blend: bool = True,
    name: str = "semantic_inpainting",
) -> Inpainter:
    """Semantic inpainting (Yeh et al. 2017): a DCGAN, the search for a code, Poisson blending.

    `Inpainter.search` holds both networks; `training.Generative` trains them. Runs on Keras's TensorFlow and
    JAX backends, where the search has gradients.

    Args:
        image_size: side or (height, width) in pixels, divisible by 16. The dense layers fit one size only.
        width: of both networks, see `dcgan_generator` and `dcgan_discriminator`.
        latent: length of the code.
        iterations, learning_rate, prior, window: of the search, see `LatentSearch`. The paper makes 1500
            iterations; at this rate more than 300 gained nothing, and 100 lost 0.2 dB inside the hole.
        blend: known pixels are the picture's, and the hole is blended into them (`blending.poisson_blend`).
            Without it the result is the generated picture unchanged.
        name: the model's name.

    Raises:
        InputError: `image_size` None or not divisible by 16, another argument out of its range.
    """
    return completion(
        dcgan_generator(image_size, latent=latent, width=width),
        dcgan_discriminator(image_size, width=width),
        blend=blend,
        name=name,
        iterations=iterations,
        learning_rate=learning_rate,
        prior=prior,
        window=window,
    )


def completion(
    generator: keras.Model,
    discriminator: keras.Model,
    *,
    blend: bool = True,
    name: str = "semantic_inpainting",
    **search: Any,
) -> Inpainter:
    """The completion network of `semantic_inpainting` on given networks; `search`: of `LatentSearch`."""
    inputs = picture_inputs(generator.output.shape[1:3], STRIDE)
    known = BlankHole("black", STRIDE, dtype="float32", name="blank_hole")([inputs["image"], inputs["mask"]])
    searched = LatentSearch(generator, discriminator, **search, dtype="float32", name=SEARCH)
    x = searched([known, inputs["mask"]])
    if blend:
        x = PoissonBlend(dtype="float32", name="blend")([known, x, inputs["mask"]])
    return Inpainter(inputs, x, divisor=STRIDE, hole_fill="black", search=SEARCH, name=name)


def shortened(model: Inpainter, iterations: int) -> Inpainter:
    """A `semantic_inpainting` on the same two networks, with at most so many iterations of the search."""
    search: Any = model.search
    settings = search.settings() | {"iterations": min(iterations, search.iterations)}
    blend = any(isinstance(layer, PoissonBlend) for layer in model.layers)
    return completion(search.generator, search.discriminator, blend=blend, name=model.name, **settings)


@_register
class LatentSearch(keras.layers.Layer):
    """Searches each picture's code by gradient descent and returns the generator's picture of it.

    Call with `[image, mask]`: image [N, H, W, 3] in [0, 1], of which only known pixels are used, mask
    [N, H, W, 1] with 1 = missing. Returns [N, H, W, 3] in [0, 1]: the generated picture, known pixels too.

    Minimises, for each picture by itself, the weighted context loss and the prior loss of Yeh et al. 2017
    (eqs. 3 to 5). The prior is log(1 - D(G(z))) as they print it, in its saturating form: a regulariser that
    never outweighs the known pixels. Every search begins at the same code, so a fill depends on the picture
    and the weights alone. Both networks are in inference mode.

    Args:
        generator: from a code [N, latent] to a picture in [0, 1]; trained on codes uniform in [-1, 1].
        discriminator: from {"image", "mask"} to one logit [N, 1].
        iterations: steps of Adam.
        learning_rate: of Adam; about the change of each number of the code in a first step.
        prior: lambda, the weight of the prior loss; that of the context loss, a sum over pixels, is 1.
        window: side of the neighbourhood whose share of missing pixels is a known pixel's weight.
        seed: of the code to begin at.

    Raises:
        InputError: a number that is not positive (`prior`: negative), an even `window`.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        iterations: int = 300,
        learning_rate: float = 0.03,
        prior: float = 0.003,
        window: int = 7,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        _check_search(iterations, learning_rate, prior, window)
        self.generator, self.discriminator = generator, discriminator
        self.iterations, self.learning_rate = iterations, learning_rate
        self.prior, self.window, self.seed = prior, window, seed
        # Keras compiles `predict` by XLA, whose convolutions on a CPU take four times as long.
        self.supports_jit = keras.backend.backend() != "tensorflow"

    def call(self, inputs: list[Any]) -> Any:
        return self.generator(self.search(*inputs), training=False)

    def search(self, image: Any, mask: Any) -> Any:
        """The codes found, float32 [N, latent] in [-1, 1]; arguments as for `call`."""

        def total(code: Any) -> Any:  # a sum: no picture's gradient depends on the rest of the batch
            return ops.sum(self.objective(code, image, mask))

        def step(index: Any, state: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
            code, mean, square = state
            gradient, count = backends.gradient(total, code), ops.cast(index + 1, "float32")
            mean = _BETA_1 * mean + (1.0 - _BETA_1) * gradient
            square = _BETA_2 * square + (1.0 - _BETA_2) * ops.square(gradient)
            unbiased = mean / (1.0 - _BETA_1**count), square / (1.0 - _BETA_2**count)
            code = code - self.learning_rate * unbiased[0] / (ops.sqrt(unbiased[1]) + _EPSILON)
            return ops.clip(code, -1.0, 1.0), mean, square  # the codes that the generator was trained on

        code = self.start(ops.shape(image)[0])
        return ops.fori_loop(0, self.iterations, step, (code, ops.zeros_like(code), ops.zeros_like(code)))[0]

    def start(self, count: Any) -> Any:
        """The initial code of every search, [count, latent]: the same on every backend."""
        latent = self.generator.input.shape[-1]
        code = np.random.default_rng(self.seed).uniform(-1.0, 1.0, latent).astype("float32")
        return ops.broadcast_to(ops.convert_to_tensor(code), (count, latent))

    def objective(self, code: Any, image: Any, mask: Any) -> Any:
        """The loss of each picture, [N]: sum |W (G(z) - image)| + prior log(1 - D(G(z)))."""
        generated = self.generator(code, training=False)
        difference = 2.0 * ops.abs(generated - image)  # the paper's pictures are in [-1, 1]
        context = ops.sum(context_weights(mask, self.window) * difference, axis=(1, 2, 3))
        logit = self.discriminator({"image": generated, "mask": mask}, training=False)
        return context - self.prior * ops.softplus(ops.cast(logit[:, 0], "float32"))

    def compute_output_shape(self, input_shape: list[tuple[int | None, ...]]) -> tuple[int | None, ...]:
        return tuple(input_shape[0])

    def settings(self) -> dict[str, Any]:
        """The arguments besides the networks."""
        names = ("iterations", "learning_rate", "prior", "window", "seed")
        return {name: getattr(self, name) for name in names}

    def get_config(self) -> dict[str, Any]:
        networks = {"generator": self.generator, "discriminator": self.discriminator}
        saved = {name: keras.saving.serialize_keras_object(model) for name, model in networks.items()}
        return {**super().get_config(), **saved, **self.settings()}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LatentSearch:
        names = ("generator", "discriminator")
        networks = {name: keras.saving.deserialize_keras_object(config[name]) for name in names}
        return cls(**{**config, **networks})


@_register
class PoissonBlend(keras.layers.Layer):
    """Call with `[image, prediction, mask]`: `inpainting_tf.ops.blending.poisson_blend` of them."""

    def call(self, inputs: list[Any]) -> Any:
        return poisson_blend(*inputs)

    def compute_output_shape(self, input_shape: list[tuple[int | None, ...]]) -> tuple[int | None, ...]:
        return tuple(input_shape[0])


def context_weights(mask: Any, window: int) -> Any:
    """The weights of the context loss (Yeh et al. 2017, eq. 3): W, float32 [N, H, W, 1].

    For a known pixel the share of missing pixels in the `window` x `window` square around it, as far as that
    lies in the picture; 0 for the missing pixels. `mask`: [N, H, W, 1], 1 = missing.
    """
    missing = ops.cast(mask > 0.5, "float32")
    return (1.0 - missing) * ops.average_pool(missing, window, 1, "same")


def _normalized(x: Any, name: str) -> Any:
    x = BatchNormalization(momentum=MOMENTUM, name=f"{name}_bn")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x)


def _check_search(iterations: int, learning_rate: float, prior: float, window: int) -> None:
    for name, value in (("iterations", iterations), ("learning_rate", learning_rate)):
        if not value > 0:
            raise InputError(f"`{name}` must be positive. Received {value!r}.")
    if not prior >= 0:
        raise InputError(f"`prior` must be 0 or more. Received {prior!r}.")
    if window < 3 or window % 2 == 0:
        raise InputError(f"`window` must be an odd number of pixels, 3 or more. Received {window!r}.")
