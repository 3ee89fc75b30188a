"""Converts the weights for LPIPS in `eval.py --lpips_weights`. Needs PyTorch (pip install torch).

python scripts/convert_lpips.py --alexnet=alexnet-owt-7be5be79.pth --linear=alex.pth --output=lpips_alex.npz

Its inputs are two published files:
  alexnet-owt-7be5be79.pth  AlexNet, trained on ImageNet, of torchvision
                            (its address: torchvision.models.AlexNet_Weights.IMAGENET1K_V1.url)
  alex.pth                  LPIPS's own weights: lpips/weights/v0.1/alex.pth in the project
                            richzhang/PerceptualSimilarity, and in the Python package lpips
Nothing is downloaded. Use version 0.1: a file of version 0.0 has the same arrays and gives other distances.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from absl import flags

sys.path.insert(0, str(Path(__file__).parents[1]))

from inpainting_tf import files
from inpainting_tf.commands import cli
from inpainting_tf.errors import InputError


def define_flags(define: cli.Define) -> None:
    define.string("alexnet", None, "torchvision's AlexNet, alexnet-owt-7be5be79.pth.")
    define.string("linear", None, "LPIPS's own weights, alex.pth of version 0.1.")
    define.string("output", "lpips_alex.npz", "The file to write.")


def read(flag: str, path: str | None) -> dict[str, np.ndarray]:
    """The state dict in a file of PyTorch, as NumPy arrays.

    Raises:
        InputError: PyTorch is not installed, or the file is absent or something else.
    """
    if not path:
        raise InputError(
            f"--{flag} must name a file of PyTorch. Received none: see scripts/convert_lpips.py."
        )
    try:
        import torch
    except ModuleNotFoundError as error:
        raise InputError(
            "scripts/convert_lpips.py needs PyTorch, which is not here: pip install torch"
        ) from error
    try:
        state = torch.load(Path(path).expanduser(), map_location="cpu", weights_only=True)
        return {key: value.numpy() for key, value in state.items()}
    except OSError as error:
        reason = error.strerror or str(error)
    except Exception:  # PyTorch's exceptions depend on the file's kind
        reason = "it is not a whole state dict of PyTorch"
    raise InputError(f"--{flag} must name a file of PyTorch. Received {path!r}: {reason}.")


def run(args: flags.FlagValues) -> None:
    from inpainting_tf.ops import lpips

    arrays = lpips.convert(read("alexnet", args.alexnet), read("linear", args.linear))
    with files.replacing(args.output) as temporary, open(temporary, "wb") as file:
        np.savez(file, **arrays)
    print(f"{args.output}: measure with python eval.py --lpips_weights={args.output}")


if __name__ == "__main__":
    cli.main(sys.modules[__name__])
