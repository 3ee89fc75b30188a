"""The `inpaint` command: one file, folders of them, and what it says about those it cannot repair."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from running import command, contents, rows_of

import inpainting_tf

SIZE = (45, 61)  # odd: no network's stride divides it


def picture(seed: int = 0) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3)).astype(np.uint8)
    return np.asarray(Image.fromarray(coarse).resize(SIZE[::-1], Image.Resampling.BICUBIC))


def hole() -> np.ndarray:
    missing = np.zeros(SIZE, bool)
    missing[10:16, 20:29] = True
    return missing


def save(path, array):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(array).save(path)
    return path


def opened(path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.fixture
def inpaint(trained, monkeypatch, tmp_path):
    """The command with a tiny trained model, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def run(*args):
        return command("inpaint", f"--model={trained}", *args)

    return run


@pytest.fixture
def files(tmp_path):
    """photo.png and mask.png."""
    save(tmp_path / "photo.png", picture())
    save(tmp_path / "mask.png", hole())
    return tmp_path


FILE = ("--image=photo.png", "--mask=mask.png", "--output=out.png")


def test_a_picture_is_repaired_as_in_python(inpaint, files, trained):
    done = inpaint(*FILE)
    assert done.status == 0, done.err
    assert done.out == "Repaired 1 of 1 pictures: out.png\n"
    expected = inpainting_tf.inpaint(inpainting_tf.load(trained), picture(), hole())
    np.testing.assert_array_equal(opened("out.png"), expected)
    assert (expected != picture())[hole()].any() and (expected == picture())[~hole()].all()


@pytest.mark.parametrize(
    ("flag", "arguments"),
    {
        "--blend=none": {"blend": "none"},
        "--direct": {"direct": True},
    }.items(),
)
def test_options_reach_the_network(inpaint, files, trained, flag, arguments):
    assert inpaint(*FILE, flag).status == 0
    expected = inpainting_tf.inpaint(inpainting_tf.load(trained), picture(), hole(), **arguments)
    np.testing.assert_array_equal(opened("out.png"), expected)
    plain = inpainting_tf.inpaint(inpainting_tf.load(trained), picture(), hole())
    assert (plain != expected).any()


def test_detail_reaches_large_holes(inpaint, files, trained):
    large = np.zeros(SIZE, bool)
    large[8:36, 12:44] = True
    save(files / "large.png", np.where(large, 255, 0).astype(np.uint8))
    options = ("--image=photo.png", "--mask=large.png", "--overwrite", "--output=out.png")
    results = []
    for how in ("exemplar", "none"):
        assert inpaint(*options, f"--detail={how}").status == 0
        results.append(opened("out.png"))
        model = inpainting_tf.load(trained)
        np.testing.assert_array_equal(results[-1], inpainting_tf.inpaint(model, picture(), large, detail=how))
    assert (results[0] != results[1])[large].any()


def test_what_is_erased_is_the_hole(inpaint, files):
    erased = np.dstack([picture(), np.where(hole(), 0, 255).astype(np.uint8)])
    save(files / "erased.png", erased)
    assert inpaint("--image=erased.png", "--output=out.png").status == 0
    result = opened("out.png")
    assert result.shape == (*SIZE, 3), "opaque again"
    assert (result == picture())[~hole()].all()
    done = inpaint("--image=photo.png", "--output=again.png")
    assert done.refuses("--mask must be given", "no transparent parts")


def test_what_exists_is_kept_unless_asked(inpaint, files):
    save(files / "out.png", 255 - picture())
    before = contents(files)
    assert inpaint(*FILE).refuses("'out.png' exists already", "--overwrite")
    assert contents(files) == before
    assert inpaint(*FILE, "--overwrite").status == 0
    assert (opened("out.png") == picture())[~hole()].all()


def test_one_mask_for_a_folder(inpaint, files):
    for number in range(3):
        save(files / "scans" / f"{number}.png", picture(number))
    done = inpaint("--image=scans", "--mask=mask.png", "--output=repaired", "--format=bmp")
    assert done.status == 0, done.err
    assert sorted(contents(files / "repaired")) == ["0.bmp", "1.bmp", "2.bmp"]
    for number in range(3):
        result = opened(f"repaired/{number}.bmp")
        assert (result == picture(number))[~hole()].all() and (result != picture(number))[hole()].any()


def test_masks_by_name_and_what_cannot_be_repaired(inpaint, files):
    for name in ("good.png", "maskless.png", "empty.png", "small.png"):
        save(files / "scans" / name, picture())
    (files / "scans" / "broken.png").write_bytes((files / "photo.png").read_bytes()[:200])
    (files / "scans" / "notes.txt").write_text("not a picture", encoding="utf-8")
    for name in ("good", "broken"):
        save(files / "masks" / f"{name}.png", hole())
    save(files / "masks" / "empty.png", hole() & False)
    save(files / "masks" / "small.png", hole()[1:])
    done = inpaint("--image=scans", "--mask=masks", "--output=repaired")
    assert done.status == 1 and done.out == "Repaired 1 of 5 pictures: repaired\n"
    assert list(contents(files / "repaired")) == ["good.png"]
    said = done.err[done.err.index("Skipped 4:") :].splitlines()[1:]
    assert said[4:] == ["Left out 1:", "  scans/notes.txt: not a picture"]
    assert [line.split(":")[0].strip() for line in said[:4]] == [
        "scans/broken.png",
        "scans/empty.png",
        "scans/maskless.png",
        "scans/small.png",
    ]
    for line, reason in zip(
        said[:4], ("cannot be read", "no missing pixel", "No such file", "45 x 61"), strict=True
    ):
        assert reason in line
    assert "Traceback" not in done.err


def test_one_picture_that_breaks_a_library_does_not_end_the_batch(inpaint, files, monkeypatch):
    """A TIFF whose own tags Pillow cannot write again used to end it with a traceback."""
    from inpainting_tf.photographs import writing

    def broken(*_):
        raise MemoryError

    for name in ("a.tif", "b.png", "c.bmp"):
        save(files / "scans" / name, picture())
    monkeypatch.setattr(writing.containers, "tiff", broken)
    done = inpaint("--image=scans", "--mask=mask.png", "--output=out", "--report=done.csv")
    assert done.status == 1 and done.out == "Repaired 2 of 3 pictures: out\n"
    assert "Traceback" not in done.err
    assert done.err.splitlines()[-2:] == [
        "Skipped 1:",
        "  scans/a.tif: not enough memory for this picture and hole",
    ]
    found = {row["image"]: row for row in rows_of(files, "done.csv")}
    assert found["scans/a.tif"]["status"] == "skipped" and "memory" in found["scans/a.tif"]["reason"]
    assert found["scans/b.png"]["status"] == "repaired"
    assert float(found["scans/b.png"]["missing"]) == hole().mean()


def test_an_accident_with_one_picture_is_a_line(inpaint, files, monkeypatch):
    from inpainting_tf.photographs import writing

    def broken(*_, **__):
        raise writing.NotWritten("as PNG it would be another picture")

    monkeypatch.setattr(writing, "_check", broken)
    done = inpaint(*FILE)
    assert done.refuses("'photo.png' could not be repaired: as PNG it would be another picture", status=1)
    assert not (files / "out.png").exists()


def test_the_same_command_again_does_what_is_left(inpaint, files):
    for number in range(3):
        save(files / "scans" / f"{number}.png", picture(number))
    args = ("--image=scans", "--mask=mask.png", "--output=out")
    assert inpaint(*args).status == 0
    before = contents(files / "out")
    (files / "out" / "1.png").unlink()
    again = inpaint(*args)
    assert again.status == 0 and again.err.count("Skipped") == 0
    assert again.out == "Repaired 1 of 3 pictures (2 were there already): out\n"
    assert contents(files / "out") == before
    save(files / "out" / "1.png", picture())
    assert inpaint(*args, "--model=nowhere").status == 0, "nothing is left, so no network is needed"
    assert contents(files / "out") != before
    assert inpaint(*args, "--overwrite", "--workers=2").status == 0
    assert contents(files / "out") == before


def test_folders_in_folders_and_masks_beside_the_pictures(inpaint, files):
    for place in ("scans", "scans/deep"):
        save(files / place / "photo.png", picture())
        save(files / place / "photo_mask.png", hole())
    done = inpaint("--image=scans", "--output=out", "--recursive")
    assert done.status == 0 and done.out == "Repaired 2 of 2 pictures: out\n"
    assert sorted(contents(files / "out")) == ["deep/photo.png", "photo.png"]


def test_a_page_and_the_largest_size_are_chosen(inpaint, files):
    pages = [Image.fromarray(picture(number)) for number in range(2)]
    pages[0].save(files / "a.tif", save_all=True, append_images=pages[1:])
    args = ("--image=a.tif", "--mask=mask.png", "--output=out.png")
    assert inpaint(*args).refuses("2 pages; choose one of them with --page")
    assert inpaint(*args, "--page=2", "--max_megapixels=0.001").refuses("raise --max_megapixels")
    assert inpaint(*args, "--page=2").status == 0
    assert (opened("out.png") == picture(1))[~hole()].all()


MISTAKES = {
    ("--mask=mask.png", "--output=out.png"): ["--image and --output must name"],
    ("--image=photo.png", "--mask=mask.png"): ["--image and --output must name"],
    ("--image=none.png", "--mask=mask.png", "--output=out.png"): ["`image` 'none.png' cannot be read"],
    ("--image=photo.png", "--mask=none.png", "--output=out.png"): ["`mask` 'none.png' cannot be read"],
    ("--image=photo.png", "--mask=photo.png", "--output=out.png"): ["`mask`", "looks like a photograph"],
    ("--image=photo.png", "--mask=mask.png", "--output=out.gif"): ["ending of --output"],
    ("--image=empty", "--mask=mask.png", "--output=out"): ["--image", "none in it"],
    ("--image=.", "--mask=mask.png", "--output=photo.png"): ["--output must be a folder"],
    (*FILE, "--format=gif"): ["--format must be one of"],
    (*FILE, "--blend=poison"): ["`blend` must be one of", "Did you mean 'poisson'?"],
    (*FILE, "--detail=nome"): ["`detail` must be one of", "Did you mean 'none'?"],
    (*FILE, "--engine=openvin"): ["`engine` must be one of", "Did you mean 'openvino'?"],
    (*FILE, "--model=nowhere"): ["faces, cifar10, a run's folder or a .keras file. Received 'nowhere'"],
    ("photo.png",): ["Options begin with --. Received 'photo.png'"],
}


@pytest.mark.parametrize("args", MISTAKES, ids=" ".join)
def test_a_mistake_is_one_line_and_leaves_nothing(inpaint, files, args):
    (files / "empty").mkdir()
    before = contents(files)
    done = inpaint(*args)
    assert done.refuses(*MISTAKES[args]), done.err
    assert contents(files) == before


def test_masks_are_changed_as_asked(inpaint, files, trained):
    """--invert, --fit_mask, --grow and --feather reach the hole."""
    small = Image.fromarray(~hole()).resize((31, 23))
    save(files / "small.png", np.asarray(small))
    args = ("--image=photo.png", "--mask=small.png")
    assert inpaint(*args, "--output=a.png").refuses("--fit_mask")
    options = ("--fit_mask", "--invert", "--grow=2", "--feather=1")
    assert inpaint(*args, "--output=a.png", *options).status == 0
    changed = (opened("a.png") != picture()).any(-1)
    rows, columns = (np.flatnonzero(changed.any(axis=axis)) for axis in (1, 0))
    assert abs(rows[0] - 7) <= 1 and abs(rows[-1] - 18) <= 1
    assert abs(columns[0] - 17) <= 1 and abs(columns[-1] - 31) <= 1


def test_a_mask_that_hides_nearly_everything_is_asked_about(inpaint, files):
    save(files / "inverted.png", ~hole())
    done = inpaint("--image=photo.png", "--mask=inverted.png", "--output=out.png")
    assert done.status == 0
    assert done.err == (
        "warning: 98.0 % of 'photo.png' was missing. If its mask is white where the picture is known, "
        "pass --invert.\n"
    )
    again = inpaint("--image=photo.png", "--mask=inverted.png", "--output=b.png", "--invert")
    assert again.status == 0 and again.err == ""
    assert (opened("b.png") == picture())[~hole()].all()


def test_a_hole_that_was_grown_over_its_rim_is_told(inpaint, files):
    missing = np.kron(hole(), np.ones((4, 4), bool))
    shining = np.kron(picture(), np.ones((4, 4, 1), np.uint8))
    shining[39:65, 79:117] = 200
    shining[missing] = 255
    save(files / "photo.png", shining)
    save(files / "mask.png", missing)
    done = inpaint(*FILE)
    assert done.status == 0 and "note: the hole was grown by up to" in done.err
    assert (opened("out.png") != shining)[39, 79:117].any()
    kept = inpaint(*FILE, "--grow=0", "--overwrite")
    assert kept.status == 0 and kept.err == ""
    assert (opened("out.png") == shining)[~missing].all()


def test_a_picture_is_extended(inpaint, files):
    done = inpaint("--image=photo.png", "--extend=4,0,9,6", "--output=wider.png")
    assert done.status == 0, done.err
    wider = opened(files / "wider.png")
    assert wider.shape == (SIZE[0] + 6, SIZE[1] + 13, 3)
    assert np.array_equal(wider[: SIZE[0], 4 : 4 + SIZE[1]], picture())
    assert inpaint(*FILE[:2], "--extend=4,0,9,6", "--output=both.png").status == 0
    both = opened(files / "both.png")[: SIZE[0], 4 : 4 + SIZE[1]]
    assert np.array_equal(both[~hole()], picture()[~hole()]) and (both != picture())[hole()].any()
    for wrong in ("--extend=4,0,nine,6", "--extend=400,0,0,0", "--extend=1,2"):
        refused = inpaint("--image=photo.png", wrong, "--output=no.png")
        assert refused.status == 2 and "extend" in refused.err and not (files / "no.png").exists()
