"""Settings that the papers' presets share; each paper's module adds those of its networks."""

from __future__ import annotations

from inpainting_tf import data

# The learning rate falls to 0.
ANNEALED = {"optimizer.decay": "cosine", "discriminator_optimizer.decay": "cosine"}
# The pictures of `face_gan`, so that systems of all papers can be compared.
FACES = {f"data.{field}": getattr(data.FACES, field) for field in ("train", "validation", "test", "ids")}
# The paper's size in larger batches; `scripts/paper_scale.py` sets the epochs.
GPU = {**ANNEALED, "batch_size": 128}
# For two CPU cores.
LAPTOP = {**ANNEALED, "batch_size": 32}
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
