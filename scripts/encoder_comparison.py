"""Trains two encoders as CIFAR-10 classifiers and draws their test accuracies: figure 13.

python scripts/encoder_comparison.py --data_dir=FOLDER_WITH_CIFAR10 --output=results/encoder_comparison

Of `multiscale_context_encoder`, which compares the encoder of GLCIC with its own. --output receives
accuracy.csv and accuracy.png, which grow with every epoch.

The same command continues an interrupted comparison after its last complete epoch, and prints the result of
a finished one at once. Another comparison needs another --output.
"""

from __future__ import annotations

import sys
from pathlib import Path

from absl import flags

sys.path.insert(0, str(Path(__file__).parents[1]))

from inpainting_tf.commands import cli


def define_flags(define: cli.Define) -> None:
    define.string("data_dir", None, "Folder that holds cifar10 as TFDS prepares it; none searches.")
    define.integer("epochs", 20, "Passes over the training pictures.", lower_bound=1)
    define.integer("width", 64, "Channels of the encoders' first convolutions.")
    define.integer("batch_size", 100, "Pictures per step.", lower_bound=1)
    define.integer("train", None, "How many training pictures; none for all 50,000.", lower_bound=1)
    define.integer("seed", 0, "Of weights and order.", lower_bound=0)
    define.string("output", "results/encoder_comparison", "Folder of the curve and its numbers.")


def run(args: flags.FlagValues) -> None:
    from inpainting_tf.book import encoders

    rows = encoders.encoder_comparison(
        *encoders.labelled_pictures(args.data_dir, args.train),
        epochs=args.epochs,
        width=args.width,
        batch_size=args.batch_size,
        seed=args.seed,
        output=args.output,
    )
    for name in encoders.ENCODERS:
        seconds = sum(row[f"{name}_seconds"] for row in rows)
        print(f"{name}: {100 * rows[-1][name]:.1f} % after {len(rows)} epochs, {seconds:.0f} s of training")
    print(f"{args.output}/accuracy.png, accuracy.csv")


if __name__ == "__main__":
    cli.main(sys.modules[__name__])
