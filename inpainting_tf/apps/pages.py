"""The study's page stands on Gradio: without telemetry, on one machine, with errors as messages."""

from __future__ import annotations

import functools
import html
import logging
import os
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from inpainting_tf.apps import serving
from inpainting_tf.apps.serving import Server
from inpainting_tf.errors import InputError

# Against Gradio's telemetry and history; read when it is imported.
_QUIET = {"GRADIO_ANALYTICS_ENABLED": "False", "GRADIO_RUN_HISTORY": "False", "HF_HUB_DISABLE_TELEMETRY": "1"}
_CSS = """
.gradio-container {max-width: 1500px !important; width: 100%; margin: auto}
.hint p, .hint li {color: var(--neutral-500)}
"""


def gradio() -> Any:
    """The package of that name.

    Raises:
        InputError: it is not installed.
    """
    os.environ.update(_QUIET)
    try:
        import gradio as gr
    except ImportError as error:
        raise serving.lacking(error) from error
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
    serving.check_free(server.host, server.port)
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
    with serving.address_errors(server.host, server.port):
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
