"""Makes tables and figures of the papers: trains what is not trained yet, measures it, writes the pages.

python reproduce.py --paper=face_gan --table=4.3 --data_dir=CELEBA
python reproduce.py --paper=all --scale=laptop --data_dir=CELEBA --data_dir=CIFAR10 --output=docs/book
python reproduce.py --paper=all --scale=smoke

It may be stopped at any time; the same command goes on where it was. A system that fails is told in its
place, and by exit status 1. WORKDIR/SCALE has the runs, WORKDIR/SCALE/book (or --output) a Markdown page per
paper, WORKDIR/SCALE/report.html all with the pictures.
"""

import signal
import sys
from pathlib import Path

from absl import flags

from inpainting_tf.commands import cli

flags.DEFINE_string("paper", "all", "The short name of a paper, or all.")
flags.DEFINE_string("table", None, "One table or figure of it by its number, e.g. 4.3; default: all.")
flags.DEFINE_string("scale", "laptop", "Size of the trainings: smoke, laptop, gpu or paper.")
flags.DEFINE_multi_string(
    "data_dir", [], "Folder or archive of pictures; may be repeated, one for each data set."
)
flags.DEFINE_string("workdir", "runs/book", "What is trained and measured, a folder for each scale.")
flags.DEFINE_string("output", None, "Folder of the Markdown pages; default: in --workdir.")
flags.DEFINE_string("study", None, "Folder of a finished inpainting_tf.apps.study, for its figure.")
flags.DEFINE_string("lpips_weights", None, "A file of scripts/convert_lpips.py; default: without LPIPS.")
flags.DEFINE_boolean("train", True, "Whether to train what is missing, or to show what is there.")

LEDGER = Path(__file__).parent / "docs" / "inconsistencies.md"


def main() -> None:
    from inpainting_tf import book
    from inpainting_tf.book import pages
    from inpainting_tf.book.experiments import Experiments
    from inpainting_tf.ops import lpips

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a training's checkpoint is waited for
    args = flags.FLAGS
    lab = Experiments(
        Path(args.workdir),
        args.scale,
        args.data_dir,
        lpips=lpips.load(args.lpips_weights) if args.lpips_weights else None,
        study=args.study,
        only_trained=not args.train,
    )
    chosen = book.select(args.paper, args.table)
    lab.train([name for _, entries in chosen for entry in entries for name in entry.systems])
    output = Path(args.output) if args.output else lab.home / "book"
    ledger = LEDGER.read_text(encoding="utf-8") if LEDGER.exists() else ""
    chapters = []
    for paper, entries in chosen:
        chapter = pages.make(paper, entries, lab, pages.ledger_of(ledger, paper.name))
        chapters.append(chapter)
        print(pages.write_page(chapter, output))
    whole = args.paper == "all" and args.table is None
    if whole:
        print(pages.write_index(chapters, lab, output))
    name = "report" if whole else "_".join(chapter.name for chapter in chapters)
    print(pages.write_report(chapters, lab.home / f"{name}.html"))
    if lab.failures:
        print(f"Not all is there: {', '.join(lab.failures)}; the pages say why.", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    cli.run(main)
