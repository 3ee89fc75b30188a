"""CIFAR-10 as prepared for TensorFlow Datasets: its classes, its own split, and no way to the network."""

from __future__ import annotations

import dataclasses
import io
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import tfds_copy
from PIL import Image
from running import command, contents, environment, process, without_tensorflow

from inpainting_tf import data
from inpainting_tf.data import Data, decoding, prepared, sources
from inpainting_tf.data.sources import cifar10
from inpainting_tf.errors import InputError

pytestmark = pytest.mark.usefixtures("nowhere")

CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
# The class of each picture; a picture's number is its place here. There are no birds to test on.
LABELS = {"train": [1, 1, 0, 9, 1, 2, 0, 9, 1, 2, 0, 9, 1, 0, 9], "test": [0, 1, 9, 1, 0, 1]}
NUMBERS = {"train": range(15), "test": range(15, 21)}
LABEL = dict(zip(range(21), LABELS["train"] + LABELS["test"], strict=True))
CARS = Data("cifar10", 32, train=None, validation=0, test=1000, classes="automobile")


def picture(number: int) -> np.ndarray:
    """Noise whose first value is its number: 10, 20, ..."""
    image = np.random.default_rng(number).integers(0, 256, (32, 32, 3), np.uint8)
    image[0, 0, 0] = 10 * number
    return image


def example(_, number: int) -> dict:
    file = io.BytesIO()
    Image.fromarray(picture(number)).save(file, "png")
    file.seek(0)
    return {"id": f"made_{number:05d}", "image": file, "label": LABEL[number]}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A data_dir that holds a tiny cifar10."""
    return tfds_copy.prepare("cifar10", tmp_path_factory.mktemp("tfds"), NUMBERS, example, CLASSES)


def numbers(images) -> list[int]:
    return [int(image[0, 0, 0]) // 10 for image in images]


def numbers_of(source: sources.Source) -> list[int]:
    return numbers(source.read(index) for index in range(len(source)))


def of_class(split: str, *labels: int) -> list[int]:
    return [number for number in NUMBERS[split] if LABEL[number] in labels]


# The pictures


def test_training_pictures_come_first_and_test_pictures_are_known(made):
    source = sources.find("cifar10", made)
    assert source.name == "cifar10" and source.origin == str(made / "cifar10" / "3.0.2")
    seen = numbers_of(source)
    assert sorted(seen[:15]) == [*range(15)] and sorted(seen[15:]) == [*range(15, 21)]
    assert source.division == {"test": {*source.names[15:]}}
    assert all("-test." in name for name in source.division["test"])
    assert len(source.files) == 2
    assert cifar10(made).names == source.names and numbers_of(cifar10(made)) == seen


def test_pictures_classes_and_names_are_those_that_tfds_itself_gives(made):
    import tensorflow_datasets as tfds

    config = tfds.ReadConfig(add_tfds_id=True)
    whole = cifar10(made)
    for name in ("airplane", "automobile", "bird", "truck"):
        source = cifar10(made, name)
        images = decoding.decode(source, range(len(source)), (32, 32)).images
        mine = dict(zip(source.names, images, strict=True))
        stock = tfds.load("cifar10", split="all", data_dir=made, download=False, read_config=config)
        theirs = {
            entry["tfds_id"].decode(): entry["image"]
            for entry in tfds.as_numpy(stock)
            if CLASSES[entry["label"]] == name
        }
        assert mine.keys() == theirs.keys() and len(mine) == sum(CLASSES[i] == name for i in LABEL.values())
        for key, image in mine.items():
            np.testing.assert_array_equal(image, theirs[key])
            np.testing.assert_array_equal(image, whole.read(whole.names.index(key)))


def test_at_their_own_size_pictures_are_not_resampled(made):
    for source in (cifar10(made), cifar10(made, "truck,airplane")):
        images = decoding.decode(source, range(len(source)), (32, 32)).images
        np.testing.assert_array_equal(images, [picture(number) for number in numbers(images)])


# Classes


@pytest.mark.parametrize(
    ("classes", "labels"),
    [("automobile", [1]), ("truck,automobile", [1, 9]), (" airplane , truck ", [0, 9]), ("bird,bird", [2])],
)
def test_classes_leave_the_others_out_and_keep_the_order(made, classes, labels):
    whole, source = cifar10(made), sources.find("cifar10", made, classes)
    seen = numbers_of(source)
    assert sorted(seen) == of_class("train", *labels) + of_class("test", *labels)
    assert source.names == [name for name in whole.names if name in set(source.names)]
    assert source.division["test"] == whole.division["test"] & {*source.names}


def test_every_class_is_all_of_them(made):
    assert cifar10(made, ",".join(CLASSES)).names == cifar10(made).names
    assert cifar10(made, "frog").names == []


@pytest.mark.parametrize(
    ("classes", "told"),
    [
        ("automobil", r"Received 'automobil'\. Did you mean 'automobile'\?"),
        ("truck, car", r"Received 'car'\. Did you mean 'cat'\?"),
        ("Truck", r"Received 'Truck'\. Did you mean 'truck'\?"),
        ("truck,", "Received ''"),
        ("", "Received ''"),
        ("1", "Received '1'"),
    ],
)
def test_an_unknown_class_gets_the_nearest(made, classes, told):
    with pytest.raises(InputError, match="`classes` must be one of airplane, automobile, bird, .*" + told):
        sources.find("cifar10", made, classes)


@pytest.mark.parametrize("name", ["celeba", "folder", "synthetic_faces"])
def test_other_sources_have_no_classes(name, made):
    told = f"`classes` must be none for dataset '{name}', .* cifar10, dtd do.*Received 'automobile'"
    with pytest.raises(InputError, match=told):
        sources.find(name, made, "automobile")
    with pytest.raises(InputError, match=told):
        data.load(Data(name, classes="automobile"))


def test_a_damaged_record_is_skipped_but_cannot_be_told_to_be_of_a_class(made, tmp_path):
    shutil.copytree(made, tmp_path / "copy")
    tfds_copy.damage_first_record(tmp_path / "copy")
    source = cifar10(tmp_path / "copy")
    assert len(decoding.decode(source, range(21), (32, 32)).skipped) == 1
    with pytest.raises(InputError, match=r"-train.*__0 is a damaged record: prepare the data set again"):
        cifar10(tmp_path / "copy", "automobile")


# The data set's own split


def test_the_split_is_the_data_sets_own(made):
    found = data.load(CARS, made)
    assert sorted(numbers(found.train.images)) == of_class("train", 1)
    assert sorted(numbers(found.test.images)) == of_class("test", 1)
    found = data.load(dataclasses.replace(CARS, classes=None), made)
    assert [sorted(numbers(part.images)) for part in (found.train, found.test)] == [
        [*range(15)],
        [*range(15, 21)],
    ]
    assert [*found.train.names, *found.test.names] == cifar10(made).names


def test_numbers_are_at_most_and_drawn_by_the_seed(made):
    whole = cifar10(made)

    def names(**changes) -> dict[str, list[str]]:
        wanted = dataclasses.replace(CARS, classes=None, **{"train": 7, "test": 3} | changes)
        return data.split(whole.names, wanted, whole.division)

    few = names()
    assert (len(few["train"]), len(few["test"])) == (7, 3)
    own = whole.division["test"]
    assert {*few["test"]} < own and not {*few["train"]} & own
    for part in few.values():
        assert part == sorted(part, key=whole.names.index) and part == [n for n in whole.names if n in part]
    assert few == names() == data.load(Data("cifar10", 32, train=7, validation=0, test=3), made).names()
    draws = {tuple(names(split_seed=seed)["test"]) for seed in range(8)}
    assert len(draws) > 2
    assert len({tuple(names(split_seed=seed)["train"]) for seed in range(8)}) > 2
    assert names(train=None)["test"] == few["test"] == names(train=1)["test"]
    assert names(test=1)["train"] == few["train"] == names(test=1000)["train"]


def test_a_class_without_test_pictures_cannot_be_split(made):
    with pytest.raises(InputError, match=r"at least one picture each\. Received 2 and 0\."):
        data.load(dataclasses.replace(CARS, classes="bird"), made)
    with pytest.raises(InputError, match=r"at least two pictures\. Received 0\."):
        data.load(dataclasses.replace(CARS, classes="frog"), made)


def test_sources_without_a_split_of_their_own_have_none():
    assert sources.synthetic_faces(count=3).division == {}


def test_a_run_finds_its_pictures_by_their_names(made):
    first = data.load(dataclasses.replace(CARS, train=2, test=1), made)
    again = data.load(dataclasses.replace(CARS, split_seed=5), made, names=first.names())
    np.testing.assert_array_equal(again.train.images, first.train.images)
    np.testing.assert_array_equal(again.test.images, first.test.images)
    with pytest.raises(InputError, match="2 train pictures of this run are not in"):
        data.load(dataclasses.replace(CARS, classes="truck"), made, names=first.names())


# Where it is looked for


@pytest.mark.parametrize(
    "place",
    ["data/cifar10", "data", "data/tfds", "tensorflow_datasets", "env/cifar10", "env/tfds", "own"],
)
def test_it_is_looked_for_in_the_usual_places(made, tmp_path, monkeypatch, place):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("INPAINTING_DATA_DIR", str(tmp_path / "env"))
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "own"))
    monkeypatch.chdir(tmp_path)
    shutil.copytree(made, tmp_path / place)
    assert len(cifar10()) == 21


def test_nothing_found_names_every_place_in_order_and_the_way_to_get_it(monkeypatch, tmp_path, attempts):
    monkeypatch.setenv("INPAINTING_DATA_DIR", "/some/where")
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    with pytest.raises(InputError, match=r"^CIFAR-10 was not found\. Searched: ") as caught:
        data.load(CARS)
    message = str(caught.value)
    where = [f"/some/where{part} (absent)" for part in ("/cifar10", "", "/tfds")]
    where += [f"data{part} (absent)" for part in ("/cifar10", "", "/tfds")]
    found = [message.index(f" {place},") for place in (*where, tmp_path)]
    assert found == sorted(found) and "tensorflow_datasets (absent)." in message
    call = "import tensorflow_datasets as tfds; tfds.load('cifar10', data_dir='FOLDER')"
    assert f'python -c "{call}"' in message and "--data_dir=FOLDER" in message and "\n" not in message
    assert attempts == []


def test_a_given_data_dir_is_searched_alone(made, tmp_path, monkeypatch, attempts):
    monkeypatch.setenv("INPAINTING_DATA_DIR", str(made))
    with pytest.raises(InputError, match="CIFAR-10 was not found") as caught:
        cifar10(tmp_path)
    assert str(tmp_path) in str(caught.value) and str(made) not in str(caught.value)
    assert attempts == [] and list(tmp_path.iterdir()) == []


def test_celeba_of_tfds_is_not_taken_for_it(made):
    with pytest.raises(InputError, match="CelebA was not found"):
        sources.celeba(made)


def test_reading_takes_no_network(made, attempts):
    before = contents(made)
    assert len(data.load(CARS, made).train.names) == 5
    assert len(data.load(dataclasses.replace(CARS, classes=None), made).train.names) == 15
    assert attempts == [] and contents(made) == before


@pytest.mark.parametrize("package", ["tensorflow", "tensorflow_datasets"])
def test_a_missing_package_is_named(made, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    told = r"takes: pip install tensorflow tensorflow-datasets\. \(.*" + package
    with pytest.raises(InputError, match=told):
        cifar10(made)


# The commands


def prepare(*args):
    return command("inpainting-tf prepare", "--dataset=cifar10", "--image_size=32", *args)


def test_a_prepared_folder_remembers_its_classes(made, tmp_path):
    done = prepare(
        "--classes=automobile",
        f"--data_dir={made}",
        "--train=none",
        "--validation=0",
        "--test=1000",
        f"--output={tmp_path / 'cars'}",
    )
    assert done.status == 0 and done.errors == [], done.err
    assert "Prepared 5 training, 0 validation and 3 test pictures of" in done.out
    assert " --set=data.classes=automobile " in done.out
    found, whole = data.load(CARS, tmp_path / "cars"), data.load(CARS, made)
    assert found.names() == whole.names()
    np.testing.assert_array_equal(found.train.images, whole.train.images)
    np.testing.assert_array_equal(found.test.images, whole.test.images)
    for other, flag in ((None, "none"), ("truck", "truck")):
        with pytest.raises(
            InputError, match=f"classes is 'automobile' there and {other!r} here.*--classes={flag}"
        ):
            data.load(dataclasses.replace(CARS, classes=other), tmp_path / "cars")


def test_none_is_every_class(made, tmp_path):
    done = prepare("--classes=none", f"--data_dir={made}", "--train=none", f"--output={tmp_path / 'all'}")
    assert (
        "Prepared 12 training, 3 validation and 6 test pictures of" in done.out and "classes" not in done.out
    )
    assert prepared.find(tmp_path / "all").settings["classes"] is None


def test_mistakes_are_one_line(made, tmp_path):
    done = prepare("--classes=car", f"--data_dir={made}", f"--output={tmp_path / 'out'}")
    assert done.refuses("`classes` must be one of airplane", "Received 'car'. Did you mean 'cat'?"), done.err
    train = ("train.py", "--model=glcic", "--preset=smoke", f"--workdir={tmp_path / 'run'}")
    done = command(*train, "--dataset=cifar10", "--classes=car", f"--data_dir={made}")
    assert done.refuses("`classes` must be one of airplane", "Did you mean 'cat'?"), done.err
    done = command(*train, "--classes=automobile")
    assert done.refuses("`classes` must be none for dataset 'synthetic_faces'"), done.err
    assert contents(tmp_path) == {}


@pytest.mark.slow
def test_a_prepared_folder_trains_without_tensorflow(made, tmp_path):
    pytest.importorskip("jax")
    prepared.write(data.load(CARS, made), CARS, tmp_path / "cars")
    done = process(
        "train.py",
        *("--model=direct_conv", "--preset=smoke", "--dataset=cifar10", "--classes=automobile"),
        *("--image_size=32", "--set=data.train=none", "--set=data.test=1000", "--set=data.validation=0"),
        *("--width=4", "--batch_size=5", "--epochs=1"),
        *(f"--data_dir={tmp_path / 'cars'}", f"--workdir={tmp_path / 'run'}"),
        env=environment(**without_tensorflow(tmp_path)),
    )
    assert done.status == 0, done.err
    assert "Trained." in done.out and (tmp_path / "run" / "model.keras").is_file()


# The real thing


@pytest.fixture
def real(real_data_dir) -> Path:
    if not (real_data_dir / "tfds" / "cifar10").is_dir():
        pytest.skip(f"no tfds/cifar10 in {real_data_dir}")
    return real_data_dir / "tfds"


@pytest.mark.slow
def test_real_cars(real, attempts):
    found = data.load(CARS, real)
    assert (len(found.train.names), len(found.test.names)) == (5000, 1000)
    assert found.train.images.shape == (5000, 32, 32, 3) and found.train.skipped == []
    assert found.names() == data.load(CARS, real).names() and attempts == []


@pytest.mark.slow
def test_real_everything_is_found_through_the_environment(real, monkeypatch):
    monkeypatch.setenv("INPAINTING_DATA_DIR", str(real.parent))
    source = cifar10()
    assert len(source) == 60_000 and len(source.division["test"]) == 10_000
    names = data.split(source.names, dataclasses.replace(CARS, classes=None, test=10_000), source.division)
    assert (len(names["train"]), len(names["test"])) == (50_000, 10_000)
    some = sources.find("cifar10", None, "ship,bird")
    assert (len(some), len(some.division["test"])) == (12_000, 2000)
    chosen = {*some.names}
    assert some.names == [name for name in source.names if name in chosen]


@pytest.mark.slow
@pytest.mark.parametrize("split", ["train", "test"])
def test_real_pictures_and_classes_are_those_of_tfds(real, split):
    """Neither resampled nor decoded otherwise. Of a JPEG, TensorFlow takes the coarser DCT unless told."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    builder = tfds.builder("cifar10", data_dir=real)
    stock = builder.as_dataset(
        split=split,
        decoders={"image": tfds.decode.SkipDecoding()},
        read_config=tfds.ReadConfig(add_tfds_id=True),
    )
    entries = [*tfds.as_numpy(stock.take(60))]
    source = cifar10(real)
    place = {name: index for index, name in enumerate(source.names)}
    chosen = [place[entry["tfds_id"].decode()] for entry in entries]
    expected = [tf.io.decode_jpeg(entry["image"], 3, dct_method="INTEGER_ACCURATE") for entry in entries]
    np.testing.assert_array_equal(decoding.decode(source, chosen, (32, 32)).images, expected)
    cars = {*cifar10(real, "automobile").names}
    assert [source.names[index] in cars for index in chosen] == [entry["label"] == 1 for entry in entries]
    assert 0 < sum(entry["label"] == 1 for entry in entries) < 60
