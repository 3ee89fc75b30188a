"""`Inpainter`: a completion network as a Keras model, with its facts.

It takes {"image": [N, H, W, 3] in [0, 1], "mask": [N, H, W, 1], 1 = missing, 0 = known} and returns the whole
predicted picture [N, H, W, 3] in [0, 1], float32.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, ParamSpec, Protocol, cast

import keras
import numpy as np

from inpainting_tf import models
from inpainting_tf.errors import InputError
from inpainting_tf.inference import Engine, Facts

Arguments = ParamSpec("Arguments")


@dataclasses.dataclass(frozen=True)
class BuiltBy:
    """The function of `inpainting_tf.networks` that built a network, and its arguments; "" for another."""

    builder: str = ""
    arguments: dict[str, Any] = dataclasses.field(default_factory=dict)


@keras.saving.register_keras_serializable("inpainting_tf")
class Inpainter(Engine, keras.Model):
    """A completion network.

    Functional underneath: `summary`, `plot_model`, `save` and callbacks work as on any Keras model, and a
    `.keras` file stores the network with its facts. The functions of `inpainting_tf.networks` build untrained
    ones. `keras.models.clone_model` copies the layers of a model with a constructor of its own into a plain
    functional model: `with_graph` adds the facts to such a copy.

    It can be trained as a plain Keras model, too. A batch is the inputs alone, with the true picture under
    the hole, or `(inputs, image, mask)`: the target is the image, and the mask is the `sample_weight`, as the
    losses and metrics of `inpainting_tf.training` take it.

    Args:
        inputs: {"image": keras.Input, "mask": keras.Input}.
        outputs: the whole predicted picture, symbolic.
        divisor: of the height and width that the network takes.
        hole_fill: see `inference.Facts`; "" if unknown.
        trained_on, aligned: see `inference.Facts`; a training sets them.
        code: the names of the layers with mean, log variance and a sample of a latent code, for networks with
            several fills of a hole; see `draw`.
        search: the name of the layer that searches for a code, for networks that do.
        name: the model's name.

    Raises:
        InputError: other inputs than these two.

    Example:
        >>> import numpy as np
        >>> import inpainting_tf
        >>> model = inpainting_tf.build("glcic", image_size=None, width=4)
        >>> image = np.zeros((48, 60, 3), np.uint8)
        >>> mask = np.zeros((48, 60), bool)
        >>> mask[10:20, 30:45] = True  # missing
        >>> model.inpaint(image, mask).shape
        (48, 60, 3)
        >>> model.facts.divisor
        4
    """

    # The shipped models: name -> purpose.
    presets: ClassVar[Mapping[str, str]] = models.ABOUT

    def __init__(
        self,
        inputs: Mapping[str, Any],
        outputs: Any,
        *,
        divisor: int = 1,
        hole_fill: str = "",
        trained_on: tuple[int, int] | None = None,
        aligned: bool = False,
        code: Sequence[str] = (),
        search: str = "",
        name: str | None = None,
    ) -> None:
        if not isinstance(inputs, Mapping) or set(inputs) != {"image", "mask"}:
            raise InputError("`inputs` of a completion network must be 'image' and 'mask', by these names.")
        super().__init__(inputs=dict(inputs), outputs=outputs, name=name)
        size = tuple(inputs["image"].shape[1:3])
        self._facts = Facts(size, divisor, hole_fill, trained_on, aligned)
        self._code, self._search = tuple(code), search
        self.built_by = BuiltBy()

    @classmethod
    def from_preset(cls, preset: str | os.PathLike) -> Inpainter:
        """A trained network, in float32 and for any picture size that it takes.

        Args:
            preset: a key of `Inpainter.presets`, a run's folder, packed or not, or a `.keras` file. A run in
                a folder of such a name goes before the model.

        Raises:
            InputError: no such path, or not a model of this package.
        """
        from inpainting_tf.runs import loading  # imports networks, which import this class

        return loading.inpainter(preset)

    @property
    def facts(self) -> Facts:
        """What must be known to use it."""
        return self._facts

    def set_training(self, trained_on: tuple[int, int] | None, aligned: bool = False) -> None:
        """Says what it was trained on; see `inference.Facts`."""
        self._facts = dataclasses.replace(self._facts, trained_on=trained_on, aligned=aligned)

    @property
    def code(self) -> list[Any] | None:
        """The symbolic mean, log variance and sample of its latent code, [N, D] each; None without a code."""
        return [self.get_layer(name).output for name in self._code] or None

    @property
    def search(self) -> keras.Layer | None:
        """The layer that searches for a code, with generator and discriminator, or None."""
        return self.get_layer(self._search) if self._search else None

    def with_graph(self, graph: keras.Model) -> Inpainter:
        """The same facts on another graph of layers with the same inputs and names of layers."""
        model = Inpainter(graph.input, graph.output, name=self.name, **self._known())
        model.built_by = self.built_by
        return model

    def run(self, images: np.ndarray, masks: np.ndarray) -> np.ndarray:
        return np.asarray(self.predict_on_batch({"image": images, "mask": masks}), np.float32)

    def draw(self, images: np.ndarray, masks: np.ndarray, count: int, *, seed: int = 0) -> np.ndarray:
        """Several fills of the same holes, each decoded from another sample of the latent code.

        The noise is NumPy's, so the same seed draws the same fills on every backend.

        Args:
            images: float32 [N, H, W, 3] in [0, 1], of the network's size. What is under the holes is ignored.
            masks: float32 [N, H, W, 1], 1 = missing.
            count: number of fills for each picture.
            seed: of the noise.

        Returns:
            The whole predicted pictures, float32 [count, N, H, W, 3] in [0, 1].

        Raises:
            InputError: a network without a code, or `count` is not positive.
        """
        if self.code is None:
            raise InputError(
                f"`model` must have a latent code to draw from, as cvae has. Received {self.name!r}."
            )
        if count < 1:
            raise InputError(f"`count` must be positive. Received {count!r}.")
        mean, log_variance, code = self.code
        encoder = keras.Model(self.input, [mean, log_variance])
        decoder = keras.Model([code, self.input["mask"]], self.output)
        mean, log_variance = encoder.predict_on_batch({"image": images, "mask": masks})
        noise = np.random.default_rng(seed).standard_normal((count, *mean.shape), "float32")
        codes = mean + np.exp(log_variance / 2) * noise
        return np.stack([decoder.predict_on_batch([each, masks]) for each in codes])

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, **kwargs: Any
    ) -> Any:
        """The compiled loss; a missing target is the image of the inputs, the weight then their mask."""
        y, sample_weight = _target(x, y, sample_weight)
        return super().compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, **kwargs)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """The compiled metrics, with target and weight as in `compute_loss`."""
        y, sample_weight = _target(x, y, sample_weight)
        return super().compute_metrics(x, y, y_pred, sample_weight)

    def get_config(self) -> dict[str, Any]:
        """The graph of layers, and the other arguments of `__init__`."""
        graph = keras.Model(self.input, self.output, name=self.name)
        return {
            "graph": keras.saving.serialize_keras_object(graph),
            **self._known(),
            "built_by": dataclasses.asdict(self.built_by),
        }

    def _known(self) -> dict[str, Any]:
        """The arguments of `__init__` but for the graph and the name."""
        facts = {name: value for name, value in self._facts.to_json().items() if name != "size"}
        return {**facts, "code": self._code, "search": self._search}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Inpainter:
        settings = dict(config)
        graph = keras.saving.deserialize_keras_object(settings.pop("graph"), custom_objects)
        built_by = BuiltBy(**settings.pop("built_by"))
        trained_on = settings.pop("trained_on")
        settings["trained_on"] = trained_on and tuple(trained_on)
        model = cls(graph.input, graph.output, name=graph.name, **settings)
        model.built_by = built_by
        return model


class Builder(Protocol[Arguments]):
    """A function that builds a completion network; `any_size`: also for pictures of any size."""

    any_size: bool

    def __call__(self, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Inpainter: ...


def builder(*, any_size: bool = True) -> Callable[[Callable[Arguments, Inpainter]], Builder[Arguments]]:
    """Decorates a function that builds completion networks: they store it, and the arguments of its call.

    Args:
        any_size: whether its `image_size` may be None, for a network that takes pictures of any size.
    """

    def decorated(function: Callable[Arguments, Inpainter]) -> Builder[Arguments]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def build(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Inpainter:
            model = function(*args, **kwargs)
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            model.built_by = BuiltBy(function.__name__, dict(bound.arguments))
            return model

        marked = cast(Builder[Arguments], build)
        marked.any_size = any_size
        return marked

    return decorated


def _target(x: Any, y: Any, sample_weight: Any) -> tuple[Any, Any]:
    """Target and weight of a loss: those of the batch, or the image and mask of its inputs."""
    return (x["image"], x["mask"]) if y is None else (y, sample_weight)
