"""The web page: choose a picture, mark what is missing, see and download the result.

inpainting-tf demo
inpainting-tf demo --model=faces --model=runs/glcic --port=8080 --open

It needs the extra `apps` (pip install 'inpainting_tf[apps]') and no internet: nothing is downloaded or sent,
and uploads are deleted when the server stops.
"""

from __future__ import annotations

from absl import flags

from inpainting_tf import environment
from inpainting_tf.apps import pages
from inpainting_tf.commands import cli, page_flags


def define_flags(define: cli.Define) -> None:
    """Defines the models, and the page's server."""
    define.strings("model", ["faces"], "A model of the package, a run's folder or a .keras file.")
    define.string("engine", "keras", "What runs the network: keras or openvino.")
    page_flags.define_flags(define)


def run(args: flags.FlagValues) -> None:
    """Serves the page until it is interrupted."""
    pages.gradio()  # raises, if it is not installed, before models are loaded
    environment.pin_defaults()
    from inpainting_tf.apps import demo_page

    demo_page.serve(demo_page.named_models(args.model, args.engine), page_flags.server(args))
