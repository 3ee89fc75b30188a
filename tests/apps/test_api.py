"""The server for programs: what it answers, what it refuses, and that others do not notice."""

from __future__ import annotations

import asyncio
import io
import pickle
import threading

import numpy as np
import pytest

pytest.importorskip("fastapi", reason="needs the extra `serve`")

from asking import FORM, IMAGE, MASK, PREDICT, SIZE, ask, expected, hole, picture, post, refused, repair
from encoding import decoded, encoded
from prometheus_client.parser import text_string_to_metric_families

import inpainting_tf
from inpainting_tf import photographs
from inpainting_tf.apps import repairer
from inpainting_tf.apps.requests import Refused

# A picture


def test_a_picture_is_repaired_as_in_python_and_told_of(here):
    (answer,) = ask(here, repair())
    assert answer.status_code == 200 and answer.headers["content-type"] == "image/png"
    assert np.array_equal(decoded(answer.content), expected())
    assert float(answer.headers["x-missing"]) == pytest.approx(99 / (45 * 61), abs=1e-6)
    assert answer.headers["x-grown"] == "0"


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "TIFF", "BMP"])
def test_the_answer_has_the_pictures_format(here, kind):
    file = io.BytesIO(encoded(picture(), kind))
    (answer,) = ask(here, repair(FORM | {"image": ("photo", file.getvalue())}))
    assert answer.headers["content-type"] == f"image/{kind.lower()}"
    known = photographs.read(file)
    assert photographs.read(io.BytesIO(answer.content)).encoded.name == known.encoded.name
    plain, _ = photographs.batches.repaired(
        io.BytesIO(file.getvalue()),
        [io.BytesIO(MASK)],
        None,
        lambda image, mask, **how: here._repairer._model.inpaint(image, mask, **how),
    )
    assert answer.content == plain


def test_options(here):
    calls = [
        repair(format="webp"),
        repair(blend="none"),
        repair(grow="2"),
        repair(invert="true", fit_mask="1"),
    ]
    webp, none, grown, inverted = ask(here, *calls)
    assert webp.headers["content-type"] == "image/webp" and np.array_equal(decoded(webp.content), expected())
    assert np.array_equal(decoded(none.content), expected(blend="none"))
    assert (decoded(grown.content) != picture())[8:10, 20:31].any()
    assert (decoded(inverted.content) == picture())[10:19, 20:31].all()


def test_several_masks_are_united_and_without_one_what_is_transparent_is_missing(here):
    second = np.zeros(SIZE, np.uint8)
    second[30:34, 5:12] = 255
    form = [("image", IMAGE), ("mask", MASK), ("mask", encoded(second))]
    erased = encoded(np.dstack([picture(), 255 - (hole() | second)]))
    united, transparent = ask(here, repair(form), repair([("image", erased)]))
    both = inpainting_tf.inpaint(inpainting_tf.load("faces"), picture(), hole() | second)
    assert np.array_equal(decoded(united.content), both)
    assert np.array_equal(decoded(transparent.content), both)


# Mistakes


def test_mistakes_in_files_are_400_and_one_line(here):
    large = encoded(np.zeros((800, 700, 3), np.uint8))
    cases = {
        "a text": (FORM | {"image": b"hello"}, ["`image`", "not a picture"]),
        "truncated": (FORM | {"image": IMAGE[:90]}, ["`image`", "cannot be read"]),
        "pixels": (FORM | {"image": large}, ["700 x 800 pixels are more than 0.5 million"]),
        "mask": (FORM | {"mask": encoded(hole()[1:])}, ["`mask` must have the height and width", "45 x 61"]),
        "empty": (FORM | {"mask": encoded(hole() * 0)}, ["`mask` must have both missing and known pixels"]),
        "maskless": ({"image": IMAGE}, ["no transparent parts"]),
    }
    answers = ask(here, *(repair(form) for form, _ in cases.values()), repair())
    for answer, (_, words) in zip(answers[:-1], cases.values(), strict=True):
        refused(answer, 400, *words)
    assert answers[-1].status_code == 200, "others do not notice"


def test_mistakes_in_options(here):
    calls = [
        repair(format="gif"),
        repair(blend="blur"),
        repair(detail="much"),
        repair(grow="-1"),
        repair({"mask": MASK}),
    ]
    kind, blend, detail, grow, image = ask(here, *calls)
    refused(kind, 400, "`format` must be one of", "Received 'gif'")
    refused(blend, 400, "`blend` must be one of none, poisson")
    refused(detail, 400, "`detail` must be one of")
    refused(grow, 422, "`grow` must be given as", "greater than or equal to 0")
    refused(image, 422, "`image` must be given as")


def test_other_requests(here):
    broken = {"content-type": "multipart/form-data; boundary=x"}
    path, method, form, json_ = ask(
        here,
        lambda client: client.get("/nosuch"),
        lambda client: client.get("/v1/repair"),
        post(content=b"--y\r\n", headers=broken),
        post(json={"image": "x"}),
    )
    refused(path, 404, "Not Found")
    refused(method, 405, "Method Not Allowed")
    assert form.status_code in (400, 422) and json_.status_code == 422
    refused(form, form.status_code)


def test_a_request_that_is_too_large_or_too_slow_is_read_no_further(here):
    sent = []

    async def large():
        yield b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
        for number in range(1000):
            sent.append(number)
            yield bytes(2**16)

    async def slow():
        yield b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
        for _ in range(100):  # each part in time, all of them too late
            yield b"-"
            await asyncio.sleep(0.05)

    headers = {"content-type": "multipart/form-data; boundary=x"}
    (answer,) = ask(here, post(content=large(), headers=headers))
    refused(answer, 413, "larger than 1 MB")
    assert answer.headers["connection"] == "close"
    assert len(sent) < 4 * 16 + 9
    answers = ask(here, post(content=slow(), headers=headers), repair(), receiving=0.5)
    refused(answers[0], 408, "within 0.5 seconds")
    assert answers[1].status_code == 200
    (answer,) = ask(here, post(PREDICT, content=slow()), receiving=0.1)
    refused(answer, 408, "within 0.1 seconds")


# Overload and ends


class Slow(repairer.Server):
    """Answers when it is let; `ended` as if its process had ended."""

    def __init__(self) -> None:
        self.asked, self.let = 0, asyncio.Event()

    async def __call__(self, task, *given):
        self.asked += 1
        await self.let.wait()
        return repairer.File(b"file", "image/png", 0.1, 0)

    async def ready(self):
        return self.let.is_set()


def test_too_many_requests_are_refused_at_once_and_the_others_answered():
    server = Slow()

    async def let_them(client):
        while server.asked < 3:
            await asyncio.sleep(0.001)
        answer = await client.post("/v1/repair", files=FORM)
        not_ready = await client.get("/readyz")
        server.let.set()
        return answer, not_ready, await client.get("/readyz")

    *answers, (busy, not_ready, ready) = ask(server, repair(), repair(), repair(), let_them, waiting=3)
    assert [each.status_code for each in answers] == [200] * 3
    refused(busy, 503, "busy")
    assert busy.headers["retry-after"] == "1"
    assert (not_ready.status_code, ready.status_code) == (503, 200)


def test_an_answer_that_takes_too_long():
    (answer,) = ask(Slow(), repair(), answering=0.05)
    refused(answer, 504, "longer than 0.05 seconds")


def test_a_failure_is_told_without_what_is_inside():
    class Failing(Slow):
        async def __call__(self, task, *given):
            raise MemoryError if given[0].how["blend"] == "none" else RuntimeError("inside")

    memory, other = ask(Failing(), repair(blend="none"), repair())
    refused(memory, 507, "too large for this machine's memory")
    refused(other, 500, "did not work")
    assert "inside" not in other.text


# Health, numbers, the page


def test_health_and_numbers(here):
    async def after(client):
        for call in (repair(), repair({"mask": MASK}), post(PREDICT, content="{}"), post("/nosuch/1")):
            await call(client)
        return [await client.get(path) for path in ("/healthz", "/readyz", "/metrics")]

    ((health, ready, numbers),) = ask(here, after)
    assert (health.status_code, ready.status_code) == (200, 200)
    families = {each.name: each.samples for each in text_string_to_metric_families(numbers.text)}
    counts = {
        (each.labels["path"], each.labels["status"]): each.value
        for each in families["inpainting_requests"]
        if each.name.endswith("_total")
    }
    assert counts == {
        ("/v1/repair", "200"): 1,
        ("/v1/repair", "422"): 1,
        ("/v1/models", "400"): 1,
        ("other", "404"): 1,
    }
    assert families["inpainting_requests_in_progress"][0].value == 0


def test_the_page_describes_every_path(here):
    page, described = ask(
        here, *(lambda client, path=path: client.get(path) for path in ("/docs", "/openapi.json"))
    )
    assert page.status_code == 200 and "/openapi.json" in page.text
    paths = described.json()["paths"]
    assert {
        "/v1/repair",
        "/v1/models/{name}",
        "/v1/models/{name}:predict",
        "/healthz",
        "/metrics",
    } <= paths.keys()
    assert {"400", "408", "413", "503", "504"} <= paths["/v1/repair"]["post"]["responses"].keys()


# Windows of several requests in one call of the network


def test_windows_of_one_size_go_through_the_network_together(here):
    calls, begun, go = [], threading.Event(), threading.Event()

    class Slowly(inpainting_tf.inference.Engine):
        facts = here._repairer._model.facts

        def run(self, images, masks):
            calls.append(len(images))
            begun.set()
            go.wait(30)
            if np.isnan(images).any():
                raise ValueError("not finite")
            return images + masks

    shared, results = inpainting_tf.inference.together(Slowly(), most=6), {}

    def use(name, count, side, value):
        images, masks = (
            np.full((count, side, side, 3), value, np.float32),
            np.ones((count, side, side, 1), np.float32),
        )
        try:
            results[name] = shared.run(images, masks)
        except ValueError as error:
            results[name] = error

    def start(*given):
        thread = threading.Thread(target=use, args=given)
        thread.start()
        return thread

    threads = [start("first", 1, 8, 0.0)]
    begun.wait(30)
    threads += [
        start("a", 2, 8, 1.0),
        start("b", 3, 8, 2.0),
        start("other", 1, 4, 3.0),
        start("many", 5, 8, 4.0),
    ]
    waiting = next(
        cell.cell_contents for cell in shared._run.__closure__ if isinstance(cell.cell_contents, list)
    )
    while len(waiting) < 4:
        pass
    go.set()
    for thread in threads:
        thread.join(30)
    assert sorted(calls) == [1, 1, 5, 5], "a and b in one"
    for name, count, value in (("first", 1, 0), ("a", 2, 1), ("b", 3, 2), ("other", 1, 3), ("many", 5, 4)):
        assert len(results[name]) == count and (results[name] == value + 1).all()
    use("broken", 1, 8, np.nan)
    use("after", 1, 8, 0.5)
    assert str(results["broken"]) == "not finite" and (results["after"] == 1.5).all()


def test_a_refusal_travels_between_processes():
    again = pickle.loads(pickle.dumps(Refused(413, "too large")))
    assert (again.status, str(again)) == (413, "too large")
