"""The page that repairs pictures: its models, and how it is served."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from inpainting_tf import loading
from inpainting_tf import models as shipped
from inpainting_tf.apps import serving
from inpainting_tf.apps.album import Album
from inpainting_tf.apps.demo_requests import Handlers
from inpainting_tf.apps.limits import Limits
from inpainting_tf.apps.requests import Shield
from inpainting_tf.errors import InputError
from inpainting_tf.inference import Engine

STATIC = Path(__file__).with_name("static")


def named_models(paths: Sequence[str], engine: str = "auto") -> dict[str, Engine]:
    """Models by the names that the page shows.

    Raises:
        InputError: see `inpainting_tf.load`, or two models of the same name.
    """
    models: dict[str, Engine] = {}
    for path in paths:
        name = shipped.shown_name(path)
        if name in models:
            raise InputError(f"--model must have different names. Received {name!r} twice.")
        models[name] = loading.load(path, engine=engine)
    return models


def serve(models: Mapping[str, Engine], server: serving.Server, limits: Limits) -> None:
    """Serves the page until it is interrupted; see `serving.serve` for what is raised."""
    with page(models, limits) as app:
        serving.serve(app, server)


@contextlib.contextmanager
def page(models: Mapping[str, Engine], limits: Limits | None = None) -> Iterator[Starlette]:
    """The page as an ASGI application.

    Its pictures are in a temporary folder, which is deleted when the block ends.

    Args:
        models: completion networks by the names shown.
        limits: what is taken in.
    """
    with tempfile.TemporaryDirectory(prefix="inpainting_tf-") as folder:
        handlers = Handlers(models, Album(Path(folder)), limits or Limits())
        yield Starlette(
            routes=[*handlers.routes(), Mount("/", StaticFiles(directory=STATIC, html=True))],
            middleware=[Middleware(Shield)],
            lifespan=_warmed(handlers),
        )


def _warmed(handlers: Handlers) -> Callable[[Any], contextlib.AbstractAsyncContextManager[None]]:
    """The networks compute something as the server starts, so that the first fill need not wait for it."""

    @contextlib.asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        async with handlers.warming():
            yield

    return lifespan
