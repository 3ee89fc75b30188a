"""Pictures of one grey level each, by which the tests of data sets tell them apart."""

from __future__ import annotations

import io

from PIL import Image

from inpainting_tf.data.source import Source


def encoded(level: int, kind: str = "jpeg", size: tuple[int, int] = (48, 32)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, (level, level, level)).save(file, kind)
    return file.getvalue()


def put(path, level: int = 0, kind: str = "jpeg"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded(level, kind))


def put_celeba(root, levels=(10, 20, 30)):
    """000001.jpg ... of one grey level each, and files that are none of the data set's."""
    for number, level in enumerate(levels, start=1):
        put(root / f"{number:06d}.jpg", level)
    put(root / "cover.jpg", 99)
    (root / "list_attr.txt").write_text("no picture", encoding="utf-8")


def levels(source: Source) -> list[int]:
    return [int(source.read(index, (16, 24))[3, 5, 0]) for index in range(len(source))]
