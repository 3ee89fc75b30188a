"""The flags of a web page's server, for every command that serves one."""

from __future__ import annotations

from absl import flags

from inpainting_tf.apps import serving
from inpainting_tf.commands.cli import Define


def define_flags(define: Define) -> None:
    """Defines the address and limits of a page's server: --host, --port, --max_upload_mb and --open."""
    usual = serving.Server()
    define.string("host", usual.host, "Address to listen on; 0.0.0.0 for access from other machines.")
    define.integer(
        "port",
        usual.port,
        f"Default: the first free one from {serving.FIRST_PORT} on.",
        lower_bound=1,
        upper_bound=65535,
    )
    define.float("max_upload_mb", usual.max_upload_mb, "Size of the largest upload.", lower_bound=0.001)
    define.boolean("open", usual.open, "Open the page in a browser.")


def server(args: flags.FlagValues) -> serving.Server:
    """The server of the flags."""
    return serving.Server(args.host, args.port, args.max_upload_mb, args.open)
