"""The flags of a web page's server, for every command that serves one."""

from __future__ import annotations

from absl import flags

from inpainting_tf.apps import pages
from inpainting_tf.commands.cli import Define


def define_flags(define: Define) -> None:
    """Defines where a page is served and what it accepts: --host, --port, --max_upload_mb and --open."""
    usual = pages.Server()
    define.string("host", usual.host, "Address to listen on; 0.0.0.0 lets other machines in.")
    define.integer(
        "port",
        usual.port,
        f"Default: the first free one from {pages.FIRST_PORT} on.",
        lower_bound=1,
        upper_bound=65535,
    )
    define.float("max_upload_mb", usual.max_upload_mb, "Largest file that is accepted.", lower_bound=0.001)
    define.boolean("open", usual.open, "Open the page in a browser.")


def server(args: flags.FlagValues) -> pages.Server:
    """The server that the flags ask for."""
    return pages.Server(args.host, args.port, args.max_upload_mb, args.open)
