"""Repairs any number of pictures on one machine or on a cluster, in any storage, with Ray Data.

inpainting-tf repair-many --input=scans --mask=watermark.png --output=repaired
inpainting-tf repair-many --input='s3://old/**/*.jpg' --output=s3://new --address=ray://head:10001
inpainting-tf repair-many --input='gs://scans/*.tif' --output=gs://repaired

The files are those that `inpaint` writes. The same command goes on where it was stopped: what is there is
kept. It needs the extra `cluster` (pip install 'inpainting_tf[cluster]') on all machines, and s3fs or gcsfs
for s3:// or gs://. A model's path, and paths of files, must be the same on all machines.
"""

from __future__ import annotations

import collections
import contextlib
import functools
import itertools
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from absl import flags

from inpainting_tf import environment, files
from inpainting_tf.commands import cli, repair_flags
from inpainting_tf.errors import InputError

if TYPE_CHECKING:
    from inpainting_tf.photographs.batches import Outcome
    from inpainting_tf.photographs.far_folders import FarPlan

_SHOWN = 20  # pictures whose reason is printed; the report has all


def define_flags(define: cli.Define) -> None:
    """Defines the pictures, the masks, the network, the output and the cluster."""
    define.string("input", None, "A folder of pictures, with those in it, or a glob: 'scans/**/*.jpg'.")
    define.string("output", None, "Folder for the repaired pictures, which mirrors that of the pictures.")
    repair_flags.define_flags(define)
    define.string("address", None, "Of a Ray cluster, or auto; default: processes of this machine alone.")
    define.integer("workers", None, "Pictures at a time; default: one for each core.", lower_bound=1)


def run(args: flags.FlagValues) -> int:
    """Repairs the pictures; returns 1 where one could not be."""
    if not (args.input and args.output):
        raise InputError("--input and --output must name files and a folder. Received none for one of them.")
    repair_flags.check_format(args)
    environment.needed("ray.data", "cluster")
    from inpainting_tf.photographs import far_folders

    plan = far_folders.plan(args.input, args.mask, args.output, ending=args.format, overwrite=args.overwrite)
    counts, skipped = _repaired(plan, args)
    kept = f" ({counts['kept']} were there already)" if counts["kept"] else ""
    print(f"Repaired {counts['repaired']} of {counts.total()} pictures{kept}: {args.output}")
    _print_reasons("Skipped", counts["skipped"], skipped)
    _print_reasons("Left out", len(plan.left_out), plan.left_out.items())
    return int(counts["skipped"] > 0)


def _repaired(plan: FarPlan, args: flags.FlagValues) -> tuple[collections.Counter, list[tuple[str, str]]]:
    """How many pictures have which status, and some that were skipped; writes the report."""
    from tqdm import tqdm

    from inpainting_tf.photographs import batches

    counts, skipped = collections.Counter[str](), list[tuple[str, str]]()
    reporting = files.writing_csv(args.report, batches.REPORT) if args.report else _no_report()
    with reporting as report:
        for name, reason in plan.left_out.items():
            report({"image": name, "status": "left out", "reason": reason})
        kept = (batches.Outcome(job, "kept") for job in plan.kept)
        going = tqdm(_outcomes(plan, args), "Repairing", len(plan.jobs), unit="picture", disable=None)
        for each in itertools.chain(kept, going):
            report(batches.report_row(each))
            counts[each.status] += 1
            if each.status == "skipped" and len(skipped) < _SHOWN:
                skipped.append((each.job.image, each.reason))
    return counts, skipped


def _outcomes(plan: FarPlan, args: flags.FlagValues) -> Iterable[Outcome]:
    from inpainting_tf.photographs import cluster

    warnings.filterwarnings("ignore", module=r"PIL\b")
    if not plan.jobs:
        return ()
    filling = repair_flags.filling(args)
    filling.inpaint()  # what is wrong with it is wrong everywhere
    return cluster.run(
        plan.jobs,
        functools.partial(filling.inpaint, threads=1),
        repair_flags.options(args),
        cluster.Cluster(args.address, args.workers),
        overwrite=args.overwrite,
    )


@contextlib.contextmanager
def _no_report() -> Iterator[Callable[[Mapping], Any]]:
    yield lambda row: None


def _print_reasons(title: str, count: int, rows: Iterable[tuple[str, str]]) -> None:
    if count:
        print(f"{title} {count}:", file=sys.stderr)
        for name, reason in sorted(itertools.islice(rows, _SHOWN)):
            print(f"  {name}: {reason}", file=sys.stderr)
        if count > _SHOWN:
            print(f"  and {count - _SHOWN} more; --report has them all", file=sys.stderr)
