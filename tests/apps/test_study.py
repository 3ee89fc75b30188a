"""The rating study: what it shows and refuses, and two raters at work in a real browser."""

from __future__ import annotations

import base64
import functools
import io
import itertools

import numpy as np
import pytest
from browser import chromium, opened, screenshot, served
from PIL import Image
from running import command, contents, lively, tiny

import inpainting_tf
from inpainting_tf import InputError, classical, data, files, runs
from inpainting_tf.apps import stimuli, study_page
from inpainting_tf.commands import cli, study
from inpainting_tf.data.synthetic_faces import face
from inpainting_tf.evaluation import comparison, ratings
from inpainting_tf.ops import masks
from inpainting_tf.ops.images import to_float
from inpainting_tf.recipes import assembly

inpaint = functools.partial(inpainting_tf.inpaint, blend="none")  # what the network says and nothing else

SIZE = (48, 64)
NAMES = ["anna.png", "bo.png", "cleo.png", "dan.png"]


@pytest.fixture(scope="session")
def place(tmp_path_factory):
    """A folder with pictures/, masks/ and two untrained networks, secret.keras and other.keras."""
    folder = tmp_path_factory.mktemp("place")
    for kind in ("pictures", "masks", "others"):
        (folder / kind).mkdir()
    for number, name in enumerate(NAMES):
        Image.fromarray(face(number, SIZE)).save(folder / "pictures" / name)
        Image.fromarray(hole(number)).save(folder / "masks" / name)
    lively(0).save(folder / "secret.keras")
    lively(1).save(folder / "others" / "secret.keras")
    return folder


def hole(number):
    missing = np.zeros(SIZE, bool)
    missing[10 + number : 25, 20:40] = True
    return missing


@pytest.fixture
def begin(place, tmp_path, monkeypatch):
    """`stimuli.open_study` in a folder of its own, with the options of a command line."""
    monkeypatch.chdir(place)

    def run(*options, folder=tmp_path / "study"):
        return stimuli.open_study(folder, study.settings(cli.parse(study, options)))

    return run


STUDY = ("--runs=secret.keras", "--baseline=telea", "--originals", "--pictures=pictures", "--mask=masks")


def read(path):
    with Image.open(path) as image:
        return np.array(image)


# What is shown


def test_pictures_are_filled_by_every_system(begin, place):
    store = begin(*STUDY, "--count=4")
    assert list(store.plan().systems) == ["secret", "telea", "original"]
    assert list(store.plan().pictures) == NAMES
    model = inpainting_tf.load(place / "secret.keras")
    for number, name in enumerate(NAMES):
        rgb, missing = read(place / "pictures" / name), hole(number)
        by = {
            system: read(store.path.with_name(f"{number + 1:02d}_{system}.png"))
            for system in store.plan().systems
        }
        assert np.array_equal(by["original"], rgb)
        assert np.array_equal(by["secret"], inpaint(model, rgb, missing))
        telea = 255 * classical.telea(to_float(rgb)[None], np.float32(missing)[None, ..., None])[0]
        assert np.array_equal(by["telea"], np.rint(telea))
        assert not np.array_equal(by["secret"][missing], by["telea"][missing])


def test_count_pictures_are_drawn_by_the_seed(begin, tmp_path):
    drawn = {
        seed: tuple(begin(*BASELINE, f"--seed={seed}", folder=tmp_path / str(seed)).plan().pictures)
        for seed in range(8)
    }
    assert all(len(names) == 3 and sorted(names) == list(names) for names in drawn.values())
    assert len(set(drawn.values())) > 2
    assert begin(*BASELINE, "--seed=3", folder=tmp_path / "again").plan().pictures.keys() == {*drawn[3]}


def test_the_first_run_gives_its_test_pictures_and_their_holes(begin, tmp_path):
    run = tmp_path / "run"
    files.write_json(run / "recipe.json", tiny().to_json())
    assembly.portable_network(tiny()).save(run / "model.keras")
    store = begin(f"--runs={run}", "--originals", "--count=2")
    own = comparison.TestSet.of(runs.open_run(run))
    pictures = data.load(own.data, own.data_dir, names=own.names, splits=("test",)).test
    model = inpainting_tf.load(run)
    for number, name in enumerate(store.plan().pictures, 1):
        index = pictures.names.index(name)
        missing = masks.fixed(own.mask, [index], (16, 16))[0]
        original = read(store.path.with_name(f"{number:02d}_original.png"))
        assert np.array_equal(original, pictures.images[index])
        filled = read(store.path.with_name(f"{number:02d}_run.png"))
        assert np.array_equal(filled, inpaint(model, original, missing))


def test_kinds_of_holes(begin, place):
    store = begin(
        "--baseline=mean_colour", "--originals", "--pictures=pictures", "--mask=centre", "--count=4"
    )
    expected = masks.fixed(masks.Mask("centre"), [1], SIZE)[0, ..., 0] > 0
    filled, original = (read(store.path.with_name(f"02_{name}.png")) for name in ("mean_colour", "original"))
    assert np.array_equal((filled != original).any(axis=-1), expected)


def test_small_pictures_are_enlarged_smoothly_and_large_ones_reduced():
    small = np.zeros((32, 48, 3), np.uint8)
    small[:, 24:] = 200
    shown = study_page.enlarged(small)
    assert shown.shape == (341, 512, 3) and len(np.unique(shown)) > 10
    assert study_page.enlarged(np.zeros((3000, 1500, 3), np.uint8)).shape == (1024, 512, 3)
    fits = np.zeros((600, 700, 3), np.uint8)
    assert study_page.enlarged(fits) is fits


# Going on


BASELINE = ("--baseline=telea", "--pictures=pictures", "--mask=centre")


def test_a_study_is_continued_with_its_options_or_without(begin, monkeypatch):
    store = begin(*STUDY)
    store.rate("anna", *store.plan().order("anna")[0], 4, 1)
    before = contents(store.path.parent)
    monkeypatch.setattr(stimuli, "_begin", None)
    assert begin(*STUDY) == begin("--port=8000") == begin() == store
    assert contents(store.path.parent) == before


CHANGES = {
    "system": ((*BASELINE, "--baseline=biharmonic"), "systems telea. Received telea, biharmonic"),
    "pictures": ((*BASELINE, "--count=4"), "pictures .*Received anna.png, bo.png, cleo.png, dan.png"),
    "holes": ((*BASELINE[:2], "--mask=rectangle"), "other pixels or another hole than now"),
    "no systems": (("--count=3",), "--runs or --baseline. Received none"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_study_is_not_mixed_with_another(begin, case):
    options, words = CHANGES[case]
    before = contents(begin(*BASELINE).path.parent)
    with pytest.raises(InputError, match=words):
        begin(*options)
    assert contents(begin().path.parent) == before


def test_other_weights_of_the_same_name_are_another_system(begin):
    begin(*STUDY)
    with pytest.raises(InputError, match="secret had other weights than now"):
        begin("--runs=others/secret.keras", *STUDY[1:])


def test_a_picture_that_has_gone_is_missed(begin):
    begin(*BASELINE).path.with_name("02_telea.png").unlink()
    with pytest.raises(InputError, match=r"lacks 1 of its pictures, e.g. 02_telea.png"):
        begin()


REFUSED = {
    "nothing named": (("--pictures=pictures",), "--runs or --baseline. Received none"),
    "no pictures": (("--baseline=telea",), "--pictures must be a folder of pictures where"),
    "a model without test pictures": (("--runs=secret.keras",), "not a run's folder"),
    "an empty folder": (("--baseline=telea", "--pictures=others"), "'others': none in it"),
    "no folder": (("--baseline=telea", "--pictures=nowhere"), "'nowhere': none in it"),
    "too many": ((*BASELINE, "--count=5"), "at most the number of pictures, 4. Received 5"),
    "unknown holes": ((*BASELINE, "--mask=center"), "Did you mean 'centre'"),
    "no mask": ((*BASELINE, "--mask=others"), r"`mask` 'others/\w+.png' cannot be read"),
    "an unknown baseline": ((*BASELINE, "--baseline=tela"), "Did you mean 'telea'"),
    "no model": ((*BASELINE, "--runs=nothing"), "nothing': no such model"),
    "one name twice": ((*STUDY, "--runs=others/secret.keras"), "secret, secret, telea, original: rename"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_mistakes_are_told_and_leave_nothing_behind(begin, tmp_path, case):
    options, words = REFUSED[case]
    with pytest.raises(InputError, match=words) as refused:
        begin(*options)
    assert "\n" not in str(refused.value) and list(tmp_path.iterdir()) == []


def test_a_folder_of_something_else_is_left_alone(begin, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work", encoding="utf-8")
    for folder in (tmp_path / "mine", tmp_path / "mine" / "thesis.txt"):
        with pytest.raises(InputError, match="--output must be a study's folder or a new one"):
            begin(*BASELINE, folder=folder)
    assert contents(tmp_path) == {"mine/thesis.txt": b"years of work"}


def test_a_broken_picture_is_named(begin, tmp_path):
    (tmp_path / "some").mkdir()
    (tmp_path / "some" / "bad.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"bad\.png' cannot be read"):
        begin("--baseline=telea", f"--pictures={tmp_path / 'some'}", "--count=1")
    assert not (tmp_path / "study").exists()


def test_the_report_serves_nothing(begin, tmp_path):
    store = begin(*BASELINE)
    store.rate("anna", *store.plan().order("anna")[0], 4, 1)
    done = command("inpainting-tf study", "--report", f"--output={store.path.parent}")
    assert done.status == 0 and "|telea|1|4|4.00|4to4|" in done.out.replace(" ", "")
    assert store.path.with_name("ratings.png").is_file() and store.path.with_name("ratings.csv").is_file()
    assert begin() == store  # which the results beside it do not disturb
    assert command("inpainting-tf study", "--report", f"--output={tmp_path / 'none'}").refuses("none in it")


# The page's answers


@pytest.fixture
def handlers(begin, monkeypatch):
    pytest.importorskip("gradio", reason="needs the extra apps")
    monkeypatch.setattr(study_page, "GLANCE", 0.0)
    return study_page.Handlers(begin(*STUDY, "--count=1"))


def seen(update):
    """The uint8 picture on the page."""
    pixels = base64.b64decode(update["picture"].partition("base64,")[2].partition('"')[0])
    return read(io.BytesIO(pixels))


def test_a_rater_is_led_through_and_comes_back(handlers):
    store, order = handlers._store, handlers._plan.order("anna")
    shown = handlers.entered(" Anna ")
    for position in (1, 2, 3):
        expected = read(stimuli.shown_file(store, store.plan(), *order[position - 1]))
        assert np.array_equal(seen(shown), study_page.enlarged(expected))
        assert shown["position"] == position and f"{position} of 3" in shown["progress"]
        shown = handlers.scored(position + 1, "Anna", position)
        if position < 3:
            assert handlers.entered("anna")["picture"] == shown["picture"]
    assert shown["room"]["visible"] is False and shown["thanks"]["visible"] and shown["picture"] == ""
    assert [(row["picture"], row["system"], row["score"]) for row in store.rows()] == [
        (*fill, score) for fill, score in zip(order, (2, 3, 4), strict=True)
    ]


def test_a_score_never_goes_to_another_picture(handlers):
    handlers.entered("anna")
    handlers.scored(5, "anna", 1)
    assert handlers.scored(5, "anna", 1)["position"] == 2  # as from a window that had not heard of it
    assert [row["position"] for row in handlers._store.rows()] == [1]


def test_the_second_half_of_a_double_click_is_no_score(handlers, monkeypatch):
    monkeypatch.setattr(study_page, "GLANCE", 1000.0)
    handlers.entered("anna")
    assert set(handlers.scored(5, "anna", 1)) == {"position"}
    assert handlers._store.rows() == []


def test_all_fills_of_a_picture_are_shown_together(begin, monkeypatch):
    """As in the thesis: three results at once, in random order, each with its score."""
    pytest.importorskip("gradio", reason="needs the extra apps")
    monkeypatch.setattr(study_page, "GLANCE", 0.0)
    store = begin(*STUDY, "--count=2", "--together")
    handlers, order = study_page.Handlers(store), store.plan().order("anna")
    shown = handlers.entered("anna")
    for position in range(1, 7):
        html = shown["picture"]
        every = [
            read(io.BytesIO(base64.b64decode(part.partition('"')[0]))) for part in html.split("base64,")[1:]
        ]
        first = 3 * ((position - 1) // 3)
        assert len(every) == 3 and html.count('class="next"') == 1
        for fill, pixels in zip(order[first : first + 3], every, strict=True):
            expected = read(stimuli.shown_file(store, store.plan(), *fill))
            assert np.array_equal(pixels, study_page.enlarged(expected))
        framed = html.split("<figure")[1 + (position - 1) % 3]
        assert framed.startswith(' class="next"') and f'alt="Picture {position} of 6"' in framed
        assert not [word for word in (*store.plan().systems, *store.plan().pictures) if word in html]
        shown = handlers.scored(position % 5 + 1, "anna", position)
    assert shown["thanks"]["visible"] and len(store.rows()) == 6


def test_without_a_name_nobody_enters(handlers):
    with pytest.raises(InputError, match="enter a name"):
        handlers.entered("  ")


# The page in a browser


@pytest.fixture(scope="module")
def server(place, tmp_path_factory):
    pytest.importorskip("gradio", reason="needs the extra apps")
    folder = tmp_path_factory.mktemp("served")
    options = (
        f"--runs={place / 'secret.keras'}",
        "--baseline=telea",
        f"--pictures={place / 'pictures'}",
        f"--mask={place / 'masks'}",
        "--count=2",
        f"--output={folder / 'study'}",
    )
    with served("inpainting_tf.apps.study", *options, log=folder / "log.txt") as running:
        yield running, ratings.Store(folder / "study" / ratings.DATABASE)


def enter(tab, name):
    tab.fill("#name textarea, #name input", name)
    tab.click("#begin")


def wait_for_picture(tab, number):
    tab.wait_for_selector(f'#picture img[alt="Picture {number} of 4"]')
    tab.wait_for_timeout(1000 * study_page.GLANCE + 200)


def on_screen(tab):
    """The pixels on the page, decoded by the browser's own data."""
    return seen({"picture": tab.inner_html("#picture")})


@pytest.mark.slow
def test_two_raters_rate_everything(server, tmp_path):
    running, store = server
    plan = store.plan()
    betraying = {*plan.systems, *plan.pictures, *(name.partition(".")[0] for name in plan.pictures)}
    given = {"rater 1": [1, 5, 3, 4], "rater 2": [2, 2, 5, 1]}
    with (
        chromium() as browser,
        opened(browser, running.url) as (one, asked_by_one),
        opened(browser, running.url) as (two, asked_by_two),
    ):
        tabs, heard = {"rater 1": one, "rater 2": two}, []
        for tab in tabs.values():
            tab.on("response", lambda response: heard.append(response.url))
            tab.on("websocket", lambda socket: heard.append(socket.url))
        one.click("#begin")
        one.wait_for_selector(".toast-body:has-text('enter a name')")
        screenshot(one, "study_door", tmp_path)
        for rater, tab in tabs.items():
            enter(tab, rater)
        for number, (rater, tab) in itertools.product((1, 2, 3, 4), tabs.items()):
            wait_for_picture(tab, number)
            filled = stimuli.shown_file(store, plan, *plan.order(rater)[number - 1])
            assert np.array_equal(on_screen(tab), study_page.enlarged(read(filled)))
            html = tab.content()
            assert not [word for word in betraying if word in html]
            if number == 2:
                screenshot(tab, f"study_{rater.replace(' ', '_')}", tmp_path)
            score = given[rater][number - 1]
            if rater == "rater 1":
                tab.dblclick(f"#score-{score}")
            else:
                tab.keyboard.press(str(score))
            if number == 3 and rater == "rater 2":  # leaves, and comes back
                wait_for_picture(tab, 4)
                tab.reload()
                tab.wait_for_selector("#begin")
                enter(tab, " RATER 2")
        for tab in tabs.values():
            tab.wait_for_selector("#thanks >> text=all 4 pictures")
        screenshot(two, "study_thanks", tmp_path)
        two.click("#again")
        two.wait_for_selector("#begin >> visible=true")
        assert two.input_value("#name textarea, #name input") == ""
        config = one.request.get(f"{running.url}config").text()
        outside = one.request.get(
            f"{running.url}gradio_api/file={stimuli.shown_file(store, plan, *plan.order('')[0])}"
        )
        assert not [
            word for word in betraying if word in config + " ".join(asked_by_one + asked_by_two + heard)
        ]
        assert not outside.ok, "the pictures' files, whose names tell the system, can be fetched"
    kept = {(row["rater"], row["position"]): row for row in store.rows()}
    assert len(store.rows()) == len(kept) == 8
    for (rater, position), row in kept.items():
        assert (row["picture"], row["system"]) == plan.order(rater)[position - 1]
        assert row["score"] == given[rater][position - 1]
    elsewhere = [url for url in asked_by_one + asked_by_two if not url.startswith((running.url, "data:"))]
    assert elsewhere == [] and running.asked() == set() and running.alive()
