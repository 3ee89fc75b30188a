"""Mixed precision: the fastest policy of a machine, and a context with a policy."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import keras

from inpainting_tf import backends


def resolve(setting: str) -> str:
    """The Keras dtype policy for a recipe's `mixed_precision`.

    "off" is "float32", "float16" and "bfloat16" their mixed policies. "auto" is the fastest that the
    backend has on this machine. TensorFlow: float16 (with loss scaling) on a GPU, bfloat16 on a TPU and on
    CPUs that compute in it (AMX or AVX512-BF16), float32 elsewhere. JAX: bfloat16 on a GPU or TPU, else
    float32.
    """
    if setting == "auto":
        setting = backends.fastest_precision()
    return "float32" if setting == "off" else f"mixed_{setting}"


@contextlib.contextmanager
def policy(name: str) -> Iterator[None]:
    """A context in which layers are built under the dtype policy `name`; restores the former one."""
    former = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.mixed_precision.set_dtype_policy(former)
