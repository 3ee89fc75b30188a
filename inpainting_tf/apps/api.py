"""The server that repairs pictures for programs: its paths, and what they take."""

# No postponed annotations: FastAPI reads those of the handlers when they are defined.
import asyncio
import dataclasses
from collections.abc import Awaitable
from typing import Annotated, Any, TypeVar

from fastapi import FastAPI, File, Form, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from starlette.exceptions import HTTPException

import inpainting_tf
from inpainting_tf.apps import tensorflow_serving
from inpainting_tf.apps.gate import Bounds, Gate, Numbers
from inpainting_tf.apps.limits import MEGAPIXELS
from inpainting_tf.apps.repairer import Repair, Server
from inpainting_tf.apps.requests import Refused, answer
from inpainting_tf.errors import InputError, unknown
from inpainting_tf.inference import BLENDS, DETAILS
from inpainting_tf.photographs import ENDINGS, Options

T = TypeVar("T")
_ERROR = {
    "description": "What is wrong, in one line.",
    "content": {"application/json": {"example": {"error": "..."}}},
}
_ERRORS: dict[int | str, dict[str, Any]] = {
    400: _ERROR,
    408: {"description": "The request came too slowly."},
    413: {"description": "The request is too large."},
    422: _ERROR,
    503: {"description": "Busy, or the process that did it ended: try again."},
    504: {"description": "It took too long."},
}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The repaired picture.",
        "content": {"image/*": {}},
        "headers": {
            "X-Missing": {"description": "The missing share of the picture.", "schema": {"type": "number"}},
            "X-Grown": {
                "description": "Pixels by which the hole was grown, unasked.",
                "schema": {"type": "integer"},
            },
        },
    },
}


@dataclasses.dataclass(frozen=True)
class Settings:
    """Of a server.

    Attributes:
        name: of its model, in TensorFlow Serving's paths.
        megapixels: of the largest picture.
        bounds: what it takes on.
    """

    name: str
    megapixels: float = MEGAPIXELS
    bounds: Bounds = dataclasses.field(default_factory=Bounds)


def application(server: Server, settings: Settings) -> FastAPI:
    """The server as an ASGI application.

    Args:
        server: what repairs.
        settings: of the server.
    """
    app = FastAPI(
        title="inpainting_tf",
        version=inpainting_tf.__version__,
        description="Repairs pictures: fills what a mask marks as missing.",
        redoc_url=None,
    )
    numbers = Numbers()
    app.add_middleware(Gate, bounds=settings.bounds, numbers=numbers)
    for kind in (InputError, Refused, Exception):
        app.add_exception_handler(kind, _told)
    app.add_exception_handler(RequestValidationError, _told_of_fields)
    app.add_exception_handler(HTTPException, _told_of_path)
    _add_repair(app, server, settings)
    _add_models(app, server, settings)
    _add_health(app, server, numbers)
    return app


def _add_repair(app: FastAPI, server: Server, settings: Settings) -> None:
    @app.post("/v1/repair", responses=_FILE | _ERRORS, response_class=Response, tags=["repair"])
    async def repair(
        image: Annotated[UploadFile, File(description="The picture: JPEG, PNG, WebP, TIFF, BMP, GIF, ...")],
        mask: Annotated[
            list[UploadFile],
            File(description="White is missing; several are united. Without one, what is transparent is."),
        ] = [],  # noqa: B006  # FastAPI copies it
        format: Annotated[
            str | None, Form(description="To answer in: png, jpg, ... By default as it came.")
        ] = None,
        grow: Annotated[int | None, Form(ge=0, description="Pixels by which the hole grows.")] = None,
        feather: Annotated[int, Form(ge=0, description="Pixels over which the fill fades out.")] = 0,
        invert: Annotated[bool, Form(description="White is known in the mask, and black missing.")] = False,
        fit_mask: Annotated[bool, Form(description="Stretch a mask of another size.")] = False,
        page: Annotated[int | None, Form(ge=1, description="Of a file with several pictures.")] = None,
        blend: Annotated[str, Form(description=f"{', '.join(BLENDS)}.")] = "poisson",
        detail: Annotated[str, Form(description=f"{', '.join(DETAILS)}.")] = "auto",
    ) -> Response:
        """Repairs a picture, as `inpaint` does, and answers with the file."""
        if format is not None and f".{format}" not in ENDINGS:
            raise unknown("format", format, (ending[1:] for ending in ENDINGS))
        options = Options(page, settings.megapixels, fit_mask, invert, grow=grow, feather=feather)
        masks = tuple([await each.read() for each in mask])
        given = Repair(
            await image.read(), masks, format and f".{format}", options, {"blend": blend, "detail": detail}
        )
        done = await _within(server("file", given), settings.bounds.answering)
        return Response(done.data, media_type=done.kind, headers=_headers(done))


def _headers(done: Any) -> dict[str, str]:
    return {"X-Missing": f"{done.missing:.6f}", "X-Grown": str(done.grown)}


def _add_models(app: FastAPI, server: Server, settings: Settings) -> None:
    versions = "/v1/models/{name}", "/v1/models/{name}/versions/{version}"

    async def predict(request: Request, name: str, version: str = "1") -> Response:
        """TensorFlow Serving's: `instances` or `inputs`, with files in base64 or arrays of numbers."""
        _require_model(settings, name, version)
        options = Options(max_megapixels=settings.megapixels)
        found = tensorflow_serving.predict(server, await request.body(), options)
        answered = await _within(found, settings.bounds.answering)
        return Response(answered, media_type="application/json")

    async def status(name: str, version: str = "1") -> JSONResponse:
        """TensorFlow Serving's: whether the model is there."""
        _require_model(settings, name, version)
        return JSONResponse(tensorflow_serving.status())

    for path in versions:
        app.post(f"{path}:predict", responses=_ERRORS, tags=["TensorFlow Serving"])(predict)
        app.get(path, tags=["TensorFlow Serving"])(status)


def _require_model(settings: Settings, name: str, version: str) -> None:
    if (name, version) != (settings.name, "1"):
        raise Refused(
            404, f"The model must be {settings.name!r}, version 1. Received {name[:40]!r}, {version[:9]!r}."
        )


def _add_health(app: FastAPI, server: Server, numbers: Numbers) -> None:
    @app.get("/healthz", tags=["health"])
    async def healthz() -> PlainTextResponse:
        """Whether the server answers."""
        return PlainTextResponse("ok")

    @app.get("/readyz", tags=["health"], responses={503: {"description": "No replica is ready."}})
    async def readyz() -> PlainTextResponse:
        """Whether a picture would be repaired now."""
        ready = await server.ready()
        return PlainTextResponse("ok" if ready else "no replica is ready", 200 if ready else 503)

    @app.get("/metrics", tags=["health"])
    async def metrics() -> PlainTextResponse:
        """Requests and seconds, as Prometheus reads them."""
        return PlainTextResponse(numbers.told())


async def _within(work: Awaitable[T], seconds: float) -> T:
    try:
        return await asyncio.wait_for(work, seconds)
    except asyncio.TimeoutError as error:
        raise Refused(
            504, f"The picture took longer than {seconds:g} seconds: send a smaller hole."
        ) from error


async def _told(request: Request, error: Exception) -> Response:
    return answer(error)


async def _told_of_fields(request: Request, error: Exception) -> Response:
    """The first field that is wrong, in a line."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    field = ".".join(map(str, first["loc"][1:])) or "the form"
    return answer(Refused(422, f"`{field}` must be given as the API's page says (/docs): {first['msg']}."))


async def _told_of_path(request: Request, error: Exception) -> Response:
    """No such path, another method, a form that cannot be read, a body out of bounds."""
    assert isinstance(error, HTTPException)
    reason = error.detail if error.detail.endswith(".") else f"{error.detail}. See /docs."
    return answer(Refused(error.status_code, reason))
