"""Decodes a data set once, for training on a machine that has neither TensorFlow nor the original pictures.

inpainting-tf prepare --dataset=celeba --data_dir=FOLDER --image_size=128 --output=celeba_128
inpainting-tf train --model=glcic --preset=gpu --data_dir=celeba_128

In shards, for many hosts, also on other file systems:

inpainting-tf prepare --dataset=folder --data_dir=FOLDER --train=none --shards=64 --output=gs://BUCKET/NAME
"""

from __future__ import annotations

import dataclasses
import math
import shlex
import sys
from typing import Any

from absl import flags

from inpainting_tf import sizes, storage
from inpainting_tf.commands import cli
from inpainting_tf.data import FACES as USUAL
from inpainting_tf.data import Data, load, prepared
from inpainting_tf.data.splits import counts
from inpainting_tf.errors import InputError


def define_flags(define: cli.Define) -> None:
    """Defines the pictures and the output."""
    define.string("dataset", USUAL.source, "celeba, cifar10, dtd, folder or synthetic_faces.")
    define.string("classes", None, "Only these classes of the data set, comma separated; none: all.")
    ids = "Official numbers of the only pictures to take of celeba, FIRST-LAST; none: all."
    define.string("ids", USUAL.ids, ids)
    define.string("data_dir", None, "Folder or archive of the pictures; default: the usual places.")
    define.string("image_size", sizes.text(USUAL.image_size), "Side in pixels, or HEIGHTxWIDTH.")
    crop = "What is taken of pictures of another shape: the largest part, or all of it, squeezed."
    define.enum("crop", USUAL.crop, ["centre", "resize"], crop)
    define.string("train", str(USUAL.train), "How many training pictures at most; none: no limit.")
    cut = "How many of them at most to keep for validation."
    define.integer("validation", USUAL.validation, cut, lower_bound=0)
    define.integer("test", USUAL.test, "How many test pictures at most.", lower_bound=1)
    define.integer("split_seed", USUAL.split_seed, "Of the split into training and test.", lower_bound=0)
    place = "Folder for the prepared pictures, new or empty; with --shards also gs://BUCKET/NAME or the like."
    define.string("output", None, place)
    shards = "Write TFRecord files, the training pictures into so many; default: arrays."
    define.integer("shards", None, shards, lower_bound=1, upper_bound=512)


def run(args: flags.FlagValues) -> None:
    """Decodes the pictures, writes them, and prints the command that trains on them."""
    if not args.output:
        raise InputError("--output must be a new or an empty folder. Received none.")
    if args.shards is None and storage.is_uri(args.output):
        raise InputError(f"`output` must be a folder, but with --shards. Received {args.output!r}.")
    # Before an hour's decoding rather than after it:
    storage.require_free(args.output)
    wanted = _wanted(args)
    dataset = load(wanted, args.data_dir, check=False)  # done by `write`
    print(dataset.account, file=sys.stderr)
    folder = prepared.write(dataset, wanted, args.output, args.shards)
    stored = prepared.find(folder)
    assert stored is not None, "it was written"
    megabytes = sum(math.prod(images.shape) for images in stored.images.values()) / 1e6
    print(
        f"Prepared {counts(stored.names)} pictures of {dataset.origin}, {sizes.text(wanted.image_size)} px, "
        f"{megabytes:.1f} MB, in {folder}."
    )
    options = ["--model=glcic", *_unusual(wanted), f"--data_dir={folder}"]
    print(f"Next: {cli.called('train')} {shlex.join(options)}")


def _wanted(args: flags.FlagValues) -> Data:
    settings: dict[str, Any] = {field: args[flag].value for field, flag in prepared.FLAGS.items()}
    settings |= {"train": _limit(args.train), "classes": _named(args.classes), "ids": _named(args.ids)}
    settings["image_size"] = sizes.parse(args.image_size, least=sizes.LEAST)
    return dataclasses.replace(USUAL, **settings)


def _named(text: str | None) -> str | None:
    return None if text == "none" else text


def _limit(text: str) -> int | None:
    if text == "none":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise InputError(f"`train` must be none or at least 1. Received {text!r}.")
    return int(text)


def _unusual(wanted: Data) -> list[str]:
    """What a recipe may have otherwise: always the crop, which depends on its preset."""
    changed = dataclasses.asdict(wanted).items() - dataclasses.asdict(USUAL).items() | {("crop", wanted.crop)}
    return [f"--set=data.{field}={prepared.flag_value(value)}" for field, value in sorted(changed)]
