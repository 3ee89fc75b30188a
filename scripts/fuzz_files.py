"""Repairs thousands of made-up files, sound and damaged, as `inpaint` does, and says what went wrong.

python scripts/fuzz_files.py --cases=10000 --seed=0

Each case is a picture of any format, a mask and options, all a function of the seed and the case's number; a
constant stands for the network. It goes wrong with a crash, a hang of more than ten seconds, an exception
that is no error in words, a sound file that is not repaired, a written file that cannot be opened, or a known
pixel that has changed. Such cases are printed, and their files kept in --output.
"""

from __future__ import annotations

import contextlib
import dataclasses
import faulthandler
import functools
import io
import multiprocessing
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from absl import flags
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))

from inpainting_tf import inference, photographs
from inpainting_tf.commands import cli
from inpainting_tf.data import pictures
from inpainting_tf.inference import Facts, Runtime
from inpainting_tf.photographs import batches
from scripts import fuzzed_pictures

PATIENCE = 10  # seconds
FAR = 16  # pixels from the drawn hole beyond which nothing may change
ENDINGS = (".png", ".jpg", ".webp", ".tif", ".bmp", ".avif", ".heic")
EXACT = (".png", ".tif", ".bmp")
# Why a sound picture and mask may be refused all the same.
REFUSALS = (
    "transparent in parts",
    "both missing and known",
    "--mask must be given",
    "looks like a photograph",
)
NETWORK = Runtime(lambda images, masks: np.full_like(images, 0.5), Facts(trained_on=(16, 8)))


@dataclasses.dataclass(frozen=True)
class Case:
    """A job, and what is known of it."""

    job: photographs.Job
    options: photographs.Options
    sound: bool
    hole: np.ndarray | None
    about: str


def define_flags(define: cli.Define) -> None:
    define.integer("cases", 10_000, "How many.", lower_bound=1)
    define.integer("seed", 0, "Of all of them.", lower_bound=0)
    define.integer("first", 0, "The number of the first.", lower_bound=0)
    define.string("output", None, "Folder for the files of cases that go wrong; default: they are not kept.")


def run(args: flags.FlagValues) -> int:
    wrong, done = [], args.first
    while done < args.first + args.cases:
        numbers = range(done, min(done + 500, args.first + args.cases))
        found, ended = _in_a_process(args.seed, numbers, args.output)
        for message in found:
            print(message, flush=True)
        wrong += found
        done = ended
    print(f"{len(wrong)} of {args.cases} cases went wrong.")
    return int(bool(wrong))


def _in_a_process(seed: int, numbers: range, output: str | None) -> tuple[list[str], int]:
    """What went wrong, and the number after the last case: a crash or a hang ends the process."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_work, args=(seed, numbers, output, sender))
    child.start()
    sender.close()
    found, last = [], numbers[0] - 1
    with contextlib.suppress(EOFError):
        while True:
            last, message = receiver.recv()
            found += [message] if message else []
    child.join()
    if last < numbers[-1]:
        return [*found, f"case {last + 1}: the process ended with status {child.exitcode}"], last + 2
    return found, last + 1


def _work(seed: int, numbers: range, output: str | None, sender) -> None:
    for number in numbers:
        faulthandler.dump_traceback_later(PATIENCE, exit=True)
        sender.send((number, check(seed, number, output)))
    faulthandler.cancel_dump_traceback_later()


def check(seed: int, number: int, output: str | None = None) -> str | None:
    """Repairs the files of a case; what went wrong, if anything did."""
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = Path(name)
        made = case(np.random.default_rng([seed, number]), folder)
        reason = _wrong(made)
        if reason is None:
            return None
        if output is not None:
            for file in folder.iterdir():
                place = Path(output) / f"{number}_{file.name}"
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(file.read_bytes())
        return f"case {number}: {reason} ({made.about})"


def case(random: np.random.Generator, folder: Path) -> Case:
    """The files of a case, in an empty folder."""
    source = fuzzed_pictures.picture(random)
    source = source if random.random() < 0.3 else fuzzed_pictures.damaged(random, source)
    image = folder / f"picture{random.choice(['.jpg', '.png', '', '.tif', '.dat'])}"
    image.write_bytes(source.data)
    options = photographs.Options(
        page=int(random.integers(1, 3)) if random.random() < 0.1 else None,
        fit_mask=bool(random.random() < 0.2),
        invert=bool(random.random() < 0.1),
        grow=[None, 0, 2][random.integers(3)],
        feather=int(random.choice([0, 0, 3])),
    )
    masks, hole, sound = _mask(random, folder, _size(source.data), options)
    output = folder / f"repaired{random.choice(ENDINGS)}"
    job = photographs.Job(image, masks, output)
    # A chosen page may not be there.
    return Case(
        job, options, source.sound and sound and options.page is None, hole, f"{source.about} {options}"
    )


def _size(data: bytes) -> tuple[int, int]:
    """(height, width) of the upright picture, if its header tells."""
    with contextlib.suppress(Exception), Image.open(io.BytesIO(data)) as image:
        if max(image.size) <= 2000:
            turned = image.format != "TIFF" and pictures.orientation(image) in (5, 6, 7, 8)
            return image.size if turned else image.size[::-1]
    return 32, 48


def _mask(
    random: np.random.Generator, folder: Path, size: tuple[int, int], options: photographs.Options
) -> tuple[tuple[Path, ...], np.ndarray | None, bool]:
    """The files of a mask, its hole if it is undamaged, and whether it ought to be read."""
    if random.random() < 0.1:
        return (), None, False
    hole = np.zeros(size, bool)
    top, left = (int(random.integers(0, max(1, side - 1))) for side in size)
    height, width = (int(random.integers(1, max(2, side // 2))) for side in size)
    hole[top : top + height, left : left + width] = True
    levels = np.where(hole != options.invert, np.uint8(255), np.uint8(0))
    if random.random() < 0.2:
        levels = cv2.GaussianBlur(levels, (0, 0), float(random.uniform(0.4, 5)))
    if options.fit_mask and random.random() < 0.5:
        levels = cv2.resize(levels, (40, 30), interpolation=cv2.INTER_NEAREST)
    file = _mask_file(random, levels)
    if random.random() < 0.1:
        file = fuzzed_pictures.damaged(random, file)
    path = folder / f"mask{random.choice(['.png', '.PNG', '.tif', ''])}"
    path.write_bytes(file.data)
    return (path,), hole if file.sound else None, file.sound


def _mask_file(random: np.random.Generator, levels: np.ndarray) -> fuzzed_pictures.PictureFile:
    name = str(random.choice(["PNG", "PNG", "TIFF", "BMP", "JPEG", "WEBP", "GIF"]))
    image = Image.fromarray(levels)
    kind = str(random.choice(["L", "1", "RGB", "P", "paint", "cut", "16"]))
    if kind in ("paint", "cut") and name in ("PNG", "TIFF"):
        layer = Image.new("RGBA", image.size, "white" if kind == "paint" else "black")
        layer.putalpha(image if kind == "paint" else image.point(lambda level: 255 - level))
        image = layer
    elif kind == "16" and name in ("PNG", "TIFF"):
        image = Image.fromarray(levels.astype(np.uint16) * 257)
    elif kind == "P" and name not in ("JPEG", "WEBP"):
        image.putpalette([level for level in range(256) for _ in range(3)])
    elif kind in ("1", "RGB") and name not in ("JPEG", "WEBP"):
        image = image.convert(kind, dither=Image.Dither.NONE)
    file = io.BytesIO()
    image.save(file, name)
    return fuzzed_pictures.PictureFile(file.getvalue(), name, True, f"mask {name} {kind}")


# What may not be


def _wrong(made: Case) -> str | None:
    """Repairs the files of a case; what went wrong, if anything did."""

    def repair(job: photographs.Job) -> photographs.Repaired:
        return photographs.repair_file(job, functools.partial(inference.inpaint, NETWORK), made.options)

    outcome = batches.attempt(made.job, repair)
    if outcome.status == "skipped":
        return _refused_wrongly(made, outcome)
    return next(_differences(made), None)


def _refused_wrongly(made: Case, outcome: batches.Outcome) -> str | None:
    if not outcome.mistake:
        return f"an accident: {outcome.reason}"
    if "\n" in outcome.reason or len(outcome.reason) < 20:
        return f"an error that says little: {outcome.reason!r}"
    if made.sound and not any(words in outcome.reason for words in REFUSALS):
        return f"a sound file was refused: {outcome.reason}"
    return "something was written" if made.job.output.exists() else None


def _differences(made: Case) -> Iterator[str]:
    """What is wrong with a written file."""
    try:
        with Image.open(io.BytesIO(made.job.output.read_bytes())) as image:
            image.load()
            size = pictures.upright(image, image).size
    except Exception as error:
        yield f"what was written cannot be opened: {error}"
        return
    source = _opaque_pixels(made.job.image, made.options.page)
    if source is None or made.job.output.suffix not in EXACT:
        return
    if size != source.shape[1::-1]:
        yield f"another size: {size} from {source.shape[1::-1]}"
        return
    written = _opaque_pixels(made.job.output, None)
    known = _known(made, source.shape[:2])
    if written is not None and not np.array_equal(source[known], written[known]):
        yield "known pixels have changed"


def _opaque_pixels(path: Path, page: int | None) -> np.ndarray | None:
    """uint8 [H, W, 4], decoded by Pillow alone; None where it decodes to fewer bits than there are."""
    # In memory: of a file on disk Pillow forgets to turn some TIFFs.
    with Image.open(io.BytesIO(path.read_bytes())) as image:
        if page is not None or getattr(image, "n_frames", 1) > 1:
            return None
        if image.mode.startswith("I") or ";16" in str(getattr(image, "tile", "")):
            return None
        image.load()
        return np.asarray(pictures.upright(image, image).convert("RGBA"))


def _known(made: Case, size: tuple[int, int]) -> np.ndarray:
    """The pixels far from the hole."""
    if made.hole is None or made.hole.shape != size:
        return np.zeros(size, bool)
    side = 2 * FAR + 1
    return cv2.dilate(made.hole.astype(np.uint8), np.ones((side, side), np.uint8)) == 0


if __name__ == "__main__":
    cli.main(sys.modules[__name__])
