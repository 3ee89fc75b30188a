"""The web page: its functions one by one, and all of it in a real browser."""

from __future__ import annotations

import functools
import io
import sys
import urllib.error
import urllib.request

import cv2
import numpy as np
import pytest
from browser import chromium, opened, screenshot, served
from PIL import Image
from running import lively

import inpainting_tf
from inpainting_tf import InputError, classical
from inpainting_tf.apps import demo_page, pages, retouching
from inpainting_tf.data.synthetic_faces import face
from inpainting_tf.figures import OUTLINE_COLOR
from inpainting_tf.ops.images import to_float, to_uint8

inpaint = functools.partial(inpainting_tf.inpaint, blend="none")  # what the network says and nothing else

SIZE = (96, 128)
FRAME = (255, 0, 255)  # of the picture in the browser, to find it there
PAINT = to_uint8(np.float32(OUTLINE_COLOR))


@pytest.fixture(scope="session")
def model_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "tiny.keras"
    lively().save(path)
    return path


@pytest.fixture(scope="session")
def model(model_file):
    return inpainting_tf.load(model_file)


@pytest.fixture
def rgb():
    picture = face(3, SIZE)
    picture[:3], picture[-3:], picture[:, :3], picture[:, -3:] = (FRAME,) * 4
    return picture


@pytest.fixture
def hole():
    missing = np.zeros(SIZE, bool)
    missing[50:70, 30:65] = True
    missing[20:24, 90:100] = True
    return missing


def png(array):
    file = io.BytesIO()
    Image.fromarray(array).save(file, "png")
    file.seek(0)
    return file


def layer(missing, alpha=255):
    painted = np.zeros((*missing.shape, 4), np.uint8)
    painted[missing] = (*PAINT, alpha)
    return painted


# What is missing


@pytest.mark.parametrize("alpha", [1, 128, 255])
def test_what_is_painted_is_missing_however_thinly(hole, alpha):
    assert np.array_equal(retouching.mask_of("paint", SIZE, layers=[layer(hole, alpha)]), hole)


def test_layers_add_up(hole):
    other = np.roll(hole, 7, axis=1)
    mask = retouching.mask_of("paint", SIZE, layers=[layer(hole), layer(other)])
    assert np.array_equal(mask, hole | other)


def test_a_large_picture_is_painted_on_in_reduced_size(monkeypatch, hole):
    monkeypatch.setattr(retouching, "VIEW", 128)
    size = (3 * SIZE[0], 3 * SIZE[1])
    assert retouching.view_size(size) == SIZE and retouching.view_size((50, 60)) == (50, 60)
    assert retouching.view(np.zeros((*size, 3), np.uint8)).shape == (*SIZE, 3)
    mask = retouching.mask_of("paint", size, layers=[layer(hole)])
    assert np.array_equal(mask, hole.repeat(3, axis=0).repeat(3, axis=1))


def test_a_mask_file_is_read_as_everywhere(hole):
    assert np.array_equal(retouching.mask_of("file", SIZE, file=png(hole.astype(np.uint8) * 255)), hole)


def test_the_face_mask_covers_mouth_and_leaves_eyes():
    mask = retouching.mask_of("face_mask", SIZE)
    height, width = SIZE
    assert mask.shape == SIZE and mask.dtype == bool
    assert mask[round(0.75 * height), width // 2] and not mask[: height // 2].any()
    assert np.array_equal(mask, mask[:, ::-1])


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)


def painted_all_over(value, size=SIZE):
    return {"how": "paint", "layers": [layer(np.full(size, value))]}


REFUSED = {
    "nothing painted": (lambda: painted_all_over(False), "Nothing is painted"),
    "no layer": (lambda: {"how": "paint"}, "Nothing is painted"),
    "all painted": (lambda: painted_all_over(True), "Everything is painted"),
    "another painting": (lambda: painted_all_over(True, SIZE[::-1]), "96 x 128. Received 128 x 96"),
    "no file": (lambda: {"how": "file"}, "no mask yet"),
    "black": (lambda: {"how": "file", "file": png(np.zeros(SIZE, np.uint8))}, "no missing pixel"),
    "white": (lambda: {"how": "file", "file": png(np.full(SIZE, 255, np.uint8))}, "no known"),
    "another size": (lambda: {"how": "file", "file": png(noise(8, 9) // 128 * 255)}, "96 x 128"),
    "a photograph": (lambda: {"how": "file", "file": png(noise(*SIZE))}, "looks like a photograph"),
    "not a picture": (lambda: {"how": "file", "file": io.BytesIO(b"not a picture")}, "cannot be read"),
    "unknown": (lambda: {"how": "pant"}, "Did you mean 'paint'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_hole_is_refused_in_words(case):
    arguments, words = REFUSED[case]
    with pytest.raises(InputError, match=words) as refused:
        retouching.mask_of(size=SIZE, **arguments())
    assert "\n" not in str(refused.value)


# What is filled in


def test_the_fill_is_the_networks_and_its_company_is_as_asked(model, rgb, hole):
    filled, others, left_out = retouching.repair(model, rgb, hole, "poisson", ["telea", "biharmonic"])
    assert np.array_equal(filled, inpaint(model, rgb, hole, blend="poisson"))
    assert list(others) == ["telea", "biharmonic"] and left_out == []
    plain, *_ = retouching.repair(model, rgb, hole)
    assert np.array_equal(plain, inpaint(model, rgb, hole)) and not np.array_equal(plain, filled)


@pytest.mark.parametrize("name", retouching.CLASSICAL)
def test_classical_fills_need_only_what_is_near_the_hole(name):
    picture, missing = face(1, (80, 120)), np.zeros((80, 120), bool)
    missing[60:68, 30:44] = True
    before = picture.copy()
    filled = retouching.classical_fill(name, picture, missing)
    assert np.array_equal(picture, before) and np.array_equal(filled[~missing], picture[~missing])
    whole = classical.get(name)(to_float(picture)[None], np.float32(missing)[None, ..., None])
    if name == "patchmatch":  # searches at random, in all that it is shown
        assert np.abs(filled[missing] - 255 * whole[0][missing]).mean() < 40
    else:
        assert np.abs(filled[missing] - 255 * whole[0][missing]).max() < 1


def test_what_would_take_too_long_is_left_out_in_words(monkeypatch, model, rgb, hole):
    few = retouching.Limit("Biharmonic", hole.sum() - 1, 10**6)
    near = retouching.Limit("PatchMatch", 10**6, 1000)
    monkeypatch.setitem(retouching.CLASSICAL, "biharmonic", few)
    monkeypatch.setitem(retouching.CLASSICAL, "patchmatch", near)
    _, others, left_out = retouching.repair(model, rgb, hole, "none", retouching.CLASSICAL)
    assert list(others) == ["telea", "navier_stokes"]
    assert "Biharmonic is left out" in left_out[0] and f"{hole.sum():,} pixels" in left_out[0]
    assert "PatchMatch is left out" in left_out[1] and "spread over" in left_out[1]


def test_the_hole_stands_out_and_nothing_else_changes(rgb, hole):
    shown = retouching.with_hole(rgb, hole)
    assert (shown[hole] == PAINT).all() and np.array_equal(shown[~hole], rgb[~hole])


# What can go wrong before there is a page


def test_models_have_a_name_each(model_file):
    assert list(demo_page.named_models([str(model_file)])) == ["tiny"]
    with pytest.raises(InputError, match="'tiny' twice"):
        demo_page.named_models([str(model_file)] * 2)


def test_a_missing_extra_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "gradio", None)
    with pytest.raises(InputError, match=r"pip install 'inpainting_tf\[apps\]'"):
        pages.gradio()


WORDS = {InputError: "a &lt; b", MemoryError: "too large", KeyError: "did not work"}


@pytest.mark.parametrize("kind", WORDS)
def test_errors_become_words_on_the_page(kind):
    gradio = pytest.importorskip("gradio", reason="needs the extra apps")

    def handler():
        raise kind("a < b")

    with pytest.raises(gradio.Error) as told:
        pages.errors_shown(handler)()
    assert WORDS[kind] in told.value.message


# The page in a browser


@pytest.fixture(scope="module")
def server(model_file, tmp_path_factory):
    pytest.importorskip("gradio", reason="needs the extra apps")
    log = tmp_path_factory.mktemp("server") / "log.txt"
    options = (f"--model={model_file}", "--max_upload_mb=0.5")
    with served("inpainting_tf.apps.demo", *options, log=log) as running:
        yield running


@pytest.fixture(scope="module")
def browser():
    with chromium() as running:
        yield running


@pytest.fixture
def tab(browser, server):
    with opened(browser, server.url) as (page, asked):
        page.wait_for_selector("#picture input[type=file]", state="attached")
        yield page
    elsewhere = [url for url in asked if not url.startswith((server.url, "data:", "blob:"))]
    assert elsewhere == [] and server.asked() == set(), (
        "the page asks for something that is not on this machine"
    )
    assert server.alive()


def give(tab, place, name, content):
    content = content if isinstance(content, bytes) else png(content).getvalue()
    tab.set_input_files(f"{place} input[type=file]", {"name": name, "mimeType": "", "buffer": content})


def choose(tab, rgb):
    give(tab, "#picture", "face.png", rgb)
    tab.wait_for_selector("#painting canvas")
    frame = np.array(FRAME)
    for _ in range(100):  # until it is drawn
        if (np.abs(canvas(tab) - frame).max(axis=-1) < 8).any():
            return
        tab.wait_for_timeout(200)
    raise AssertionError("the picture never appeared on the canvas")


def canvas(tab):
    """What is seen of the canvas, int [h, w, 3]."""
    shot = tab.locator("#painting canvas").first.screenshot()
    return np.array(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)


def place_of(seen):
    """(top, left, height, width) of the picture on the canvas: its frame was drawn to be found."""
    rows, columns = np.nonzero(np.abs(seen - np.array(FRAME)).max(axis=-1) < 8)
    return rows.min(), columns.min(), np.ptp(rows) + 1, np.ptp(columns) + 1


def paint(tab, *points):
    """A stroke through points of the picture, (row, column)."""
    box = tab.locator("#painting canvas").first.bounding_box()
    top, left, height, width = place_of(canvas(tab))
    seen = [
        (box["x"] + left + (x + 0.5) * width / SIZE[1], box["y"] + top + (y + 0.5) * height / SIZE[0])
        for y, x in points
    ]
    tab.mouse.move(*seen[0])
    tab.mouse.down()
    for point in seen[1:]:
        tab.mouse.move(*point, steps=12)
    tab.mouse.up()
    tab.wait_for_timeout(300)


def under_the_brush(tab):
    """Which of the picture's pixels are seen to be painted over, bool [H, W]."""
    seen = canvas(tab)
    top, left, height, width = place_of(seen)
    painted = np.abs(seen - PAINT).max(axis=-1) < 24
    rows = (top + (np.arange(SIZE[0]) + 0.5) * height / SIZE[0]).astype(int)
    columns = (left + (np.arange(SIZE[1]) + 0.5) * width / SIZE[1]).astype(int)
    return painted[rows][:, columns]


def fill(tab):
    """Fills the hole; the downloaded picture and the mask that it was made with."""
    tab.click("#fill")
    tab.wait_for_selector("#all img >> nth=3")
    with tab.expect_download() as download:
        tab.click("#download")
    assert download.value.suggested_filename == "face_filled.png"
    hole = tab.request.get(tab.locator("#all img").nth(1).get_attribute("src")).body()
    marked = np.array(Image.open(io.BytesIO(hole)).convert("RGB"))
    return np.array(Image.open(download.value.path())), (marked == PAINT).all(axis=-1)


@pytest.mark.slow
def test_what_is_painted_is_filled_and_nothing_else(tab, rgb, model, tmp_path):
    choose(tab, rgb)
    paint(tab, (60, 30), (60, 60), (70, 75))
    brush = under_the_brush(tab)
    assert 50 < brush.sum() < 0.5 * brush.size
    filled, mask = fill(tab)
    assert np.array_equal(filled[~mask], rgb[~mask])
    difference = filled.astype(int) - inpaint(model, rgb, mask, blend="poisson")
    assert np.abs(difference).max() <= 1
    changed = (filled != rgb).any(axis=-1)
    near, kernel = cv2.dilate(np.uint8(brush), np.ones((3, 3))) > 0, np.ones((3, 3))
    inside = cv2.erode(np.uint8(brush), kernel) > 0
    assert not changed[~near].any(), "a pixel beside the brush changed"
    assert mask[inside].all() and changed[inside].mean() > 0.98
    assert screenshot(tab, "demo", tmp_path).stat().st_size > 10_000


@pytest.mark.slow
def test_the_painting_outlives_a_look_at_the_other_ways(tab, rgb):
    choose(tab, rgb)
    paint(tab, (60, 30), (60, 60))
    brush = under_the_brush(tab)
    tab.click("#how >> text=Face mask")
    tab.wait_for_selector("#preview img")
    tab.click("#how >> text=Paint over it")
    tab.wait_for_selector("#painting canvas >> visible=true")
    _, mask = fill(tab)
    assert (mask == brush).mean() > 0.98


@pytest.mark.slow
def test_a_mask_file_and_the_shape_of_a_face_mask(tab, rgb, hole, model):
    choose(tab, rgb)
    tab.click("#how >> text=Upload a mask")
    give(tab, "#mask_file", "mask.png", hole.astype(np.uint8) * 255)
    tab.wait_for_selector("#preview img")
    filled, mask = fill(tab)
    assert np.array_equal(mask, hole) and np.array_equal(filled[~hole], rgb[~hole])
    assert np.abs(filled.astype(int) - inpaint(model, rgb, hole, blend="poisson")).max() <= 1


def told(tab, words):
    tab.wait_for_selector(f".toast-body:has-text({words!r})")


def animation():
    frames = [Image.fromarray(face(i, (16, 24))) for i in range(3)]
    file = io.BytesIO()
    frames[0].save(file, "gif", save_all=True, append_images=frames[1:])
    return file.getvalue()


def bomb():
    """20,000 x 20,000 black pixels in a few kilobytes."""
    file = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(file, "png")
    return file.getvalue()


@pytest.mark.slow
def test_what_is_wrong_is_told_in_words_and_the_page_goes_on(tab, server, rgb, hole):
    whole = png(rgb).getvalue()
    bad = {
        "no.png": (b"this is no picture", "cannot be read"),
        "half.png": (whole[: len(whole) // 2], "cannot be read"),
        "moving.gif": (animation(), "animation of 3 frames"),
        "bomb.png": (bomb(), "cannot be read"),
    }
    for name, (content, words) in bad.items():
        give(tab, "#picture", name, content)
        told(tab, words)
        tab.locator(".toast-close").first.click()
        tab.wait_for_selector("#picture input[type=file]", state="attached")
    choose(tab, rgb)
    tab.click("#fill")
    told(tab, "Nothing is painted yet")
    tab.click("#how >> text=Upload a mask")
    give(tab, "#mask_file", "mask.png", noise(*SIZE))
    told(tab, "looks like a photograph")
    tab.click("#how >> text=Face mask")
    filled, mask = fill(tab)
    assert mask.any() and np.array_equal(filled[~mask], rgb[~mask])


@pytest.mark.slow
def test_files_over_the_limit_are_refused(tab, server):
    give(tab, "#picture", "large.png", noise(500, 500, 3))
    told(tab, "maximum allowed size")
    body = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n' + bytes(2**20)
    request = urllib.request.Request(
        f"{server.url}gradio_api/upload",
        body + b"\r\n--x--\r\n",
        {"Content-Type": "multipart/form-data; boundary=x"},
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == 413 and server.alive()
