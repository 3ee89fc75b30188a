"""A way to a server on another host that does not tell when the server's process ends.

JAX aborts a process as soon as its connection to the first process is closed, with lines that explain little
and before the error of the collective operation, which `Devices.lost` knows, is raised. Through a relay it
learns that only by its heartbeats, so a process that gets no such error still ends after their time.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Any

_BYTES = 2**16


def relayed(address: str) -> str:
    """The address in this process that leads to `address`, "host:port", for as long as the process lives."""
    server = socket.create_server(("127.0.0.1", 0))
    _start(_accept, server, address)
    return f"127.0.0.1:{server.getsockname()[1]}"


def _accept(server: socket.socket, address: str) -> None:
    host, _, port = address.rpartition(":")
    while True:
        near, _ = server.accept()
        try:
            far = socket.create_connection((host.strip("[]"), int(port)))
        except OSError:
            near.close()  # nobody listens yet: the client tries again
        else:
            _start(_pass, near, far)
            _start(_pass, far, near)


def _pass(source: socket.socket, sink: socket.socket) -> None:
    """Passes on what is received, but for the end."""
    with contextlib.suppress(OSError):
        while data := source.recv(_BYTES):
            sink.sendall(data)


def _start(action: Callable[..., Any], *given: Any) -> None:
    threading.Thread(target=action, args=given, daemon=True).start()
