"""Shared by the web pages: Gradio without telemetry, a server for one machine, errors as messages."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import html
import logging
import os
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from inpainting_tf.errors import InputError

FIRST_PORT = 7860
# Against Gradio's telemetry and history; read when it is imported.
_QUIET = {"GRADIO_ANALYTICS_ENABLED": "False", "GRADIO_RUN_HISTORY": "False", "HF_HUB_DISABLE_TELEMETRY": "1"}
_CSS = """
.gradio-container {max-width: 1500px !important; width: 100%; margin: auto}
.hint p, .hint li {color: var(--neutral-500)}
"""


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
    max_upload_mb: float = 20.0
    open: bool = False


def gradio() -> Any:
    """The package of that name.

    Raises:
        InputError: it is not installed.
    """
    os.environ.update(_QUIET)
    try:
        import gradio as gr
    except ImportError as error:
        raise InputError("The web page needs Gradio: pip install 'inpainting_tf[apps]'") from error
    return gr


def serve(build: Callable[[Path], Any], server: Server, css: str = "") -> None:
    """Serves a page until it is interrupted.

    Args:
        build: builds the page, a `gradio.Blocks`, given a folder for its files, which are deleted in the end.
        server: address and limits.
        css: style sheet, besides the one that all pages share.

    Raises:
        InputError: Gradio is not installed, or the address or the port is not available.
    """
    _check_free(server.host, server.port)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the folder is deleted then too
    with tempfile.TemporaryDirectory(prefix="inpainting_tf-") as folder:
        os.environ["GRADIO_TEMP_DIR"] = folder
        demo = build(Path(folder))
        try:
            address = _launched(demo, server, css)
            print(f"The page is at {address} (Ctrl-C stops it)", flush=True)
            while True:
                time.sleep(3600)
        finally:
            demo.close(verbose=False)


def errors_shown(handler: Callable[..., Any]) -> Callable[..., Any]:
    """The handler with its errors as messages on the page; unexpected ones are logged too."""

    @functools.wraps(handler)
    def shown(*values: Any) -> Any:
        gr = gradio()
        try:
            return handler(*values)
        except InputError as error:
            raise gr.Error(
                html.escape(str(error)), title="Please check", duration=20, print_exception=False
            ) from error
        except MemoryError as error:
            message = "The picture is too large for this machine's memory: take a smaller one."
            raise gr.Error(message, title="Too large", print_exception=False) from error
        except Exception as error:
            logging.getLogger(__name__).exception("a request failed")
            message = "This did not work; see the server's log for the reason. Please try again."
            raise gr.Error(message, print_exception=False) from error

    return shown


def _launched(demo: Any, server: Server, css: str) -> str:
    """Starts the server in the background and returns the page's address."""
    gr = gradio()
    logging.getLogger("httpx").setLevel(logging.WARNING)
    font = [gr.themes.Font("system-ui"), "sans-serif"]
    with _address_errors(server.host, server.port):
        _, address, _ = demo.queue(default_concurrency_limit=1, max_size=32).launch(
            server_name=server.host,
            server_port=server.port,
            inbrowser=server.open,
            share=False,
            quiet=True,
            show_error=True,
            prevent_thread_lock=True,
            max_file_size=max(1, round(server.max_upload_mb * 2**20)),
            footer_links=[],
            ssr_mode=False,
            theme=gr.themes.Soft(primary_hue="blue", neutral_hue="zinc", font=font),
            css=_CSS + css,
        )
    return address


def _check_free(host: str, port: int | None) -> None:
    """Raises for a port in use; Gradio would check only those of localhost."""
    with _address_errors(host, port):
        family, kind, protocol, _, address = socket.getaddrinfo(host, port or 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)


@contextlib.contextmanager
def _address_errors(host: str, port: int | None) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error).partition("\n")[0]
        raise InputError(
            f"--host and --port must be an address of this machine and a free port. Received {host!r} and "
            f"{port}: {reason}."
        ) from error
