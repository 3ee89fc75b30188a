"""Settings that the papers' presets share; each paper's module adds those of its networks.

A preset shrinks a paper's run: fewer, smaller pictures and narrower networks, fewer epochs, other batches.
The schedule's proportions, the weights of the losses and the learning rates are the paper's. What a preset
changes is printed on the pages of the book (`book.departures`).
"""

from __future__ import annotations

from inpainting_tf import data

# The learning rate falls to 0. For networks under a reconstruction loss alone: in an adversarial training it
# would leave the last phase without a learning rate.
ANNEALED = {"optimizer.decay": "cosine"}
# Centred and mirrored: what the systems of all papers are trained on here, so that they can be compared. No
# paper mentions mirroring.
CENTRED = {"data.crop": "centre", "data.flip": True}
# The pictures of `face_gan`.
FACES = {
    **{f"data.{field}": getattr(data.FACES, field) for field in ("train", "validation", "test", "ids")},
    **CENTRED,
}
# The paper's size of pictures and networks in larger batches; `scripts/paper_scale.py` sets the epochs.
GPU = {**CENTRED, "batch_size": 128}
# For two CPU cores.
LAPTOP = {**CENTRED, "batch_size": 32}
LAPTOP_FACES = {**LAPTOP, **FACES, "data.image_size": 64}
# Seconds: a test of every part of a run.
SMOKE = {
    "data.source": "synthetic_faces",
    "data.image_size": 32,
    "data.train": 40,
    "data.validation": 8,
    "data.test": 8,
    "batch_size": 8,
    "schedule.epochs": 3,
}
