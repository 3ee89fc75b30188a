"""Mixed precision: which one a machine is fast in, and switching it on for the length of a run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import keras


def resolve(setting: str) -> str:
    """The Keras dtype policy for a recipe's `mixed_precision`.

    "off" is "float32", "float16" and "bfloat16" their mixed policies. "auto" takes float16 (with loss
    scaling) on a GPU, bfloat16 on a TPU and on CPUs that compute in it (AMX or AVX512-BF16), float32
    elsewhere.
    """
    if setting == "auto":
        setting = _fastest()
    return "float32" if setting == "off" else f"mixed_{setting}"


@contextlib.contextmanager
def policy(name: str) -> Iterator[None]:
    """Builds layers under the dtype policy `name`, then puts the former one back."""
    former = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.mixed_precision.set_dtype_policy(former)


def _fastest() -> str:
    if keras.distribution.list_devices("gpu"):
        return "float16"
    if keras.distribution.list_devices("tpu") or _cpu_computes_bfloat16():
        return "bfloat16"
    return "off"


def _cpu_computes_bfloat16() -> bool:
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:  # not Linux: nothing here is known to be faster than float32
        return False
    return "amx_bf16" in flags or "avx512_bf16" in flags
