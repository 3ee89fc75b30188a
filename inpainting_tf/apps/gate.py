"""Middleware of the server: no body is too large or too slow, not too many wait, and all are counted."""

from __future__ import annotations

import asyncio
import dataclasses
import time

import prometheus_client
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inpainting_tf.apps.requests import Refused, answer

_DROPPED = 4  # times the limit: so much is read and dropped, because many clients read no answer before
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)  # of the histogram


@dataclasses.dataclass(frozen=True)
class Bounds:
    """What a server takes on.

    Attributes:
        upload: bytes of a request's body.
        receiving: seconds in which it must have come.
        answering: seconds for the answer from then on.
        waiting: requests at a time, those that wait among them; another is refused at once.
    """

    upload: int = 50 * 2**20
    receiving: float = 30.0
    answering: float = 120.0
    waiting: int = 64


class Numbers:
    """What Prometheus is told, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = prometheus_client.CollectorRegistry()
        self.requests = prometheus_client.Counter(
            "inpainting_requests", "Requests that were answered.", ("path", "status"), registry=self.registry
        )
        self.seconds = prometheus_client.Histogram(
            "inpainting_request_seconds",
            "From a request's first byte to the answer's last.",
            ("path",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.going = prometheus_client.Gauge(
            "inpainting_requests_in_progress", "Requests received or worked on.", registry=self.registry
        )

    def told(self) -> bytes:
        """As Prometheus reads them."""
        return prometheus_client.generate_latest(self.registry)


class Gate:
    """The middleware, for the paths that take a body.

    Args:
        app: what is behind it.
        bounds: what is let in.
        numbers: what counts.
    """

    def __init__(self, app: ASGIApp, bounds: Bounds, numbers: Numbers) -> None:
        self._app, self._bounds, self._numbers = app, bounds, numbers
        self._going = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        status = _Status(send)
        start = time.perf_counter()
        self._enter(1)
        try:
            await self._let_in(scope, receive, status)
        finally:
            self._enter(-1)
            path = _shown(scope["path"])
            self._numbers.requests.labels(path, status.value).inc()
            self._numbers.seconds.labels(path).observe(time.perf_counter() - start)

    def _enter(self, step: int) -> None:
        self._going += step
        self._numbers.going.set(self._going)

    async def _let_in(self, scope: Scope, receive: Receive, send: _Status) -> None:
        if self._going > self._bounds.waiting:
            await answer(Refused(503, "The server is busy: try again in a while."))(scope, receive, send)
            return
        await self._app(scope, _Body(receive, self._bounds), send)


class _Status:
    """`send`, which remembers the status."""

    def __init__(self, send: Send) -> None:
        self._send, self.value = send, "none"  # of who left before the answer

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.value = str(message["status"])
        await self._send(message)


class _Body:
    """`receive`, within the bounds. What it raises, FastAPI passes on to the handler of such errors."""

    def __init__(self, receive: Receive, bounds: Bounds) -> None:
        self._receive, self._bounds = receive, bounds
        self._until = time.monotonic() + bounds.receiving
        self._bytes, self._more = 0, True

    async def __call__(self) -> Message:
        if not self._more:
            return await self._receive()
        message = await self._next()
        if self._bytes > self._bounds.upload:
            while self._more and self._bytes < _DROPPED * self._bounds.upload:
                await self._next()
            limit = self._bounds.upload / 2**20
            raise HTTPException(413, f"The request is larger than {limit:.3g} MB: send a smaller picture.")
        return message

    async def _next(self) -> Message:
        try:
            message = await asyncio.wait_for(self._receive(), max(0.0, self._until - time.monotonic()))
        except asyncio.TimeoutError as error:
            limit = f"{self._bounds.receiving:g} seconds"
            raise HTTPException(408, f"The request must come within {limit}: send it faster.") from error
        self._bytes += len(message.get("body", b""))
        self._more = message.get("more_body", False)
        return message


def _shown(path: str) -> str:
    """A path as a label: few, whatever is asked for."""
    if path == "/v1/repair":
        return path
    return "/v1/models" if path.startswith("/v1/models/") else "other"
