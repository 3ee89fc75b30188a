"""A completion network as a SavedModel for TensorFlow Serving: pictures of any size in, completed ones out.

Its signatures need neither Keras nor this package. The first three compute `inpainting_tf.inpaint(...,
blend="none")` with all holes of a picture as one, in one window (see `inpainting_tf.inference.windows`).

serving_default  "image" uint8 [N, H, W, 3], "mask" uint8 [N, H, W, 1], non-zero = missing -> "completed",
                 uint8 [N, H, W, 3]: known pixels bit-identical, the missing ones filled
encoded          "image_bytes" string [N], JPEG or PNG files that may differ in size, "mask_bytes" string [N]
                 -> "completed_bytes" string [N], PNG files. Missing pixels are those not black in a PNG mask
                 and brighter than 127 in a JPEG mask, where black is not exactly 0.
encoded_jpeg     the same -> "completed_bytes" string [N], JPEG files, many times faster to encode
predict          the network alone: "image" float32 [N, h, w, 3] in [0, 1], "mask" float32 [N, h, w, 1], 1 =
                 missing -> "prediction", float32 [N, h, w, 3]. With it `inference.engines.served` fills
                 pictures as `inpaint` does: several windows, rims, blending, detail.

Each has a warm-up request, which TensorFlow Serving answers while it loads the model.

An invalid request fails with InvalidArgument and a message like that of `inpaint`.
"""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable
from pathlib import Path

import keras
import tensorflow as tf
from keras import ops

import inpainting_tf
from inpainting_tf import files
from inpainting_tf.errors import InputError
from inpainting_tf.export import warmup
from inpainting_tf.export.folding import fold
from inpainting_tf.inference import Facts, geometry
from inpainting_tf.inference.engines import graphs
from inpainting_tf.inference.engines.served import NOTE
from inpainting_tf.inpainter import Inpainter

_UNSCALED = 256  # side of the warm-up pictures of a network without a scale
_JPEG_QUALITY = 95  # with colours at full resolution
# A distance is the smallest sum of such steps (Borgefors 1986, 5 x 5); the lengths are OpenCV's.
_STEPS = {1.0: ((0, 1), (1, 0)), 1.4: ((1, 1), (1, -1)), 2.1969: ((1, 2), (2, 1), (1, -2), (2, -1))}
_CUBIC = -0.75  # OpenCV's


def write(model: Inpainter, path: str | os.PathLike, *, direct: bool = False) -> Path:
    """Writes a completion network as a SavedModel with the signatures above.

    Args:
        model: from `inpainting_tf.load` or `inpainting_tf.build`, on Keras's TensorFlow backend. Batch
            normalization is folded.
        path: the folder, new, empty or an earlier export. TensorFlow Serving expects a version number as its
            name: models/inpainting/1.
        direct: pass the whole picture to the network at once, unscaled, as `inpaint(..., direct=True)`.
            Networks that take any size and have no scale always receive it so.

    Returns:
        The folder.

    Raises:
        InputError: another backend, a network with a prefill, a folder of something else, or one that cannot
            be written.
    """
    folder = Path(path).expanduser()
    _check(model.facts, folder)
    served = _Served(fold(model), model.facts, direct)
    module = tf.Module()
    module.weights = [variable.value for variable in served.model.variables]
    with files.replacing_folder(folder) as temporary:
        try:
            tf.saved_model.save(module, str(temporary), signatures=served.signatures())
            warmup.write(temporary, served.examples(model.facts))
        except tf.errors.OpError as error:  # TensorFlow's OSError
            reason = error.message.partition("\n")[0].rpartition("; ")[2]
            raise InputError(f"{str(path)!r} could not be written: {reason}.") from error
        about = {"network": model.name, "direct": served.direct, "inpainting_tf": inpainting_tf.__version__}
        files.write_json(temporary / NOTE, about | {"facts": model.facts.to_json()})
    return folder


def _check(facts: Facts, folder: Path) -> None:
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise InputError(f"A SavedModel is written with KERAS_BACKEND=tensorflow. Received {backend!r}.")
    if facts.prefill is not None:
        raise InputError(
            "`model` must be a network without a prefill, which a SavedModel cannot hold. "
            f"Received one with prefill {facts.prefill}."
        )
    if folder.exists() and not (folder / NOTE).is_file() and not _empty(folder):
        raise InputError(
            f"`output` must be a new or empty folder or an earlier export. Received {str(folder)!r}: "
            "it is not."
        )


def _empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


class _Served:
    """The graph. `model` is folded; a window is int32 [4]: its first row and column, its height and width."""

    def __init__(self, model: keras.Model, facts: Facts, direct: bool) -> None:
        self.model, self.size, self.divisor = model, facts.size, facts.divisor
        self.fixed, self.scale = facts.fixed_size is not None, None if direct else facts.scale
        self.direct = self.scale is None

    def signatures(self) -> dict[str, Callable[..., dict[str, tf.Tensor]]]:
        """The functions of a SavedModel by their names."""
        image = tf.TensorSpec([None, None, None, 3], tf.uint8, "image")
        mask = tf.TensorSpec([None, None, None, 1], tf.uint8, "mask")
        encoded = [tf.TensorSpec([None], tf.string, name) for name in ("image_bytes", "mask_bytes")]
        jpeg = functools.partial(tf.io.encode_jpeg, quality=_JPEG_QUALITY, chroma_downsampling=False)
        as_png, as_jpeg = (functools.partial(self.encoded, encode=each) for each in (tf.io.encode_png, jpeg))
        return {
            "serving_default": tf.function(self.arrays, [image, mask], autograph=False),
            "encoded": tf.function(as_png, encoded, autograph=False),
            "encoded_jpeg": tf.function(as_jpeg, encoded, autograph=False),
            "predict": graphs.prediction(self.model, graphs.signature(self.model)),
        }

    def examples(self, facts: Facts) -> dict[str, warmup.Tensors]:
        """Requests to each signature that take the same ways as those of users."""
        size = facts.scale.size if facts.scale else (_UNSCALED, _UNSCALED)
        window = tuple(geometry.rounded_up(side, self.divisor) for side in size)
        # Pictures of one window are seen whole: only in larger ones are small holes looked at more closely.
        times = 1 if self.direct or self.fixed else 2
        return warmup.examples(window, tuple(times * side for side in window))

    def arrays(self, image: tf.Tensor, mask: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"completed": self._completed(image, _missing(image, mask[..., 0] != 0))}

    def encoded(
        self, image_bytes: tf.Tensor, mask_bytes: tf.Tensor, encode: Callable[[tf.Tensor], tf.Tensor]
    ) -> dict[str, tf.Tensor]:
        def completed(encoded: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
            image, missing = _decoded(*encoded)
            missing = _missing(image[None], missing[None])
            return encode(self._completed(image[None], missing)[0])

        pair = _same_number(image_bytes, mask_bytes)
        return {"completed_bytes": tf.map_fn(completed, pair, fn_output_signature=_spec((), tf.string))}

    def _completed(self, images: tf.Tensor, missing: tf.Tensor) -> tf.Tensor:
        """uint8 [N, H, W, 3] and bool [N, H, W] -> uint8 [N, H, W, 3]."""
        picture = tf.shape(missing)[1:]
        shape = self._shape(picture)
        if self.scale is None or self.fixed:
            return self._through(shape, images, missing)
        shapes = geometry.level_shapes(picture, shape, self.divisor, ops)
        smallest = self.scale.hole
        levels = tf.map_fn(
            lambda hole: tf.cast(geometry.level(_sides(hole), smallest, ops), tf.int32),
            missing,
            fn_output_signature=_spec((), tf.int32),
        )
        places = tf.dynamic_partition(tf.range(tf.size(levels)), levels, geometry.LEVELS)
        groups = zip(shapes, [(tf.gather(images, at), tf.gather(missing, at)) for at in places], strict=True)
        return tf.dynamic_stitch(places, [self._some(shape, *group) for shape, group in groups])

    def _some(self, shape: tf.Tensor, images: tf.Tensor, missing: tf.Tensor) -> tf.Tensor:
        """`_through` for any number of pictures, or none."""
        return tf.cond(
            tf.size(images) > 0, lambda: self._through(shape, images, missing), lambda: tf.identity(images)
        )

    def _through(self, shape: tf.Tensor, images: tf.Tensor, missing: tf.Tensor) -> tf.Tensor:
        """`_completed` in windows that the network receives in `shape`."""
        windows = tf.map_fn(
            lambda hole: self._window(hole, shape), missing, fn_output_signature=_spec((4,), tf.int32)
        )
        colours, holes = tf.map_fn(
            lambda job: _cut(job[0], job[1], job[2], None if self.direct else shape),
            (images, missing, windows),
            fn_output_signature=(_spec((*self.size, 3)), _spec((*self.size, 1))),
        )
        predictions = self.model({"image": colours, "mask": holes}, training=False)
        predictions = tf.debugging.check_numerics(predictions, "The network's prediction is not finite")
        return tf.map_fn(
            lambda job: _painted(*job),
            (images, missing, windows, predictions),
            fn_output_signature=_spec((None, None, 3), tf.uint8),
        )

    def _shape(self, picture: tf.Tensor) -> tf.Tensor:
        """The height and width in which the network receives a picture of that size: `inference._plan`."""
        if self.scale is not None and self.fixed:
            return tf.constant(self.size)
        if self.scale is not None:
            return geometry.input_shape(picture, tf.constant(self.scale.size), self.divisor, ops)
        rounded = geometry.rounded_up(picture, self.divisor)
        if not self.fixed:
            return rounded
        rule = f"`image` must be {self.size[0]} x {self.size[1]} pixels for this model. Received:"
        return _required(tf.reduce_all(picture == self.size), [rule, picture], rounded)

    def _window(self, hole: tf.Tensor, shape: tf.Tensor) -> tf.Tensor:
        """The window on bool [H, W]: `windows._cover`, or a larger one where that takes several."""
        if self.scale is None:
            return tf.concat([[0, 0], shape], 0)
        first, last = _box(hole)
        picture, seen, sides = (tf.cast(each, tf.float64) for each in (tf.shape(hole), shape, last - first))
        factor = geometry.reduction(sides, _thickness(hole, first, last), self.scale.hole, picture, seen, ops)
        size = geometry.window_size(factor, seen, ops)
        covering = geometry.covering_size(sides, factor, picture, seen, ops)
        size = tf.where(geometry.covered(sides, size, picture, ops), size, covering)
        start = geometry.placed(tf.cast(first + last, tf.float64) / 2, size, picture, ops)
        return tf.cast(tf.concat([start, size], 0), tf.int32)


# Requests


def _spec(shape: tuple[int | None, ...], dtype: tf.DType = tf.float32) -> tf.TensorSpec:
    return tf.TensorSpec(shape, dtype)


def _required(condition: tf.Tensor, message: list, value: tf.Tensor) -> tf.Tensor:
    """`value`, once the condition holds; else InvalidArgument with the message."""
    with tf.control_dependencies([tf.debugging.Assert(condition, message)]):
        return tf.identity(value)


def _missing(images: tf.Tensor, missing: tf.Tensor) -> tf.Tensor:
    """`missing`, bool [N, H, W], checked to fit the pictures, uint8 [N, H, W, 3], and to have both kinds."""
    sizes = tf.shape(images)[:3], tf.shape(missing)
    rule = "`mask` must have the number, height and width of `image`. Received first image, then mask:"
    missing = _required(tf.reduce_all(sizes[0] == sizes[1]), [rule, *sizes], missing)
    some, all_ = tf.reduce_any(missing, (1, 2)), tf.reduce_all(missing, (1, 2))
    rule = "`mask` must have both missing and known pixels. Received, by number, masks without missing ones:"
    message = [rule, tf.where(~some)[:, 0], "and without known ones:", tf.where(all_)[:, 0]]
    return _required(tf.reduce_all(some & ~all_), message, missing)


def _same_number(image_bytes: tf.Tensor, mask_bytes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    counts = tf.size(image_bytes), tf.size(mask_bytes)
    rule = "`mask_bytes` must be as many as `image_bytes`. Received first image, then mask:"
    return image_bytes, _required(counts[0] == counts[1], [rule, *counts], mask_bytes)


def _decoded(image_bytes: tf.Tensor, mask_bytes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The picture, uint8 [H, W, 3], and its mask, bool [H, W]."""
    # The other branch's JPEG decoding is faster, and some levels off Pillow's and others'.
    image = tf.cond(
        tf.io.is_jpeg(image_bytes),
        lambda: tf.io.decode_jpeg(image_bytes, channels=3, dct_method="INTEGER_ACCURATE"),
        lambda: tf.io.decode_image(image_bytes, channels=3, expand_animations=False),
    )
    # In 16 bits, so that the numbered regions of a label image are not rounded to 0.
    mask = tf.io.decode_image(mask_bytes, channels=3, dtype=tf.uint16, expand_animations=False)
    darkest = tf.where(tf.io.is_jpeg(mask_bytes), 128 * 256, 1)
    image.set_shape([None, None, 3])
    mask.set_shape([None, None, 3])
    return image, tf.reduce_max(tf.cast(mask, tf.int32), -1) >= darkest


# The hole


def _box(hole: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The first row and column with a missing pixel, and those after the last, int32 [2] each."""
    places = [tf.where(tf.reduce_any(hole, axis))[:, 0] for axis in (1, 0)]
    first, last = [tf.stack([each[end] for each in places]) for end in (0, -1)]
    return tf.cast(first, tf.int32), tf.cast(last, tf.int32) + 1


def _sides(hole: tf.Tensor) -> tf.Tensor:
    """int32 [2], of the hole's bounding box."""
    first, last = _box(hole)
    return last - first


def _thickness(hole: tf.Tensor, first: tf.Tensor, last: tf.Tensor) -> tf.Tensor:
    """Twice the distance from a missing pixel to the nearest known one, float64: cv2.distanceTransform."""
    first, last = tf.maximum(first - 1, 0), last + 1
    hole = hole[first[0] : last[0], first[1] : last[1]]
    distance = tf.where(hole, math.inf, 0.0)
    for length, steps in _STEPS.items():
        for step in steps:
            distance = _walked(distance, step, length)
    return 2 * tf.cast(tf.reduce_max(distance), tf.float64)


def _walked(distance: tf.Tensor, step: tuple[int, int], length: float) -> tf.Tensor:
    """float32 [h, w]: the distances after any number of such steps, in both directions."""
    height, width = tf.unstack(tf.shape(distance))

    def unfinished(count: tf.Tensor, near: tf.Tensor) -> tf.Tensor:
        inside = count < tf.maximum(height, width)
        return inside & (tf.cast(count, tf.float32) * length <= tf.reduce_max(near))

    def doubled(count: tf.Tensor, near: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        down, right = count * step[0], count * abs(step[1])
        wide = tf.pad(near, [[down, down], [right, right]], constant_values=math.inf)
        upper, lower = wide[:height], wide[2 * down :]
        there, back = (upper, lower) if step[1] > 0 else (lower, upper)
        nearest = tf.minimum(there[:, :width], back[:, 2 * right :])
        return 2 * count, tf.minimum(near, nearest + tf.cast(count, tf.float32) * length)

    # 1, 2, 4, ... steps at once cover every number of them.
    return tf.while_loop(unfinished, doubled, (tf.constant(1), distance))[1]


# Pixels


def _cut(
    image: tf.Tensor, hole: tf.Tensor, window: tf.Tensor, shape: tf.Tensor | None
) -> tuple[tf.Tensor, tf.Tensor]:
    """The network's input: `windows.cut`. `shape` None: the window's own."""
    rows, columns = (_mirrored(window[i] + tf.range(window[2 + i]), tf.shape(hole)[i]) for i in range(2))
    image = tf.gather(tf.gather(image, rows), columns, axis=1)
    hole = tf.cast(tf.gather(tf.gather(hole, rows), columns, axis=1), tf.float32)[..., None]
    known = tf.cast(image, tf.float32) / 255.0 * (1.0 - hole)
    if shape is None:
        return known, hole
    missing = _reduced(hole, shape) >= 1e-3  # smaller shares stay black in the mean: a quarter of a level
    return tf.where(missing, 0.0, _reduced(known, shape)), tf.cast(missing, tf.float32)


def _mirrored(places: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
    """Indices of an axis that is mirrored beyond its ends."""
    period = tf.maximum(1, 2 * (length - 1))
    steps = tf.abs(places) % period
    return tf.minimum(steps, period - steps)


def _reduced(array: tf.Tensor, shape: tf.Tensor) -> tf.Tensor:
    """float32 [h, w, C] by means over areas: cv2.INTER_AREA."""
    rows, columns = (_shares(tf.shape(array)[i], shape[i]) for i in range(2))
    return tf.einsum("wW,hWc->hwc", columns, tf.einsum("hH,HWc->hWc", rows, array))


def _shares(size: tf.Tensor, reduced: tf.Tensor) -> tf.Tensor:
    """The share of each of an axis's pixels in a reduced pixel: float32 [reduced, size], rows sum to 1."""
    scale = size / reduced
    start = tf.range(tf.cast(reduced, tf.float64), dtype=tf.float64)[:, None] * scale
    pixel = tf.range(tf.cast(size, tf.float64), dtype=tf.float64)
    overlap = tf.minimum(start + scale, pixel + 1) - tf.maximum(start, pixel)
    return tf.cast(tf.maximum(overlap, 0.0) / scale, tf.float32)


def _painted(image: tf.Tensor, hole: tf.Tensor, window: tf.Tensor, prediction: tf.Tensor) -> tf.Tensor:
    """The picture with its missing pixels from the prediction, enlarged to the window: `windows.Canvas`."""
    first, last = _box(hole)
    for i in range(2):
        prediction = _enlarged(prediction, tf.range(first[i], last[i]) - window[i], window[2 + i], i)
    filled = tf.cast(tf.round(tf.clip_by_value(prediction, 0.0, 1.0) * 255.0), tf.uint8)
    around = tf.stack([first, tf.shape(hole) - last], axis=1)
    return tf.where(hole[..., None], tf.pad(filled, tf.concat([around, [[0, 0]]], 0)), image)


def _enlarged(array: tf.Tensor, places: tf.Tensor, size: tf.Tensor, axis: int) -> tf.Tensor:
    """Some places of an axis of float32 [h, w, C] that is enlarged to `size`: cv2.INTER_CUBIC."""
    length, a = tf.shape(array)[axis], _CUBIC
    at = (tf.cast(places, tf.float64) + 0.5) * (length / size) - 0.5
    before = tf.floor(at)
    t = tf.cast(at - before, tf.float32)
    weights = [((a * (t + 1) - 5 * a) * (t + 1) + 8 * a) * (t + 1) - 4 * a]
    weights += [((a + 2) * x - (a + 3)) * x * x + 1 for x in (t, 1 - t)]
    weights.append(1.0 - sum(weights))
    near = [tf.clip_by_value(tf.cast(before, tf.int32) + i, 0, length - 1) for i in (-1, 0, 1, 2)]
    across = [-1 if i == axis else 1 for i in range(3)]
    taps = zip(near, weights, strict=True)
    return sum(tf.gather(array, i, axis=axis) * tf.reshape(weight, across) for i, weight in taps)
