"""What the page asks its server.

A browser holds no more of a picture than what it shows. It uploads a file, receives the name and the view of
a `Picture`, and sends what was painted on the view. The picture itself stays on the server, step by step,
until it is downloaded. Errors are JSON: {"error": one line}.
"""

from __future__ import annotations

import contextlib
import functools
import io
import logging
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import anyio
import numpy as np
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from inpainting_tf import photographs
from inpainting_tf.apps import examples, retouching
from inpainting_tf.apps.album import Album, Gone, Picture
from inpainting_tf.apps.limits import Limits
from inpainting_tf.apps.requests import Refused, Work, endpoint
from inpainting_tf.errors import InputError, unknown
from inpainting_tf.inference import BLENDS, FAINT, Engine, adds_detail, inpaint
from inpainting_tf.photographs import formats, holes
from inpainting_tf.photographs.extending import SIDES

FARTHEST = 256  # pixels of a view by which paint is grown or feathered at once
_BLENDINGS = {"poisson": "Seamless", "none": "The network's own pixels"}
_TITLES = {"WEBP": "WebP", "HEIF": "HEIC"}
_PAINT = 2**25  # bytes of the largest painting
_NAME = 100  # letters of a file's name that are kept
_KEPT = {"Cache-Control": "private, max-age=3600"}  # a picture of one name never changes


class Handlers:
    """The requests, on the pictures of an album.

    Args:
        models: completion networks by the names shown.
        album: where the pictures are.
        limits: what is taken in.
    """

    def __init__(self, models: Mapping[str, Engine], album: Album, limits: Limits) -> None:
        self._models, self._album, self._limits = models, album, limits
        self._fills, self._others = anyio.CapacityLimiter(1), anyio.CapacityLimiter(2)

    def routes(self) -> list[Route]:
        """All requests: their addresses, methods and handlers."""
        upload, one = self._limits.upload, "/pictures/{picture}"
        return [
            self._route("GET", "/facts", self.facts),
            self._route("GET", "/examples/{name}", self.example_view),
            self._route("POST", "/examples/{name}", self.example),
            self._route("POST", "/pictures", self.upload, upload),
            self._route("GET", one + "/view", self.view),
            self._route("GET", one + "/hole", self.hole),
            self._route("GET", one + "/face_mask", self.face_mask),
            self._route("POST", one + "/mask", self.mask, upload),
            self._route("POST", one + "/mask_file", self.mask_file, _PAINT),
            self._route("POST", one + "/paint", self.paint, _PAINT),
            self._route("POST", one + "/extended", self.extended),
            self._route("POST", one + "/filled", self.filled, _PAINT),
            self._route("GET", one + "/file", self.file),
        ]

    @contextlib.asynccontextmanager
    async def warming(self) -> AsyncIterator[None]:
        """A block at whose beginning the networks begin to compute something."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: anyio.to_thread.run_sync(self._warm, limiter=self._fills))
            yield

    def facts(self, request: Request, body: bytes) -> Response:
        """What the page says before anything is chosen."""
        names = [name for name in formats.readable() if name != "MPO"]
        return JSONResponse(
            {
                "models": list(self._models),
                "blendings": _BLENDINGS,
                "classical": {name: limit.title for name, limit in retouching.CLASSICAL.items()},
                "examples": {name: each.title for name, each in examples.EXAMPLES.items()},
                "formats": [_TITLES.get(name, name) for name in names],
                "upload": self._limits.upload,
                "megapixels": self._limits.megapixels,
                "mostly": retouching.MOSTLY,
                "farthest": FARTHEST,
            }
        )

    # Pictures

    def upload(self, request: Request, body: bytes) -> Response:
        """Opens a picture file; `name` in the query is its name."""
        name = PurePosixPath(request.query_params.get("name", "").replace("\\", "/")).name[-_NAME:]
        photograph = photographs.read(io.BytesIO(body), max_megapixels=self._limits.megapixels)
        changed = np.zeros(photograph.rgb.shape[:2], bool)
        return self._put(Picture(name or "picture", photograph, changed, _erased(photograph.alpha)))

    def example(self, request: Request, body: bytes) -> Response:
        """Opens an example."""
        name = request.path_params["name"]
        rgb, hole = examples.get(name).draw()
        photograph = photographs.Photograph(rgb)
        hole = hole.astype(np.float32)
        return self._put(Picture(f"{name}.png", photograph, np.zeros(rgb.shape[:2], bool), hole))

    def example_view(self, request: Request, body: bytes) -> Response:
        """An example as a small picture."""
        rgb, _ = examples.get(request.path_params["name"]).draw()
        data, kind = retouching.encoded_view(rgb, longest=320)
        return Response(data, media_type=kind, headers=_KEPT)

    def view(self, request: Request, body: bytes) -> Response:
        """A picture in the size in which it is shown, of at most `longest` pixels."""
        photograph = self._picture(request).photograph
        longest = _number(request, "longest", 1, retouching.VIEW)
        data, kind = retouching.encoded_view(photograph.rgb, photograph.alpha, longest)
        return Response(data, media_type=kind, headers=_KEPT)

    def file(self, request: Request, body: bytes) -> Response:
        """A picture to download, in the format of its file or as a PNG."""
        picture = self._picture(request)
        ending = ".png" if "png" in request.query_params else picture.photograph.ending
        path = Path(tempfile.gettempdir()) / f"inpainting_tf-{secrets.token_hex(8)}{ending}"
        try:
            photographs.write(path, picture.photograph, picture.photograph.colours, picture.changed)
        except photographs.NotWritten as error:
            raise Refused(422, f"{error}: download it as PNG.") from error
        name = f"{PurePosixPath(picture.name).stem}_filled{ending}"
        return FileResponse(path, filename=name, background=BackgroundTask(path.unlink))

    # Masks

    def hole(self, request: Request, body: bytes) -> Response:
        """What is to be filled to begin with, as paint."""
        picture = self._picture(request)
        if picture.hole is None:
            raise InputError("This picture comes without a hole: paint over what is to be filled.")
        return _paint(retouching.paint_of(picture.hole))

    def face_mask(self, request: Request, body: bytes) -> Response:
        """The shape of a face mask, as paint."""
        return _paint(retouching.paint_of(retouching.face_mask(self._picture(request).size)))

    def mask(self, request: Request, body: bytes) -> Response:
        """A mask file, as paint."""
        mask = photographs.read_mask(io.BytesIO(body), self._picture(request).size)
        return _paint(retouching.paint_of(mask))

    def mask_file(self, request: Request, body: bytes) -> Response:
        """Paint as a mask file of the picture's size: white is missing."""
        size = self._picture(request).size
        hole = retouching.hole_of(retouching.decoded_paint(body, size), size)
        return Response(photographs.encoded_mask(hole), media_type="image/png")

    def paint(self, request: Request, body: bytes) -> Response:
        """Paint that was grown (`grow`, with a negative number shrunk), feathered or inverted."""
        paint = retouching.decoded_paint(body, self._picture(request).size)
        grow = _number(request, "grow", -FARTHEST, FARTHEST)
        feather = _number(request, "feather", 0, FARTHEST)
        paint = retouching.widened(paint, grow) if grow else paint
        paint = retouching.feathered(paint, feather) if feather else paint
        return _paint(255 - paint if "invert" in request.query_params else paint)

    # Fills

    def extended(self, request: Request, body: bytes) -> Response:
        """A picture on a larger canvas; its hole is what is new."""
        picture = self._picture(request)
        margins = [_number(request, side, 0, 10**6) or 0 for side in SIDES]
        wider, hole = photographs.extend(picture.photograph, margins, max_megapixels=self._limits.megapixels)
        return self._put(Picture(picture.name, wider, hole > 0, hole))

    def filled(self, request: Request, body: bytes) -> Response:
        """A picture whose painted pixels were filled by a network or a classical `method`."""
        picture = self._picture(request)
        hole = retouching.hole_of(retouching.decoded_paint(body, picture.size), picture.size)
        detail = request.query_params.get("detail") or retouching.detail_of(hole)
        fill, detailed = self._fill(request, detail)
        start = time.perf_counter()
        done = photographs.repair(picture.photograph, hole, fill)
        smooth = detailed and detail == "none"
        told = {"missing": int(done.mask.sum()), "grown": done.grown, "smooth": smooth}
        return self._put(picture.repaired(done), seconds=time.perf_counter() - start, **told)

    # Shared

    def _route(self, method: str, path: str, work: Work, largest: int = 0) -> Route:
        limiter = self._fills if work == self.filled else self._others
        return Route(path, endpoint(work, limiter, largest), methods=[method])

    def _picture(self, request: Request) -> Picture:
        try:
            return self._album.get(request.path_params["picture"])
        except Gone as gone:
            raise Refused(410, str(gone)) from gone

    def _fill(self, request: Request, detail: str) -> tuple[Callable[..., np.ndarray], bool]:
        """What fills a hole, a classical `method` or a `model` with a `blend`, and whether it adds detail."""
        query = request.query_params
        if "method" in query:
            method = functools.partial(retouching.classical_fill, query["method"])
            return lambda rgb, hole, **_: method(rgb, hole >= FAINT), False
        name = query.get("model", next(iter(self._models)))
        if name not in self._models:
            raise unknown("model", name, self._models)
        model, blend = self._models[name], query.get("blend", BLENDS[0])
        return functools.partial(inpaint, model, blend=blend, detail=detail), adds_detail(model, blend)

    def _put(self, picture: Picture, **more: Any) -> Response:
        height, width = picture.size
        shown = retouching.view_size(picture.size)
        ending = picture.photograph.ending
        told = {
            "id": self._album.put(picture),
            "name": picture.name,
            "width": width,
            "height": height,
            "view": {"width": shown[1], "height": shown[0]},
            "format": _TITLES.get(formats.of_path(f"x{ending}").name, formats.of_path(f"x{ending}").name),
            "hole": picture.hole is not None,
            "transparent": picture.photograph.alpha is not None,
        }
        return JSONResponse(told | more)

    def _warm(self) -> None:
        rgb, hole = np.zeros((64, 64, 3), np.uint8), np.zeros((64, 64), bool)
        hole[24:40, 24:40] = True
        for name, model in self._models.items():
            try:
                inpaint(model, rgb, hole)
            except Exception:  # it is tried again, and told, when something is to be filled
                logging.getLogger(__name__).exception("%s did not start", name)


def _erased(alpha: np.ndarray | None) -> np.ndarray | None:
    """The hole of a picture that is transparent in parts."""
    hole = None if alpha is None else holes.of_transparency(alpha)
    return hole if hole is not None and 0 < hole.mean() < 1 else None


def _number(request: Request, name: str, least: int, most: int) -> int | None:
    """A whole number of the query, if it is there."""
    value = request.query_params.get(name)
    if value is None:
        return None
    with contextlib.suppress(ValueError):
        if least <= int(value) <= most:
            return int(value)
    raise InputError(f"`{name}` must be a whole number from {least} to {most}. Received {value[:40]!r}.")


def _paint(paint: np.ndarray) -> Response:
    return Response(retouching.encoded_paint(paint), media_type="image/png")
