"""Measures trained runs, saved models and classical methods on test pictures with fixed holes.

inpainting-tf evaluate --workdir=runs/glcic
inpainting-tf evaluate --workdir=runs/glcic --baseline=biharmonic --baseline=telea --output=evaluations/glcic
inpainting-tf evaluate --workdir=faces --baseline=telea --dataset=folder --data_dir=FOLDER --image_size=128
inpainting-tf evaluate --workdir=runs/glcic --lpips_weights=lpips_alex.npz
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from absl import flags

from inpainting_tf import environment, models
from inpainting_tf.commands import cli, recipe_flags
from inpainting_tf.errors import InputError

if TYPE_CHECKING:
    from inpainting_tf import runs
    from inpainting_tf.evaluation import comparison


def define_flags(define: cli.Define) -> None:
    """Defines the systems and the pictures of the evaluation."""
    define.strings("workdir", [], "Folder of a run.")
    define.strings("model_path", [], "A .keras file.")
    define.strings("baseline", [], recipe_flags.BASELINES)
    source = "celeba, cifar10, dtd, folder or synthetic_faces; default: the first run's, else celeba."
    define.string("dataset", None, source)
    classes = "Only these classes of cifar10 or dtd, comma separated; none: all; default: the first run's."
    define.string("classes", None, classes)
    place = (
        "Folder or archive of the pictures; default: the first run's. A folder of others is measured whole."
    )
    define.string("data_dir", None, place)
    size = "Side in pixels, or HEIGHTxWIDTH; default: the first run's, else 128."
    define.string("image_size", None, size)
    crop = "What is taken of pictures of another shape: the largest part, or all of it, squeezed."
    define.enum("crop", None, ["centre", "resize"], f"{crop[:-1]}; default: the first run's, else centre.")
    define.string("mask", None, recipe_flags.MASK)
    define.boolean("invert_masks", None, recipe_flags.INVERT)
    define.integer("batch_size", 16, "Pictures filled at once.", lower_bound=1)
    lpips = "A file of scripts/convert_lpips.py, to measure LPIPS; default: without."
    define.string("lpips_weights", None, lpips)
    saved = "Save every picture, its hole, the fill and the composite: PNG files in pictures/ of the results."
    define.boolean("save_pictures", False, saved)
    define.string("output", None, "Folder for the results; default: the run's, or evaluations/.")


def run(args: flags.FlagValues) -> None:
    """Measures, writes the results and prints their table."""
    if not (args.workdir or args.model_path or args.baseline):
        raise InputError("Name what to evaluate with --workdir, --model_path or --baseline. Received none.")
    environment.pin_defaults()
    from inpainting_tf import backends, evaluation, runs
    from inpainting_tf.evaluation import comparison
    from inpainting_tf.ops import lpips

    found = [runs.open_run(workdir) for workdir in args.workdir]
    metric = lpips.load(args.lpips_weights) if args.lpips_weights else None
    subjects = [comparison.of_run(each) for each in found]
    subjects += [comparison.of_model(path) for path in args.model_path]
    subjects += [comparison.of_baseline(name) for name in args.baseline]
    test_set = _test_set(args, found)
    alone = len(subjects) == 1 and found and _same(test_set, comparison.TestSet.of(found[0]))
    own = alone and not models.is_shipped(found[0].folder)
    output = args.output or (found[0].folder if own else "evaluations")
    fewer = f"{args.batch_size} pictures at once. Try a smaller --batch_size or --image_size."
    with backends.memory_told(lambda: fewer):
        results = comparison.compare(
            subjects,
            test_set,
            output,
            batch_size=args.batch_size,
            lpips=metric,
            save_pictures=args.save_pictures,
        )
    print(evaluation.report(results))
    if test_set.mask.folder is not None:
        print(_about_masks(test_set.mask.folder, results[0].summary), file=sys.stderr)
    if metric is None:
        print("LPIPS is left out: no --lpips_weights; see scripts/convert_lpips.py.", file=sys.stderr)
    each = "of each in a folder of its own" if len(results) > 1 else "beside it"
    sheet = cli.shown(Path(output)) / "sheet.png"
    saved = "metrics.json, per_image.csv" + (", pictures/" if args.save_pictures else "")
    print(f"{results[0].summary['images']} pictures: {sheet}; {saved} {each}")


def _test_set(args: flags.FlagValues, found: list[runs.Run]) -> comparison.TestSet:
    """That of the first run, if there is one, with the flags' changes; prints what it is."""
    from inpainting_tf.data import FACES
    from inpainting_tf.evaluation.comparison import TestSet
    from inpainting_tf.ops.masks import Mask

    own = TestSet.of(found[0]) if found else TestSet(FACES, Mask())
    wanted = own.changed(
        source=args.dataset,
        classes=args.classes,
        image_size=args.image_size,
        crop=args.crop,
        mask=args.mask,
        invert_masks=args.invert_masks,
        data_dir=args.data_dir,
    )
    names, account = _names(wanted, args)
    if account:
        print(account, file=sys.stderr)
    return dataclasses.replace(wanted, names=names)


def _names(wanted: comparison.TestSet, args: flags.FlagValues) -> tuple[Any, str]:
    """The names of the pictures to measure, and an account of them."""
    from inpainting_tf.data import measured, prepared

    if wanted.names is None:
        return measured.whole(wanted.data, wanted.data_dir)
    if args.data_dir is None or wanted.data.source != "folder" or prepared.find(args.data_dir):
        return wanted.names, ""
    return measured.of_run(wanted.data, args.data_dir, wanted.names, whole=args.dataset is not None)


def _about_masks(folder: str, summary: Mapping[str, Any]) -> str:
    masks = summary["masks"]
    return (
        f"Holes: {masks['files']} masks of {folder}. {masks['paired']} of the {summary['images']} pictures "
        "have the mask of their name; others take the masks in their order."
    )


def _same(one: comparison.TestSet, other: comparison.TestSet) -> bool:
    tested = [each.names and each.names["test"] for each in (one, other)]
    return one.data == other.data and one.mask == other.mask and tested[0] == tested[1]
