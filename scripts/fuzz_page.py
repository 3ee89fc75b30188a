"""Sends thousands of made-up requests to the demo page, sound and malformed, and says what went wrong.

python scripts/fuzz_page.py --requests=2000 --seed=0

Each case is a visitor, a function of the seed and the case's number: a picture file, and requests about the
picture, whose bodies and queries are often not what the page itself would send; a constant stands for the
network. It goes wrong with a crash, a hang of more than ten seconds, an exception, an answer that is neither
a success nor an error in one line, a sound file that is not taken in, a download that cannot be opened, or a
known pixel that has changed. Such cases are printed.
"""

from __future__ import annotations

import contextlib
import faulthandler
import io
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from absl import flags
from PIL import Image
from starlette.testclient import TestClient

sys.path.insert(0, str(Path(__file__).parents[1]))

from inpainting_tf.apps import demo_page, examples, retouching
from inpainting_tf.apps.limits import Limits
from inpainting_tf.commands import cli
from inpainting_tf.inference import Facts, Runtime
from scripts import fuzzed_pictures

PATIENCE = 10  # seconds of processor time for a request
HANGING = 120  # seconds in which it does not even compute
RIM = 4  # pixels beside a hole that may be filled with it
NETWORK = Runtime(lambda images, masks: np.full_like(images, 0.5), Facts(trained_on=(16, 8)))
ODD = ("", "0", "-1", "1", "2", "7", "255", "1e3", "9" * 40, "0x10", "nan", "ü", "\x00", "../..", "'", "²")
SIDES = ("left", "top", "right", "bottom")
QUERIES = ("longest", "grow", "feather", "invert", "model", "blend", "detail", "method", "png", *SIDES)

Visit = tuple[TestClient, np.random.Generator, dict[str, Any]]  # client, random numbers, the picture


class Wrong(Exception):
    """What may not be; the message says what."""


def define_flags(define: cli.Define) -> None:
    define.integer("requests", 2000, "How many, about.", lower_bound=1)
    define.integer("seed", 0, "Of all of them.", lower_bound=0)
    define.integer("first", 0, "The number of the first case.", lower_bound=0)


def run(args: flags.FlagValues) -> int:
    sent, number, wrong = 0, args.first, 0
    with served() as client:
        while sent < args.requests:
            count, reason = check(client, args.seed, number)
            if reason:
                print(f"case {number}: {reason}", flush=True)
            sent, number, wrong = sent + count, number + 1, wrong + bool(reason)
    print(f"{wrong} of {number - args.first} cases went wrong, with {sent} requests.")
    return int(bool(wrong))


@contextlib.contextmanager
def served() -> Iterator[TestClient]:
    """The page in this process."""
    with demo_page.page({"grey": NETWORK}, Limits(upload=2_000_000, megapixels=4.0)) as app:
        yield TestClient(app)


def check(client: TestClient, seed: int, number: int) -> tuple[int, str | None]:
    """The requests of a case: how many, and what went wrong, if anything did."""
    random, count = np.random.default_rng([seed, number]), 0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _watch(PATIENCE)
            for answer in visit(client, random):
                count += 1
                _check_answer(answer)
                _watch(PATIENCE)
    except Exception as error:
        return count + 1, f"{type(error).__name__}: {error}"
    finally:
        _watch(0)
    return count, None


def _watch(seconds: float) -> None:
    """Ends the process, with where it was, if it computes for so long; 0 does not."""
    if hasattr(signal, "setitimer"):
        faulthandler.register(signal.SIGPROF, chain=True)
        signal.setitimer(signal.ITIMER_PROF, seconds)
    faulthandler.cancel_dump_traceback_later()
    if seconds:
        faulthandler.dump_traceback_later(HANGING, exit=True)


def visit(client: TestClient, random: np.random.Generator) -> Iterator[Any]:
    """The answers to a visitor's requests."""
    file = fuzzed_pictures.picture(random)
    file = file if random.random() < 0.6 else fuzzed_pictures.damaged(random, file)
    name = str(random.choice(["a.png", "ä\n.jpg", "../b", "", "x" * 500, "\x00"]))
    answer = client.post("/pictures", params={"name": name}, content=file.data)
    yield answer
    if not answer.is_success:
        if file.sound:
            raise Wrong(f"a sound file is refused: {answer.text} ({file.about})")
        answer = client.post(f"/examples/{random.choice([*examples.EXAMPLES, 'none'])}")
        yield answer
    if not answer.is_success:
        return
    picture = answer.json()
    for _ in range(int(random.integers(2, 8))):
        act: Callable[[Visit], Iterator[Any]] = random.choice(np.array(ACTS, object))
        yield from act((client, random, picture))


# What a visitor does


def _looks(visit: Visit) -> Iterator[Any]:
    client, random, picture = visit
    what = random.choice(["view", "hole", "face_mask", "file", "filled", "x", "..", "%00"])
    yield client.get(f"/pictures/{picture['id']}/{what}", params=_query(random))


def _strays(visit: Visit) -> Iterator[Any]:
    client, random, picture = visit
    places = ("0" * 32, "..", picture["id"][:-1], "%2e%2e%2f", "ü", picture["id"].upper())
    path = random.choice(["/pictures/{}/file", "/pictures/{}/view", "/{}", "/examples/{}", "/static/{}"])
    method = str(random.choice(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"]))
    yield client.request(method, path.format(random.choice(places)), content=random.bytes(20))


def _loads_a_mask(visit: Visit) -> Iterator[Any]:
    client, random, picture = visit
    file = fuzzed_pictures.picture(random)
    if random.random() < 0.5:
        levels = _paint(random, picture)
        size = (picture["width"], picture["height"])
        data = io.BytesIO()
        Image.fromarray(levels).resize(size, Image.Resampling.NEAREST).save(data, "PNG")
        file = fuzzed_pictures.PictureFile(data.getvalue(), "PNG", True, "mask")
    file = fuzzed_pictures.damaged(random, file) if random.random() < 0.4 else file
    yield client.post(f"/pictures/{picture['id']}/mask", content=file.data)


def _changes_paint(visit: Visit) -> Iterator[Any]:
    client, random, picture = visit
    what = random.choice(["paint", "paint", "mask_file"])
    body = _body(random, picture)
    yield client.post(f"/pictures/{picture['id']}/{what}", params=_query(random), content=body)


def _extends(visit: Visit) -> Iterator[Any]:
    client, random, picture = visit
    query = {side: int(random.integers(0, 20)) for side in SIDES} if random.random() < 0.5 else _query(random)
    answer = client.post(f"/pictures/{picture['id']}/extended", params=query)
    yield answer
    if answer.is_success:
        wider = answer.json()
        hole = client.get(f"/pictures/{wider['id']}/hole")
        yield hole
        yield client.post(f"/pictures/{wider['id']}/filled", content=hole.content)


def _fills_oddly(visit: Visit) -> Iterator[Any]:
    client, random, picture = visit
    address = f"/pictures/{picture['id']}/filled"
    yield client.post(address, params=_query(random), content=_body(random, picture))


def _fills(visit: Visit) -> Iterator[Any]:
    client, random, picture = visit
    paint = _paint(random, picture)
    query = {0: {"method": "telea"}, 1: {}}.get(int(random.integers(8)), {"detail": "none"})
    body = retouching.encoded_paint(paint)
    answer = client.post(f"/pictures/{picture['id']}/filled", params=query, content=body)
    yield answer
    if not answer.is_success:
        return
    done = answer.json()
    before, after = (client.get(f"/pictures/{each['id']}/file?png") for each in (picture, done))
    yield before
    yield after
    yield client.get(f"/pictures/{done['id']}/file")
    if before.is_success and after.is_success:
        _check_known(before.content, after.content, paint)
    picture.update(done)  # goes on from here


ACTS = (_looks, _strays, _loads_a_mask, _changes_paint, _extends, _fills_oddly, _fills, _fills)


def _query(random: np.random.Generator) -> dict[str, str]:
    return {str(name): str(random.choice(ODD)) for name in random.choice(QUERIES, random.integers(0, 4))}


def _paint(random: np.random.Generator, picture: dict[str, Any]) -> np.ndarray:
    """A rectangle, hard or soft, uint8 [h, w]."""
    height, width = picture["view"]["height"], picture["view"]["width"]
    paint = np.zeros((height, width), np.uint8)
    top, left = int(random.integers(height)), int(random.integers(width))
    paint[top : top + 1 + height // 3, left : left + 1 + width // 3] = random.choice([255, 255, 60, 1])
    return cv2.GaussianBlur(paint, (0, 0), 2) if random.random() < 0.3 else paint


def _body(random: np.random.Generator, picture: dict[str, Any]) -> bytes:
    """A painting, of which something may be wrong."""
    paint = _paint(random, picture)
    kind = int(random.integers(6))
    if kind == 0:
        paint = paint[:-1] if len(paint) > 1 else paint.T
    data = retouching.encoded_paint(paint)
    if kind == 1:
        return fuzzed_pictures.picture(random).data
    if kind == 2:
        return bytes(random.bytes(int(random.integers(0, 60))))
    if kind in (3, 4):
        return fuzzed_pictures.damaged(random, fuzzed_pictures.PictureFile(data, "PNG", True, "")).data
    return data


# What may not be


def _check_answer(answer: Any) -> None:
    request = f"{answer.request.method} {answer.request.url} -> {answer.status_code}"
    if answer.status_code >= 500:
        raise Wrong(f"{request}: {answer.text[:300]}")
    if answer.status_code in (400, 410, 413, 422) and answer.request.method != "HEAD":
        told = answer.json()["error"]
        if "\n" in told or not told:
            raise Wrong(f"{request}: not one line: {told!r}")
    kind = answer.headers.get("content-type", "")
    if answer.is_success and kind.startswith("image/") and "svg" not in kind and answer.content:
        _opened(answer.content)


def _check_known(before: bytes, after: bytes, paint: np.ndarray) -> None:
    first, second = _opened(before), _opened(after)
    if first.size != second.size:
        raise Wrong(f"the size changed from {first.size} to {second.size}")
    reach = 2 * RIM + 1
    enlarged = cv2.resize(paint, first.size, interpolation=cv2.INTER_NEAREST)
    known = cv2.dilate(enlarged, np.ones((reach, reach), np.uint8)) == 0
    pixels = [np.array(each.convert("RGBA"))[known] for each in (first, second)]
    seen = pixels[0][:, 3] > 0
    if not np.array_equal(pixels[0][seen], pixels[1][seen]):
        raise Wrong("a known pixel changed")


def _opened(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        return image.copy()


if __name__ == "__main__":
    cli.main(sys.modules[__name__])
