"""The pictures of README.md and docs/photographs.md: repairs of free photographs, and what is not repaired.

python scripts/photographs_pictures.py [--model=photos] [--output=docs]

The photographs come with scikit-image and are free of restrictions: the coffee cup (Rachel Michetti, CC0),
the cat (Stefan van der Walt, CC0) and the rocket (SpaceX, public domain). None was trained on. The best
classical fill is the one with the highest PSNR in the hole; of a large hole, where the truth is one of many,
it is the one that copies.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from skimage import data

sys.path.insert(0, str(Path(__file__).parents[1]))

import inpainting_tf
from inpainting_tf import classical, figures
from inpainting_tf.ops import damage
from inpainting_tf.ops.images import to_float, to_levels
from inpainting_tf.ops.metrics import hole_psnr

SIZE = (300, 450)
THIN = ("biharmonic", "telea", "navier_stokes", "fsr")
COPIES = ("shift_map",)
LABELS = {
    "biharmonic": "biharmonic",
    "fsr": "FSR",
    "shift_map": "shift map",
    "telea": "Telea",
    "navier_stokes": "Navier-Stokes",
}

Damaged = tuple[np.ndarray, np.ndarray, bool]  # uint8 [H, W, 3]; what is missing, bool [H, W]; is it known?


def watermark() -> Damaged:
    layer = Image.new("L", SIZE[::-1], 0)
    draw, font = ImageDraw.Draw(layer), ImageFont.load_default(30)
    for number, row in enumerate(range(10, SIZE[0], 58)):
        draw.text((-60 + 70 * (number % 2), row), "PREVIEW    PREVIEW    PREVIEW", fill=255, font=font)
    opacity = np.asarray(layer) / 255
    return data.coffee()[50:350, 75:525], opacity > 0, True


def scratched() -> Damaged:
    picture = data.chelsea()[:, : SIZE[1]]
    return picture, damage.scratches(np.random.default_rng(1), SIZE, (2, 5)), True


def towers() -> Damaged:
    whole = Image.fromarray(data.rocket())
    outlines = Image.new("L", whole.size, 0)
    draw = ImageDraw.Draw(outlines)
    draw.polygon([(194, 112), (206, 112), (213, 372), (164, 372)], fill=255)
    draw.polygon([(439, 112), (452, 112), (478, 372), (432, 372)], fill=255)
    size = (SIZE[1], SIZE[0])
    return np.asarray(whole.resize(size)), np.asarray(outlines.resize(size)) > 0, False


def hidden_eye() -> Damaged:
    picture, mask = data.chelsea()[:, : SIZE[1]], np.zeros(SIZE, bool)
    mask[75:155, 125:210] = True
    return picture, mask, False


def hidden_rim() -> Damaged:
    picture, mask = data.coffee()[50:350, 75:525], np.zeros(SIZE, bool)
    mask[95:185, 265:345] = True
    return picture, mask, False


PICTURES = {
    "photographs.jpg": (watermark, scratched, towers),
    "photographs_limits.jpg": (hidden_eye, hidden_rim),
}


def best_classical(picture: np.ndarray, mask: np.ndarray, known: bool) -> tuple[str, np.ndarray]:
    """Its name and its fill."""
    truth, hole = to_float(picture[None]), mask[None, ..., None].astype(np.float32)
    fills = {name: classical.get(name)(truth * (1 - hole), hole) for name in (THIN if known else COPIES)}
    name = max(fills, key=lambda each: float(hole_psnr(truth, fills[each], hole)[0]))
    return LABELS[name], to_levels(fills[name][0], np.dtype(np.uint8))


def draw(model: inpainting_tf.Inpainter, cases: Sequence[Callable[[], Damaged]], path: Path) -> None:
    """A sheet as JPEG: the input, this package's fill, the best classical one."""
    rows: list[tuple[np.ndarray, ...]] = []
    notes: dict[str, list[str]] = {"inpainting_tf": [], "best classical": []}
    for case in cases:
        picture, mask, known = case()
        name, other = best_classical(picture, mask, known)
        fills = {"inpainting_tf": model.inpaint(picture, mask), "best classical": other}
        shown = np.where(mask[..., None], np.uint8(255), picture) if known else _marked(picture, mask)
        rows.append((shown, *fills.values()))
        for column, fill in fills.items():
            value = hole_psnr(to_float(picture[None]), to_float(fill[None]), mask[None, ..., None])
            label = name if column == "best classical" else ""
            decibels = f"{float(value[0]):.1f} dB in the hole" if known else ""
            notes[column].append(", ".join(filter(None, (label, decibels))) or " ")
    columns = dict(zip(("input", *notes), map(np.stack, zip(*rows, strict=True)), strict=True))
    with tempfile.TemporaryDirectory() as folder:
        sheet = figures.sheet(columns, Path(folder) / "sheet.png", notes=notes)
        Image.open(sheet).convert("RGB").save(path, quality=88)
    print(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default="photos")
    parser.add_argument("--output", default="docs", type=Path)
    args = parser.parse_args()
    for name, cases in PICTURES.items():
        draw(inpainting_tf.load(args.model), cases, args.output / name)


def _marked(picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return np.where(mask[..., None], picture // 2 + np.array([120, 0, 40], np.uint8), picture)


if __name__ == "__main__":
    main()
