"""TensorFlow Serving's REST requests, in rows and in columns, for clients that were written for it.

The names are those of an exported SavedModel (`export.saved_model`); the pictures are those of `inpaint`.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from inpainting_tf.apps.repairer import Repair, Server
from inpainting_tf.errors import InputError, unknown
from inpainting_tf.photographs import Options

_FILES = {"encoded": ".png", "encoded_jpeg": ".jpg"}  # signatures, and what they answer in
_INPUTS = {name: ("image_bytes", "mask_bytes") for name in _FILES}
_INPUTS |= {name: ("image", "mask") for name in ("serving_default", "predict")}


async def predict(server: Server, body: bytes, options: Options) -> str:
    """The answer to a request's body: {"predictions": rows}, or {"outputs": rows} if it came in columns.

    Long lists are read and written in threads, as others wait.

    Raises:
        InputError: the body is no such request, or what it holds is wrong.
    """
    request = await asyncio.to_thread(_object, body)
    signature = request.get("signature_name") or "serving_default"
    if signature not in _INPUTS:
        raise unknown("signature_name", signature, _INPUTS)
    columns = _columns(request, _INPUTS[signature])
    rows = list(zip(columns[0], columns[1], strict=True))
    if signature == "predict":
        arrays = [await asyncio.to_thread(_array, column, np.float32, 4) for column in columns]
        found: Sequence[Any] = (await server("prediction", *arrays)).tolist()
    elif signature == "serving_default":
        found = await asyncio.gather(*(_picture(server, *row, options) for row in rows))
    else:
        found = await asyncio.gather(*(_file(server, *row, _FILES[signature], options) for row in rows))
    return await asyncio.to_thread(
        json.dumps, {"predictions" if "instances" in request else "outputs": found}
    )


def status(version: str = "1") -> dict[str, Any]:
    """Of a model that is there."""
    state = {"error_code": "OK", "error_message": ""}
    return {"model_version_status": [{"version": version, "state": "AVAILABLE", "status": state}]}


async def _file(server: Server, image: Any, mask: Any, ending: str, options: Options) -> dict[str, str]:
    given = Repair(_bytes(image), (_bytes(mask),), ending, options)
    return {"b64": base64.b64encode((await server("file", given)).data).decode()}


async def _picture(server: Server, image: Any, mask: Any, options: Options) -> Any:
    pixels, missing = [await asyncio.to_thread(_array, each, np.uint8, 3) for each in (image, mask)]
    if pixels.shape[0] * pixels.shape[1] > options.max_megapixels * 1e6:
        raise InputError(f"`image` must have at most {options.max_megapixels:g} million pixels.")
    return (await server("completed", pixels, missing)).tolist()


def _object(body: bytes) -> dict[str, Any]:
    try:
        request = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InputError(f"The body must be JSON. {str(error)[:100]}") from error
    if not isinstance(request, dict) or ("instances" in request) == ("inputs" in request):
        raise InputError("The body must be an object with either `instances` or `inputs`.")
    return request


def _columns(request: dict[str, Any], names: tuple[str, str]) -> list[list[Any]]:
    """The values of each input, as many as there are pictures."""
    rows, given = request.get("instances"), request.get("inputs")
    if "instances" in request:
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise InputError(f"`instances` must be a list of objects with {' and '.join(names)}.")
        given = {name: [row[name] for row in rows if name in row] for name in names}
    if not isinstance(given, dict) or not all(isinstance(given.get(name), list) for name in names):
        raise InputError(f"`inputs` must be an object with lists of {' and '.join(names)}.")
    columns = [given[name] for name in names]
    if not columns[0] or len(columns[0]) != len(columns[1]) or len(columns[0]) != len(rows or columns[0]):
        raise InputError(f"Each picture must have {' and '.join(names)}.")
    return columns


def _bytes(value: Any) -> bytes:
    try:
        return base64.b64decode(value["b64"], validate=True)
    except (TypeError, KeyError, ValueError, binascii.Error) as error:
        raise InputError('A file must be {"b64": "..."} with its bytes in base64.') from error


def _array(value: Any, dtype: type, rank: int) -> np.ndarray:
    try:
        found = np.asarray(value)
        if found.ndim != rank or found.dtype.kind not in ("iuf" if dtype is np.float32 else "iu"):
            raise ValueError
        if dtype is np.uint8 and (found.min() < 0 or found.max() > 255):
            raise ValueError
    except (ValueError, OverflowError) as error:
        kind = "numbers" if dtype is np.float32 else "whole numbers from 0 to 255"
        raise InputError(
            f"An array must be lists of {kind} of {rank} levels, as long as their neighbours."
        ) from error
    return found.astype(dtype)
