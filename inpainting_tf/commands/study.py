"""The rating study: people score how natural filled pictures look, without knowing the system.

inpainting-tf study --runs=runs/glcic --runs=runs/unet --baseline=telea
inpainting-tf study --runs=faces --baseline=telea --pictures=portraits --count=5
inpainting-tf study                       (continues the study in study/)
inpainting-tf study --report              (the scores so far: table, box plot, tests)

Each rater sees the pictures one at a time, in an order of their own and without names, and scores each from 1
to 5; with --together all results of a picture at once, in random order, as in face_gan (section 3.6.1). The
study's folder holds the filled pictures and the scores; it needs the extra `apps` (pip install
'inpainting_tf[apps]'), --report does not.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from absl import flags

from inpainting_tf import environment, models
from inpainting_tf.apps import pages
from inpainting_tf.commands import cli, page_flags, recipe_flags
from inpainting_tf.ops.masks import SAMPLERS

if TYPE_CHECKING:
    from inpainting_tf.apps import stimuli
    from inpainting_tf.evaluation import ratings


def define_flags(define: cli.Define) -> None:
    """Defines the study's pictures, its folder, and the page's server."""
    define.strings("runs", [], f"A run's folder, a .keras file, or one of {', '.join(models.NAMES)}.")
    define.strings("baseline", [], recipe_flags.BASELINES)
    define.string("pictures", None, "Folder of pictures; default: the test pictures of the first run.")
    mask = f"Holes: {', '.join(SAMPLERS)}, or a folder of masks with the pictures' names; default: the holes "
    define.string("mask", None, mask + "that the first run is tested on, else rectangle.")
    define.integer("count", 3, "Number of pictures, drawn at random.", lower_bound=1)
    define.boolean("originals", False, "Show the untouched pictures among the others, as a control.")
    define.integer("seed", 0, "Of the choice of pictures and the order of each rater.", lower_bound=0)
    define.boolean("together", False, "Show all fills of a picture at once; each has its own score.")
    define.string("output", "study", "Folder of the study; one that exists is continued.")
    define.boolean("report", False, "Analyse the scores in --output, and serve nothing.")
    page_flags.define_flags(define)


def run(args: flags.FlagValues) -> None:
    """Serves the study, or reports on it."""
    folder = Path(args.output).expanduser()
    if args.report:
        _report(folder)
        return
    pages.gradio()  # raises, if it is not installed, before models are loaded
    environment.pin_defaults()
    from inpainting_tf.apps import stimuli, study_page

    store = stimuli.open_study(folder, settings(args))
    _summarize(store, folder)
    study_page.serve(store, page_flags.server(args))


def settings(args: flags.FlagValues) -> stimuli.Settings | None:
    """The study's settings in the flags; None without any, where an existing study is continued."""
    from inpainting_tf.apps.stimuli import Settings

    given = {field.name: args[field.name] for field in dataclasses.fields(Settings)}
    if not any(flag.present for flag in given.values()):
        return None
    values: dict[str, Any] = {name: flag.value for name, flag in given.items()}
    return Settings(**values)


def _report(folder: Path) -> None:
    from inpainting_tf.evaluation import ratings

    print(ratings.report(folder))
    print(f"\nWritten to {folder}: ratings.csv, ratings.png, report.md")


def _summarize(store: ratings.Store, folder: Path) -> None:
    plan = store.plan()
    raters = {row["rater"] for row in store.rows()}
    print(
        f"{len(plan.pictures)} pictures by {len(plan.systems)} systems ({', '.join(plan.systems)}), "
        f"raters so far: {len(raters)}. The study is in {folder}; --report analyses the scores."
    )
