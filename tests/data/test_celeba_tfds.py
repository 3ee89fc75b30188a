"""CelebA prepared for TensorFlow Datasets: by the stock builder, from grey pictures instead of a download."""

from __future__ import annotations

import dataclasses
import io
import shutil

import pytest
import tfds_copy
from grey import encoded, levels

from inpainting_tf import data
from inpainting_tf.data import FACES, decoding, sources
from inpainting_tf.errors import InputError

pytestmark = pytest.mark.usefixtures("nowhere")

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


def test_tfds_has_the_official_division_and_no_official_numbers(prepared):
    found = data.load(dataclasses.replace(FACES, image_size=16), prepared)
    assert [*map(len, found.names().values())] == [3, 2, 1]
    assert {int(level) for level in found.test.images[:, 0, 0, 0]} == {60}
    assert ": 6, officially 2 for validation, 1 for test." in found.account
    assert found.account.endswith(" They have no official numbers by which to take 1-5000 alone.")


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
    decoded = decoding.decode(source, range(6), (32, 24))
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
    assert len(decoding.decode(source, range(6), (32, 24)).skipped) == 1
