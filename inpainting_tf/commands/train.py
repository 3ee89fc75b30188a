"""Trains a model, or continues a training that was interrupted.

inpainting-tf train --model=glcic --dataset=celeba --data_dir=FOLDER --preset=laptop
inpainting-tf train --list
"""

from __future__ import annotations

import shlex

from absl import flags

from inpainting_tf import environment
from inpainting_tf.commands import cli, recipe_flags
from inpainting_tf.data.decoding import MEMORY

STRATEGIES = ("none", "mirrored", "multi_worker")


def define_flags(define: cli.Define) -> None:
    """Defines the flags of a recipe, and those of a training."""
    recipe_flags.define_flags(define)
    define.string("data_dir", None, "Folder or archive of the pictures; default: the usual places.")
    define.string("workdir", None, "Folder of the run; default: runs/MODEL.")
    define.float("checkpoint_minutes", 2.0, "Time between checkpoints.", lower_bound=0)
    kept = "Keep a model of every so many epochs, in kept/; default: the last and the best alone."
    define.integer("keep_every", None, kept, lower_bound=1)
    define.integers("keep_epochs", [], "A further epoch to keep, again for each; 0: before the training.")
    memory = "GiB of decoded pictures to keep; of more, the others are decoded while it trains."
    define.float("memory", MEMORY / 2**30, memory, lower_bound=0)
    several = "Devices to train on: one, all of this machine, or those of all processes of TF_CONFIG."
    define.enum("strategy", STRATEGIES[0], STRATEGIES, several)
    count = "How many of this machine's, with --strategy=mirrored; on a CPU virtual ones; default: all."
    define.integer("devices", None, count, lower_bound=1)
    define.boolean("list", False, "Show every model and stop.")


def run(args: flags.FlagValues) -> None:
    """Trains, or lists the models."""
    environment.prefer_onednn()
    environment.pin_defaults()
    from inpainting_tf import recipes, runs

    if args.list:
        print(recipes.table())
        return
    recipe = recipe_flags.recipe(args)
    trained = runs.train(
        recipe,
        args.workdir or f"runs/{recipe.name}",
        data_dir=args.data_dir,
        checkpoint_minutes=args.checkpoint_minutes,
        keep_every=args.keep_every,
        keep_epochs=args.keep_epochs,
        memory=int(args.memory * 2**30),
        strategy=args.strategy,
        devices=args.devices,
    )
    workdir = shlex.quote(f"--workdir={cli.shown(trained.folder)}")
    figures = cli.shown(trained.figures)
    print(f"Trained. Next: {cli.called('evaluate')} {workdir}  (curves and samples: {figures})")
