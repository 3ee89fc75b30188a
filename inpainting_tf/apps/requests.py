"""Requests to a page: bodies within limits, work in threads, mistakes and accidents answered in one line."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import anyio
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inpainting_tf.errors import InputError

WAITING = 32  # requests that wait for their turn, at most
_HEADERS = {
    # Nothing comes from, or goes to, another machine; previews are blobs.
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
# What is still to come of a body that was refused is not waited for.
_ANSWERED_WITH = {408: {"Connection": "close"}, 413: {"Connection": "close"}, 503: {"Retry-After": "1"}}
Work = Callable[[Request, bytes], Response]


class Refused(Exception):
    """A request that is answered by an error.

    Args:
        status: of HTTP.
        reason: one line.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(status, reason)  # both, so that it can be pickled
        self.status = status

    def __str__(self) -> str:
        return str(self.args[1])


class Shield:
    """Middleware: other web sites cannot use the page's server, and the page asks none of them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                added = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]
                message["headers"] = [*message["headers"], *added]
            await send(message)

        if Request(scope).headers.get("sec-fetch-site") == "cross-site" and scope["method"] != "GET":
            await answer(Refused(403, "Another web site may not use this one."))(scope, receive, with_headers)
        else:
            await self._app(scope, receive, with_headers)


def endpoint(work: Work, limiter: anyio.CapacityLimiter, largest: int = 0) -> Callable[[Request], Any]:
    """An endpoint that does its work in a thread.

    Args:
        work: the response to a request and its body.
        limiter: how many such threads there are at a time.
        largest: bytes of a body.
    """

    async def respond(request: Request) -> Response:
        try:
            body = await _body(request, largest)
            if limiter.statistics().tasks_waiting >= WAITING:
                raise Refused(503, "The server is busy: try again in a while.")
            return await anyio.to_thread.run_sync(work, request, body, limiter=limiter)
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as error:
            return answer(error)

    return respond


def answer(error: Exception) -> Response:
    """An error as a response; unexpected ones are logged too."""
    told = refusal(error)
    return JSONResponse({"error": str(told)}, told.status, _ANSWERED_WITH.get(told.status))


def refusal(error: Exception) -> Refused:
    """An error as what is told of it."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, InputError):
        return Refused(400, str(error))
    if isinstance(error, MemoryError):
        return Refused(507, "The picture is too large for this machine's memory: take a smaller one.")
    logging.getLogger(__name__).error("a request failed", exc_info=error)
    return Refused(500, "This did not work; see the server's log for the reason. Please try again.")


async def _body(request: Request, largest: int) -> bytes:
    """The body, of which no more is read than is allowed."""
    parts = bytearray()
    async for part in request.stream():
        parts += part
        if len(parts) > largest:
            raise Refused(413, f"The file is larger than {largest / 2**20:.3g} MB: take a smaller one.")
    return bytes(parts)
