"""People's picture and mask files, read and written with their metadata."""

from __future__ import annotations

from inpainting_tf.photographs.masks import mask_file, read_mask
from inpainting_tf.photographs.reading import ENDINGS, Photograph, read
from inpainting_tf.photographs.writing import check_ending, write

__all__ = ["ENDINGS", "Photograph", "check_ending", "mask_file", "read", "read_mask", "write"]
