"""What the command lines share: flags that override a recipe, and mistakes told in one line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from absl import app, flags

from inpainting_tf import environment, streams
from inpainting_tf.errors import Diverged, InputError

# A flag -> the fields of the recipe that it sets.
OVERRIDES = {
    "dataset": ("data.source",),
    "classes": ("data.classes",),
    "image_size": ("data.image_size",),
    "width": ("network.width", "discriminator.width"),
    "epochs": ("schedule.epochs",),
    "batch_size": ("batch_size",),
    "learning_rate": ("optimizer.learning_rate",),
    "alpha": ("objective.alpha",),
    "mask": ("mask.train.kind", "mask.test.kind"),
    "seed": ("seed",),
    "mixed_precision": ("mixed_precision",),
    "jit_compile": ("jit_compile",),
    "deterministic": ("deterministic",),
}
INTERRUPTED = 130  # the shell's exit status after Ctrl-C


def define_recipe_flags() -> None:
    """Defines --model, --preset, a flag for each of `OVERRIDES`, and --set for everything else."""
    flags.DEFINE_string("model", None, "What to train; --list shows them all.")
    flags.DEFINE_string("preset", "paper", "Size of the run: paper (as printed), gpu, laptop, demo or smoke.")
    flags.DEFINE_string("dataset", None, "celeba, cifar10, folder or synthetic_faces.")
    flags.DEFINE_string("classes", None, "Only these classes of cifar10, comma separated: automobile,truck.")
    flags.DEFINE_integer("image_size", None, "Side of the pictures in pixels.")
    flags.DEFINE_integer("width", None, "Channels of the first convolution; all others scale with it.")
    flags.DEFINE_integer("epochs", None, "Passes over the training pictures; the phases keep their shares.")
    flags.DEFINE_integer("batch_size", None, "Pictures per step.")
    flags.DEFINE_float("learning_rate", None, "Of the completion network's optimizer.")
    flags.DEFINE_float("alpha", None, "Weight of the adversarial term in the joint loss.")
    flags.DEFINE_string("mask", None, "Holes: rectangle, centre, several, strokes, face_mask or mixed.")
    flags.DEFINE_integer("seed", None, "Of weights, order, mirroring and training holes.")
    flags.DEFINE_string("mixed_precision", None, "auto, off, float16 or bfloat16.")
    flags.DEFINE_boolean("jit_compile", None, "Compile the step with XLA.")
    flags.DEFINE_boolean("deterministic", None, "The same bits each time, at some cost in speed.")
    flags.DEFINE_multi_string("set", [], "Any field of the recipe: --set objective.adversarial=minimax.")


def recipe_from_flags(model: str | None = None) -> Any:
    """The recipe of --model at --preset with every flag that was given.

    Args:
        model: in place of --model.

    Raises:
        InputError: --model is missing or unknown, or a value does not fit its field.
    """
    from inpainting_tf import recipes

    values = flags.FLAGS
    model = model or values.model
    if not model:
        raise InputError(f"--model must be one of {', '.join(recipes.RECIPES)}. Received none.")
    recipe = recipes.get(model, values.preset)
    changes = {
        field: getattr(values, flag)
        for flag, fields in OVERRIDES.items()
        for field in fields
        if getattr(values, flag) is not None
        and not (field.startswith("discriminator.") and not recipe.discriminator)
    }
    if values.dataset not in (None, recipe.data.source) and values.classes is None:
        changes["data.classes"] = None  # those were another data set's
    for assignment in values.set:
        field, equals, value = assignment.partition("=")
        if not equals:
            raise InputError(f"--set must be field=value. Received {assignment!r}.")
        changes[field.strip()] = value.strip()
    return recipe.override(changes).check()


def run(main: Callable[[], None]) -> None:
    """Runs an entry point: flags are parsed, a user's mistake is one line on stderr and exit status 2."""
    streams.print_any_character()
    app.run(lambda argv: _guarded(main, argv))


def _guarded(main: Callable[[], None], argv: Sequence[str]) -> None:
    try:
        if len(argv) > 1:
            raise InputError(f"Options begin with --. Received {argv[1]!r}.")
        environment.pin_defaults()
        main()
    except InputError as error:
        sys.exit(_say(str(error), 2))
    except Diverged as error:
        sys.exit(_say(str(error), 1))
    except KeyboardInterrupt as interrupt:
        sys.exit(_say(f"Interrupted. {interrupt}".strip(), INTERRUPTED))


def _say(message: str, status: int) -> int:
    print(f"error: {message}" if status != INTERRUPTED else message, file=sys.stderr)
    return status
