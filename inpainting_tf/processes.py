"""Runs a function in a process of its own: its memory is freed, and its crash ends no other process."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.pool import ExceptionWithTraceback  # type: ignore[attr-defined]  # not in typeshed
from typing import Any


class Died(RuntimeError):
    """The process ended without a result: killed, out of memory, or crashed."""


def run(function: Callable[..., Any], *arguments: Any) -> Any:
    """The result of `function(*arguments)`, in a new process with this one's terminal.

    Function, arguments, result and exception are pickled. When this process is interrupted or ends, the other
    receives SIGTERM, on which a training writes a checkpoint.

    Raises:
        Died: the process did not return.
        Exception: that of the function; its traceback there is the cause.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_call, args=(there, function, arguments))
    process.start()
    there.close()
    try:
        value, error = here.recv()
    except EOFError:
        process.join()
        raise Died(f"its process ended with exit status {process.exitcode}") from None
    except BaseException:
        process.terminate()
        raise
    finally:
        process.join()
        here.close()
    if error is not None:
        raise error
    return value


def limit_threads(threads: int) -> None:
    """Limits the threads with which a library computes in this process, where several processes share cores.

    Before the libraries are imported, as they read their variables then, OpenCV excepted.
    """
    for name in ("OMP", "OPENBLAS", "MKL", "TF_NUM_INTRAOP", "TF_NUM_INTEROP"):
        variable = f"{name}_THREADS" if name.startswith("TF") else f"{name}_NUM_THREADS"
        os.environ[variable] = str(threads)
    import cv2

    cv2.setNumThreads(threads)


def _call(there: Connection, function: Callable[..., Any], arguments: tuple) -> None:
    """In the new process."""
    threading.Thread(target=_follow_parent, daemon=True).start()
    with contextlib.suppress(BrokenPipeError):  # the parent has ended
        try:
            there.send((function(*arguments), None))
        except BaseException as error:
            there.send((None, ExceptionWithTraceback(error, error.__traceback__)))


def _follow_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
