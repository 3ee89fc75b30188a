"""CelebA as files and in its archive: found, numbered and divided as it officially is."""

from __future__ import annotations

import dataclasses
import json
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from grey import encoded, levels, put, put_celeba

from inpainting_tf import data
from inpainting_tf.data import FACES, Data, decoding, sources
from inpainting_tf.data.pictures import UnreadablePicture
from inpainting_tf.errors import InputError

pytestmark = pytest.mark.usefixtures("nowhere")


# CelebA as files


@pytest.mark.parametrize(
    "layout",
    [".", "img_align_celeba", "img_align_celeba/img_align_celeba", "celeba/img_align_celeba"],
)
def test_celeba_layouts(tmp_path, layout):
    put_celeba(tmp_path / layout)
    source = sources.celeba(tmp_path)
    assert source.name == "celeba" and source.origin == str(tmp_path / layout)
    assert source.names == ["000001.jpg", "000002.jpg", "000003.jpg"]
    assert levels(source) == [10, 20, 30]


@pytest.mark.parametrize("place", ["data/celeba", "data", "tensorflow_datasets"])
def test_celeba_is_looked_for_in_the_usual_places(tmp_path, monkeypatch, place):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    put_celeba(tmp_path / place / "img_align_celeba")
    assert levels(sources.celeba()) == [10, 20, 30]


def test_the_environment_comes_before_the_working_directory(tmp_path, monkeypatch):
    put_celeba(tmp_path / "here" / "data", [1])
    put_celeba(tmp_path / "there", [2])
    put_celeba(tmp_path / "there" / "celeba", [3])
    monkeypatch.chdir(tmp_path / "here")
    assert levels(sources.celeba()) == [1]
    monkeypatch.setenv("INPAINTING_DATA_DIR", str(tmp_path / "there"))
    assert levels(sources.celeba()) == [3]


def test_nothing_found_names_every_place_in_order_and_the_way_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("INPAINTING_DATA_DIR", "/some/where")
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    with pytest.raises(InputError) as caught:
        sources.celeba()
    message = str(caught.value)
    places = ["/some/where/celeba (absent)", "/some/where (absent)", "data/celeba (absent)", "data (absent)"]
    found = [message.index(f" {place},") for place in (*places, tmp_path)]
    assert found == sorted(found)
    assert "~" not in message and "tensorflow_datasets (absent)" in message
    for hint in ("mmlab.ie.cuhk.edu.hk/projects/CelebA.html", "jessicali9530/celeba-dataset", "--data_dir"):
        assert hint in message
    assert "\n" not in message


def test_a_given_data_dir_is_searched_alone(tmp_path, monkeypatch):
    put_celeba(tmp_path / "full")
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("INPAINTING_DATA_DIR", str(tmp_path / "full"))
    with pytest.raises(InputError) as caught:
        sources.celeba(tmp_path / "empty")
    assert str(tmp_path / "empty") in str(caught.value) and str(tmp_path / "full") not in str(caught.value)


# CelebA in its archive


def put_zip(path, inside: str = "img_align_celeba/", kind: int = zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", kind) as archive:
        for number in (2, 1, 3):
            archive.writestr(f"{inside}{number:06d}.jpg", encoded(10 * number))
        archive.writestr("__MACOSX/img_align_celeba/000001.jpg", b"resource fork")
        archive.writestr("list_attr_celeba.csv", "no picture")


@pytest.mark.parametrize("inside", ["", "img_align_celeba/", "img_align_celeba/img_align_celeba/"])
def test_zip_given_itself(tmp_path, inside):
    put_zip(tmp_path / "archive.zip", inside)
    source = sources.celeba(tmp_path / "archive.zip")
    assert source.origin == str(tmp_path / "archive.zip")
    assert source.names == [f"{inside}{number:06d}.jpg" for number in (1, 2, 3)]
    assert levels(source) == [10, 20, 30]


def test_zip_in_a_folder_is_not_unpacked(tmp_path):
    put_zip(tmp_path / "img_align_celeba.zip")
    assert levels(sources.celeba(tmp_path)) == [10, 20, 30]
    assert [path.name for path in tmp_path.iterdir()] == ["img_align_celeba.zip"]


def test_zip_is_read_by_many_threads(tmp_path):
    put_zip(tmp_path / "img_align_celeba.zip")
    source = sources.celeba(tmp_path)
    with ThreadPoolExecutor(8) as threads:
        seen = list(threads.map(lambda turn: int(source.read(turn % 3)[0, 0, 0]), range(600)))
    assert seen == [10, 20, 30] * 200


def test_a_damaged_member_is_one_unreadable_picture(tmp_path):
    put_zip(tmp_path / "a.zip", kind=zipfile.ZIP_STORED)
    data = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(data.replace(encoded(20), bytes(len(encoded(20)))))
    source = sources.celeba(tmp_path / "a.zip")
    with pytest.raises(UnreadablePicture, match="damaged in the archive"):
        source.read(1)
    decoded = decoding.decode(source, range(3), (16, 24))
    assert decoded.images[:, 0, 0, 0].tolist() == [10, 30] and len(decoded.skipped) == 1


def test_half_a_download_is_said_to_be_one(tmp_path):
    put_zip(tmp_path / "img_align_celeba.zip")
    data = (tmp_path / "img_align_celeba.zip").read_bytes()
    (tmp_path / "img_align_celeba.zip").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match=r"img_align_celeba\.zip is not an intact zip.*Download it again"):
        sources.celeba(tmp_path)


def test_a_zip_of_something_else_is_not_celeba(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("cats/cat.jpg", encoded(1))
    with pytest.raises(InputError, match="CelebA was not found"):
        sources.celeba(tmp_path / "a.zip")


# Other forms


@pytest.mark.parametrize(
    "layout",
    [
        "img_align_celeba_png",
        "celeba-dataset/img_align_celeba/img_align_celeba",
        "archive/img_align_celeba/img_align_celeba",
        "CelebA/Img/img_align_celeba",
    ],
)
def test_nested_folders_and_pngs_are_found(tmp_path, layout):
    for number, level in ((1, 10), (2, 20)):
        put(tmp_path / layout / f"{number:06d}.png", level, "png")
    put(tmp_path / layout / "000001.jpg", 99)  # the same face again
    source = sources.celeba(tmp_path)
    assert source.names == ["000001.png", "000002.png"] and levels(source) == [10, 20]


def test_folders_of_other_data_are_not_searched_for_it(tmp_path):
    put(tmp_path / "VOC2007" / "JPEGImages" / "000001.jpg")
    put(tmp_path / "data" / "coco" / "000000000001.jpg")
    with pytest.raises(InputError, match="CelebA was not found"):
        sources.celeba(tmp_path)


@pytest.mark.parametrize("name", ["00000.jpg", "celeba_hq/train/female/000004.jpg", "a b/photo.webp"])
def test_other_pictures_are_said_to_take_another_dataset(tmp_path, name):
    put(tmp_path / name)
    with pytest.raises(InputError, match=rf"It holds other pictures, e\.g\. {name}: .* --dataset=folder"):
        data.load(FACES, tmp_path)


def test_drawn_faces_and_a_folder_say_which_datasets_there_are(tmp_path):
    from running import command

    done = command(
        "train.py", "--model=glcic", "--preset=smoke", f"--data_dir={tmp_path}", f"--workdir={tmp_path}/run"
    )
    assert done.refuses("'synthetic_faces', which draws its", "--dataset=celeba", "--dataset=folder"), (
        done.err
    )


# The official division


def division(source: sources.Source) -> dict[str, list[int]]:
    return {which: sorted(int(Path(name).stem) for name in names) for which, names in source.division.items()}


@pytest.mark.parametrize("where", ["", "img_align_celeba", "Eval"])
@pytest.mark.parametrize("form", ["csv", "txt"])
def test_the_official_file_divides(tmp_path, form, where):
    put_celeba(tmp_path / "img_align_celeba", [10, 20, 30, 40, 50])
    line, head = ("{:06d}.jpg,{}\n", "image_id,partition\n") if form == "csv" else ("{:06d}.jpg {}\n", "")
    text = head + "".join(line.format(n, split) for n, split in ((1, 2), (2, 0), (3, 1), (4, 0), (5, 2)))
    (tmp_path / where).mkdir(exist_ok=True)
    (tmp_path / where / f"list_eval_partition.{form}").write_text(text, encoding="utf-8")
    source = sources.celeba(tmp_path)
    assert division(source) == {"validation": [3], "test": [1, 5]}
    assert source.account.endswith("5, officially 1 for validation, 2 for test.")
    for ids in (None, "1-5000"):
        found = data.load(Data("celeba", 16, train=None, ids=ids), tmp_path)
        assert found.names() == {
            "train": ["000002.jpg", "000004.jpg"],
            "validation": ["000003.jpg"],
            "test": ["000001.jpg", "000005.jpg"],
        }


def test_the_official_file_in_the_archive_divides(tmp_path):
    put_zip(tmp_path / "archive.zip")
    with zipfile.ZipFile(tmp_path / "archive.zip", "a") as archive:
        archive.writestr("list_eval_partition.csv", "image_id,partition\n000002.jpg,2\n")
    assert division(sources.celeba(tmp_path / "archive.zip")) == {"test": [2]}


def test_without_that_file_the_official_numbers_divide(tmp_path):
    for number in (1, 162_770, 162_771, 182_637, 182_638, 202_599):
        put(tmp_path / f"{number:06d}.jpg")
    assert division(sources.celeba(tmp_path)) == {
        "validation": [162_771, 182_637],
        "test": [182_638, 202_599],
    }


def test_a_file_that_divides_nothing_is_told(tmp_path):
    put_celeba(tmp_path)
    (tmp_path / "list_eval_partition.txt").write_text("<html>Not found</html>", encoding="utf-8")
    with pytest.raises(InputError, match=r"list_eval_partition\.txt must have lines like 000001\.jpg,0"):
        sources.celeba(tmp_path)


# The pictures of the papers


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """All of CelebA as far as names tell: 5,001 faces are for training, two are not."""
    root = tmp_path_factory.mktemp("whole") / "img_align_celeba"
    root.mkdir()
    for number in (*range(1, 5002), 170_000, 190_000):
        (root / f"{number:06d}.jpg").touch()
    return root


def chosen(place: Path, **changes) -> dict[str, list[str]]:
    return data.splits.of_source(sources.celeba(place), dataclasses.replace(FACES, **changes))[0]


def test_the_papers_pictures_are_the_same_whatever_else_is_on_the_disk(whole, tmp_path):
    everything = chosen(whole)
    assert [*map(len, everything.values())] == [4500, 250, 250]
    first = tmp_path / "first"
    first.mkdir()
    for number in range(1, 5001):
        (first / f"{number:06d}.jpg").touch()
    assert chosen(first) == everything
    for lost in ("000001.jpg", everything["test"][0], everything["validation"][7]):
        (first / lost).unlink()
    assert chosen(first) == {
        which: [name for name in names if (first / name).exists()] for which, names in everything.items()
    }
    assert chosen(whole, split_seed=1)["test"] != everything["test"]
    assert chosen(whole, ids=None)["test"] == ["190000.jpg"]


def test_the_papers_pictures_are_listed(whole):
    listed = json.loads(
        (Path(__file__).parents[2] / "docs/face_gan_pictures.json").read_text(encoding="utf-8")
    )
    names = chosen(whole)
    assert {which: names[which] for which in ("validation", "test")} == listed


def test_few_of_the_papers_pictures_are_divided_among_themselves(tmp_path):
    put_celeba(tmp_path)
    found = data.load(dataclasses.replace(FACES, image_size=16), tmp_path)
    assert [*map(len, found.names().values())] == [2, 0, 1]
    assert found.account.endswith("3. Of the numbers 1-5000 3 are there; no others are taken.")
    for number in (6000, 6001):
        put(tmp_path / "others" / f"{number:06d}.jpg")
    found = data.load(dataclasses.replace(FACES, image_size=16), tmp_path / "others")
    assert found.account.endswith("None of 1-5000 is there: others are taken.")


def test_a_run_finds_its_faces_in_every_form(tmp_path):
    put_celeba(tmp_path / "files")
    put_zip(tmp_path / "faces.zip")
    for number, level in ((1, 10), (2, 20), (3, 30)):
        put(tmp_path / "pngs" / f"{number:06d}.png", level, "png")
    wanted = Data("celeba", 16)
    for names in (
        ["000002.jpg", "000003.jpg"],
        ["img_align_celeba/000002.jpg", "img_align_celeba/000003.jpg"],
    ):
        for place in ("files", "faces.zip", "pngs"):
            run = {"data_dir": "elsewhere", "train": [names[0]], "test": [names[1]]}
            found = data.load(wanted, tmp_path / place, names=run)
            assert found.names() == {"train": [names[0]], "validation": [], "test": [names[1]]}
            assert [found.train.images[0, 0, 0, 0], found.test.images[0, 0, 0, 0]] == [20, 30]


@pytest.mark.parametrize("ids", ["5000", "1-", "5-1", "one-ten"])
def test_numbers_that_are_none(ids):
    with pytest.raises(
        InputError, match=r"`data\.ids` must be FIRST-LAST, e\.g\. 1-5000, or none\. Received "
    ):
        data.splits.ids(ids)


# Real pictures


def test_real_celeba(real_data_dir):
    if not (real_data_dir / "celeba").is_dir():
        pytest.skip(f"no celeba in {real_data_dir}")
    source = sources.celeba(real_data_dir)
    assert source.names[:2] == ["000001.jpg", "000002.jpg"]
    decoded = decoding.decode(source, range(3), (64, 48))
    assert decoded.images.shape == (3, 64, 48, 3) and decoded.skipped == []
    assert source.read(0).shape == (218, 178, 3)
    assert (decoded.images.reshape(3, -1).std(-1) > 20).all()  # photographs, not constants
