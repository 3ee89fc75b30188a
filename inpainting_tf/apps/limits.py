"""What the web page takes in."""

from __future__ import annotations

import dataclasses

from inpainting_tf.apps import serving

MEGAPIXELS = 100.0  # each step of a repair of such a picture takes a third of a gigabyte on the disk


@dataclasses.dataclass(frozen=True)
class Limits:
    """What is taken in.

    Attributes:
        upload: bytes of the largest file.
        megapixels: of the largest picture.
    """

    upload: int = round(serving.Server.max_upload_mb * 2**20)
    megapixels: float = MEGAPIXELS
