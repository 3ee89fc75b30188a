"""Reproduces tables and figures of the papers: trains missing systems, measures them, writes the pages.

inpainting-tf reproduce --paper=face_gan --table=4.3 --data_dir=CELEBA
inpainting-tf reproduce --paper=all --scale=laptop --data_dir=CELEBA --data_dir=CIFAR10 --output=docs/book
inpainting-tf reproduce --paper=all --scale=smoke

It may be stopped at any time; the same command continues. A failed system is reported in its place on the
page, and by exit status 1. WORKDIR/SCALE has the runs, WORKDIR/SCALE/book (or --output) a Markdown page per
paper, WORKDIR/SCALE/report.html all with the pictures.
"""

from __future__ import annotations

import functools
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from inpainting_tf import environment
from inpainting_tf.commands import cli

if TYPE_CHECKING:
    from inpainting_tf.book.experiments import Experiments

LEDGER = Path(__file__).parents[2] / "docs" / "inconsistencies.md"  # absent where there is no checkout


def define_flags(define: cli.Define) -> None:
    """Defines tables, scale, pictures and output."""
    define.string("paper", "all", "The short name of a paper, or all.")
    define.string("table", None, "One table or figure of it by its number, e.g. 4.3; default: all.")
    define.string("scale", "laptop", "Preset of the trainings: smoke, laptop, gpu or paper.")
    define.strings("data_dir", [], "Folder or archive of pictures, one for each data set.")
    define.string("workdir", "runs/book", "Folder of runs and evaluations, a subfolder for each scale.")
    define.integer("seeds", 2, "Trainings of each system that a claim ranks.", lower_bound=1)
    results = "Folder of small files of every run: metrics, history, test list. Written; read with --notrain."
    define.string("results", None, results)
    define.string("output", None, "Folder of the Markdown pages; default: in --workdir.")
    define.string("study", None, "Folder of a finished rating study, for its figure.")
    define.string("lpips_weights", None, "A file of scripts/convert_lpips.py; default: without LPIPS.")
    define.boolean("train", True, "Train missing systems; --notrain uses the existing ones only.")


def run(args: flags.FlagValues) -> int:
    """Trains, measures, writes; returns 1 where a system failed."""
    environment.prefer_onednn()
    environment.pin_defaults()
    from inpainting_tf import book
    from inpainting_tf.book.entries import ranked, systems_of
    from inpainting_tf.book.experiments import Experiments
    from inpainting_tf.ops import lpips

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # waits for a training's checkpoint
    experiments = Experiments(
        Path(args.workdir),
        args.scale,
        args.data_dir,
        lpips=lpips.load(args.lpips_weights) if args.lpips_weights else None,
        study=args.study,
        only_trained=not args.train,
        seeds=args.seeds,
        results=Path(args.results) if args.results else None,
    )
    chosen = book.select(args.paper, args.table)
    every = [entry for _, entries in chosen for entry in entries]
    experiments.train(systems_of(every), ranked(every))
    output = Path(args.output) if args.output else experiments.home / "book"
    _write(chosen, experiments, output, whole=args.paper == "all" and args.table is None)
    if experiments.failures:
        print(
            f"Not complete: {', '.join(experiments.failures)}; the pages have the reasons.", file=sys.stderr
        )
    return int(bool(experiments.failures))


def _write(chosen: list, experiments: Experiments, output: Path, *, whole: bool) -> None:
    """Writes a page per paper, for all of them an index, and the report; prints their paths."""
    from inpainting_tf.book import overview, pages

    ledger = LEDGER.read_text(encoding="utf-8") if LEDGER.exists() else ""
    chapters = []
    for paper, entries in chosen:
        chapter = pages.make(paper, entries, experiments, pages.ledger_of(ledger, paper.name))
        chapters.append(chapter)
        print(pages.write_page(chapter, output))
    opening = None
    if whole:
        print(overview.write(chapters, experiments, output))
        opening = functools.partial(overview.as_markdown, chapters, experiments, address=overview.in_report)
    name = "report" if whole else "_".join(chapter.name for chapter in chapters)
    print(pages.write_report(chapters, experiments.home / f"{name}.html", opening))
