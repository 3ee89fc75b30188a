"""A process of several that meet again and again until one of them is lost; run by test_distribution.

python meeting.py FOLDER    writes FOLDER/HOST.met when all have met
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from inpainting_tf.commands import cli
from inpainting_tf.training import distribution


def meet() -> None:
    used = distribution.devices("multi_worker")
    with distribution.losses_told(used, "Start them again."):
        while True:
            used.gathered(np.zeros(1))
            Path(sys.argv[1], f"{used.host}.met").touch()


if __name__ == "__main__":
    sys.exit(cli.status_of(meet))
