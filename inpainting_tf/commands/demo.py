"""The web page: choose a picture, mark what is missing, see and download the result.

inpainting-tf demo
inpainting-tf demo --model=faces --model=runs/glcic --port=8080 --open

It needs the extra `apps` (pip install 'inpainting_tf[apps]') and no internet: nothing is downloaded or sent,
and uploads are deleted when the server stops.
"""

from __future__ import annotations

from absl import flags

from inpainting_tf import environment, loading, models
from inpainting_tf.apps import serving
from inpainting_tf.apps.limits import Limits
from inpainting_tf.commands import cli, page_flags


def define_flags(define: cli.Define) -> None:
    """Defines the models, the largest picture, and the page's server."""
    define.strings("model", [models.DEFAULT], "A model of the package, a run's folder or a .keras file.")
    define.string("engine", "auto", f"What runs the networks: {', '.join(models.ENGINES)}.")
    define.float("max_megapixels", Limits().megapixels, "The largest picture that is read.", lower_bound=0.0)
    page_flags.define_flags(define)


def run(args: flags.FlagValues) -> None:
    """Serves the page until it is interrupted."""
    serving.uvicorn()  # raises, if it is not installed, before models are loaded
    if any(loading.takes_keras(each, args.engine) for each in args.model):
        environment.pin_defaults()
    from inpainting_tf.apps import demo_page

    server = page_flags.server(args)
    limits = Limits(max(1, round(server.max_upload_mb * 2**20)), args.max_megapixels)
    demo_page.serve(demo_page.named_models(args.model, args.engine), server, limits)
