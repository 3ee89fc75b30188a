"""Pictures and holes for the tests of files."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from inpainting_tf import photographs

SIZE = (32, 48)


def colours(size: tuple[int, int] = SIZE) -> np.ndarray:
    """uint8 [H, W, 3], no two corners alike."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    return np.stack([rows * 200 // size[0], columns * 240 // size[1], 0 * rows + 50], -1).astype(np.uint8)


def scene(size: tuple[int, int] = (120, 168), seed: int = 0) -> np.ndarray:
    """uint8 [H, W, 3]: soft shapes with some grain, which a JPEG stores with a loss."""
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 256, (9, 12, 3)).astype(np.uint8))
    soft = np.asarray(coarse.resize(size[::-1], Image.Resampling.BICUBIC)).astype(float)
    return np.clip(soft + random.normal(0, 3, (*size, 1)), 0, 255).astype(np.uint8)


def hole(size: tuple[int, int] = SIZE) -> np.ndarray:
    """bool [H, W]: a rectangle off the centre."""
    missing = np.zeros(size, bool)
    missing[size[0] // 8 : size[0] // 3, 20:41] = True
    return missing


def save(path: Path, array: np.ndarray, mode: str | None = None, **options) -> Path:
    path.parent.mkdir(exist_ok=True)
    image = Image.fromarray(array)
    (image.convert(mode) if mode else image).save(path, **options)
    return path


def encoded(array: np.ndarray, name: str, **options) -> io.BytesIO:
    """A file of Pillow's format `name` in memory, at its beginning."""
    file = io.BytesIO()
    Image.fromarray(array).save(file, name, **options)
    file.seek(0)
    return file


def animated(path: Path) -> None:
    frames = [Image.new("RGB", (48, 32), colour) for colour in ("red", "blue", "green")]
    frames[0].save(path, save_all=True, append_images=frames[1:])


def repaired(source: Path, target: Path, missing: np.ndarray, fill: int = 90) -> photographs.Photograph:
    """What is read of `target` after a repair of `source` with one level in the hole."""
    photograph = photographs.read(source)
    rgb = np.where(missing[..., None], np.uint8(fill), photograph.rgb)
    photographs.write(target, photograph, rgb, missing)
    return photographs.read(target)
