"""Repairs pictures from the shell: one file, or a folder of them.

inpaint --image=photo.jpg --mask=mask.png --output=repaired.png
inpaint --image=scans --mask=watermark.png --output=repaired --format=png
inpaint --image=erased.png --output=repaired.png                  (the transparent parts are the hole)
inpaint --image=photo.jpg --extend=200,0,200,0 --output=wider.jpg (what is beyond its edges is the hole)

The masks of a picture photo.jpg may also lie beside it, as photo_mask.png, photo_mask001.png, ...
"""

from __future__ import annotations

import collections
import dataclasses
import os
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from inpainting_tf import files
from inpainting_tf.commands import cli, repair_flags
from inpainting_tf.errors import InputError

if TYPE_CHECKING:
    from inpainting_tf.photographs import Job, Plan, Repaired
    from inpainting_tf.photographs.batches import Outcome

_WORKERS = 8  # pictures at a time: a large one takes a gigabyte
_MOSTLY = 2 / 3  # a larger missing share is a reason to ask


def define_flags(define: cli.Define) -> None:
    """Defines the pictures, masks, network and output."""
    define.string("image", None, "A picture, or a folder of pictures.")
    define.string("output", None, "File to write, or folder for the repaired pictures.")
    define.string("extend", None, "Pixels to add and fill: LEFT,TOP,RIGHT,BOTTOM, e.g. 200,0,200,0.")
    repair_flags.define_flags(define)
    define.boolean("recursive", False, "With the folders in the folder; the output mirrors them.")
    define.integer(
        "workers", None, "Pictures at a time; default: one for each core, at most 8.", lower_bound=1
    )


def run(args: flags.FlagValues) -> int:
    """Repairs the pictures; returns 1 where one could not be."""
    if not (args.image and args.output):
        raise InputError("--image and --output must name files or folders. Received none for one of them.")
    repair_flags.check_format(args)
    from inpainting_tf import photographs

    warnings.filterwarnings("ignore", module=r"PIL\b")  # of damaged metadata, which is left out
    image, output = Path(args.image).expanduser(), Path(args.output).expanduser()
    mask = Path(args.mask).expanduser() if args.mask else None
    plan = photographs.plan(image, mask, output, ending=args.format, recursive=args.recursive)
    return _folder(plan, args) if image.is_dir() else _picture(plan.jobs[0], args)


def _picture(job: Job, args: flags.FlagValues) -> int:
    """Repairs one picture, of which everything that is wrong is an error."""
    from inpainting_tf.photographs import batches

    if job.output.exists() and not args.overwrite:
        raise InputError(
            f"--output {str(job.output)!r} exists already: name another one, or pass --overwrite."
        )
    outcome = batches.attempt(job, _repair(args))
    _write_report(args.report, [outcome])
    if outcome.mistake:
        raise InputError(outcome.reason)
    if outcome.status == "skipped":
        print(f"error: {str(job.image)!r} could not be repaired: {outcome.reason}", file=sys.stderr)
        return 1
    print(f"Repaired 1 of 1 pictures: {args.output}")
    _print_notes([outcome])
    return 0


def _folder(plan: Plan, args: flags.FlagValues) -> int:
    """Repairs a folder, of which what is there already is kept, and what fails is told."""
    from tqdm import tqdm

    from inpainting_tf.photographs import batches

    there = {job for job in plan.jobs if job.output.exists() and not args.overwrite}
    kept, todo = ([job for job in plan.jobs if (job in there) == known] for known in (True, False))
    outcomes = [batches.Outcome(job, "kept") for job in kept]
    try:
        if todo:
            workers = args.workers or min(os.cpu_count() or 1, _WORKERS)
            going = batches.run(todo, _repair(args), workers)
            outcomes += tqdm(going, "Repairing", len(todo), unit="picture", disable=None)
    finally:  # also what was done before an interruption
        _write_report(args.report, outcomes, plan.left_out)
    _print_summary(outcomes, plan, args.output)
    return int(any(each.status == "skipped" for each in outcomes))


def _print_summary(outcomes: Sequence[Outcome], plan: Plan, output: str) -> None:
    counts = collections.Counter(each.status for each in outcomes)
    kept = f" ({counts['kept']} were there already)" if counts["kept"] else ""
    print(f"Repaired {counts['repaired']} of {len(outcomes)} pictures{kept}: {output}")
    skipped = sorted((str(each.job.image), each.reason) for each in outcomes if each.status == "skipped")
    left_out = [(str(file), reason) for file, reason in plan.left_out.items()]
    for title, rows in (("Skipped", skipped), ("Left out", left_out)):
        if rows:
            print(f"{title} {len(rows)}:", file=sys.stderr)
            print(*(f"  {name}: {reason}" for name, reason in rows), sep="\n", file=sys.stderr)
    _print_notes(outcomes)


def _print_notes(outcomes: Sequence[Outcome]) -> None:
    """What was done otherwise than people may think."""
    for each in outcomes:
        if each.missing is not None and each.missing > _MOSTLY:
            print(
                f"warning: {100 * each.missing:.1f} % of {str(each.job.image)!r} was missing. If its mask is "
                "white where the picture is known, pass --invert.",
                file=sys.stderr,
            )
    grown = [each.grown for each in outcomes if each.grown]
    if grown:
        many = len(outcomes) > 1
        which = f"the holes of {len(grown)} of {len(outcomes)} pictures were" if many else "the hole was"
        print(
            f"note: {which} grown by up to {max(grown)} px: what is covered shines through at the rim. "
            "--grow=0 leaves masks as they are.",
            file=sys.stderr,
        )


def _write_report(
    path: str | None, outcomes: Sequence[Outcome], left_out: Mapping[Path, str] | None = None
) -> None:
    if path is None:
        return
    from inpainting_tf.photographs import batches

    rows = [batches.report_row(each) for each in outcomes]
    rows += [
        {"image": file, "status": "left out", "reason": reason} for file, reason in (left_out or {}).items()
    ]
    files.write_csv(Path(path).expanduser(), sorted(rows, key=lambda row: str(row["image"])))


def _repair(args: flags.FlagValues) -> Callable[[Job], Repaired]:
    """The repair of a picture with the chosen network and options."""
    from inpainting_tf import photographs

    options = dataclasses.replace(repair_flags.options(args), extend=_margins(args.extend))
    inpaint = repair_flags.filling(args).inpaint(shared=True)
    return lambda job: photographs.repair_file(job, inpaint, options)


def _margins(extend: str | None) -> list[int] | None:
    if extend is None:
        return None
    try:
        return [int(each) for each in extend.split(",")]
    except ValueError as error:
        raise InputError(
            f"--extend must be whole numbers of pixels, LEFT,TOP,RIGHT,BOTTOM. Received {extend!r}."
        ) from error
