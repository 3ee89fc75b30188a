"""Repairs pictures from the shell: one file, or a folder of them.

inpaint --image=photo.jpg --mask=mask.png --output=repaired.png
inpaint --image=scans --mask=watermark.png --output=repaired --format=png
inpaint --image=erased.png --output=repaired.png                  (the transparent parts are the hole)
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from absl import flags
from tqdm import tqdm

from inpainting_tf import inference, models, photographs, runs
from inpainting_tf.commands import cli
from inpainting_tf.errors import InputError

FORMATS = ("png", "webp", "tiff", "bmp", "jpg")


def define_flags() -> None:
    """Defines the options; `--help` shows them."""
    flags.DEFINE_string("model", "faces", f"{', '.join(models.NAMES)}, a run's folder, or a .keras file.")
    flags.DEFINE_string("image", None, "A picture, or a folder of pictures.")
    flags.DEFINE_string(
        "mask",
        None,
        "Black where the picture is known; one for all, or a folder of masks with the pictures' names. "
        "Default: the picture's transparent parts.",
    )
    flags.DEFINE_string("output", None, "File to write, or folder for the repaired pictures.")
    flags.DEFINE_string(
        "format", None, f"Of a folder's results: {', '.join(FORMATS)}; default: as they came."
    )
    flags.DEFINE_string("blend", "poisson", "poisson: colours follow from what is around the hole; or none.")
    flags.DEFINE_boolean("direct", False, "Show the network the whole picture at once, at its own size.")
    flags.DEFINE_string("engine", "keras", f"{', '.join(runs.ENGINES)}.")
    flags.DEFINE_boolean("overwrite", False, "Replace files that exist.")


def main() -> None:
    """Repairs what the flags name; exit status 1 where a picture of a folder had to be left out."""
    args = flags.FLAGS
    if not (args.image and args.output):
        raise InputError("--image and --output must name files or folders. Received none for one of them.")
    jobs = list(_jobs(Path(args.image).expanduser(), args.mask, Path(args.output).expanduser(), args.format))
    model = runs.load(args.model, engine=args.engine)
    skipped: list[str] = []
    for image, mask, output in tqdm(
        jobs, "Repairing", unit="picture", disable=None if len(jobs) > 1 else True
    ):
        try:
            _repair(model, image, mask, output)
        except InputError as error:
            if not Path(args.image).expanduser().is_dir():
                raise
            skipped.append(f"{image.name}: {error}")
    print(f"Repaired {len(jobs) - len(skipped)} of {len(jobs)} pictures: {args.output}")
    if skipped:
        print(f"Skipped {len(skipped)}:", *skipped, sep="\n  ", file=sys.stderr)
        sys.exit(1)


def command() -> None:
    """The console script."""
    define_flags()
    cli.run(main)


def _jobs(
    image: Path, mask: str | None, output: Path, ending: str | None
) -> Iterator[tuple[Path, Path | None, Path]]:
    """(picture, its mask or None, file to write) for each picture."""
    if ending is not None and ending not in FORMATS:
        raise InputError(f"--format must be one of {', '.join(FORMATS)}. Received {ending!r}.")
    masks = None if mask is None else Path(mask).expanduser()
    if not image.is_dir():
        photographs.check_ending(output)
        yield image, _mask_of(image, masks), output
        return
    found = sorted(file for file in image.iterdir() if file.suffix.lower() in photographs.ENDINGS)
    if not found:
        raise InputError(
            f"--image must be a picture or a folder of pictures. Received {str(image)!r}: none in it."
        )
    if output.is_file():
        raise InputError(f"--output must be a folder, as --image is. Received {str(output)!r}, a file.")
    for file in found:
        name = file.name if ending is None else f"{file.stem}.{ending}"
        yield file, _mask_of(file, masks), output / name


def _mask_of(image: Path, masks: Path | None) -> Path | None:
    """The mask of a picture: the one of its name where there is a folder of them."""
    return photographs.mask_file(masks, image.name) if masks is not None and masks.is_dir() else masks


def _repair(model: inference.Engine, image: Path, mask: Path | None, output: Path) -> None:
    args = flags.FLAGS
    if output.exists() and not args.overwrite:
        raise InputError(f"--output {str(output)!r} exists already: name another one, or pass --overwrite.")
    photograph = photographs.read(image)
    missing = photographs.read_mask(mask, photograph.rgb.shape[:2]) if mask else _transparent(photograph)
    filled = inference.inpaint(model, photograph.rgb, missing, blend=args.blend, direct=args.direct)
    photographs.write(output, photograph, filled, missing)


def _transparent(photograph: photographs.Photograph) -> np.ndarray:
    if photograph.alpha is None or not (photograph.alpha == 0).any():
        raise InputError("--mask must be given: the picture has no transparent parts that would be the hole.")
    return photograph.alpha == 0


if __name__ == "__main__":
    command()
