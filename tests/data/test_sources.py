from __future__ import annotations

import io
import shutil
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tfds_copy
from PIL import Image

from inpainting_tf.data import pictures, sources
from inpainting_tf.data.pictures import UnreadablePicture
from inpainting_tf.errors import InputError

pytestmark = pytest.mark.usefixtures("nowhere")


def encoded(level: int, kind: str = "jpeg", size: tuple[int, int] = (48, 32)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, (level, level, level)).save(file, kind)
    return file.getvalue()


def put(path, level: int = 0, kind: str = "jpeg"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded(level, kind))


def put_celeba(root, levels=(10, 20, 30)):
    """000001.jpg ... of one grey level each, and files that are none of the data set's."""
    for number, level in enumerate(levels, start=1):
        put(root / f"{number:06d}.jpg", level)
    put(root / "cover.jpg", 99)
    (root / "list_attr.txt").write_text("no picture", encoding="utf-8")


def levels(source: sources.Source) -> list[int]:
    return [int(source.read(index, (16, 24))[3, 5, 0]) for index in range(len(source))]


# find


def test_every_source_is_found_by_its_name(tmp_path):
    put(tmp_path / "000001.jpg")
    for name in ("celeba", "folder"):
        source = sources.find(name, tmp_path)
        assert source.name == name and source.origin == str(tmp_path)
    assert sources.find("synthetic_faces").name == "synthetic_faces"


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(InputError, match=r"`dataset` must be one of celeba.*Did you mean 'celeba'\?"):
        sources.find("celebA")


# folder


def test_folder_is_recursive_sorted_and_picky(tmp_path):
    for name in ("b.PNG", "a/z.jpg", "a/y.JPeG", "c.webp", "d.bmp", "e.tif", "f.tiff", "a.b/x.jpg"):
        put(tmp_path / name)
    for name in (".hidden.jpg", ".git/x.jpg", "__MACOSX/a/z.jpg", "notes.txt", "g.gif", "jpg"):
        put(tmp_path / name)
    expected = ["a.b/x.jpg", "a/y.JPeG", "a/z.jpg", "b.PNG", "c.webp", "d.bmp", "e.tif", "f.tiff"]
    assert sources.folder(tmp_path).names == expected
    assert sources.folder(str(tmp_path)).names == expected


def test_folder_reads_the_picture_of_each_name(tmp_path):
    for name, level in (("b.png", 7), ("a/c.png", 9)):
        put(tmp_path / name, level, "png")
    source = sources.folder(tmp_path)
    assert source.names == ["a/c.png", "b.png"] and levels(source) == [9, 7]
    assert source.read(0).shape == (32, 48, 3) and source.read(0, (16, 20)).shape == (16, 20, 3)


def test_folder_needs_a_folder(tmp_path):
    with pytest.raises(InputError, match=r"`data_dir` must be a folder of pictures.*Received None"):
        sources.folder()
    with pytest.raises(InputError, match="no such folder"):
        sources.folder(tmp_path / "none")
    put(tmp_path / "a.jpg")
    with pytest.raises(InputError, match="a file"):
        sources.folder(tmp_path / "a.jpg")


def test_empty_folder_says_what_counts(tmp_path):
    (tmp_path / "a.gif").touch()
    with pytest.raises(InputError, match=r"\.jpg, \.jpeg, \.png, \.webp, \.bmp, \.tif, \.tiff") as caught:
        sources.folder(tmp_path)
    assert str(tmp_path) in str(caught.value)


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
    decoded = pictures.decode(source, range(3), (16, 24))
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


# CelebA prepared for TensorFlow Datasets: by the stock builder, from grey pictures instead of a download

SPLITS = {"train": (10, 20, 30), "validation": (40, 50), "test": (60,)}


def tfds_example(features, level: int) -> dict:
    values = {"landmarks": 1, "attributes": True, "identity": 1}
    labels = {group: dict.fromkeys(features[group], value) for group, value in values.items()}
    return {"image": io.BytesIO(encoded(level, size=(178, 218))), **labels}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A data_dir that holds celeb_a."""
    return tfds_copy.prepare("celeb_a", tmp_path_factory.mktemp("tfds"), SPLITS, tfds_example)


def test_tfds_holds_the_three_splits_in_order(prepared):
    source = sources.celeba(prepared)
    assert source.name == "celeba" and source.origin.startswith(str(prepared / "celeb_a"))
    seen = levels(source)
    assert [sorted(seen[:3]), sorted(seen[3:5]), seen[5:]] == [[10, 20, 30], [40, 50], [60]]
    assert source.read(0).shape == (218, 178, 3)


def test_tfds_names_and_pictures_are_those_that_tfds_itself_gives(prepared):
    import tensorflow_datasets as tfds

    source = sources.celeba(prepared)
    config = tfds.ReadConfig(add_tfds_id=True)
    builder = tfds.builder_from_directory(source.origin)
    stock = builder.as_dataset(split="all", read_config=config)
    pairs = {e["tfds_id"].decode(): int(e["image"][0, 0, 0]) for e in tfds.as_numpy(stock)}
    assert dict(zip(source.names, levels(source), strict=True)) == pairs


def test_tfds_is_found_by_its_own_variable_and_decoded(prepared, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(prepared))
    source = sources.celeba()
    decoded = pictures.decode(source, range(6), (32, 24))
    assert decoded.images.shape == (6, 32, 24, 3) and decoded.names == source.names
    assert decoded.images[:, 3, 3, 1].tolist() == levels(source)


def test_tfds_cut_off_or_incomplete(prepared, tmp_path):
    shutil.copytree(prepared, tmp_path / "copy")
    (train,) = (tmp_path / "copy").rglob("*-train.tfrecord*")
    whole = train.read_bytes()
    for cut in (1, 5, len(whole) - 5):
        train.write_bytes(whole[:-cut])
        with pytest.raises(InputError, match=r"train.* is cut off"):
            sources.celeba(tmp_path / "copy")
    train.unlink()
    with pytest.raises(InputError, match=r"lacks .*-train"):
        sources.celeba(tmp_path / "copy")


def test_tfds_takes_the_newest_finished_version(prepared, tmp_path):
    (version,) = (prepared / "celeb_a").iterdir()
    for name in ("2.9.0", "2.10.0", "3.0.0.incompleteXYZ"):
        shutil.copytree(version, tmp_path / "celeb_a" / name)
    assert sources.celeba(tmp_path).origin == str(tmp_path / "celeb_a" / "2.10.0")


def test_tfds_in_another_file_format_is_refused(prepared, tmp_path):
    shutil.copytree(prepared, tmp_path / "copy")
    (info,) = (tmp_path / "copy").rglob("dataset_info.json")
    info.write_text(
        info.read_text(encoding="utf-8").replace('"tfrecord"', '"array_record"'), encoding="utf-8"
    )
    with pytest.raises(InputError, match="is stored as array_record"):
        sources.celeba(tmp_path / "copy")


def test_tfds_damaged_record_is_one_unreadable_picture(prepared, tmp_path):
    shutil.copytree(prepared, tmp_path / "copy")
    tfds_copy.damage_first_record(tmp_path / "copy")
    source = sources.celeba(tmp_path / "copy")
    assert len(pictures.decode(source, range(6), (32, 24)).skipped) == 1


# Generated faces


def test_synthetic_faces_come_at_any_size_and_are_the_generators():
    from inpainting_tf.data.synthetic_faces import face

    source = sources.synthetic_faces(count=12)
    assert len(source) == 12 and source.names[0] == "face_000000" and source.names[11] == "face_000011"
    np.testing.assert_array_equal(source.read(3, (32, 48)), face(3, (32, 48)))
    np.testing.assert_array_equal(source.read(3), face(3, 128))
    decoded = pictures.decode(source, [3, 1], (32, 48))
    np.testing.assert_array_equal(decoded.images, [face(3, (32, 48)), face(1, (32, 48))])


def test_synthetic_faces_have_no_folder(tmp_path):
    assert len(sources.find("synthetic_faces")) == 10_000
    with pytest.raises(InputError, match="`data_dir` must be None"):
        sources.find("synthetic_faces", tmp_path)


# Real pictures


def test_real_celeba(real_data_dir):
    if not (real_data_dir / "celeba").is_dir():
        pytest.skip(f"no celeba in {real_data_dir}")
    source = sources.celeba(real_data_dir)
    assert source.names[:2] == ["000001.jpg", "000002.jpg"]
    decoded = pictures.decode(source, range(3), (64, 48))
    assert decoded.images.shape == (3, 64, 48, 3) and decoded.skipped == []
    assert source.read(0).shape == (218, 178, 3)
    assert (decoded.images.reshape(3, -1).std(-1) > 20).all()  # photographs, not constants
