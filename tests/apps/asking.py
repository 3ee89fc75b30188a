"""What the tests of the server for programs ask it, and what they expect."""

from __future__ import annotations

import asyncio

import httpx
import numpy as np
from encoding import encoded

import inpainting_tf
from inpainting_tf.apps import api, gate

SIZE = (45, 61)
PREDICT = "/v1/models/faces:predict"


def picture(size=SIZE) -> np.ndarray:
    rows, columns = np.mgrid[: size[0], : size[1]]
    return np.stack([rows * 200 // size[0], columns * 240 // size[1], 0 * rows + 50], -1).astype(np.uint8)


def hole(size=SIZE) -> np.ndarray:
    missing = np.zeros(size, np.uint8)
    missing[10:19, 20:31] = 255
    return missing


IMAGE, MASK = encoded(picture()), encoded(hole())
FORM = {"image": ("photo.png", IMAGE), "mask": ("mask.png", MASK)}


def ask(server, *calls, **settings):
    """The answers to calls of a client, made at the same time."""
    bounds = gate.Bounds(**{"upload": 2**20, "receiving": 20.0} | settings)
    app = api.application(server, api.Settings("faces", megapixels=0.5, bounds=bounds))

    async def run():
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            return await asyncio.gather(*(call(client) for call in calls))

    return asyncio.run(run())


def post(path="/v1/repair", **given):
    return lambda client: client.post(path, **given)


def repair(files=FORM, **data):
    return post(files=files, data=data)


def refused(answer: httpx.Response, status: int, *words: str) -> None:
    assert answer.status_code == status, answer.text
    (told,) = answer.json().values()
    assert list(answer.json()) == ["error"] and "\n" not in told
    assert all(word in told for word in words), told


def expected(**options) -> np.ndarray:
    return inpainting_tf.inpaint(inpainting_tf.load("faces"), picture(), hole(), **options)
