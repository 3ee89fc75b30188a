"""The process's standard streams: without start-up messages of TensorFlow and Ray, and for any character."""

from __future__ import annotations

import codecs
import contextlib
import faulthandler
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from inpainting_tf import imports

# What TensorFlow and Ray write to file descriptor 2 where nothing is wrong: notes and warnings, and
# errors about a GPU that is not there or about libraries that it registers twice itself.
_NOISE = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog\(\)"
    rb"|[IW]\d{4} \d\d:\d\d:"
    rb"|\d{4}-\d\d-\d\d \d\d:\d\d:[\d.]+: [IW] "
    rb"|To enable the following instructions:"
    rb"|\[[\d-]+ [\d:,]+ I \d+ \d+\] logging\.cc:\d+: Set ray log level"
    rb"|.*failed call to cuInit: .*(UNKNOWN ERROR \(303\)|CUDA_ERROR_NO_DEVICE)"
    rb"|.*(Unable to register cu\w+ factory|computation placer already registered)"
)


def hush_tensorflow() -> None:
    """Suppresses TensorFlow's messages on standard error while it is imported and finds its devices.

    Takes effect at the first import of TensorFlow. No level of TensorFlow's log does it: most messages are
    printed before the level is read. With TF_CPP_MIN_LOG_LEVEL set to 0 or 1 all are printed.
    """
    # Read by TensorFlow when it is imported: for its later messages.
    level = os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if level not in ("0", "1"):
        imports.wrap("tensorflow", _quietly)


def print_any_character() -> None:
    """Makes standard output and error print characters that their encoding does not have.

    A byte of a file name that could not be decoded is printed as that byte, another character as its escape.
    """
    codecs.register_error("bytes_or_escapes", _bytes_or_escapes)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="bytes_or_escapes")


@contextlib.contextmanager
def held_back() -> Iterator[None]:
    """Buffers what any code writes to file descriptor 2, and drops lines that match `_NOISE`.

    The rest is written when the block ends; if it ends by an exception, everything is. If the process crashes
    in the block, Python's stack is written, but the buffer is lost.
    """
    try:
        stderr = os.dup(2)
    except OSError:  # closed: there is nothing to buffer
        yield
        return
    with tempfile.TemporaryFile() as held, contextlib.closing(os.fdopen(stderr, "wb", buffering=0)) as real:
        _flush()
        os.dup2(held.fileno(), 2)
        try:
            with _crash_shown(real):
                yield
        except BaseException:
            _restore(held, real, everything=True)
            raise
        _restore(held, real, everything=False)


def _quietly(load: imports.Load) -> imports.Load:
    def quietly(module: ModuleType) -> None:
        with held_back():
            load(module)
            module.config.list_physical_devices()  # prints the remaining messages at its first call

    return quietly


@contextlib.contextmanager
def _crash_shown(real: Any) -> Iterator[None]:
    if faulthandler.is_enabled():
        yield
        return
    faulthandler.enable(real)
    try:
        yield
    finally:
        faulthandler.disable()


def _restore(held: Any, real: Any, *, everything: bool) -> None:
    _flush()
    os.dup2(real.fileno(), 2)
    held.seek(0)
    with contextlib.suppress(OSError):  # no reader
        real.write(b"".join(line for line in held if everything or not _NOISE.match(line)))


def _flush() -> None:
    with contextlib.suppress(AttributeError, OSError, ValueError):  # None, a closed one
        sys.stderr.flush()


def _bytes_or_escapes(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    part = error.object[error.start : error.end]
    escaped = (
        bytes([ord(each) - 0xDC00])
        if "\udc80" <= each <= "\udcff"
        else each.encode("ascii", "backslashreplace")
        for each in part
    )
    return b"".join(escaped), error.end
