"""The flags that choose a recipe and override its fields, for every command that trains."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from absl import flags

from inpainting_tf.commands.cli import Define
from inpainting_tf.errors import InputError

if TYPE_CHECKING:
    from inpainting_tf.recipes import Recipe

# A flag -> the fields of the recipe that it sets.
OVERRIDES = {
    "dataset": ("data.source",),
    "classes": ("data.classes",),
    "image_size": ("data.image_size",),
    "crop": ("data.crop",),
    "width": ("network.width", "discriminator.width"),
    "init": ("init",),
    "epochs": ("schedule.epochs",),
    "patience": ("schedule.patience",),
    "batch_size": ("batch_size",),
    "learning_rate": ("optimizer.learning_rate",),
    "alpha": ("objective.alpha",),
    "invert_masks": ("mask.train.invert", "mask.test.invert"),
    "seed": ("seed",),
    "mixed_precision": ("mixed_precision",),
    "jit_compile": ("jit_compile",),
    "deterministic": ("deterministic",),
}

MASK = (
    "Holes: rectangle, centre, several, strokes, face_mask, mixed or photograph; or a folder of mask files, "
    "in which everything but black is missing."
)
CROP = (
    "What is taken of pictures of another shape: centre (the largest part), random or zoom (in training "
    "another part each time, of two thirds to all of it or of any scale), or resize (all of it, squeezed)."
)
BASELINES = "telea, navier_stokes, biharmonic, patchmatch, fsr, shift_map, pypatchmatch or mean_colour."
INVERT = "White is known in the mask files, and black is missing."


def define_flags(define: Define, preset: str = "paper") -> None:
    """Defines --model, --preset, a flag for each of `OVERRIDES`, and --set for all other fields.

    Args:
        define: see `cli.Define`.
        preset: the default of --preset.
    """
    define.string("model", None, "What to train; --list shows them all.")
    define.string("preset", preset, "Size of the run: paper (as printed), gpu, laptop, demo or smoke.")
    define.string("dataset", None, "celeba, cifar10, dtd, folder or synthetic_faces.")
    define.string("classes", None, "Only these classes of cifar10 or dtd, comma separated: automobile,truck.")
    define.string("image_size", None, "Side of the pictures in pixels, or HEIGHTxWIDTH.")
    define.string("crop", None, CROP)
    define.integer("width", None, "Channels of the first convolution; all others scale with it.")
    init = "Weights to start from: faces, cifar10, a run's folder (with its discriminator), a .keras file."
    define.string("init", None, init)
    normalized = "Batch normalization of both networks of face_gan; the thesis prints none."
    define.enum("batch_norm", None, ["on", "off"], normalized)
    epochs = (
        "Passes over the training pictures; the phases keep their shares. More make a finished run longer."
    )
    define.integer("epochs", None, epochs)
    patience = "End the last phase after so many epochs without a better one by validation; none: never."
    define.string("patience", None, patience)
    define.integer("batch_size", None, "Pictures per step.")
    define.float("learning_rate", None, "Of the completion network's optimizer.")
    define.float("alpha", None, "Weight of the adversarial term in the joint loss.")
    define.string("mask", None, MASK)
    define.boolean("invert_masks", None, INVERT)
    define.integer("seed", None, "Of weights, order, mirroring and training holes.")
    define.string("mixed_precision", None, "auto, off, float16 or bfloat16.")
    define.boolean("jit_compile", None, "Compile the step with XLA.")
    define.boolean("deterministic", None, "Bit-reproducible; slower.")
    define.strings("set", [], "Any field of the recipe: --set objective.adversarial=minimax.")


def recipe(args: flags.FlagValues, model: str | None = None) -> Recipe:
    """The recipe of --model at --preset with every flag that was given.

    Args:
        args: the values of the flags.
        model: in place of --model.

    Raises:
        InputError: --model is missing or unknown, or a value does not fit its field.
    """
    from inpainting_tf import recipes

    model = model or args.model
    if not model:
        raise InputError(f"--model must be one of {', '.join(recipes.RECIPES)}. Received none.")
    found = recipes.get(model, args.preset)
    return found.override(_changes(args, found)).check()


def _changes(args: flags.FlagValues, recipe: Recipe) -> dict[str, Any]:
    changes = {
        field: args[flag].value
        for flag, fields in OVERRIDES.items()
        for field in fields
        if args[flag].value is not None
        and not (field.startswith("discriminator.") and not recipe.discriminator)
    }
    if args.batch_norm is not None:
        networks = ("network", *(["discriminator"] if recipe.discriminator else []))
        changes |= {f"{each}.arguments.batch_norm": args.batch_norm == "on" for each in networks}
    if args.mask is not None:
        changes |= _mask_changes(args.mask)
    if args.dataset not in (None, recipe.data.source) and args.classes is None:
        changes["data.classes"] = None  # those were another data set's
    for assignment in args.set:
        field, equals, value = assignment.partition("=")
        if not equals:
            raise InputError(f"--set must be field=value. Received {assignment!r}.")
        changes[field.strip()] = value.strip()
    return changes


def _mask_changes(text: str) -> dict[str, Any]:
    """The fields of --mask: the kind alone, or everything of holes from files."""
    from inpainting_tf.data import holes

    mask = holes.named(text)
    fields = {"kind": mask.kind} if mask.folder is None else dataclasses.asdict(mask)
    fields.pop("invert", None)  # has a flag of its own
    return {f"mask.{which}.{field}": value for which in ("train", "test") for field, value in fields.items()}
