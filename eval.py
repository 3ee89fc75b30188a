"""Measures trained runs, saved models and classical methods on test pictures with fixed holes.

python eval.py --workdir=runs/glcic
python eval.py --workdir=runs/glcic --baseline=biharmonic --baseline=telea --output=evaluations/glcic
python eval.py --baseline=telea --dataset=folder --data_dir=FOLDER --image_size=128
python eval.py --workdir=runs/glcic --lpips_weights=lpips_alex.npz
"""

import sys

from absl import flags

from inpainting_tf import classical
from inpainting_tf.commands import cli
from inpainting_tf.errors import InputError

flags.DEFINE_multi_string("workdir", [], "Folder of a run; may be repeated.")
flags.DEFINE_multi_string("model_path", [], "A .keras file; may be repeated.")
flags.DEFINE_multi_string("baseline", [], f"{', '.join(classical.BASELINES)}; may be repeated.")
flags.DEFINE_string(
    "dataset", None, "celeba, cifar10, folder or synthetic_faces; default: the first run's, else celeba."
)
flags.DEFINE_string(
    "classes", None, "Only these classes of cifar10, comma separated; none: all; default: the first run's."
)
flags.DEFINE_string("data_dir", None, "Folder or archive of the pictures; default: the first run's.")
flags.DEFINE_integer(
    "image_size", None, "Side in pixels; default: the first run's, else 128.", lower_bound=16
)
flags.DEFINE_string("mask", None, "Holes: rectangle, centre, several, strokes, face_mask or mixed.")
flags.DEFINE_integer("batch_size", 16, "Pictures filled at once.", lower_bound=1)
flags.DEFINE_string(
    "lpips_weights", None, "A file of scripts/convert_lpips.py, to measure LPIPS; default: without."
)
flags.DEFINE_string("output", None, "Folder for the results; default: the run's, or evaluations/.")


def main() -> None:
    from inpainting_tf import evaluation, runs
    from inpainting_tf.data import Data
    from inpainting_tf.evaluation import comparison
    from inpainting_tf.ops import lpips
    from inpainting_tf.ops.masks import Mask

    args = flags.FLAGS
    found = [runs.open_run(workdir) for workdir in args.workdir]
    if not (args.workdir or args.model_path or args.baseline):
        raise InputError("Name what to evaluate with --workdir, --model_path or --baseline. Received none.")
    metric = lpips.load(args.lpips_weights) if args.lpips_weights else None
    subjects = [comparison.of_run(run) for run in found]
    subjects += [comparison.of_model(path) for path in args.model_path]
    subjects += [comparison.of_baseline(name) for name in args.baseline]
    own = comparison.TestSet.of(found[0]) if found else comparison.TestSet(Data(), Mask())
    test_set = own.changed(
        source=args.dataset,
        classes=args.classes,
        image_size=args.image_size,
        mask=args.mask,
        data_dir=args.data_dir,
    )
    alone = len(subjects) == 1 and found and test_set.data == own.data and test_set.mask == own.mask
    output = args.output or (found[0].folder if alone else "evaluations")
    results = comparison.compare(subjects, test_set, output, batch_size=args.batch_size, lpips=metric)
    print(evaluation.table(results))
    if metric is None:
        print("LPIPS is left out: no --lpips_weights; see scripts/convert_lpips.py.", file=sys.stderr)
    each = "of each in a folder of its own" if len(results) > 1 else "beside it"
    print(f"{results[0].summary['images']} pictures: {output}/sheet.png; metrics.json, per_image.csv {each}")


if __name__ == "__main__":
    cli.run(main)
