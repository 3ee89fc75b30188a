"""Holes for pictures of one size, drawn or from files: `of`; and for any `tf.data` pipeline: `add_holes`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from inpainting_tf.data import crops, mask_files
from inpainting_tf.errors import InputError, unknown
from inpainting_tf.ops import masks
from inpainting_tf.ops.images import to_float
from inpainting_tf.ops.masks import Mask

if TYPE_CHECKING:
    import tensorflow as tf

# Bicubic resizing may put float pictures slightly outside [0, 1]; those of 0..255 and of [-1, 1] are further
# outside.
_MARGIN = 0.5


class Holes(Protocol):
    """The holes of a `Mask` for pictures of one size."""

    @property
    def numbers(self) -> int:
        """How many uniform numbers a hole is drawn from."""

    def sample(self, uniforms: np.ndarray) -> np.ndarray:
        """What `finish` needs, from float32 [N, numbers] in [0, 1); in NumPy."""

    def finish(self, sample: Any) -> Any:
        """Masks [N, H, W, 1], non-zero = missing, by operators alone, NumPy's or TensorFlow's."""

    def fixed(self, indices: Any, names: Sequence[str] | None = None, seed: int = 0) -> np.ndarray:
        """Evaluation masks, float32 [N, H, W, 1], of pictures with these indices and names."""


@dataclasses.dataclass(frozen=True)
class Drawn:
    """Holes that `ops.masks` draws."""

    mask: Mask
    size: tuple[int, int]

    @property
    def numbers(self) -> int:
        return masks.numbers(self.mask)

    def sample(self, uniforms: np.ndarray) -> np.ndarray:
        return masks.draw(self.mask, uniforms, self.size) if masks.on_host(self.mask) else uniforms

    def finish(self, sample: Any) -> Any:
        return sample if masks.on_host(self.mask) else masks.draw(self.mask, sample, self.size)

    def fixed(self, indices: Any, names: Sequence[str] | None = None, seed: int = 0) -> np.ndarray:
        return masks.fixed(self.mask, indices, self.size, seed)


def of(mask: Mask, size: Sequence[int], crop: str = "centre") -> Holes:
    """The holes of `mask` for pictures of (height, width), cropped as `data.crops` has it.

    Raises:
        InputError: a `Mask` that cannot be drawn, or a folder without masks.
    """
    masks.check(mask)
    height, width = size
    if mask.folder is None:
        return Drawn(mask, (height, width))
    return mask_files.load(mask.folder, (height, width), invert=mask.invert, part=crops.fixed(crop))


def named(text: str) -> Mask:
    """The holes that a person names: a kind in its default sizes, or a folder of mask files.

    Raises:
        InputError: neither.
    """
    if text in masks.SAMPLERS:
        return Mask(text)
    folder = Path(text).expanduser()
    if not folder.is_dir():
        raise unknown("mask", text, masks.SAMPLERS, also="a folder of mask files")
    return Mask(masks.FOLDER, folder=str(folder.absolute()))


def add_holes(dataset: tf.data.Dataset, mask: Mask | str = "rectangle", seed: int = 0) -> tf.data.Dataset:
    """Pictures of any `tf.data` pipeline, each with a hole.

    The hole of a picture is a function of `seed` and of the picture's position in the stream, batched or not.
    So every pass over the dataset draws the same holes, and those of a test set are the ones of `eval.py`
    with the same seed, unless they are from files. For other holes in each epoch of a training, reproducible
    from run to run, repeat the pictures first: ``add_holes(pictures.repeat(), ...)`` with
    ``steps_per_epoch``.

    Args:
        dataset: pictures alone, [H, W, 3] or in batches [N, H, W, 3], of one known size: uint8 in 0..255, or
            float in [0, 1].
        mask: the holes: a `Mask`, the name of a kind in its default sizes, e.g. "rectangle", or a folder of
            mask files, of which each hole is one at random, mirrored and turned.
        seed: of the holes, at least 0.

    Returns:
        A dataset of {"image": float32 [N, H, W, 3] in [0, 1], "mask": float32 [N, H, W, 1], 1 = missing},
        without N if the pictures are not batched. The image still has the pixels under the hole: a network of
        this package blanks it itself. Length and order are those of `dataset`.

    Raises:
        InputError: elements that are not such pictures, an unknown kind of hole, or a seed below 0.
        tf.errors.InvalidArgumentError: while iterating, float pictures that are not in [0, 1].

    Example:
        >>> import numpy as np, tensorflow as tf
        >>> from inpainting_tf.data import add_holes
        >>> pictures = tf.data.Dataset.from_tensor_slices(np.zeros((6, 48, 64, 3), "uint8"))
        >>> batches = add_holes(pictures.shuffle(6, seed=1).repeat().batch(4), "strokes", seed=1)
        >>> {name: tuple(spec.shape) for name, spec in batches.element_spec.items()}
        {'image': (None, 48, 64, 3), 'mask': (None, 48, 64, 1)}

        For `fit` with a loss between a network's prediction and the whole picture:

        >>> pairs = batches.map(lambda batch: (batch, batch["image"]))
    """
    import tensorflow as tf

    spec = _specification(dataset)
    holes = of(named(mask) if isinstance(mask, str) else mask, tuple(spec.shape[-3:-1]))
    if seed < 0:
        raise InputError(f"`seed` must be at least 0. Received {seed}.")
    batched = spec.shape.rank == 4

    def sample(positions: np.ndarray) -> np.ndarray:
        return holes.sample(masks.uniforms(positions, holes.numbers, seed))

    specimen = sample(np.zeros(1, np.int64))

    def number(first: tf.Tensor, element: tf.Tensor) -> tuple[tf.Tensor, tuple[tf.Tensor, tf.Tensor]]:
        following = first + (tf.shape(element, tf.int64)[0] if batched else 1)
        return following, (tf.range(first, following), element)

    def pierce(positions: tf.Tensor, element: tf.Tensor) -> dict[str, tf.Tensor]:
        drawn = tf.numpy_function(sample, [positions], specimen.dtype, stateful=False)
        drawn = tf.cast(holes.finish(tf.ensure_shape(drawn, [None, *specimen.shape[1:]])), tf.float32)
        mask = tf.ensure_shape(drawn if batched else drawn[0], [*spec.shape[:-1], 1])
        return {"image": _to_float(element), "mask": mask}

    numbered = dataset.scan(np.int64(0), number)
    return numbered.map(pierce, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)


def _specification(dataset: Any) -> tf.TensorSpec:
    """The specification of the pictures of a dataset.

    Raises:
        InputError: its elements are not pictures that holes can be drawn for.
    """
    import tensorflow as tf

    if not isinstance(dataset, tf.data.Dataset):
        raise InputError(f"`dataset` must be a tf.data.Dataset. Received {type(dataset).__name__}.")
    spec = dataset.element_spec
    if not isinstance(spec, tf.TensorSpec):
        raise InputError(
            "`dataset` must hold the pictures alone, e.g. by dataset.map(lambda picture, label: picture). "
            f"Received elements of {spec}."
        )
    if spec.shape.rank not in (3, 4) or spec.shape[-1] != 3 or None in spec.shape[-3:-1]:
        raise InputError(
            "`dataset` must hold RGB pictures, [H, W, 3] or [N, H, W, 3], of one size; resize them first. "
            f"Received shape {spec.shape}."
        )
    if spec.dtype != tf.uint8 and not spec.dtype.is_floating:
        raise InputError(f"`dataset` must hold uint8 or float pictures. Received {spec.dtype.name}.")
    return spec


def _to_float(element: tf.Tensor) -> tf.Tensor:
    """Pictures as float32 in [0, 1]; raises for float ones outside it."""
    import tensorflow as tf

    if element.dtype == tf.uint8:
        return to_float(element)
    element = tf.cast(element, tf.float32)
    outside = tf.reduce_max(abs(element - 0.5)) - 0.5
    message = "Float pictures for `add_holes` must be in [0, 1]: divide pictures of 0..255 by 255."
    check = tf.debugging.assert_less_equal(outside, _MARGIN, message)
    with tf.control_dependencies([check]):
        return tf.identity(element)
