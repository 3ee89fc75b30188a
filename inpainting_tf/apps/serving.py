"""A server of a page for one machine: its address, its limits, its end."""

from __future__ import annotations

import contextlib
import dataclasses
import signal
import socket
import threading
import webbrowser
from collections.abc import Iterator
from typing import Any

from inpainting_tf.errors import InputError

FIRST_PORT = 7860
_PORTS = 100  # tried from there on


@dataclasses.dataclass(frozen=True)
class Server:
    """The address of a page's server, and its limits.

    Attributes:
        host: address to listen on; 0.0.0.0 for access from other machines.
        port: None takes the first free one from `FIRST_PORT` on.
        max_upload_mb: size of the largest upload, in MiB.
        open: whether to open the page in a browser.
    """

    host: str = "127.0.0.1"
    port: int | None = None
    max_upload_mb: float = 50.0
    open: bool = False


def uvicorn() -> Any:
    """The package of that name.

    Raises:
        InputError: it or Starlette is not installed.
    """
    try:
        import starlette  # noqa: F401
        import uvicorn
    except ImportError as error:
        raise lacking(error) from error
    return uvicorn


def lacking(error: ImportError) -> InputError:
    """What to tell who lacks a package of the pages."""
    return InputError(f"The web page needs {error.name}: pip install 'inpainting_tf[apps]'")


def serve(app: Any, server: Server, what: str = "The page") -> None:
    """Serves an ASGI application until it is interrupted.

    Raises:
        InputError: a package is missing, or the address or the port is not available.
        KeyboardInterrupt: the end, by Ctrl-C or SIGTERM, after requests in progress.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that folders are deleted then too
    with contextlib.closing(bound(server.host, server.port)) as listening:
        address = _address(server.host, listening)
        print(f"{what} is at {address} (Ctrl-C stops it)", flush=True)
        if server.open:
            webbrowser.open(address)
        _uvicorn_server(app).run(sockets=[listening])


@contextlib.contextmanager
def in_background(app: Any, server: Server | None = None) -> Iterator[str]:
    """Serves an ASGI application in a thread for as long as the block runs; yields its address."""
    server = server or Server()
    running = _uvicorn_server(app)
    with contextlib.closing(bound(server.host, server.port)) as listening:
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield _address(server.host, listening)
        finally:
            running.should_exit = True
            thread.join()


def check_free(host: str, port: int | None) -> None:
    """Raises InputError for an address that is none of this machine's, or a port in use."""
    bound(host, port or 0).close()


def bound(host: str, port: int | None) -> socket.socket:
    """A socket that listens at an address of this machine.

    Raises:
        InputError: the host is none of this machine's, or the port or all the usual ones are in use.
    """
    with address_errors(host, port):
        if port is not None:
            return _listening(host, port)
        for each in range(FIRST_PORT, FIRST_PORT + _PORTS):
            with contextlib.suppress(OSError):
                return _listening(host, each)
        return _listening(host, FIRST_PORT)  # raises the reason


@contextlib.contextmanager
def address_errors(host: str, port: int | None) -> Iterator[None]:
    """Turns an OSError of the block into the InputError of an address that cannot be had."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error).partition("\n")[0]
        raise InputError(
            f"--host and --port must be an address of this machine and a free port. Received {host!r} and "
            f"{port}: {reason}."
        ) from error


def _listening(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(128)  # a second server may bind the same port until one of them listens
    except OSError:
        listening.close()
        raise
    return listening


def _address(host: str, listening: socket.socket) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listening.getsockname()[1]}/"


def _uvicorn_server(app: Any) -> Any:
    package = uvicorn()
    return package.Server(package.Config(app, log_level="warning", access_log=False, ws="none"))
