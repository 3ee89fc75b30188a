"""The demo page in a real browser: served by its command, used by pointer and keys, on three screens."""

from __future__ import annotations

import base64
import functools
import io

import cv2
import numpy as np
import pytest
from browser import chromium, opened, screenshot, served
from canvases import SIZE, framed, noise, paint, two_holes
from encoding import decoded, encoded
from PIL import Image
from running import lively

import inpainting_tf
from inpainting_tf import photographs
from inpainting_tf.apps import retouching

pytestmark = pytest.mark.slow
SCREENS = {"desktop": (1280, 720), "phone": (390, 844), "large": (1600, 1000)}


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "tiny.keras"
    lively().save(path)
    return path


@pytest.fixture(scope="module")
def repaired(model_file):
    """The repair that the page ought to make of a picture with paint."""
    fill = functools.partial(inpainting_tf.inpaint, inpainting_tf.load(model_file))
    return lambda rgb, painted: (
        photographs.repair(photographs.Photograph(rgb), retouching.hole_of(painted, SIZE), fill).rgb
    )


@pytest.fixture(scope="module")
def server(model_file, tmp_path_factory):
    pytest.importorskip("starlette", reason="needs the extra apps")
    log = tmp_path_factory.mktemp("server") / "log.txt"
    options = (f"--model={model_file}", "--max_upload_mb=0.5")
    with served("inpainting_tf.apps.demo", *options, log=log) as running:
        yield running


@pytest.fixture(scope="module")
def browser():
    with chromium() as running:
        yield running


@pytest.fixture
def screen():
    return "desktop"


@pytest.fixture
def tab(browser, server, screen):
    errors = []
    with opened(browser, server.url, SCREENS[screen]) as (page, asked):
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.wait_for_selector("body[data-ready]")
        yield page
    elsewhere = [url for url in asked if not url.startswith((server.url, "data:", "blob:"))]
    assert elsewhere == [] and server.asked() == set(), (
        "the page asks for something that is not on this machine"
    )
    assert errors == [] and server.alive()
    assert "Traceback" not in server.log.read_text(encoding="utf-8")


def give(tab, place, name, content):
    tab.set_input_files(place, {"name": name, "mimeType": "", "buffer": content})


def rested(tab, mode):
    tab.wait_for_selector(f"body[data-mode={mode}]:not(.busy)")


def choose(tab, content=None, name="face.png"):
    give(tab, "#picture", name, content or encoded(framed()))
    rested(tab, "paint")


def stroke(tab, *points):
    """By the pointer, through points of the picture, (row, column)."""
    box = tab.locator("#frame").bounding_box()
    seen = [
        (box["x"] + (x + 0.5) * box["width"] / SIZE[1], box["y"] + (y + 0.5) * box["height"] / SIZE[0])
        for y, x in points
    ]
    tab.mouse.move(*seen[0])
    tab.mouse.down()
    for point in seen[1:]:
        tab.mouse.move(*point, steps=12)
    tab.mouse.up()


def mask(tab):
    """The paint's opacity, uint8 [H, W]."""
    address = tab.evaluate("document.getElementById('mask').toDataURL()")
    return decoded(base64.b64decode(address.partition(",")[2]))[..., 3]


def seen(tab):
    """The picture on the screen in its own size, int [H, W, 3]."""
    shot = Image.open(io.BytesIO(tab.locator("#frame").screenshot())).convert("RGB")
    return np.array(shot.resize(SIZE[::-1], Image.Resampling.BILINEAR)).astype(int)


def fill(tab):
    tab.click("#fill")
    rested(tab, "result")


def downloaded(tab, button="#download"):
    with tab.expect_download() as download:
        tab.click(button)
    with open(download.value.path(), "rb") as file:
        return download.value.suggested_filename, decoded(file.read())


def told(tab, words):
    tab.wait_for_selector(f"#problem:has-text({words!r})")
    tab.click("#problem button")


def test_what_is_painted_is_filled_and_nothing_else(tab, repaired):
    rgb = framed()
    choose(tab)
    assert tab.is_disabled("#fill") and tab.is_disabled("#undo")
    stroke(tab, (60, 30), (60, 60), (70, 75))
    tab.mouse.move(5, 5)
    painted = mask(tab)
    full = painted == 255
    assert 50 < full.sum() < 0.5 * full.size and full[60, 31:60].all()
    expected = 0.45 * rgb + 0.55 * np.array(retouching.PAINT)
    inside = (slice(58, 62), slice(34, 58))
    assert np.abs(seen(tab)[inside] - expected[inside]).mean() < 8, "what lies under the paint is seen"
    fill(tab)
    name, filled = downloaded(tab)
    assert name == "face_filled.png" and (filled != rgb).any(axis=-1)[full].mean() > 0.98
    far = cv2.dilate(painted, np.ones((9, 9))) == 0  # beyond a rim that is mixed with what is covered
    assert np.array_equal(filled[far], rgb[far])
    assert np.array_equal(filled, repaired(rgb, painted))


def test_going_on_and_back_and_forth(tab, repaired):
    choose(tab)
    stroke(tab, (30, 20), (30, 40))
    first = mask(tab)
    stroke(tab, (80, 100), (80, 110))
    both = mask(tab)
    tab.keyboard.press("Control+z")
    rested(tab, "paint")
    assert np.array_equal(mask(tab), first)
    tab.keyboard.press("Control+Shift+Z")
    rested(tab, "paint")
    assert np.array_equal(mask(tab), both)
    tab.click("#undo")
    rested(tab, "paint")
    fill(tab)
    tab.click("#go-on")
    rested(tab, "paint")
    assert not mask(tab).any() and tab.is_disabled("#fill")
    stroke(tab, (80, 100), (80, 110))
    second = mask(tab)
    fill(tab)
    expected = repaired(repaired(framed(), first), second)
    assert np.array_equal(downloaded(tab)[1], expected)
    for mode in ("paint", "paint", "result", "paint"):  # the mask of the second fill, no mask, the first fill
        tab.keyboard.press("Control+z")
        rested(tab, mode)
    assert np.array_equal(mask(tab), first)
    for mode in ("result", "paint", "paint", "result"):
        tab.keyboard.press("Control+y")
        rested(tab, mode)
    assert np.array_equal(downloaded(tab)[1], expected)


def test_tools_by_keys(tab):
    choose(tab)
    size = int(tab.input_value("#size"))
    for _ in range(3):
        tab.keyboard.press("]")
    assert int(tab.input_value("#size")) > size
    tab.keyboard.press("[")
    tab.focus("#frame")
    tab.keyboard.press("Space")
    for _ in range(6):
        tab.keyboard.press("ArrowRight")
    tab.keyboard.press("Space")
    drawn = mask(tab) > 0
    assert drawn[48, 64:84].all() and not drawn[:30].any()
    assert "Brush lifted" in tab.text_content("#said")
    tab.keyboard.press("e")
    stroke(tab, (48, 64), (48, 72))
    assert not mask(tab)[48, 64:72].any() and mask(tab)[48, 82] == 255
    tab.keyboard.press("Enter")
    rested(tab, "result")
    tab.focus("#compare")
    for _ in range(8):
        tab.keyboard.press("ArrowLeft")
    assert tab.evaluate("document.getElementById('frame').style.getPropertyValue('--cut')") == "42%"


def test_masks_are_loaded_changed_saved_and_refused(tab, repaired):
    hole = two_holes()
    choose(tab)
    tab.click("#mask-tools summary")
    give(tab, "#mask-file", "mask.png", encoded(noise(*SIZE)))
    told(tab, "looks like a photograph")
    assert tab.input_value("#mask-file") == "" and not mask(tab).any()
    give(tab, "#mask-file", "mask.png", encoded(paint(hole)))
    rested(tab, "paint")
    assert np.array_equal(mask(tab), paint(hole))
    name, saved = downloaded(tab, "#save-mask")
    assert name == "face_mask.png" and np.array_equal(saved, paint(hole))
    tab.fill("#by", "3")
    tab.click("#grow")
    rested(tab, "paint")
    assert np.array_equal(mask(tab), retouching.widened(paint(hole), 3))
    tab.click("#undo")
    rested(tab, "paint")
    tab.click("#invert")
    rested(tab, "paint")
    assert np.array_equal(mask(tab), 255 - paint(hole))
    assert "inverse" in tab.text_content("#share")
    tab.click("#undo")
    rested(tab, "paint")
    fill(tab)
    assert np.array_equal(downloaded(tab)[1], repaired(framed(), paint(hole)))
    tab.click("#others summary")
    tab.click("#methods >> text=Telea")
    tab.wait_for_selector("#fills button >> nth=1")
    rested(tab, "result")
    telea = retouching.classical_fill("telea", framed(), hole)
    assert np.array_equal(downloaded(tab)[1][hole], telea[hole])


def test_a_picture_is_extended_by_a_drawn_frame(tab):
    choose(tab)
    tab.click("#tool-extend")
    stroke(tab, (10, 10), (110, 160))
    assert [tab.input_value(f"#{side}") for side in ("left", "top")] == ["0", "0"]
    right, bottom = (int(tab.input_value(f"#{side}")) for side in ("right", "bottom"))
    assert 30 <= right <= 35 and 12 <= bottom <= 17
    tab.click("#extend")
    rested(tab, "result")
    filled = downloaded(tab)[1]
    assert filled.shape == (SIZE[0] + bottom, SIZE[1] + right, 3)
    assert np.array_equal(filled[: SIZE[0], : SIZE[1]], framed())
    for _ in range(2):
        tab.keyboard.press("Control+z")
        rested(tab, "paint")
    assert not mask(tab).any() and mask(tab).shape == SIZE


def test_a_jpeg_comes_back_as_one_or_as_a_png(tab):
    choose(tab, encoded(framed(), "JPEG", quality=80), "photo.jpeg")
    stroke(tab, (60, 30), (60, 60))
    fill(tab)
    assert downloaded(tab)[0] == "photo_filled.jpg"
    tab.select_option("#format", "png")
    assert downloaded(tab)[0] == "photo_filled.png"


def test_what_is_wrong_is_told_in_words_and_the_page_goes_on(tab):
    assert "up to 0.5 MB and 100 megapixels" in tab.text_content("#limits")
    give(tab, "#picture", "no.png", b"this is no picture")
    told(tab, "cannot be read")
    give(tab, "#picture", "large.png", encoded(noise(500, 500, 3)))
    told(tab, "this page takes up to 0.5 MB")
    choose(tab)
    stroke(tab, (60, 30), (60, 60))
    fill(tab)


def test_everything_has_a_name_and_can_be_reached_by_keys(tab):
    choose(tab)
    nameless = tab.evaluate("""() => {
        const all = [...document.querySelectorAll("button, input, select, [role=application]")];
        const named = (each) => each.ariaLabel || each.textContent.trim() || each.labels?.length;
        return all.filter((each) => !named(each)).map((each) => each.outerHTML);
    }""")
    assert nameless == []
    reached = set()
    for _ in range(40):
        tab.keyboard.press("Tab")
        reached.add(tab.evaluate("document.activeElement.id"))
    assert {"new", "help", "theme", "frame", "tool-erase", "tool-extend", "size"} <= reached
    tab.click("#help")
    assert tab.is_visible("#keys")
    tab.keyboard.press("Escape")
    assert tab.is_hidden("#keys")
    ground = "getComputedStyle(document.body).backgroundColor"
    before = tab.evaluate(ground)
    tab.click("#theme")
    assert tab.evaluate(ground) != before


@pytest.mark.parametrize("screen", SCREENS)
def test_all_of_it_is_seen_without_scrolling(tab, screen, tmp_path):
    def shown(selector):
        box = tab.locator(selector).bounding_box()
        width, height = SCREENS[screen]
        return (
            box["x"] >= 0
            and box["y"] >= 0
            and box["x"] + box["width"] <= width
            and (box["y"] + box["height"] <= height)
        )

    assert shown("#drop .button")
    while tab.evaluate("[...document.images].some((each) => each.src && !each.naturalWidth)"):
        tab.wait_for_timeout(100)
    screenshot(tab, f"demo_{screen}_start", tmp_path)
    tab.click("#examples button >> nth=0")
    rested(tab, "paint")
    assert tab.evaluate("document.documentElement.scrollWidth") <= SCREENS[screen][0]
    assert shown("#fill") and shown("#frame") and shown("#tool-paint") and shown("#undo") and shown("#size")
    screenshot(tab, f"demo_{screen}_paint", tmp_path)
    fill(tab)
    assert shown("#frame") and shown("#go-on") and shown("#download")
    assert screenshot(tab, f"demo_{screen}_result", tmp_path).stat().st_size > 10_000
