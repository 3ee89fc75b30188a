"""Pictures as people have them: what can be read is taken, the rest is named, and errors are one line."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from running import command, contents, process, rows_of, tiny, tiny_flags

import inpainting_tf
from inpainting_tf import InputError, data, runs
from inpainting_tf.data import Data, synthetic_faces

FOLDER = {"data__source": "folder", "batch_size": 4, "schedule__epochs": 2}
PLACE = Path("my pictures", "Fünf ☃ 写真")  # spaces and letters of several alphabets


def face(index: int, size: int = 40) -> Image.Image:
    return Image.fromarray(synthetic_faces.face(index, size))


def good_pictures(folder: Path) -> list[str]:
    """Nine that can be read, of as many kinds."""
    folder.mkdir(parents=True, exist_ok=True)
    face(0).save(folder / "a picture.png")
    face(1).save(folder / "b.JPG")
    face(2).convert("L").save(folder / "c grey.jpg")
    face(3).convert("CMYK").save(folder / "d cmyk.jpg")
    face(4).convert("RGBA").save(folder / "e alpha.png")
    face(5).convert("P").save(folder / "f palette.png")
    grey = np.asarray(face(6).convert("L")).astype(np.uint16) * 257
    Image.fromarray(grey).save(folder / "g 16 bit.png")
    face(7, 300).crop((0, 0, 300, 20)).save(folder / "h wide.webp")
    (folder / "sub folder").mkdir(exist_ok=True)
    face(8).save(folder / "sub folder" / "ï.jpeg")
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.*"))


def bad_pictures(folder: Path) -> list[str]:
    """Six that cannot, each for its own reason."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "v text.jpg").write_text("This is not a picture.", encoding="utf-8")
    (folder / "w empty.png").write_bytes(b"")
    face(1).save(folder / "x truncated.jpg")
    whole = (folder / "x truncated.jpg").read_bytes()
    (folder / "x truncated.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "y corrupt.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(200)))
    Image.new("RGB", (1, 1)).save(folder / "z one pixel.png")
    Image.new("RGB", (10_000, 1)).save(folder / "z line.png")
    return ["v text.jpg", "w empty.png", "x truncated.jpg", "y corrupt.png", "z line.png", "z one pixel.png"]


def skipped(log: str) -> tuple[int, int]:
    """How many pictures the warnings say were left out, and of how many."""
    counts = re.findall(r"Skipped (\d+) of (\d+) pictures", log)
    return sum(int(some) for some, _ in counts), sum(int(total) for _, total in counts)


# A folder of everything


@pytest.fixture(scope="module")
def messy(tmp_path_factory) -> tuple[Path, Path, str]:
    """The pictures, the run that was trained on them in a process of its own, and what that printed."""
    home = tmp_path_factory.mktemp("home")
    good_pictures(home / PLACE), bad_pictures(home / PLACE)
    options = [*tiny_flags(**FOLDER), f"--data_dir={PLACE}", "--workdir=my runs/ü"]
    done = process("train.py", *options, cwd=home)
    assert done.status == 0 and done.errors == [], done.err
    return home / PLACE, home / "my runs" / "ü", done.err


@pytest.mark.slow
def test_what_can_be_read_is_trained_on(messy, tmp_path):
    pictures, run, _ = messy
    named = json.loads((run / "data.json").read_text(encoding="utf-8"))
    assert sorted([*named["train"], *named["validation"], *named["test"]]) == good_pictures(tmp_path)
    assert Path(named["data_dir"]) == pictures.resolve(), "another working directory must find it again"
    assert [row["epoch"] for row in rows_of(run)] == ["1", "2"]
    assert inpainting_tf.load(run).name == "gan_direct_conv"


@pytest.mark.slow
def test_what_cannot_is_counted_and_named(messy, tmp_path):
    _, _, log = messy
    bad = bad_pictures(tmp_path)
    left_out, total = skipped(log)
    assert left_out == len(bad) and total <= 15
    assert sum(name in log for name in bad) >= 3, "the first three of each warning are named"


@pytest.fixture
def continued(messy, tmp_path, monkeypatch) -> tuple[Path, Path]:
    """Copies of the pictures and of their run, for a later start from another working directory."""
    pictures, run, _ = messy
    monkeypatch.chdir(tmp_path)
    copies = shutil.copytree(pictures, tmp_path / "copies"), shutil.copytree(run, tmp_path / "run")
    record = json.loads((copies[1] / "data.json").read_text(encoding="utf-8"))
    (copies[1] / "data.json").write_text(json.dumps({**record, "data_dir": str(copies[0])}), encoding="utf-8")
    return copies


@pytest.mark.slow
def test_the_folder_is_remembered(continued, capsys):
    runs.train(tiny(**FOLDER), continued[1])
    assert "is already trained" in capsys.readouterr().err


@pytest.mark.slow
def test_new_pictures_do_not_join_a_run(continued):
    pictures, run = continued
    face(20).save(pictures / "0 new.png")
    before = contents(run)
    runs.train(tiny(**FOLDER), run)
    assert contents(run) == before


@pytest.mark.slow
@pytest.mark.parametrize("emptied, told", [(False, "are not in"), (True, "cannot be read any more")])
def test_a_lost_picture_is_one_line(continued, emptied, told):
    pictures, run = continued
    first = json.loads((run / "data.json").read_text(encoding="utf-8"))["train"][0]
    (pictures / first).unlink()
    if emptied:
        (pictures / first).touch()
    before = contents(run)
    message = f"1 train pictures of this run {told}.*{re.escape(first)}"
    with pytest.raises(InputError, match=message) as caught:
        runs.train(tiny(**FOLDER), run)
    assert "\n" not in str(caught.value)
    assert contents(run) == before


# What is refused


def refused(*words: str, data_dir: Path | str, workdir: Path, **changes) -> None:
    done = command(
        "train.py", *tiny_flags(**FOLDER | changes), f"--data_dir={data_dir}", f"--workdir={workdir}"
    )
    assert done.refuses(*words), done.err
    assert contents(workdir) == {}, "a refused start must not claim the folder"


def test_an_empty_folder(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("no picture", encoding="utf-8")
    refused("`data_dir` holds no pictures", ".jpg", data_dir=tmp_path / "empty", workdir=tmp_path / "run")


def test_no_folder(tmp_path):
    refused("no such folder", "nowhere", data_dir=tmp_path / "nowhere", workdir=tmp_path / "run")


def test_a_file_for_a_folder(tmp_path):
    face(0).save(tmp_path / "a.png")
    refused("must be a folder of pictures", "a file", data_dir=tmp_path / "a.png", workdir=tmp_path / "run")


def test_nothing_but_bad_pictures(tmp_path):
    bad_pictures(tmp_path / "bad")
    refused("None of the ", " can be read", data_dir=tmp_path / "bad", workdir=tmp_path / "run")


def test_one_picture(tmp_path):
    (tmp_path / "one").mkdir()
    face(0).save(tmp_path / "one" / "a.png")
    refused("at least two pictures. Received 1", data_dir=tmp_path / "one", workdir=tmp_path / "run")


def test_fewer_pictures_than_a_batch(tmp_path):
    good_pictures(tmp_path / "good")
    words = "`batch_size` must be at most the number of training pictures, 7. Received 9"
    refused(words, data_dir=tmp_path / "good", workdir=tmp_path / "run", batch_size=9)


def test_too_few_pictures_after_the_bad_ones_are_left_out(tmp_path):
    good_pictures(tmp_path / "mixed"), bad_pictures(tmp_path / "mixed")
    words = "`batch_size` must be at most the number of training pictures"
    refused(words, data_dir=tmp_path / "mixed", workdir=tmp_path / "run", batch_size=10)


def test_celeba_is_not_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for variable in ("INPAINTING_DATA_DIR", "TFDS_DATA_DIR"):
        monkeypatch.delenv(variable, raising=False)
    done = command("train.py", "--model=glcic", "--preset=laptop")
    places = ("data/celeba (absent)", "data (absent)", f"{tmp_path}/home/tensorflow_datasets (absent)")
    assert done.refuses("CelebA was not found. Searched: ", *places, "img_align_celeba.zip", "--data_dir")
    assert contents(tmp_path) == {}
    assert command("eval.py", "--baseline=telea").refuses("CelebA was not found", "--data_dir")


@pytest.mark.parametrize(
    ("content", "told"),
    [(None, "No such file or directory"), (b"", "not a whole .npz"), (b"PK\x03\x04 cut", "not a whole .npz")],
    ids=["absent", "empty", "cut"],
)
def test_no_weights_of_lpips(content, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path("weights.npz").write_bytes(content)
    done = command("eval.py", "--baseline=telea", "--dataset=synthetic_faces", "--lpips_weights=weights.npz")
    assert done.refuses("`lpips_weights` must be a file", "'weights.npz'", told, "scripts/convert_lpips.py")
    assert [*contents(tmp_path)] == ([] if content is None else ["weights.npz"])


# The same through the library


def test_load_leaves_out_and_keeps_the_order(tmp_path):
    good, _ = good_pictures(tmp_path), bad_pictures(tmp_path)
    loaded = data.load(Data("folder", image_size=32, train=None, test=3), tmp_path)
    assert sorted([*loaded.train.names, *loaded.validation.names, *loaded.test.names]) == good
    for part in (loaded.train, loaded.validation, loaded.test):
        assert part.names == sorted(part.names) and len(part.images) == len(part.names) > 0
        assert part.images.shape[1:] == (32, 32, 3) and part.images.dtype == np.uint8
        assert all(picture.std() > 5 for picture in part.images)


def test_the_split_does_not_depend_on_what_is_evaluated(tmp_path):
    good_pictures(tmp_path)
    wanted = Data("folder", image_size=32, train=None, test=3)
    both, alone = data.load(wanted, tmp_path), data.load(wanted, tmp_path, splits=("test",))
    assert alone.test.names == both.test.names and alone.train.names == []
    assert not {*both.train.names} & {*both.test.names}
    again = data.load(wanted, tmp_path, names=both.names())
    assert np.array_equal(again.train.images, both.train.images)
