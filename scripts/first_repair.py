"""A first picture: drawn examples, each with something to take out, repaired by the shipped model.

python scripts/first_repair.py --output=first.png
"""

from __future__ import annotations

import sys
from pathlib import Path

from absl import flags

sys.path.insert(0, str(Path(__file__).parents[1]))

from inpainting_tf import models
from inpainting_tf.commands import cli

EXAMPLES = ("scratches", "kite")
SIDE = 480  # of the pictures shown, in pixels


def define_flags(define: cli.Define) -> None:
    """Defines the network and the file."""
    define.string("model", models.DEFAULT, "A shipped model, a run's folder or a .keras file.")
    define.string("output", "first.png", "The PNG file to write.")


def run(args: flags.FlagValues) -> None:
    """Repairs the examples, and draws before beside after."""
    import cv2
    import numpy as np

    import inpainting_tf
    from inpainting_tf import figures
    from inpainting_tf.apps import examples
    from inpainting_tf.ops.images import to_uint8

    model = inpainting_tf.load(args.model)
    rows: dict[str, list[np.ndarray]] = {"picture": [], "what is to go": [], "repaired": []}
    for name in EXAMPLES:
        picture, hole = examples.get(name).draw()
        marked = figures.input_view(picture[None], hole[None, ..., None].astype(np.float32))[0]
        repaired = inpainting_tf.inpaint(model, picture, hole)
        side = min(hole.shape)
        part = np.s_[:side, (left := (hole.shape[1] - side) // 4) : left + side]
        for column, each in zip(rows.values(), (picture, to_uint8(marked), repaired), strict=True):
            column.append(cv2.resize(each[part], (SIDE, SIDE), interpolation=cv2.INTER_AREA))
    Path(args.output).parent.mkdir(parents=True, exist_ok=True)
    path = figures.sheet({label: np.stack(column) for label, column in rows.items()}, args.output)
    print(f"Repaired {len(EXAMPLES)} drawn pictures: {path}")


if __name__ == "__main__":
    cli.main(sys.modules[__name__])
