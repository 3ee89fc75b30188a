"""Decodes a data set once, for training at a machine that has neither TensorFlow nor the original pictures.

python -m inpainting_tf.prepare --dataset=celeba --data_dir=FOLDER --image_size=128 --output=celeba_128
python train.py --model=glcic --data_dir=celeba_128
"""

import dataclasses
import shlex

from absl import flags

from inpainting_tf.commands import cli
from inpainting_tf.data import Data, load, prepared
from inpainting_tf.errors import InputError

usual = Data()
flags.DEFINE_string("dataset", usual.source, "celeba, cifar10, folder or synthetic_faces.")
flags.DEFINE_string("classes", None, "Only these classes of the data set, comma separated; none: all.")
flags.DEFINE_string("data_dir", None, "Folder or archive of the pictures; default: the usual places.")
flags.DEFINE_integer("image_size", usual.image_size, "Side in pixels.", lower_bound=16)
flags.DEFINE_string("train", str(usual.train), "How many training pictures at most; none: no limit.")
flags.DEFINE_integer("test", usual.test, "How many test pictures at most.", lower_bound=1)
flags.DEFINE_integer("split_seed", usual.split_seed, "Which pictures are test pictures.", lower_bound=0)
flags.DEFINE_string("output", None, "Folder for the prepared pictures; new or empty.")


def main() -> None:
    args = flags.FLAGS
    if not args.output:
        raise InputError("--output must be a new or an empty folder. Received none.")
    prepared.require_free(args.output)  # before an hour's decoding rather than after it
    settings = {field: getattr(args, flag) for field, flag in prepared.FLAGS.items()}
    settings |= {"train": _limit(args.train), "classes": None if args.classes == "none" else args.classes}
    wanted = dataclasses.replace(usual, **settings)
    dataset = load(wanted, args.data_dir)
    folder = prepared.write(dataset, wanted, args.output)
    megabytes = sum(file.stat().st_size for file in folder.iterdir()) / 1e6
    print(
        f"Prepared {len(dataset.train.names)} training and {len(dataset.test.names)} test pictures of "
        f"{dataset.origin}, {wanted.image_size} px, {megabytes:.1f} MB, in {folder}."
    )
    command = ["python", "train.py", "--model=glcic", *_unusual(wanted), f"--data_dir={folder}"]
    print(f"Next: {shlex.join(command)}")


def _limit(text: str) -> int | None:
    if text == "none":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise InputError(f"`train` must be none or at least 1. Received {text!r}.")
    return int(text)


def _unusual(wanted: Data) -> list[str]:
    changed = dataclasses.asdict(wanted).items() - dataclasses.asdict(usual).items()
    return [f"--set=data.{field}={prepared.flag_value(value)}" for field, value in sorted(changed)]


if __name__ == "__main__":
    cli.run(main)
