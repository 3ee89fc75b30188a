"""The interface of every engine that runs a completion network: `facts`, `fill` and `inpaint`."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from inpainting_tf import classical
from inpainting_tf.inference import inpainting
from inpainting_tf.inference.facts import Facts

Fill = Callable[[np.ndarray, np.ndarray], np.ndarray]


class Engine:
    """A completion network on a runtime: Keras (`inpainting_tf.Inpainter`), OpenVINO, ONNX, LiteRT."""

    @property
    def facts(self) -> Facts:
        """What must be known to use the network."""
        raise NotImplementedError

    def run(self, images: np.ndarray, masks: np.ndarray) -> np.ndarray:
        """`fill` for pictures of a size that the network takes, already prefilled if it has a prefill."""
        raise NotImplementedError

    def fill(self, images: np.ndarray, masks: np.ndarray) -> np.ndarray:
        """The raw prediction for a batch; the signature that networks and classical methods share.

        Args:
            images: float32 [N, H, W, 3] in [0, 1]. What is under the holes is ignored.
            masks: float32 [N, H, W, 1], 1 = missing, 0 = known.

        Returns:
            The whole predicted pictures, float32 [N, H, W, 3] in [0, 1].

        Raises:
            InputError: pictures of a size that the network does not take.

        Example:
            >>> import numpy as np
            >>> import inpainting_tf
            >>> model = inpainting_tf.build("glcic", image_size=None, width=4)
            >>> images = np.random.default_rng(0).random((2, 32, 48, 3), np.float32)
            >>> masks = np.zeros((2, 32, 48, 1), np.float32)
            >>> masks[:, 8:16, 20:30] = 1  # missing
            >>> model.fill(images, masks).shape
            (2, 32, 48, 3)
        """
        self.facts.check_size(images.shape[1:3])
        if self.facts.prefill is not None:
            images = classical.get(self.facts.prefill)(images, masks)
        return self.run(images, masks)

    def inpaint(
        self,
        image: np.ndarray,
        mask: np.ndarray,
        *,
        blend: str = "poisson",
        detail: str = "auto",
        direct: bool = False,
        trust_rim: bool = False,
    ) -> np.ndarray:
        """Fills the holes of a uint8 picture of any size, or of a batch; see `inpainting_tf.inpaint`."""
        return inpainting.inpaint(
            self, image, mask, blend=blend, detail=detail, direct=direct, trust_rim=trust_rim
        )


class Runtime(Engine):
    """A network that another runtime than Keras runs.

    Args:
        run: images float32 [N, H, W, 3] in [0, 1] and masks float32 [N, H, W, 1], 1 = missing -> the raw
            prediction, float32 [N, H, W, 3] in [0, 1].
        facts: of the network.
    """

    def __init__(self, run: Fill, facts: Facts) -> None:
        self._run, self._facts = run, facts

    @property
    def facts(self) -> Facts:
        return self._facts

    def run(self, images: np.ndarray, masks: np.ndarray) -> np.ndarray:
        return self._run(images, masks)


def one_at_a_time(engine: Engine) -> Engine:
    """The same network for several threads, which take turns in it: an engine need not bear more."""
    turn = threading.Lock()

    def run(images: np.ndarray, masks: np.ndarray) -> np.ndarray:
        with turn:
            return engine.run(images, masks)

    return Runtime(run, engine.facts)


def together(engine: Engine, most: int = 16) -> Engine:
    """The same network for several threads, whose pictures of one size go through it in one call.

    While the network computes, others wait; who is next takes along all that wait with pictures of its size.
    Nobody waits for others to come.

    Args:
        engine: the network.
        most: pictures in a call that has those of several threads.
    """
    turn, guard = threading.Lock(), threading.Lock()
    waiting: list[_Call] = []

    def run(images: np.ndarray, masks: np.ndarray) -> np.ndarray:
        own = _Call(images, masks)
        with guard:
            waiting.append(own)
        with turn:
            if not own.done:
                with guard:
                    company = _company(own, waiting, most)
                _answer(engine, company)
        return own.result()

    return Runtime(run, engine.facts)


class _Call:
    """Pictures that wait for the network, and its answer or its error."""

    def __init__(self, images: np.ndarray, masks: np.ndarray) -> None:
        self.images, self.masks = images, masks
        self.prediction: np.ndarray | None = None
        self.error: BaseException | None = None

    @property
    def done(self) -> bool:
        return self.prediction is not None or self.error is not None

    def result(self) -> np.ndarray:
        if self.prediction is None:
            raise self.error or RuntimeError("not computed")
        return self.prediction


def _company(own: _Call, waiting: list[_Call], most: int) -> list[_Call]:
    """Takes a call and others of its size out of those that wait, in their order."""
    found, count = [own], len(own.images)
    for call in waiting:
        alike = call is not own and call.images.shape[1:] == own.images.shape[1:]
        if alike and count + len(call.images) <= most:
            found.append(call)
            count += len(call.images)
    for call in found:
        waiting.remove(call)
    return found


def _answer(engine: Engine, calls: list[_Call]) -> None:
    try:
        images, masks = (
            np.concatenate([getattr(call, name) for call in calls]) for name in ("images", "masks")
        )
        predictions = engine.run(images, masks)
    except BaseException as error:
        for call in calls:
            call.error = error
        return
    ends = np.cumsum([len(call.images) for call in calls])[:-1]
    for call, prediction in zip(calls, np.split(predictions, ends), strict=True):
        call.prediction = prediction
