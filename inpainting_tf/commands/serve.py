"""Repairs pictures for other programs, over HTTP.

inpainting-tf serve
inpainting-tf serve --model=photos --replicas=4 --host=0.0.0.0 --port=8000
curl -F image=@photo.jpg -F mask=@mask.png http://localhost:8000/v1/repair > repaired.jpg

Its paths are described at /docs; TensorFlow Serving's are among them, and /healthz, /readyz, /metrics. It
needs the extra `serve` (pip install 'inpainting_tf[serve]').
"""

from __future__ import annotations

import contextlib
import os

from absl import flags

from inpainting_tf import environment, loading, models
from inpainting_tf.apps import serving
from inpainting_tf.apps.limits import Limits
from inpainting_tf.commands import cli, repair_flags

_PORT = 8000


def define_flags(define: cli.Define) -> None:
    """Defines the network, the replicas, the address and the limits."""
    define.string("model", models.DEFAULT, f"{', '.join(models.NAMES)}, a run's folder, or a .keras file.")
    define.string("engine", "auto", f"What runs the network: {', '.join(models.ENGINES)}.")
    replicas = "Processes that repair; 0: threads of this one, without Ray; default: one for each core."
    define.integer("replicas", None, replicas, lower_bound=0)
    define.integer("threads", 1, "That a replica's network computes with.", lower_bound=1)
    define.integer("at_once", 2, "Pictures that a replica repairs at the same time.", lower_bound=1)
    define.string("address", None, "Of a Ray cluster; default: processes of this machine.")
    define.string("host", "127.0.0.1", "Address to listen on; 0.0.0.0 for access from other machines.")
    define.integer("port", _PORT, "To listen on.", lower_bound=1, upper_bound=65535)
    define.float("max_upload_mb", 50.0, "Size of the largest request.", lower_bound=0.001)
    define.float("max_megapixels", Limits().megapixels, "The largest picture that is read.", lower_bound=0.0)
    define.float("receive_seconds", 30.0, "In which a request must have come.", lower_bound=0.001)
    define.float("answer_seconds", 120.0, "In which it is answered from then on.", lower_bound=0.001)
    define.integer("waiting", 64, "Requests at a time; others are refused at once.", lower_bound=1)


def run(args: flags.FlagValues) -> int:
    """Serves until it is interrupted, or told to end, and then finishes what runs."""
    environment.needed("fastapi", "serve")
    environment.needed("python_multipart", "serve")
    environment.needed("prometheus_client", "serve")
    environment.needed("uvicorn", "serve")
    if args.replicas != 0:
        environment.needed("ray.serve", "serve")
    serving.check_free(args.host, args.port)
    from inpainting_tf.apps import api, gate, repairer, replicas

    path = repair_flags.absolute(args.model)
    model = repairer.Model(path, args.engine, args.threads, args.at_once)
    bounds = gate.Bounds(
        round(args.max_upload_mb * 2**20), args.receive_seconds, args.answer_seconds, args.waiting
    )
    settings = api.Settings(models.shown_name(args.model), args.max_megapixels, bounds)
    count = args.replicas if args.replicas is not None else os.cpu_count() or 1
    with contextlib.ExitStack() as stack:
        server: repairer.Server
        if count:
            loading.load_for_command(path, engine=args.engine)  # what is wrong with it is told now
            server = stack.enter_context(replicas.replicas(model, count, args.address))
        else:
            server = replicas.Here(repairer.Repairer(model), args.at_once)
        with contextlib.suppress(KeyboardInterrupt):
            serving.serve(
                api.application(server, settings), serving.Server(args.host, args.port), what="The server"
            )
    print("Stopped.")
    return 0
