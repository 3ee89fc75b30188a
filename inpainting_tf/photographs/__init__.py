"""People's picture and mask files, read and written with their metadata."""

from __future__ import annotations

from inpainting_tf.photographs.about import About
from inpainting_tf.photographs.batches import Options, repair_file
from inpainting_tf.photographs.extending import extend
from inpainting_tf.photographs.folders import Job, Plan, mask_file, plan
from inpainting_tf.photographs.formats import ENDINGS, of_path
from inpainting_tf.photographs.masks import encoded_mask, read_mask, read_masks
from inpainting_tf.photographs.reading import Photograph, read
from inpainting_tf.photographs.repairing import Repaired, after, repair
from inpainting_tf.photographs.writing import NotWritten, write

__all__ = [
    "ENDINGS",
    "About",
    "Job",
    "NotWritten",
    "Options",
    "Photograph",
    "Plan",
    "Repaired",
    "after",
    "encoded_mask",
    "extend",
    "mask_file",
    "of_path",
    "plan",
    "read",
    "read_mask",
    "read_masks",
    "repair",
    "repair_file",
    "write",
]
