"""People's picture and mask files, read and written whole."""

from __future__ import annotations

from inpainting_tf.photographs.files import (
    ENDINGS,
    Photograph,
    check_ending,
    mask_file,
    read,
    read_mask,
    write,
)

__all__ = ["ENDINGS", "Photograph", "check_ending", "mask_file", "read", "read_mask", "write"]
