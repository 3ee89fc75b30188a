"""The demo page's requests, without a browser or a server."""

from __future__ import annotations

import functools
import io
import sys

import cv2
import numpy as np
import pytest
from canvases import SIZE, animation, bomb, framed, noise, paint, painted, two_holes
from encoding import decoded, encoded
from PIL import Image
from running import lively

import inpainting_tf
from inpainting_tf import InputError, photographs
from inpainting_tf.apps import album, examples, retouching, serving
from inpainting_tf.photographs import Photograph

testclient = pytest.importorskip("starlette.testclient", reason="needs the extra apps")
demo_page = pytest.importorskip("inpainting_tf.apps.demo_page")
demo_requests = pytest.importorskip("inpainting_tf.apps.demo_requests")
LIMITS = demo_page.Limits(upload=500_000, megapixels=0.5)


@pytest.fixture(scope="module")
def model():
    return lively()


@pytest.fixture(scope="module")
def client(model):
    face = lively(2)
    face.set_training((32, 12), aligned=True)
    with demo_page.page({"tiny": model, "other": lively(1), "face": face}, LIMITS) as app:
        yield testclient.TestClient(app)


@pytest.fixture
def hole():
    return two_holes()


@pytest.fixture
def rgb():
    return framed()


def expected(model, rgb, missing, blend="poisson"):
    """The library's repair."""
    fill = functools.partial(inpainting_tf.inpaint, model, blend=blend)
    return photographs.repair(Photograph(rgb), missing.astype(np.float32), fill).rgb


def upload(client, content, name="face.png"):
    return client.post("/pictures", params={"name": name}, content=content)


def opened(client, content, name="face.png"):
    answer = upload(client, content, name)
    assert answer.status_code == 200, answer.text
    return answer.json()


def posted(client, picture, what, content=b"", **query):
    return client.post(f"/pictures/{picture['id']}/{what}", params=query, content=content)


def got(client, picture, what, **query):
    answer = client.get(f"/pictures/{picture['id']}/{what}", params=query)
    assert answer.status_code == 200, answer.text
    return answer


def filled(client, picture, missing, **query):
    answer = posted(client, picture, "filled", painted(missing), **query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def told(answer, status, words):
    assert answer.status_code == status and words in answer.json()["error"], answer.text
    assert "\n" not in answer.json()["error"]


# What is filled and what comes back


@pytest.mark.parametrize("blend", ["poisson", "none"])
def test_the_fill_is_that_of_the_library_and_the_file_holds_it_exactly(client, model, rgb, hole, blend):
    picture = opened(client, encoded(rgb))
    done = filled(client, picture, hole, model="tiny", blend=blend)
    assert done["missing"] >= hole.sum() and done["format"] == "PNG" and picture["format"] == "PNG"
    answer = got(client, done, "file")
    assert np.array_equal(decoded(answer.content), expected(model, rgb, hole, blend))
    assert 'filename="face_filled.png"' in answer.headers["content-disposition"]
    assert np.array_equal(decoded(got(client, picture, "file").content), rgb), "the step before stays"


def test_what_was_filled_is_a_picture_to_go_on_from(client, model, rgb, hole):
    first, second = hole.copy(), np.roll(hole, 20, axis=0)
    step = filled(client, opened(client, encoded(rgb)), first)
    done = filled(client, step, second)
    both = expected(model, expected(model, rgb, first), second)
    assert np.array_equal(decoded(got(client, done, "file").content), both)


def test_a_jpeg_stays_one_in_all_blocks_that_were_not_filled(client, rgb, hole):
    jpeg = encoded(rgb, "JPEG", quality=75, subsampling=0)
    step = filled(client, opened(client, jpeg, "a photo.JPG"), hole)
    done = filled(client, step, np.roll(hole, 16, axis=0))
    assert done["format"] == "JPEG"
    answer = got(client, done, "file")
    written = Image.open(io.BytesIO(answer.content))
    assert written.format == "JPEG" and "a%20photo_filled.jpg" in answer.headers["content-disposition"]
    touched = (hole | np.roll(hole, 16, axis=0)).reshape(12, 8, 16, 8).any(axis=(1, 3))
    kept = ~touched.repeat(8, axis=0).repeat(8, axis=1)
    assert np.array_equal(np.array(written)[kept], decoded(jpeg)[kept]), "of both fills"
    alone = hole & ~np.roll(hole, 16, axis=0)
    assert (np.array(written) != decoded(jpeg)).any(axis=-1)[alone].mean() > 0.9, "the first fill stays"
    png = got(client, done, "file", png="")
    assert Image.open(io.BytesIO(png.content)).format == "PNG" and "_filled.png" in str(png.headers)


def test_sixteen_bits_stay_sixteen(client, rgb, hole):
    deep = rgb.astype(np.uint16) * 201 + noise(*SIZE, 3)
    _, png = cv2.imencode(".png", deep[..., ::-1])
    step = filled(client, opened(client, png.tobytes()), hole)
    done = filled(client, step, np.roll(hole, 20, axis=0))
    data = np.frombuffer(got(client, done, "file").content, np.uint8)
    written = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)[..., ::-1]
    far = cv2.dilate(paint(hole | np.roll(hole, 20, axis=0)), np.ones((9, 9))) == 0
    assert written.dtype == np.uint16 and np.array_equal(written[far], deep[far])


def test_transparent_parts_are_the_first_hole_and_opaque_once_filled(client, rgb, hole):
    erased = np.dstack([rgb, np.where(hole, 0, 255).astype(np.uint8)])
    picture = opened(client, encoded(erased))
    assert picture["hole"] and picture["transparent"]
    start = got(client, picture, "hole").content
    assert np.array_equal(decoded(start)[..., 3], paint(hole))
    done = posted(client, picture, "filled", start).json()
    assert decoded(got(client, done, "file").content).shape == (*SIZE, 3)
    part = filled(client, picture, hole & (np.arange(SIZE[1]) > 64))
    alpha = decoded(got(client, part, "file").content)[..., 3]
    assert np.array_equal(alpha == 0, hole & (np.arange(SIZE[1]) <= 64))


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_an_extended_picture_keeps_its_pixels_and_has_a_hole_around_them(client, rgb, kind):
    picture = opened(client, encoded(rgb, kind, quality=95, subsampling=0))
    wider = posted(client, picture, "extended", left=10, top=0, right=30, bottom=8).json()
    assert (wider["height"], wider["width"]) == (104, 168) and wider["hole"]
    start = got(client, wider, "hole").content
    done = posted(client, wider, "filled", start).json()
    inside = decoded(got(client, done, "file").content)[:96, 10:138]
    if kind == "PNG":
        assert np.array_equal(inside, rgb)
    else:
        assert np.abs(inside.astype(int) - rgb).mean() < 4
    told(posted(client, picture, "extended", left=200), 400, "own side (128 across, 96 down)")
    told(posted(client, picture, "extended"), 400, "one of them more than 0")
    told(posted(client, picture, "extended", left="many"), 400, "whole number")


def test_large_holes_come_soon_and_get_their_detail_when_asked(client, model, rgb, hole, monkeypatch):
    asked = []

    def noted(*arguments, detail, **options):
        asked.append(detail)
        return inpainting_tf.inpaint(*arguments, detail=detail, **options)

    monkeypatch.setattr(demo_requests, "inpaint", noted)
    picture = opened(client, encoded(rgb))
    assert not filled(client, picture, hole)["smooth"]
    monkeypatch.setattr(retouching, "DETAILED", hole.sum() - 1)
    assert filled(client, picture, hole)["smooth"]
    assert not filled(client, picture, hole, detail="auto")["smooth"]
    assert asked == ["auto", "none", "auto"]
    assert not filled(client, picture, hole, blend="none")["smooth"], "a prediction alone has no detail"
    assert not filled(client, picture, hole, method="telea")["smooth"]
    assert not filled(client, picture, hole, model="face")["smooth"], "its own fill is what auto takes, too"


def test_a_client_with_files_alone_gets_the_file_that_inpaint_writes(client, model, rgb, hole, tmp_path):
    """Photograph and mask in, photograph out, as docs/serving.md says; nothing else is asked for."""
    (tmp_path / "photo.jpg").write_bytes(encoded(rgb, "JPEG", quality=85))
    (tmp_path / "mask.png").write_bytes(encoded(paint(hole)))
    picture = opened(client, (tmp_path / "photo.jpg").read_bytes(), "photo.jpg")
    painting = posted(client, picture, "mask", (tmp_path / "mask.png").read_bytes()).content
    done = posted(client, picture, "filled", painting).json()
    job = photographs.Job(tmp_path / "photo.jpg", (tmp_path / "mask.png",), tmp_path / "completed.jpg")
    photographs.repair_file(job, functools.partial(inpainting_tf.inpaint, model))
    assert got(client, done, "file").content == job.output.read_bytes()
    plain = posted(client, picture, "filled", painting, blend="none").json()
    assert got(client, plain, "file").content != job.output.read_bytes()


def test_classical_fills_beside_the_networks(client, rgb, hole):
    done = filled(client, opened(client, encoded(rgb)), hole, method="telea")
    telea = retouching.classical_fill("telea", rgb, hole)
    assert np.array_equal(decoded(got(client, done, "file").content)[hole], telea[hole])


# Views and masks


def test_views_are_as_large_as_they_are_shown(client, rgb):
    picture = opened(client, encoded(rgb))
    assert decoded(got(client, picture, "view").content).shape == (*SIZE, 3)
    assert decoded(got(client, picture, "view", longest=64).content).shape == (48, 64, 3)


def test_masks_are_loaded_changed_and_saved(client, rgb, hole):
    picture = opened(client, encoded(rgb))
    loaded = posted(client, picture, "mask", encoded(paint(hole))).content
    assert np.array_equal(decoded(loaded)[..., 3], paint(hole))
    for query, wanted in (
        ({"grow": 5}, retouching.widened(paint(hole), 5)),
        ({"grow": -2}, retouching.widened(paint(hole), -2)),
        ({"feather": 3}, retouching.feathered(paint(hole), 3)),
        ({"invert": ""}, 255 - paint(hole)),
    ):
        changed = posted(client, picture, "paint", painted(hole), **query).content
        assert np.array_equal(decoded(changed)[..., 3], wanted), query
    saved = posted(client, picture, "mask_file", painted(hole)).content
    assert np.array_equal(decoded(saved) > 0, hole)
    assert np.array_equal(decoded(posted(client, picture, "mask", saved).content)[..., 3], paint(hole))
    for feather in (1, 2, 3, 8, 25):
        soft = retouching.feathered(paint(hole), feather)
        saved = posted(client, picture, "mask_file", retouching.encoded_paint(soft)).content
        assert np.array_equal(decoded(posted(client, picture, "mask", saved).content)[..., 3], soft), feather
    face_mask = decoded(got(client, picture, "face_mask").content)[..., 3]
    assert np.array_equal(face_mask / 255, retouching.face_mask(SIZE))


def test_examples_are_ready_to_be_filled(client):
    facts = client.get("/facts").json()
    assert list(facts["examples"]) == list(examples.EXAMPLES) and facts["upload"] == LIMITS.upload
    assert client.get("/examples/kite").headers["content-type"] == "image/jpeg"
    picture = client.post("/examples/kite").json()
    assert picture["hole"] and np.array_equal(
        decoded(got(client, picture, "file").content), examples.get("kite").draw()[0]
    )
    told(client.post("/examples/kit"), 400, "Did you mean 'kite'")


# What is wrong


def half():
    return encoded(framed())[:3000]


FILES = {
    "empty": (b"", 400, "cannot be read"),
    "text": (b"this is no picture", 400, "cannot be read"),
    "half": (half(), 400, "cannot be read"),
    "animation": (animation(), 400, "animation of 3 frames"),
    "bomb": (bomb(), 400, "20000 x 20000 pixels are more than 0.5 million"),
    "large": (bytes(LIMITS.upload + 1), 413, "larger than 0.477 MB"),
}


@pytest.mark.parametrize("case", FILES)
def test_files_that_are_refused(client, case):
    content, status, words = FILES[case]
    told(upload(client, content), status, words)


MASKS = {
    "black": (encoded(np.zeros(SIZE, np.uint8)), "no missing pixel"),
    "white": (encoded(np.full(SIZE, 255, np.uint8)), "no known"),
    "another size": (encoded(noise(8, 9) // 128 * 255), "96 x 128"),
    "a photograph": (encoded(noise(*SIZE)), "looks like a photograph"),
    "not a picture": (b"not a picture", "cannot be read"),
}


@pytest.mark.parametrize("case", MASKS)
def test_masks_that_are_refused(client, rgb, case):
    content, words = MASKS[case]
    told(posted(client, opened(client, encoded(rgb)), "mask", content), 400, words)


def test_requests_that_are_refused(client, rgb, hole):
    picture = opened(client, encoded(rgb))
    nothing = painted(np.zeros(SIZE, bool))
    told(posted(client, picture, "filled", nothing), 400, "Nothing is marked")
    told(posted(client, picture, "filled", painted(hole), model="tin"), 400, "Did you mean 'tiny'")
    told(posted(client, picture, "filled", painted(hole), blend="x"), 400, "`blend` must be one of")
    told(posted(client, picture, "filled", painted(hole), method="x"), 400, "`method` must be one of")
    told(posted(client, picture, "paint", painted(hole), grow="1e3"), 400, "`grow` must be a whole number")
    told(client.get(f"/pictures/{picture['id']}/hole"), 400, "comes without a hole")
    for name in ("0" * 32, "..", "%2e%2e", "x"):
        assert client.get(f"/pictures/{name}/file").status_code in (404, 410)
    told(client.get(f"/pictures/{'0' * 32}/file"), 410, "no longer on the server")


def test_other_sites_cannot_use_it_and_it_uses_no_other(client, rgb):
    foreign = {"Sec-Fetch-Site": "cross-site"}
    told(client.post("/pictures", content=encoded(rgb), headers=foreign), 403, "Another web site")
    assert client.post(
        "/pictures", content=encoded(rgb), headers={"Sec-Fetch-Site": "same-origin"}
    ).is_success
    assert "default-src 'self'" in client.get("/").headers["content-security-policy"]


def test_a_name_is_a_name_and_no_path(client, rgb, hole):
    for name, stem in (("../../etc/passwd", "passwd"), ("C:\\x\\a.b.png", "a.b"), ("", "picture")):
        picture = opened(client, encoded(rgb), name)
        assert f'filename="{stem}_filled.png"' in str(got(client, picture, "file").headers)
    strange = opened(client, encoded(rgb), 'ü"\n;x.png')
    assert "\n" not in got(client, strange, "file").headers["content-disposition"]


@pytest.mark.parametrize("error", [KeyError("secret"), MemoryError()])
def test_accidents_are_told_without_their_reason_and_logged(monkeypatch, client, rgb, hole, error, caplog):
    picture = opened(client, encoded(rgb))

    def fails(*_):
        raise error

    monkeypatch.setattr(retouching, "hole_of", fails)
    answer = posted(client, picture, "filled", painted(hole))
    status = 507 if isinstance(error, MemoryError) else 500
    assert answer.status_code == status and "secret" not in answer.text
    assert ("secret" in caplog.text) == (status == 500)


# What stands behind


def test_the_oldest_unused_pictures_make_room(tmp_path, rgb):
    picture = album.Picture("a", Photograph(rgb), np.zeros(SIZE, bool))
    kept = album.Album(tmp_path, room=2 * (rgb.size + SIZE[0] * SIZE[1]) + 5000)
    first, second = kept.put(picture), kept.put(picture)
    kept.get(first)
    third = kept.put(picture)
    assert np.array_equal(kept.get(first).photograph.rgb, rgb) and kept.get(third).name == "a"
    with pytest.raises(album.Gone, match="choose it again"):
        kept.get(second)
    assert len(list(tmp_path.iterdir())) == 2


def test_models_have_a_name_each(tmp_path, model):
    path = tmp_path / "tiny.keras"
    model.save(path)
    assert list(demo_page.named_models([str(path)])) == ["tiny"]
    with pytest.raises(InputError, match="'tiny' twice"):
        demo_page.named_models([str(path)] * 2)


def test_an_address_that_cannot_be_had_is_told():
    with serving.bound("127.0.0.1", None) as one, serving.bound("127.0.0.1", None) as other:
        ports = [each.getsockname()[1] for each in (one, other)]
        assert ports[0] != ports[1] and min(ports) >= serving.FIRST_PORT
        with pytest.raises(InputError, match=r"--host and --port must be .*in use"):
            serving.bound("127.0.0.1", ports[0])
    with pytest.raises(InputError, match="--host and --port must be"):
        serving.bound("192.0.2.1", None)


def test_a_missing_extra_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(InputError, match=r"pip install 'inpainting_tf\[apps\]'"):
        serving.uvicorn()
