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
import functools
import os
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from inpainting_tf import environment, files, models
from inpainting_tf.commands import cli
from inpainting_tf.errors import InputError, unknown

if TYPE_CHECKING:
    from inpainting_tf.photographs import Job, Plan, Repaired
    from inpainting_tf.photographs.batches import Outcome
    from inpainting_tf.photographs.repairing import Inpaint

_WORKERS = 8  # pictures at a time: a large one takes a gigabyte
_MOSTLY = 2 / 3  # a larger missing share is a reason to ask
FORMATS = ("png", "webp", "tiff", "bmp", "jpg", "avif", "heic")


def define_flags(define: cli.Define) -> None:
    """Defines the pictures, masks, network and output."""
    define.string("model", models.DEFAULT, f"{', '.join(models.NAMES)}, a run's folder, or a .keras file.")
    define.string("image", None, "A picture, or a folder of pictures.")
    mask = "White where the picture is missing; one for all, or a folder of masks with the pictures' names. "
    define.string(
        "mask", None, mask + "Default: NAME_mask.png beside the picture, else its transparent parts."
    )
    define.string("extend", None, "Pixels to add and fill: LEFT,TOP,RIGHT,BOTTOM, e.g. 200,0,200,0.")
    define.string("output", None, "File to write, or folder for the repaired pictures.")
    define.string("format", None, f"Of a folder's results: {', '.join(FORMATS)}; default: as they came.")
    define.integer(
        "grow",
        None,
        "Pixels by which holes grow; default: 0, or 1 to 3 where their rim is mixed.",
        lower_bound=0,
    )
    define.integer("feather", 0, "Pixels over which the fill fades out around the holes.", lower_bound=0)
    define.boolean("invert", False, "White is known in the masks, and black missing.")
    define.boolean("fit_mask", False, "Stretch masks of another size to their pictures.")
    define.boolean("recursive", False, "With the folders in the folder; the output mirrors them.")
    define.integer("page", None, "Which picture of files with several, from 1.", lower_bound=1)
    define.float("max_megapixels", 178.9, "The largest picture that is read.", lower_bound=0.0)
    define.string("blend", "poisson", "poisson: seamless; or none: the network's own pixels.")
    detail = "Of large holes: auto: the picture's own patches, where some agree with the network; exemplar: "
    define.string("detail", "auto", detail + "everywhere; none: the network's smooth fill.")
    define.boolean("direct", False, "Pass the network the whole picture at once, unscaled.")
    define.string("engine", "auto", f"What runs the network: {', '.join(models.ENGINES)}.")
    define.boolean("overwrite", False, "Redo pictures whose output exists.")
    define.string("report", None, "A CSV file to write, with a row for each picture.")
    define.integer(
        "workers", None, "Pictures at a time; default: one for each core, at most 8.", lower_bound=1
    )


def run(args: flags.FlagValues) -> int:
    """Repairs the pictures; returns 1 where one could not be."""
    if not (args.image and args.output):
        raise InputError("--image and --output must name files or folders. Received none for one of them.")
    if args.format not in (None, *FORMATS):
        raise InputError(f"--format must be one of {', '.join(FORMATS)}. Received {args.format!r}.")
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

    kept = [job for job in plan.jobs if job.output.exists() and not args.overwrite]
    todo = [job for job in plan.jobs if job not in kept]
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
    rows = [
        {
            "image": each.job.image,
            "status": each.status,
            "reason": each.reason,
            "missing": each.missing,
            "grown": each.grown,
            "seconds": None if each.seconds is None else round(each.seconds, 3),
            "output": each.job.output,
            "masks": " ".join(map(str, each.job.masks)),
        }
        for each in outcomes
    ]
    rows += [
        {"image": file, "status": "left out", "reason": reason} for file, reason in (left_out or {}).items()
    ]
    files.write_csv(Path(path).expanduser(), sorted(rows, key=lambda row: str(row["image"])))


def _repair(args: flags.FlagValues) -> Callable[[Job], Repaired]:
    """The repair of a picture with the chosen network and options."""
    from inpainting_tf import photographs

    names = {field.name for field in dataclasses.fields(photographs.Options)} - {"extend"}
    given = {name: getattr(args, name) for name in names}
    options = photographs.Options(extend=_margins(args.extend), **given)
    inpaint = _inpaint(args)
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


def _inpaint(args: flags.FlagValues) -> Inpaint:
    """The chosen network as a function of a picture and its mask."""
    from inpainting_tf import inference, loading

    if args.blend not in inference.BLENDS:
        raise unknown("blend", args.blend, inference.BLENDS)
    if args.detail not in inference.DETAILS:
        raise unknown("detail", args.detail, inference.DETAILS)
    if loading.takes_keras(args.model, args.engine):
        environment.pin_defaults()
    model = inference.one_at_a_time(loading.load(args.model, engine=args.engine))
    options = {"blend": args.blend, "detail": args.detail, "direct": args.direct}
    return functools.partial(inference.inpaint, model, **options)
