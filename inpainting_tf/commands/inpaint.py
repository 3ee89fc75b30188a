"""Repairs pictures from the shell: one file, or a folder of them.

inpaint --image=photo.jpg --mask=mask.png --output=repaired.png
inpaint --image=scans --mask=watermark.png --output=repaired --format=png
inpaint --image=erased.png --output=repaired.png                  (the transparent parts are the hole)
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from inpainting_tf import environment, models
from inpainting_tf.commands import cli
from inpainting_tf.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from inpainting_tf import photographs

FORMATS = ("png", "webp", "tiff", "bmp", "jpg")
Inpaint = Callable[["np.ndarray", "np.ndarray"], "np.ndarray"]  # (uint8 picture, bool mask) -> uint8 picture


@dataclasses.dataclass(frozen=True)
class Job:
    """A picture to repair, its mask (None: its transparent parts are the hole), and the file to write."""

    image: Path
    mask: Path | None
    output: Path


def define_flags(define: cli.Define) -> None:
    """Defines the pictures, masks, network and output."""
    define.string("model", "faces", f"{', '.join(models.NAMES)}, a run's folder, or a .keras file.")
    define.string("image", None, "A picture, or a folder of pictures.")
    mask = "Black where the picture is known; one for all, or a folder of masks with the pictures' names. "
    define.string("mask", None, mask + "Default: the picture's transparent parts.")
    define.string("output", None, "File to write, or folder for the repaired pictures.")
    define.string("format", None, f"Of a folder's results: {', '.join(FORMATS)}; default: as they came.")
    define.string("blend", "poisson", "poisson: seamless; or none: the network's own pixels.")
    define.boolean("direct", False, "Pass the network the whole picture at once, unscaled.")
    define.string("engine", "keras", "What runs the network: keras or openvino.")
    define.boolean("overwrite", False, "Replace files that exist.")


def run(args: flags.FlagValues) -> int:
    """Repairs the pictures; returns 1 where one of a folder was skipped."""
    if not (args.image and args.output):
        raise InputError("--image and --output must name files or folders. Received none for one of them.")
    if args.format not in (None, *FORMATS):
        raise InputError(f"--format must be one of {', '.join(FORMATS)}. Received {args.format!r}.")
    image, output = Path(args.image).expanduser(), Path(args.output).expanduser()
    jobs = list(_jobs(image, args.mask, output, args.format))
    skipped = _repair_all(jobs, _inpaint(args), overwrite=args.overwrite, skip=image.is_dir())
    print(f"Repaired {len(jobs) - len(skipped)} of {len(jobs)} pictures: {args.output}")
    if skipped:
        print(f"Skipped {len(skipped)}:", *skipped, sep="\n  ", file=sys.stderr)
    return int(bool(skipped))


def _inpaint(args: flags.FlagValues) -> Inpaint:
    """The chosen network as a function of a picture and its mask."""
    environment.pin_defaults()
    from inpainting_tf import inference, runs

    model = runs.load(args.model, engine=args.engine)
    blend, direct = args.blend, args.direct
    return lambda image, mask: inference.inpaint(model, image, mask, blend=blend, direct=direct)


def _jobs(image: Path, mask: str | None, output: Path, ending: str | None) -> Iterator[Job]:
    from inpainting_tf import photographs

    masks = None if mask is None else Path(mask).expanduser()
    if not image.is_dir():
        photographs.check_ending(output)
        yield Job(image, _mask_of(image, masks), output)
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
        yield Job(file, _mask_of(file, masks), output / name)


def _mask_of(image: Path, masks: Path | None) -> Path | None:
    """The mask of a picture: the one of its name where there is a folder of them."""
    from inpainting_tf import photographs

    return photographs.mask_file(masks, image.name) if masks is not None and masks.is_dir() else masks


def _repair_all(jobs: list[Job], inpaint: Inpaint, *, overwrite: bool, skip: bool) -> list[str]:
    """Repairs one picture after the other; with `skip`, returns the names of failed ones and the reasons."""
    from tqdm import tqdm

    skipped = []
    for job in tqdm(jobs, "Repairing", unit="picture", disable=None if len(jobs) > 1 else True):
        try:
            _repair(job, inpaint, overwrite)
        except InputError as error:
            if not skip:
                raise
            skipped.append(f"{job.image.name}: {error}")
    return skipped


def _repair(job: Job, inpaint: Inpaint, overwrite: bool) -> None:
    from inpainting_tf import photographs

    if job.output.exists() and not overwrite:
        raise InputError(
            f"--output {str(job.output)!r} exists already: name another one, or pass --overwrite."
        )
    photograph = photographs.read(job.image)
    size = photograph.rgb.shape[:2]
    missing = photographs.read_mask(job.mask, size) if job.mask else _transparent(photograph)
    photographs.write(job.output, photograph, inpaint(photograph.rgb, missing), missing)


def _transparent(photograph: photographs.Photograph) -> np.ndarray:
    if photograph.alpha is None or not (photograph.alpha == 0).any():
        raise InputError("--mask must be given: the picture has no transparent parts that would be the hole.")
    return photograph.alpha == 0
