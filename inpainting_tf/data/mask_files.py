"""Mask files: a person's own holes, read once for pictures of one size.

In a mask every pixel that is not black is missing; transparent ones are known. In a JPEG or WebP, where black
is not exactly 0, pixels of at least half of white.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import os
import re
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from absl import logging
from PIL import Image
from tqdm import tqdm

from inpainting_tf.data import folders, pictures
from inpainting_tf.data.crops import CENTRE, Part
from inpainting_tf.data.folders import SUFFIXES
from inpainting_tf.data.pictures import UnreadablePicture
from inpainting_tf.errors import InputError
from inpainting_tf.ops.images import check_two_levels

_LOSSY = ("JPEG", "WEBP")  # formats in which black is not exactly 0
_PAIRED = re.compile(r"_mask\d*$")  # photo_mask.png, photo_mask001.png are masks of photo.png


@dataclasses.dataclass(frozen=True, eq=False)
class MaskFiles:
    """The masks of a folder at one size, a bit a pixel.

    Attributes:
        folder: where they are.
        size: (height, width).
        names: of the masks, relative to the folder, sorted.
        bits: uint8 [masks, turns, bytes], packed: upright, and turned by a quarter if that is not known from
            the upright one, because height and width differ.
    """

    folder: str
    size: tuple[int, int]
    names: list[str]
    bits: np.ndarray

    @property
    def numbers(self) -> int:
        """Uniform numbers per hole: which mask, and which way round."""
        return 2

    def sample(self, uniforms: np.ndarray) -> np.ndarray:
        """Masks at random: each of them equally likely, in each of its eight ways round.

        Args:
            uniforms: float32 [N, 2] in [0, 1).

        Returns:
            bool [N, H, W, 1], True = missing.
        """
        chosen = (uniforms[:, 0] * len(self.names)).astype(int)
        ways = (uniforms[:, 1] * 8).astype(int)
        return np.stack([self._turned(*each) for each in zip(chosen, ways, strict=True)])[..., None]

    @staticmethod
    def finish(sample: Any) -> Any:
        """What `sample` returned: nothing is left to draw."""
        return sample

    def fixed(self, indices: Any, names: Sequence[str] | None = None, seed: int = 0) -> np.ndarray:
        """Evaluation masks, upright: of each picture the mask of its name; where there is none, by its index.

        Args:
            indices: [N] picture indices.
            names: [N] of the pictures.
            seed: of the holes that are taken by the index: the first picture has the mask of this number.

        Returns:
            float32 [N, H, W, 1], 1 = missing.
        """
        paired = self.paired(names) if names is not None else [None] * len(indices)
        chosen = [
            (int(index) + seed) % len(self.names) if own is None else own
            for index, own in zip(indices, paired, strict=True)
        ]
        return np.stack([self._turned(mask, 0) for mask in chosen])[..., None].astype(np.float32)

    def paired(self, names: Sequence[str]) -> list[int | None]:
        """For each picture the number of the mask of its name, or None.

        That is the file of its name, with any ending and "_mask", "_mask001", ... or without; or failing that
        the only one that is called so in any subfolder.
        """
        known = _by_name(self.names)
        keys = (os.path.splitext(name)[0] if name.lower().endswith(SUFFIXES) else name for name in names)
        return [known.get(key, known.get(os.path.basename(key))) for key in keys]

    @functools.cached_property
    def digest(self) -> str:
        """Changes with any mask, and with its name."""
        names = "\n".join(self.names).encode("utf-8", "surrogateescape")
        return hashlib.sha256(names + b"\0" + self.bits.tobytes()).hexdigest()[:16]

    def record(self) -> dict[str, Any]:
        """Which masks these are, for the folder of a run."""
        return {"folder": self.folder, "digest": self.digest, "names": self.names}

    def _turned(self, number: int, way: int) -> np.ndarray:
        """bool [H, W]: the mask, turned by a quarter (1), upside down (2) and mirrored (4)."""
        stored, quarter = self.bits[number], way & 1
        flat = np.unpackbits(stored[quarter % len(stored)], count=self.size[0] * self.size[1])
        missing = flat.reshape(self.size).astype(bool)
        if quarter and len(stored) == 1:
            missing = np.rot90(missing)
        return missing[:: -1 if way & 2 else 1, :: -1 if way & 4 else 1]


def load(
    folder: str | os.PathLike, size: tuple[int, int], *, invert: bool = False, part: Part = CENTRE
) -> MaskFiles:
    """The masks of a folder and its subfolders, cropped and resized as pictures are.

    A pixel of a reduced mask is missing where one of its pixels is. Files that are no masks are left out, as
    are masks without a missing or without a known pixel; a warning names some. Another warning tells of masks
    that have most of the picture missing. The same files are read once per process.

    Args:
        folder: where they are.
        size: (height, width) in pixels.
        invert: white is known and black is missing.
        part: which part of each mask is taken, as of the pictures.

    Raises:
        InputError: no such folder, or no mask in it.
    """
    root = Path(folder).expanduser()
    if not root.is_dir():
        kind = "a file" if root.exists() else "no such folder"
        raise InputError(
            f"`mask` must be a folder of mask files. Received {str(root)!r}: {kind}. Name it with --mask."
        )
    names = folders.picture_files(root)
    if not names:
        raise InputError(
            f"`mask` must be a folder of mask files. Received {str(root)!r}: there and below are no "
            f"{', '.join(SUFFIXES)} files."
        )
    stats = tuple((stat.st_size, stat.st_mtime_ns) for stat in (os.stat(root / name) for name in names))
    return _loaded(str(root), tuple(names), stats, size, invert, part)


@functools.lru_cache(maxsize=2)  # of training and of evaluation
def _loaded(
    root: str, names: tuple[str, ...], stats: tuple, size: tuple[int, int], invert: bool, part: Part
) -> MaskFiles:
    """The masks of these files. `stats` are their sizes and dates: files that have changed are read again."""

    def one(name: str) -> tuple[np.ndarray, float] | str:
        try:
            masks = _fitted(read(Path(root) / name) != invert, size, part)
        except UnreadablePicture as error:
            return str(error)
        return np.packbits(masks.reshape(len(masks), -1), axis=-1), float(masks[0].mean())

    progress = tqdm(total=len(names), desc="Reading masks", unit="mask", delay=1, disable=None)
    found: dict[str, tuple[np.ndarray, float]] = {}
    skipped: dict[str, str] = {}
    with progress, ThreadPoolExecutor(os.cpu_count()) as threads:
        for name, each in zip(names, threads.map(one, names), strict=True):
            progress.update()
            if isinstance(each, str):
                skipped[name] = each
            else:
                found[name] = each
    _report(root, skipped, len(found))
    _warn_of_most(root, [share for _, share in found.values()], invert)
    return MaskFiles(root, size, list(found), np.stack([bits for bits, _ in found.values()]))


def read(file: str | os.PathLike) -> np.ndarray:
    """A mask file, bool [H, W], True = missing.

    Raises:
        UnreadablePicture: it is no picture, or a photograph.
    """
    with pictures.opened(file) as image:
        image.load()
        lossy, levels = image.format in _LOSSY, np.array(pictures.upright(_as_mask(image), image))
    if levels.dtype == np.uint8:
        try:
            check_two_levels(levels)
        except InputError as error:
            raise UnreadablePicture("it looks like a photograph") from error
    return levels >= 128 if lossy else levels > 0


def _as_mask(image: Image.Image) -> Image.Image:
    """In one channel, 0 where it is black or transparent."""
    if image.mode.startswith("I") or image.mode == "F":
        return image
    if image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image.convert("RGBA"))
    return image.convert("L")


def _fitted(missing: np.ndarray, size: tuple[int, int], part: Part) -> np.ndarray:
    """bool [turns, *size]: the mask, and turned by a quarter if height and width of `size` differ."""
    upright = _resized(missing, size, part)
    if upright.all() or not upright.any():
        raise UnreadablePicture("no known pixel" if upright.all() else "no missing pixel")
    if size[0] == size[1]:
        return upright[None]
    turned = _resized(np.rot90(missing), size, part)
    lost = turned.all() or not turned.any()  # the crop of the turned one is another
    return np.stack([upright, upright if lost else turned])


def _resized(missing: np.ndarray, size: tuple[int, int], part: Part) -> np.ndarray:
    image = Image.fromarray(missing.astype(np.float32))
    box = part.box(missing.shape, size)
    return np.asarray(image.resize(size[::-1], Image.Resampling.BOX, box=box)) > 0


def _report(root: str, skipped: dict[str, str], left: int) -> None:
    if not skipped:
        return
    name, reason = next(iter(skipped.items()))
    if not left:
        raise InputError(
            f"None of the {len(skipped)} files in `mask` {root!r} is a mask. The first, {name}: {reason}."
        )
    some = ", ".join(f"{name} ({reason})" for name, reason in list(skipped.items())[:3])
    more = ", ..." if len(skipped) > 3 else ""
    logging.warning("Skipped %d of %d masks of %s: %s%s", len(skipped), len(skipped) + left, root, some, more)


def _warn_of_most(root: str, shares: Sequence[float], invert: bool) -> None:
    if most := sum(share > 0.5 for share in shares):
        advice = "leave --invert_masks out" if invert else "pass --invert_masks"
        logging.warning(
            "In %d of %d masks of %s most of the picture is missing. If that is the part to keep, %s.",
            most,
            len(shares),
            root,
            advice,
        )


def _by_name(names: Sequence[str]) -> dict[str, int]:
    """The numbers of masks by the names of the pictures that they may belong to."""
    known: dict[str, int] = {}
    stems = [os.path.splitext(name)[0] for name in names]
    called = Counter(map(os.path.basename, stems))
    for part in (str, lambda stem: _PAIRED.sub("", stem)):
        for number, stem in enumerate(stems):
            known.setdefault(part(stem), number)
            if called[os.path.basename(stem)] == 1:
                known.setdefault(part(os.path.basename(stem)), number)
    return known
