"""eval.py end to end: the same holes for all, the files of the contract, and what it refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from running import command, contents, process, rows_of, tiny

import inpainting_tf
from inpainting_tf import InputError, runs
from inpainting_tf.data import Data, synthetic_faces
from inpainting_tf.evaluation import comparison
from inpainting_tf.evaluation.comparison import TestSet
from inpainting_tf.ops import lpips
from inpainting_tf.ops.masks import Mask

# metrics.json of docs and design: every reader may count on these.
KEYS = {
    "model", "dataset", "split", "image_size", "mask", "images", "mse", "mae", "psnr", "ssim", "raw_psnr",
    "raw_ssim", "hole_psnr", "hole_mae", "lpips", "seconds_per_image", "recipe", "versions",
}  # fmt: skip
FILES = ("metrics.json", "per_image.csv", "shown.npz", "good.png", "failed.png")
MEANS = ("mse", "mae", "psnr", "ssim", "raw_psnr", "raw_ssim", "hole_psnr", "hole_mae")


def metrics_of(folder: Path) -> dict:
    return json.loads((folder / "metrics.json").read_text(encoding="utf-8"))


def measured(folder: Path) -> list[dict[str, str]]:
    """The rows of per_image.csv without the time, which no two evaluations share."""
    return [{k: v for k, v in row.items() if k != "seconds"} for row in rows_of(folder, "per_image.csv")]


def size_of(picture: Path) -> tuple[int, int]:
    with Image.open(picture) as image:
        assert np.asarray(image.convert("RGB")).std() > 10, f"{picture} shows nothing"
        return image.size


@pytest.fixture
def run(trained, tmp_path, monkeypatch) -> Path:
    """A copy of the trained run, and an empty working directory beside it."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return shutil.copytree(trained, tmp_path / "first")


@pytest.fixture
def second(run) -> Path:
    """A run of another name, another network and another picture size."""
    folder = shutil.copytree(run, run.parent / "second")
    shutil.copy(folder / "completion_phase.keras", folder / "model.keras")
    recipe = json.loads((folder / "recipe.json").read_text(encoding="utf-8"))
    recipe["data"]["image_size"] = 32
    (folder / "recipe.json").write_text(json.dumps(recipe), encoding="utf-8")
    return folder


@pytest.fixture
def photographs(tmp_path) -> Path:
    """A folder of pictures of several kinds and sizes."""
    folder = tmp_path / "my pictures"
    folder.mkdir()
    for index, suffix in enumerate(["png", "jpg", "jpeg", "webp", "png", "jpg", "jpg"]):
        face = synthetic_faces.face(index, 40 + 8 * index)
        Image.fromarray(face[: 40 + index]).save(folder / f"face {index}.{suffix}")
    return folder


# A run alone


@pytest.mark.slow
def test_a_run_alone_in_a_process_of_its_own(run):
    before = set(contents(run))
    done = process("eval.py", f"--workdir={run}", cwd=run.parent / "here")
    assert done.status == 0 and done.errors == [], done.err
    assert set(contents(run)) - before == {*FILES, "sheet.png"}
    assert contents(run.parent / "here") == {}
    assert "first" in done.out and "5 pictures" in done.out
    check_evaluation(run, images=5)


def check_evaluation(folder: Path, images: int) -> None:
    """metrics.json keeps its contract and holds the means of per_image.csv."""
    metrics, rows = metrics_of(folder), rows_of(folder, "per_image.csv")
    assert set(metrics) >= KEYS
    assert metrics["images"] == len(rows) == images
    for name in MEANS:
        assert metrics[name] == pytest.approx(np.mean([float(row[name]) for row in rows])), name
    assert metrics["lpips"] is None and metrics["seconds_per_image"] > 0


def test_a_runs_evaluation_names_what_was_measured(run):
    assert command("eval.py", f"--workdir={run}").status == 0
    metrics = metrics_of(run)
    assert (metrics["model"], metrics["dataset"], metrics["split"]) == ("first", "synthetic_faces", "test")
    assert metrics["image_size"] == [16, 16] and metrics["mask"]["kind"] == "rectangle"
    assert metrics["recipe"] == json.loads((run / "recipe.json").read_text(encoding="utf-8"))
    names = [row["name"] for row in rows_of(run, "per_image.csv")]
    assert names == json.loads((run / "data.json").read_text(encoding="utf-8"))["test"]


def test_other_holes_do_not_overwrite_the_runs_own_numbers(run):
    before = contents(run)
    done = command("eval.py", f"--workdir={run}", "--mask=centre")
    assert done.status == 0 and contents(run) == before
    assert metrics_of(Path("evaluations"))["mask"]["kind"] == "centre"


# Side by side


def test_runs_and_baselines_side_by_side(run, second):
    options = [f"--workdir={run}", f"--workdir={second}", "--baseline=telea", "--output=results"]
    done = command("eval.py", *options)
    assert done.status == 0 and done.errors == [], done.err
    results, names = Path("results"), ["first", "second", "telea"]
    files = {f"{name}/{file}" for name in names for file in FILES}
    assert set(contents(results)) == files | {"sheet.png", "table.md", "comparison.png"}
    table, _, sizes = (results / "table.md").read_text(encoding="utf-8").partition("\n\n")
    assert [line.split("|")[1].strip() for line in table.splitlines()[2:]] == names
    assert table in done.out and sizes in done.out
    for name in names:
        check_evaluation(results / name, images=5)
        assert metrics_of(results / name)["image_size"] == [16, 16], "the first run's size holds for all"
    assert metrics_of(results / "telea")["recipe"] is None
    width, height = size_of(results / "sheet.png")
    assert width > 200 and height > 200 and min(size_of(results / "comparison.png")) > 200


def test_all_fill_the_same_holes_of_the_same_pictures(run, second):
    found = [comparison.of_run(runs.open_run(folder)) for folder in (run, second)]
    subjects = [*found, comparison.of_baseline("mean_colour")]
    results = comparison.compare(subjects, TestSet.of(runs.open_run(run)), "results", batch_size=2)
    for result in results[1:]:
        assert np.array_equal(result.images, results[0].images)
        assert np.array_equal(result.masks, results[0].masks)
        assert not np.array_equal(result.predictions, results[0].predictions)
        assert [row["name"] for row in result.rows] == [row["name"] for row in results[0].rows]
    assert 0 < results[0].masks.mean() < 0.5


def test_neither_company_nor_order_nor_batch_size_changes_a_result(run, second):
    command("eval.py", f"--workdir={run}", "--output=alone")
    command("eval.py", f"--workdir={run}", "--baseline=telea", "--output=two", "--batch_size=5")
    command("eval.py", "--baseline=telea", f"--workdir={run}", "--output=small", "--batch_size=1")
    assert measured(Path("two/first")) == measured(Path("alone"))
    assert measured(Path("small/telea")) == measured(Path("two/telea"))
    for one, two in zip(measured(Path("small/first")), measured(Path("alone")), strict=True):
        assert one["name"] == two["name"]
        assert float(one["hole_psnr"]) == pytest.approx(float(two["hole_psnr"]), abs=1e-3)


def test_the_first_runs_size_holds(run, second):
    assert command("eval.py", f"--workdir={second}", f"--workdir={run}", "--output=results").status == 0
    for name in ("first", "second"):
        assert metrics_of(Path("results") / name)["image_size"] == [32, 32]


def test_saved_models_are_named_after_their_file_or_run(run, second, photographs):
    paths = [run / "model.keras", second / "model.keras", run / "completion_phase.keras"]
    options = ["--dataset=folder", f"--data_dir={photographs}", "--image_size=16", "--output=results"]
    assert command("eval.py", *(f"--model_path={path}" for path in paths), *options).status == 0
    written = {path.parent.name for path in Path("results").glob("*/metrics.json")}
    assert written == {"first", "second", "completion_phase"}
    assert measured(Path("results/second")) == measured(Path("results/completion_phase"))
    assert measured(Path("results/second")) != measured(Path("results/first"))


def test_a_baseline_alone_on_a_folder(photographs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = ["--dataset=folder", f"--data_dir={photographs}", "--image_size=24", "--mask=strokes"]
    done = command("eval.py", "--baseline=telea", *options)
    assert done.status == 0, done.err
    check_evaluation(tmp_path / "evaluations", images=7)
    assert metrics_of(tmp_path / "evaluations")["dataset"] == "folder"
    assert size_of(tmp_path / "evaluations" / "sheet.png")[0] > 100
    assert rows_of(tmp_path / "evaluations", "per_image.csv")[0]["name"].startswith("face ")


def test_a_run_on_a_folder(run, photographs):
    done = command("eval.py", f"--workdir={run}", "--dataset=folder", f"--data_dir={photographs}")
    assert done.status == 0, done.err
    assert metrics_of(Path("evaluations"))["dataset"] == "folder", "not into the run's folder"
    assert metrics_of(Path("evaluations"))["image_size"] == [16, 16]


# LPIPS


@pytest.fixture
def lpips_weights(tmp_path) -> Path:
    """A file of weights whose distances say nothing but that they are distances."""
    rng = np.random.default_rng(0)
    arrays = {name: rng.random(shape, "float32") for name, shape in lpips.SHAPES.items()}
    kernels = {name: array - 0.5 for name, array in arrays.items() if name.endswith("kernel")}
    np.savez(tmp_path / "weights.npz", **{**arrays, **kernels})
    return tmp_path / "weights.npz"


def test_lpips_is_measured_with_weights(run, lpips_weights):
    options = [f"--workdir={run}", "--baseline=telea", "--image_size=32", "--output=results"]
    done = command("eval.py", *options, f"--lpips_weights={lpips_weights}", "--batch_size=2")
    assert done.status == 0 and done.errors == [], done.err
    assert "LPIPS is left out" not in done.err
    head, _, *lines = (Path("results") / "table.md").read_text("utf-8").partition("\n\n")[0].splitlines()
    place = [cell.strip() for cell in head.split("|")].index("LPIPS x100")
    for name, line in zip(("first", "telea"), lines, strict=True):
        values = [float(row["lpips"]) for row in rows_of(Path("results") / name, "per_image.csv")]
        assert len(set(values)) == 5 and min(values) > 0
        mean = metrics_of(Path("results") / name)["lpips"]
        assert mean == pytest.approx(np.mean(values))
        assert line.split("|")[place].strip() == f"{100 * mean:.2f}" and line in done.out


def test_without_weights_lpips_is_left_out_and_the_reason_told_once(run):
    done = command("eval.py", f"--workdir={run}", "--baseline=telea", "--output=results")
    told = [line for line in done.err.splitlines() if "LPIPS" in line]
    assert told == ["LPIPS is left out: no --lpips_weights; see scripts/convert_lpips.py."]
    assert "LPIPS" not in done.out + (Path("results") / "table.md").read_text(encoding="utf-8")
    for name in ("first", "telea"):
        assert metrics_of(Path("results") / name)["lpips"] is None
        assert {row["lpips"] for row in rows_of(Path("results") / name, "per_image.csv")} == {""}


def test_pictures_too_small_for_lpips_are_one_line(run, lpips_weights):
    done = command("eval.py", f"--workdir={run}", f"--lpips_weights={lpips_weights}", "--output=results")
    assert done.refuses("at least 31x31 pixels for LPIPS. Received 16x16", "leave LPIPS out")
    assert not Path("results").exists()


# What is refused


def test_two_of_one_name_are_refused(run):
    twin = shutil.copytree(run, run.parent / "other" / "first")
    done = command("eval.py", f"--workdir={run}", f"--workdir={twin}", "--output=results")
    assert done.refuses("different names", "['first', 'first']", "rename one")
    assert not Path("results").exists()


def test_nothing_to_evaluate_is_refused(tmp_path):
    with pytest.raises(InputError, match="`subjects` must be one or more"):
        comparison.compare([], TestSet(Data(), Mask()), tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_a_size_that_the_network_refuses_is_one_line(run):
    inpainting_tf.build("glcic", image_size=None, width=4).save(run / "model.keras")
    done = command("eval.py", f"--workdir={run}", "--image_size=30", "--output=results")
    assert done.refuses("divisible by 4. Received 30 x 30")
    assert not Path("results").exists()


def test_a_run_without_a_model_yet_is_one_line(run):
    (run / "model.keras").unlink()
    assert command("eval.py", f"--workdir={run}").refuses("first': no such model")


def test_a_network_that_gives_nan_is_one_line(run):
    model = inpainting_tf.load(run)
    bias = model.get_layer("conv7").bias
    bias.assign(bias * np.nan)
    model.save(run / "model.keras")
    assert command("eval.py", f"--workdir={run}").refuses("'first'", "finite", "has the training diverged?")
    assert not (run / "metrics.json").exists()


def test_an_output_that_cannot_be_written_is_one_line(run):
    Path("file").write_text("not a folder", encoding="utf-8")
    done = command("eval.py", f"--workdir={run}", "--output=file/results")
    assert done.refuses("could not be written: Not a directory")


# Which pictures


def test_a_test_set_is_the_runs_until_another_source_is_named(run):
    own = TestSet.of(runs.open_run(run))
    assert own.names["test"] == json.loads((run / "data.json").read_text(encoding="utf-8"))["test"]
    assert own.changed() == own
    assert own.changed(source="synthetic_faces", image_size=32).names == own.names
    assert own.changed(image_size=32).data.image_size == 32
    assert own.changed(mask="centre").mask == Mask("centre")
    other = own.changed(source="folder", data_dir="pictures")
    assert (other.names, other.data_dir, other.data.source) == (None, "pictures", "folder")


# The real thing


@pytest.mark.slow
def test_two_steps_on_celeba(real_data_dir, tmp_path):
    if not (real_data_dir / "celeba").is_dir():
        pytest.skip(f"no celeba in {real_data_dir}")
    recipe = tiny(
        data__source="celeba",
        data__train=4750,
        data__validation=250,
        data__test=250,
        batch_size=2250,
        schedule__epochs=1,
    )
    run = runs.train(recipe, tmp_path / "run", data_dir=real_data_dir)
    pictures = run.pictures()
    splits = [pictures[which] for which in ("train", "validation", "test")]
    assert [*map(len, splits)] == [4500, 250, 250] and len({*splits[0], *splits[1], *splits[2]}) == 5000
    assert [row["step"] for row in rows_of(run.folder)] == ["2"]
    (tmp_path / "run" / "data.json").write_text(
        json.dumps({**pictures, "test": pictures["test"][:6]}), encoding="utf-8"
    )
    assert command("eval.py", f"--workdir={run.folder}").status == 0  # finds the pictures by itself
    check_evaluation(run.folder, images=6)
    assert [row["name"] for row in rows_of(run.folder, "per_image.csv")] == pictures["test"][:6]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("cifar10", "automobile", True)),
        ({"source": "cifar10"}, ("cifar10", "automobile", True)),
        ({"classes": "automobile"}, ("cifar10", "automobile", True)),
        ({"classes": "cat,dog"}, ("cifar10", "cat,dog", False)),
        ({"classes": "none"}, ("cifar10", None, False)),
        ({"source": "folder"}, ("folder", None, False)),
    ],
)
def test_other_classes_or_data_forget_the_runs_pictures(changes, expected):
    own = TestSet(Data("cifar10", 32, classes="automobile"), Mask(), None, {"train": ["a"], "test": ["b"]})
    changed = own.changed(**changes)
    assert (changed.data.source, changed.data.classes, changed.names is not None) == expected


# Good, failed, patches, draws


@pytest.fixture
def sheets(monkeypatch) -> dict[str, dict]:
    """The columns of every sheet that is drawn, by the name of its file."""
    drawn: dict[str, dict] = {}
    original = comparison.figures.sheet

    def sheet(columns, path, **options):
        drawn[Path(path).stem] = {**columns, "notes": options.get("notes"), "title": options.get("title")}
        return original(columns, path, **options)

    monkeypatch.setattr(comparison.figures, "sheet", sheet)
    return drawn


def test_good_and_failed_are_the_best_and_worst_holes(sheets, tmp_path):
    test_set = TestSet(Data("synthetic_faces", 32, train=1, test=20), Mask())
    (found,) = comparison.compare([comparison.of_baseline("telea")], test_set, tmp_path)
    psnr = np.array([row["hole_psnr"] for row in found.rows])
    pictures = comparison.data.load(test_set.data).test.images
    ranked = {"good": np.argsort(-psnr)[:8], "failed": np.argsort(psnr)[:8]}
    for name, chosen in ranked.items():
        np.testing.assert_allclose(sheets[name]["original"], pictures[chosen] / np.float32(255), atol=1e-6)
        assert sheets[name]["notes"]["filled"] == [f"{psnr[i]:.1f} dB in the hole" for i in chosen]
        error = (sheets[name]["filled"] - sheets[name]["original"]) ** 2
        holes = (sheets[name]["input"] != sheets[name]["original"]).any(-1)
        assert (error[~holes] == 0).all()
        again = [-10 * np.log10(e[h].mean()) for e, h in zip(error, holes, strict=True)]
        np.testing.assert_allclose(again, psnr[chosen], atol=0.3)  # a drawn pixel may be the picture's own
        assert size_of(tmp_path / f"{name}.png")[0] > 100


@pytest.mark.parametrize(("mask", "equal"), [(Mask("rectangle", 0.25, 0.25), True), (Mask("strokes"), False)])
def test_patches_are_shown_where_all_holes_are_boxes_of_a_size(mask, equal, sheets, tmp_path):
    test_set = TestSet(Data("synthetic_faces", 32, train=1, test=5), mask)
    (found,) = comparison.compare([comparison.of_baseline("mean_colour")], test_set, tmp_path)
    assert ("patches" in sheets) == equal == (tmp_path / "patches.png").exists()
    if equal:
        patch = sheets["patches"]["original patch"]
        assert patch.shape == (5, 8, 8, 3)
        for index in range(5):
            hole = found.masks[index, ..., 0] > 0
            np.testing.assert_array_equal(patch[index].reshape(-1, 3), found.images[index][hole])
            predicted = sheets["patches"]["predicted patch"][index].reshape(-1, 3)
            np.testing.assert_array_equal(predicted, found.predictions[index][hole])


def test_what_can_draw_several_fills_shows_them(sheets, tmp_path):
    model = inpainting_tf.build("cvae", image_size=32, width=4, latent=64)
    model.get_layer("latent_log_variance").bias.assign(np.full(64, 2.0))
    model.save(tmp_path / "cvae.keras")
    test_set = TestSet(Data("synthetic_faces", 32, train=1, test=3), Mask())
    (found,) = comparison.compare([comparison.of_model(tmp_path / "cvae.keras")], test_set, tmp_path / "out")
    draws = [sheets["diverse"][f"draw {number}"] for number in range(1, 6)]
    hole = np.broadcast_to(found.masks > 0, found.images.shape)
    for draw in draws:
        assert (draw[~hole] == found.images[~hole]).all()
    assert len({draw.tobytes() for draw in draws}) == 5
    assert f"by {np.std(draws, 0)[hole].mean() * 255:.1f} levels" in sheets["diverse"]["title"]
    assert size_of(tmp_path / "out" / "diverse.png")[0] > 100
