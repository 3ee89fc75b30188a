"""Fills of photographs side by side: this package's models, and what people install instead.

python benchmarks/photographs.py --pictures=FOLDER --output=photographs [--fill=faces --fill=fsr ...]
python benchmarks/photographs.py --pictures=FOLDER --masks=FOLDER --output=mine

Each photograph is damaged in four ways, the same for every fill: scratches and specks of 2 to 5 pixels,
lettering, an object's outline of about a sixth of the shorter side, a block of 22 to 38 % of it; or by your
own masks, named like the pictures. Per kind of hole: PSNR and SSIM in the hole, detail (the energy of
the finest details over that of the truth: 0 is a smudge, 1 is right), the sliced Wasserstein distance between
the patches of the fills and of the truths at three scales (0 is right), the seconds of a picture, and LPIPS
around the hole where --lpips names its weights.

In --output: table.md, figures.json, and a sheet of pictures for each kind. Choose pictures that none of the
fills was trained on.
"""

from __future__ import annotations

import dataclasses
import functools
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from absl import flags

sys.path.insert(0, str(Path(__file__).parents[1]))

from inpainting_tf.commands import cli
from inpainting_tf.errors import InputError

KINDS = ("scratches", "lettering", "blob", "block")
SLOW = ("fsr", "shift_map")  # seconds per per cent of a megapixel: measured on thin damage alone
THICK = ("blob", "block")
SHOWN = 8  # rows of a sheet
SIDE = 256  # pixels of a picture in a sheet

Fill = Callable[[Any, Any], Any]  # (uint8 [H, W, 3], bool [H, W], True = missing) -> uint8 [H, W, 3]


def define_flags(define: cli.Define) -> None:
    define.string("pictures", None, "Folder of photographs, reduced to --longest.")
    define.string("masks", None, "Folder of your own masks, named like the pictures; default: drawn ones.")
    names = "A shipped model, a run's folder, a .keras file or a classical fill; default: all that are there."
    define.strings("fill", [], names)
    define.strings("kind", list(KINDS), f"Holes: {', '.join(KINDS)}.")
    define.integer("longest", 1024, "Longer side of the pictures in pixels.", lower_bound=64)
    define.integer("count", 24, "Pictures, the first ones by name.", lower_bound=1)
    define.integer("seed", 0, "Of the holes.", lower_bound=0)
    define.string("lpips", None, "Weights of LPIPS, a file made by scripts/convert_lpips.py.")
    define.string("output", None, "Folder for the table, the figures and the sheets.")


@dataclasses.dataclass(frozen=True)
class Case:
    """A photograph and its damage: uint8 [H, W, 3]; bool [H, W], True = missing."""

    name: str
    picture: Any
    mask: Any

    @property
    def damaged(self) -> Any:
        import numpy as np

        return np.where(self.mask[..., None], np.uint8(128), self.picture)


def cases(args: flags.FlagValues, kind: str) -> list[Case]:
    """The photographs with one kind of damage."""
    return [_case(index, path, kind, args) for index, path in enumerate(_paths(args))]


def _paths(args: flags.FlagValues) -> list[Path]:
    from inpainting_tf.data.folders import picture_files

    if not args.pictures or not Path(args.pictures).is_dir():
        raise InputError(f"--pictures must be a folder of photographs. Received {args.pictures!r}.")
    found = [Path(args.pictures) / name for name in picture_files(Path(args.pictures))]
    if not found:
        raise InputError(f"--pictures must hold photographs. Received {args.pictures!r}: there are none.")
    return found[: args.count]


def _case(index: int, path: Path, kind: str, args: flags.FlagValues) -> Case:
    import numpy as np

    picture = _reduced(path, args.longest)
    if kind == "own":
        return Case(path.name, picture, _own_mask(Path(args.masks), path, picture.shape[:2]))
    rng = np.random.default_rng([args.seed, KINDS.index(kind), index])
    return Case(path.name, picture, _drawn(kind, rng, picture.shape[:2]))


def _reduced(path: Path, longest: int) -> Any:
    import numpy as np
    from PIL import Image

    from inpainting_tf import photographs

    picture = Image.fromarray(photographs.read(path).rgb)
    picture.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    return np.asarray(picture)


def _own_mask(folder: Path, path: Path, size: tuple[int, int]) -> Any:
    from inpainting_tf import inference, photographs

    file = photographs.mask_file(folder, path.name)
    if not file.is_file():
        raise InputError(
            f"--masks must hold a mask for each picture. Received {str(folder)!r}: no {file.name}."
        )
    return photographs.read_mask(file, size, fit=True) >= inference.FAINT


def _drawn(kind: str, rng: Any, size: tuple[int, int]) -> Any:
    from inpainting_tf.ops import damage

    draw = {
        "scratches": functools.partial(damage.scratches, width=(2, 5)),
        "lettering": functools.partial(damage.lettering, width=(2, 5)),
        "blob": functools.partial(damage.blob, extent=(0.15, 0.19)),
        "block": functools.partial(damage.block, extent=(0.22, 0.38)),
    }[kind]
    while not (mask := draw(rng, size)).any():  # an outline may lie wholly outside
        pass
    return mask


# Fills


def fills(names: list[str]) -> dict[str, Fill]:
    """The fills of these names; of all there are for none."""
    from inpainting_tf import classical, models

    chosen = names or [*models.NAMES, *classical.BASELINES]
    return {name: _classical(name) if name in classical.BASELINES else _network(name) for name in chosen}


def _network(name: str) -> Fill:
    import inpainting_tf

    return functools.partial(inpainting_tf.inpaint, inpainting_tf.load(name))


def _classical(name: str) -> Fill:
    import numpy as np

    from inpainting_tf import classical
    from inpainting_tf.ops.images import to_float, to_uint8

    def fill(picture: Any, mask: Any) -> Any:
        filled = classical.get(name)(to_float(picture)[None], mask[None, ..., None].astype(np.float32))
        return to_uint8(filled[0])

    return fill


# Measures


def measured(fill: Fill, damaged: list[Case], lpips: Any) -> tuple[dict[str, Any], list[Any]]:
    """A row of the table, and the filled pictures."""
    import numpy as np

    from inpainting_tf.ops import texture

    seconds, filled = [], []
    for case in damaged:
        start = time.perf_counter()
        filled.append(fill(case.damaged, case.mask))
        seconds.append(time.perf_counter() - start)
    masks = [case.mask for case in damaged]
    truths, results = (
        [np.float32(each) / 255 for each in part] for part in ([c.picture for c in damaged], filled)
    )
    row = {name: float(np.mean(each)) for name, each in _per_picture(truths, results, masks, lpips).items()}
    energies = [
        [texture.fine_energy(*pair) for pair in zip(part, masks, strict=True)] for part in (results, truths)
    ]
    row["detail"] = float(np.mean(energies[0]) / np.mean(energies[1]))
    row["swd"] = [float(each) for each in texture.sliced_wasserstein(truths, results, masks)]
    return row | {"seconds": statistics.median(seconds)}, filled


def _per_picture(
    truths: list[Any], results: list[Any], masks: list[Any], lpips: Any
) -> dict[str, list[float]]:
    import numpy as np
    from skimage.metrics import structural_similarity

    found: dict[str, list[float]] = {"psnr": [], "ssim": []} | ({"lpips": []} if lpips else {})
    for truth, result, mask in zip(truths, results, masks, strict=True):
        found["psnr"].append(-10 * np.log10(np.square(truth - result)[mask].mean() + 1e-10))
        similar = structural_similarity(
            truth, result, channel_axis=-1, data_range=1.0, gaussian_weights=True, full=True
        )[1]
        found["ssim"].append(float(similar[mask].mean()))
        if lpips:
            place = _around(mask)
            found["lpips"].append(float(lpips(truth[place][None], result[place][None])[0]))
    return found


def _around(mask: Any) -> tuple[slice, slice]:
    """The square around a hole, with a margin of half its side: what is looked at."""
    import numpy as np

    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    side = min(max(64, 2 * max(np.ptp(rows), np.ptp(columns))), *mask.shape)
    starts = [
        int(np.clip((place[0] + place[-1] + 1 - side) // 2, 0, whole - side))
        for place, whole in zip((rows, columns), mask.shape, strict=True)
    ]
    return slice(starts[0], starts[0] + int(side)), slice(starts[1], starts[1] + int(side))


def sheet(kind: str, damaged: list[Case], filled: dict[str, list[Any]], folder: Path) -> None:
    """A row per picture, a column per fill, around the hole."""
    import cv2
    import numpy as np

    from inpainting_tf import figures

    chosen = range(min(SHOWN, len(damaged)))

    def cut(pictures: list[Any]) -> Any:
        parts = [pictures[index][_around(damaged[index].mask)] for index in chosen]
        return np.stack([cv2.resize(part, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for part in parts])

    columns = {"input": cut([case.damaged for case in damaged])}
    columns |= {name: cut(pictures) for name, pictures in filled.items()}
    columns["original"] = cut([case.picture for case in damaged])
    figures.sheet(columns, folder / f"{kind}.png", title=f"Fills of photographs: {kind}")


def rows(args: flags.FlagValues) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(kind of hole, fill, figures), one after the other; writes a sheet for each kind."""
    from inpainting_tf.ops import lpips

    metric = lpips.load(args.lpips) if args.lpips else None
    chosen = fills(args.fill)
    for kind in ["own"] if args.masks else args.kind:
        if kind not in (*KINDS, "own"):
            raise InputError(f"--kind must be of {', '.join(KINDS)}. Received {kind!r}.")
        damaged, shown = cases(args, kind), {}
        for name, fill in chosen.items():
            if kind in THICK and name in SLOW:
                continue
            try:
                row, shown[name] = measured(fill, damaged, metric)
            except InputError as error:  # a package that is not installed
                print(f"{name} is left out: {error}", file=sys.stderr)
                continue
            yield kind, name, row
        sheet(kind, damaged, shown, Path(args.output))


def table(found: list[tuple[str, str, dict[str, Any]]]) -> str:
    """The figures as Markdown, a table for each kind of hole."""
    columns = ["PSNR, dB", "SSIM", "detail", "SWD 2 / 4 / 8 px", "s"]
    columns += ["LPIPS"] if any("lpips" in row for *_, row in found) else []
    lines = []
    for kind in dict.fromkeys(kind for kind, *_ in found):
        lines += [f"| {kind} | {' | '.join(columns)} |", f"| --- |{' ---: |' * len(columns)}"]
        lines += [f"| `{name}` | {_cells(row)} |" for each, name, row in found if each == kind] + [""]
    return "\n".join(lines)


def _cells(row: dict[str, Any]) -> str:
    swd = " / ".join(f"{each:.0f}" for each in row["swd"])
    cells = [f"{row['psnr']:.2f}", f"{row['ssim']:.3f}", f"{row['detail']:.2f}", swd, f"{row['seconds']:.2f}"]
    return " | ".join(cells + ([f"{row['lpips']:.3f}"] if "lpips" in row else []))


def run(args: flags.FlagValues) -> None:
    from inpainting_tf import files

    if not args.output:
        raise InputError("--output must be a folder for the table and the sheets. Received none.")
    found = []
    for kind, name, row in rows(args):
        print(f"{kind}, {name}: {_cells(row)}", file=sys.stderr)
        found.append((kind, name, row))
    print(table(found))
    files.write_text(Path(args.output) / "table.md", table(found))
    figures = [{"holes": kind, "fill": name, **row} for kind, name, row in found]
    files.write_json(
        Path(args.output) / "figures.json", {"pictures": args.count, "seed": args.seed, "rows": figures}
    )


if __name__ == "__main__":
    cli.main(sys.modules[__name__])
