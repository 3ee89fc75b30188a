"""The sides of a comparison of training steps: the package's trainer and a PyTorch peer with its weights."""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

AGREEMENT = 0.02  # of the first losses, relative: room for TF32 and half precision, none for another network
HALF = 500_000  # steps of either phase


class KerasSide:
    """The package's trainer on Keras's backend, at the beginning of either phase."""

    def __init__(self, recipe: Any, policy: str, batch: dict[str, Any]) -> None:
        import keras

        from inpainting_tf import backends
        from inpainting_tf.recipes import assembly
        from inpainting_tf.training import precision

        keras.utils.set_random_seed(0)
        with precision.policy(policy):
            self.trainer = assembly.trainer(recipe, total_steps=2 * HALF)
        self.error: str | None = None
        self.name = f"Keras on {keras.backend.backend()}"
        self.batch = {name: keras.ops.convert_to_tensor(value) for name, value in batch.items()}
        self._step = backends.compiled_step(self.trainer)

    def begin(self, phase: str) -> float:
        """Compiles (JAX: both phases at once), makes a step and returns its loss."""
        self.trainer.steps.assign({"completion": 0, "joint": HALF}[phase])
        return self.run(1)[1]

    def run(self, steps: int) -> tuple[float, float]:
        """Seconds that so many steps take, and the last loss."""
        start = time.perf_counter()
        loss = float(self._step(self.batch, steps)["loss"])  # waits for the result
        return time.perf_counter() - start, loss


def settings(recipe: Any) -> dict[str, Any]:
    """Those of `glcic_torch.Training` that are a recipe's."""
    optimizers = (recipe.optimizer, recipe.discriminator_optimizer)
    return {
        "alpha": recipe.objective.alpha,
        "rates": tuple(each.learning_rate for each in optimizers),
        "beta_1": tuple(each.beta_1 for each in optimizers),
    }


class TorchSide:
    """`glcic_torch` with the weights and the settings of the package's trainer."""

    def __init__(
        self, trainer: Any, recipe: Any, policy: str, batch: dict[str, Any], compile_mode: str
    ) -> None:
        import glcic_torch
        import torch

        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True  # as the others do
        torch.backends.cudnn.benchmark = True
        torch.compiler.reset()
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        completion = glcic_torch.Completion(recipe.network.width)
        discriminator = glcic_torch.Discriminator(recipe.data.image_size, recipe.discriminator.width)
        glcic_torch.load_keras_weights(
            (completion, discriminator), (trainer.completion, trainer.discriminator)
        )
        self._networks = completion.to(self.device), discriminator.to(self.device)
        self._settings = {"precision": policy, **settings(recipe)}
        self.error: str | None = None
        self.batch = glcic_torch.to_torch(batch, self.device)
        self._build(None if compile_mode == "eager" else compile_mode)

    def _build(self, mode: str | None) -> None:
        import glcic_torch

        self.mode = mode
        self.name = f"PyTorch, {'eager' if mode is None else 'compiled'}"
        self.training = glcic_torch.Training(*self._networks, compile_mode=mode, **self._settings)

    def begin(self, phase: str) -> float:
        """Compiles, makes a step and returns its loss. What does not compile runs eagerly from here on."""
        try:
            return self._first(phase)
        except Exception as error:
            if self.mode is None:
                raise
            progress(f"torch.compile failed, PyTorch runs eagerly: {first_line(error)}")
            self._build(None)
            return self._first(phase)

    def _first(self, phase: str) -> float:
        self._step = getattr(self.training, f"{phase}_step")
        return float(self._step(self.batch)["loss"])

    def run(self, steps: int) -> tuple[float, float]:
        """Seconds that so many steps take, and the last loss."""
        import torch

        start = time.perf_counter()
        for _ in range(steps):
            logs = self._step(self.batch)
        if self.device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - start, float(logs["loss"])


def recipe_of(model: str, image_size: int, width: int, batch_size: int) -> Any:
    """The recipe with half of its steps in the completion phase and half in the joint one."""
    from inpainting_tf import recipes

    recipe = recipes.get(model)
    changes = {
        "data.image_size": image_size,
        "network.width": width,
        "batch_size": batch_size,
        "schedule.completion_share": 0.5,
        "schedule.discriminator_share": 0.0,
    }
    if recipe.discriminator is not None:
        changes["discriminator.width"] = width
    return recipe.override(changes).check()


def faces(image_size: int, count: int) -> Any:
    """Generated pictures, uint8 [count, H, W, 3]."""
    from inpainting_tf.data import Data, load

    data = Data("synthetic_faces", image_size, train=count, test=1)
    return load(data, splits=("train",)).train.images


def batches(images: Any, batch_size: int, count: int) -> Any:
    """So many batches of the package's pipeline."""
    from inpainting_tf.data import pipeline
    from inpainting_tf.ops.masks import Mask

    return pipeline.training_batches(
        images, Mask(), batch_size=batch_size, seed=0, flip=True, start=0, stop=count
    )


def warm_up(side: Any, row: dict[str, Any], seconds: float) -> None:
    """The first steps, compilation included; from the last of them, how many make a group."""
    start = time.perf_counter()
    row["first_loss"] = finite(side.begin(row["phase"]))
    seconds_per_step(side, 2)
    row["warm_up_seconds"] = time.perf_counter() - start
    row["steps"] = max(1, round(seconds / seconds_per_step(side, 2)))


def seconds_per_step(side: Any, steps: int) -> float:
    """The mean of so many steps."""
    seconds, loss = side.run(steps)
    finite(loss)
    return seconds / steps


def finite(loss: float) -> float:
    """The loss; raises ArithmeticError if it is not finite."""
    if not math.isfinite(loss):
        raise ArithmeticError(f"the loss is {loss}")
    return loss


def require_agreement(ours: dict[str, Any], other: dict[str, Any]) -> None:
    """Raises ArithmeticError unless both sides computed the same first loss."""
    losses = ours.get("first_loss", other["first_loss"]), other["first_loss"]
    if abs(losses[1] / losses[0] - 1) > AGREEMENT:
        raise ArithmeticError(f"the two sides disagree: first losses {losses}")


def progress(line: str) -> None:
    """Progress, on stderr."""
    print(line, file=sys.stderr, flush=True)


def first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0][:200]}"
