"""A run's folder: what is in it, who may continue it, and what opens its models."""

from __future__ import annotations

import errno
import io
import json
import shutil
import signal
import zipfile
from pathlib import Path

import filelock
import keras
import numpy as np
import pytest
from PIL import Image
from running import ROOT, command, contents, events_of, process, python, rows_of, tiny, tiny_flags

import inpainting_tf
from inpainting_tf import InputError, runs
from inpainting_tf.errors import Diverged
from inpainting_tf.recipes import Recipe
from inpainting_tf.runs import checkpoints, locking, training
from inpainting_tf.training import callbacks, distribution

COLUMNS = {
    "epoch", "step", "phase", "loss", "reconstruction", "adversarial", "discriminator", "real_score",
    "fake_score", "learning_rate", "val_psnr", "val_hole_psnr", "seconds",
}  # fmt: skip


@pytest.fixture
def copy(trained, tmp_path) -> Path:
    """The trained run, to be spoilt."""
    return shutil.copytree(trained, tmp_path / "copy")


# What is in the folder


def test_the_folder_keeps_the_contract(trained):
    epochs = [f"epoch_{epoch:04d}" for epoch in (1, 2, 3)]
    figures = ["loss_curves.png", "progress.png", *(f"samples_{epoch}.png" for epoch in epochs)]
    files = {path for path in contents(trained) if not path.startswith("tensorboard/")}
    assert files == {
        "recipe.json",
        "data.json",
        "environment.json",
        "history.csv",
        "model.keras",
        "completion_phase.keras",
        "model_best.keras",
        "discriminator.keras",
        *(f"figures/{name}" for name in figures),
        *(f"samples/{epoch}.npy" for epoch in epochs),
        *(
            f"checkpoints/step-{step:08d}/{name}"
            for step in (11, 12)
            for name in ("state.json", "variables.npz")
        ),
    }


def test_the_recipe_can_be_built_again(trained):
    recipe = tiny(mixed_precision="bfloat16")
    assert runs.open_run(trained).recipe.differences(recipe) == {}
    assert (
        Recipe.from_json(json.loads((trained / "recipe.json").read_text(encoding="utf-8"))).network
        == recipe.network
    )


def test_the_pictures_of_each_split_are_named(trained):
    pictures = json.loads((trained / "data.json").read_text(encoding="utf-8"))
    assert pictures["data_dir"] is None and pictures["origin"] == "generated faces"
    splits = [pictures[which] for which in ("train", "validation", "test")]
    assert [*map(len, splits)] == [20, 5, 5]
    assert len({*splits[0], *splits[1], *splits[2]}) == 30


def test_the_history_has_a_row_per_epoch(trained):
    rows = rows_of(trained)
    assert set(rows[0]) == COLUMNS
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert [row["step"] for row in rows] == ["4", "8", "12"]
    assert [row["phase"] for row in rows] == ["completion", "discriminator", "joint"]
    assert all(float(row["learning_rate"]) == pytest.approx(1e-3) for row in rows)
    assert all(5 < float(row["val_hole_psnr"]) < float(row["val_psnr"]) < 60 for row in rows)


def test_the_history_leaves_out_what_a_phase_does_not_compute(trained):
    first, _, last = rows_of(trained)
    computed = {"loss", "reconstruction", "adversarial", "discriminator", "real_score", "fake_score"}
    assert {name for name in computed if first[name]} == {"loss", "reconstruction"}
    assert {name for name in computed if last[name]} == computed
    weighted = float(last["reconstruction"]) + 4e-4 * float(last["adversarial"])
    # Of the last epoch's four steps three are joint, and these columns are means over the same three.
    assert float(last["loss"]) == pytest.approx(weighted, rel=1e-5)


def test_tensorboard_reads_the_history_and_a_picture(trained):
    rows = rows_of(trained)
    for name in ("loss", "val_psnr", "discriminator"):
        told = [(int(row["step"]), float(row[name])) for row in rows if row[name]]
        read = [(event.step, value.simple_value) for event, value in events_of(trained, name)]
        assert [step for step, _ in read] == [step for step, _ in told]
        assert [value for _, value in read] == pytest.approx([value for _, value in told], rel=1e-6)
    pictures = events_of(trained, "input_filled_original")
    assert [event.step for event, _ in pictures] == [4, 8, 12]
    decoded = np.asarray(Image.open(io.BytesIO(pictures[-1][1].image.encoded_image_string)))
    assert decoded.shape == (5 * 16, 3 * 16, 3) and decoded.std() > 20


@pytest.mark.parametrize("name", ["loss_curves.png", "samples_epoch_0001.png", "samples_epoch_0003.png"])
def test_figures_show_something(trained, name):
    picture = np.asarray(Image.open(trained / "figures" / name).convert("RGB"))
    assert min(picture.shape[:2]) > 100 and picture.std() > 10


# Its models


def test_the_model_is_the_checkpoints_completion_network(trained):
    model = inpainting_tf.load(trained)
    with np.load(trained / "checkpoints" / "step-00000012" / "variables.npz") as stored:
        arrays = [stored[name] for name in stored.files]
    count = len(model.weights)
    first = next(i for i, a in enumerate(arrays) if a.shape == model.weights[0].shape)
    for weight, array in zip(model.weights, arrays[first : first + count], strict=True):
        assert np.array_equal(weight.numpy(), array), weight.path


def test_the_model_is_float32_for_any_size_though_trained_in_bfloat16(trained):
    model = inpainting_tf.load(trained)
    assert {layer.dtype_policy.name for layer in model.layers} == {"float32"}
    assert {keras.backend.standardize_dtype(weight.dtype) for weight in model.weights} == {"float32"}
    assert keras.mixed_precision.dtype_policy().name == "float32", "the run left its policy behind"
    for size in ((16, 16), (32, 48), (20, 12)):
        prediction = model({"image": np.zeros((1, *size, 3)), "mask": np.ones((1, *size, 1))})
        assert prediction.shape == (1, *size, 3)


def test_the_completion_phase_is_kept_as_it_was(trained):
    before, after = (inpainting_tf.load(trained / f) for f in ("completion_phase.keras", "model.keras"))
    moved = [not np.array_equal(a, b) for a, b in zip(before.get_weights(), after.get_weights(), strict=True)]
    assert any(moved), "the joint phase ought to have moved the network on"


@pytest.mark.slow
@pytest.mark.parametrize(
    "first", ["import keras, inpainting_tf.evaluation", "import inpainting_tf; from tensorflow import keras"]
)
def test_plain_keras_opens_the_model_whatever_is_imported_first(trained, first):
    code = f"import sys; {first}; print(keras.models.load_model(sys.argv[1]).name)"
    assert python(code, trained / "model.keras") == "gan_direct_conv\n"


def test_plain_keras_opens_the_model_in_another_process(trained, tmp_path):
    random = np.random.default_rng(0)
    image = random.random((2, 32, 48, 3), np.float32)
    mask = (random.random((2, 32, 48, 1)) < 0.3).astype(np.float32)
    np.savez(tmp_path / "inputs.npz", image=image, mask=mask)
    code = """if True:
        import inpainting_tf, keras, numpy, sys
        model = keras.models.load_model(sys.argv[1])
        inputs = dict(numpy.load(sys.argv[2]))
        numpy.save(sys.argv[3], model.predict(inputs, verbose=0))
        print(model.name)
    """
    assert python(code, trained / "model.keras", tmp_path / "inputs.npz", tmp_path / "there.npy") == (
        "gan_direct_conv\n"
    )
    here = inpainting_tf.load(trained).predict({"image": image, "mask": mask}, verbose=0)
    there = np.load(tmp_path / "there.npy")
    assert there.dtype == np.float32 and here.std() > 0
    assert np.allclose(here, there, rtol=0, atol=1e-6)


def spoil(content: bytes, how: str) -> bytes:
    middle = len(content) // 2
    return {
        "empty": b"",
        "text": b"not a model",
        "truncated": content[:middle],
        "damaged": content[:middle] + bytes(byte ^ 255 for byte in content[middle : middle + 64])
        + content[middle + 64 :],
    }[how]  # fmt: skip


@pytest.mark.parametrize("how", ["empty", "text", "truncated", "damaged"])
def test_a_damaged_model_is_one_line(copy, how):
    (copy / "model.keras").write_bytes(spoil((copy / "model.keras").read_bytes(), how))
    with pytest.raises(InputError, match=r"model\.keras' is not a Keras model that can be loaded") as caught:
        inpainting_tf.load(copy)
    assert "\n" not in str(caught.value)


def test_an_archive_of_something_else_is_one_line(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.keras", "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(InputError, match="is not a Keras model that can be loaded"):
        inpainting_tf.load(tmp_path / "a.keras")


@pytest.mark.parametrize("inputs", [{}, {"image": (8, 8, 3)}, {"image": (8, 8, 3), "hole": (8, 8, 1)}])
def test_a_model_of_another_kind_is_refused(tmp_path, inputs):
    tensors = {name: keras.Input(shape, name=name) for name, shape in inputs.items()}
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    if tensors:
        channels = [keras.layers.Conv2D(3, 1)(tensor) for tensor in tensors.values()]
        model = keras.Model(tensors, sum(channels[1:], channels[0]))
    model.save(tmp_path / "other.keras")
    with pytest.raises(InputError, match="is not a completion network: it must take 'image' and 'mask'"):
        inpainting_tf.load(tmp_path / "other.keras")


@pytest.mark.parametrize("name", ["none", "none.keras", ""])
def test_where_no_model_is(tmp_path, name):
    with pytest.raises(InputError, match=r"a run's folder or a \.keras file.*no such model"):
        inpainting_tf.load(tmp_path / name)


# Who may continue it


def test_a_finished_run_is_left_as_it_is(trained):
    before = contents(trained)
    again = command("train.py", *tiny_flags(mixed_precision="bfloat16"), f"--workdir={trained}")
    assert again.status == 0 and again.errors == []
    assert "glcic is already trained in" in again.err
    assert f"python {ROOT / 'eval.py'} --workdir={trained}" in again.out
    assert contents(trained) == before


CHANGES = {
    "batch_size is 5 there and 4 here": {"batch_size": 4},
    "data.image_size is 16 there and 32 here": {"data__image_size": 32, "seed": 3},
    "optimizer.learning_rate is 0.001 there and 0.002 here": {"optimizer__learning_rate": 2e-3},
    "deterministic is False there and True here": {"deterministic": True},
}


@pytest.mark.parametrize("message", CHANGES)
def test_another_recipe_is_refused_by_its_first_difference(trained, message):
    before = contents(trained)
    recipe = tiny(**{"mixed_precision": "bfloat16"} | CHANGES[message])
    with pytest.raises(InputError, match=f"holds another run: {message}") as caught:
        runs.train(recipe, trained)
    assert "\n" not in str(caught.value)
    assert contents(trained) == before


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    for workdir in (tmp_path, tmp_path / "thesis.txt"):
        with pytest.raises(InputError, match="`workdir` must be new, empty or a run's folder"):
            runs.train(tiny(), workdir)
    assert contents(tmp_path) == {"thesis.txt": b"years of work"}
    assert not (tmp_path / ".lock").exists()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(InputError, match=r"could not be written: Not a directory\. A part of the path is"):
        runs.train(tiny(), tmp_path / "thesis.txt" / "run")
    assert contents(tmp_path) == {"thesis.txt": b"years of work"}


def test_a_second_process_is_kept_out(trained):
    before = contents(trained)
    with locking.locked(trained):
        code = "import sys, pathlib; from inpainting_tf.runs import locking\n"
        code += "try:\n with locking.locked(pathlib.Path(sys.argv[1])): pass\n"
        code += "except ValueError as error: print(error)"
        assert python(code, trained) == f"`workdir` {str(trained)!r} is in use by another process.\n"
        with pytest.raises(InputError, match="is in use by another process"):
            runs.train(tiny(mixed_precision="bfloat16"), trained)
    assert contents(trained) == before
    with locking.locked(trained):  # it is free again
        pass


def test_a_lock_goes_with_its_process(tmp_path):
    code = "import sys, os, pathlib; from inpainting_tf.runs import locking\n"
    code += "with locking.locked(pathlib.Path(sys.argv[1])): os._exit(0)"
    python(code, tmp_path)
    with locking.locked(tmp_path):
        pass


@pytest.mark.parametrize("error", [OSError(errno.ENOLCK, "No locks available"), NotImplementedError("no")])
def test_where_there_are_no_locks_a_warning_says_so(tmp_path, monkeypatch, caplog, error):
    def unlockable(*_, **__):
        raise error

    monkeypatch.setattr(filelock.FileLock, "acquire", unlockable)
    with locking.locked(tmp_path / "run"):
        pass
    (record,) = caplog.records
    assert "cannot be locked (" in record.getMessage() and "no second training" in record.getMessage()


def test_a_start_that_is_refused_does_not_claim_the_folder(tmp_path):
    refused = {
        "divisible by 4": tiny(data__image_size=18, network__builder="glcic"),
        "`batch_size` must be at most": tiny(batch_size=21),
        "`width` must be": tiny(network__width=3, network__builder="glcic"),
        "`dataset` must be one of": tiny(data__source="celebb"),
        "`data_dir` must be a folder": tiny(data__source="folder"),
    }
    for message, recipe in refused.items():  # none complains of the one before
        with pytest.raises(InputError, match=message):
            runs.train(recipe, tmp_path / "run")
        assert contents(tmp_path / "run") == {}
    with pytest.raises(InputError, match=r"no recipe\.json in it"):
        runs.open_run(tmp_path / "run")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"name": "glcic", "colour": 1}', '{"name": 1', "\0"])
def test_a_damaged_recipe_is_refused(copy, content):
    (copy / "recipe.json").write_text(content, encoding="utf-8")
    for attempt in (lambda: runs.open_run(copy), lambda: runs.train(tiny(), copy)):
        with pytest.raises(InputError, match=r"recipe\.json cannot be read") as caught:
            attempt()
        assert "\n" not in str(caught.value)


# How it ends


def begun_in(folder: Path) -> training._Training:
    """A training on one device that has taken no step."""
    alone, recipe = distribution.devices("none"), tiny()
    share = distribution.rows(alone, recipe.batch_size)
    return training._Training(runs.Run(folder, recipe), None, lambda epoch: False, 2**30, alone, share)


def test_a_finished_checkpoint_has_its_model(tmp_path, monkeypatch):
    """Killed between the two files, a run must not look finished while its model is missing or old."""

    def killed(*_):
        raise KeyboardInterrupt

    (tmp_path / "run").mkdir()
    begun = begun_in(tmp_path / "run")
    monkeypatch.setattr(checkpoints, "save", killed)
    with pytest.raises(KeyboardInterrupt):
        begun._save(begun.total)
    assert (tmp_path / "run" / "model.keras").exists()


def test_a_model_of_weights_that_are_not_finite_is_not_written(tmp_path):
    (tmp_path / "run").mkdir()
    begun = begun_in(tmp_path / "run")
    begun._save(1)
    before = contents(tmp_path / "run")
    begun.trainer.completion.weights[5].assign(begun.trainer.completion.weights[5] * np.nan)
    with pytest.raises(Diverged, match="is not finite after step 2"):
        begun._save(2)
    assert contents(tmp_path / "run") == before


def test_a_training_that_diverges_stops_in_one_line(tmp_path):
    options = [f"--workdir={tmp_path / 'run'}", "--checkpoint_minutes=0", "--learning_rate=1e30"]
    ended = command("train.py", *tiny_flags(), *options)
    assert ended.refuses(" became ", " at step ", "(completion phase)", "lower --learning_rate", status=1)
    kept = checkpoints.latest_step(tmp_path / "run" / "checkpoints")
    assert f"The checkpoint of step {kept} is kept in {tmp_path / 'run'}." in ended.errors[0]
    assert kept > 0 and all(np.isfinite(w).all() for w in inpainting_tf.load(tmp_path / "run").get_weights())


@pytest.mark.slow
def test_a_full_disk_while_training_is_one_line(tmp_path, file_size_limit):
    options = [f"--workdir={tmp_path / 'run'}", "--checkpoint_minutes=0"]
    with file_size_limit(30_000):  # which the process inherits; the model takes more than twice as much
        ended = process("train.py", *tiny_flags(), *options)
    assert ended.refuses("model.keras' could not be written: File too large. Raise the limit on file sizes")
    left = set(contents(tmp_path / "run"))
    assert left >= {"recipe.json", "data.json"}
    assert not [path for path in left if path.endswith((".keras", ".npz"))]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_and_the_second_is_the_usual_one(number):
    former = signal.getsignal(number)
    with training._stop_request() as asked:
        assert not asked.is_set()
        signal.raise_signal(number)
        assert asked.is_set()
        assert signal.getsignal(number) == former
    assert signal.getsignal(number) == former


# Every kind of training, from beginning to end


SYSTEMS = {
    "direct_conv": {},
    "patch_autoencoder": {},
    "cvae": {"network__arguments__latent": 16},
    "gan_autoencoder": {},
    "multiscale_context_encoder": {"data__image_size": 32, "schedule__completion_share": 0.25},
    "semantic_inpainting": {},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SYSTEMS)
def test_other_systems_train_continue_and_are_used(name, tmp_path, monkeypatch):
    """Noise and dropout included: their state is part of a checkpoint."""
    recipe = tiny(name, schedule__epochs=2, **SYSTEMS[name])
    stopped = tmp_path / "stopped"

    def copied_at_five(keeper, step, *_):  # as a kill would leave it, without a training of its own
        if step == 5:
            keeper.save(step)
            shutil.copytree(tmp_path / "whole", stopped)

    with monkeypatch.context() as patch:
        patch.setattr(callbacks.Checkpoints, "on_step", copied_at_five)
        whole = runs.train(recipe, tmp_path / "whole")
    assert checkpoints.latest_step(stopped / "checkpoints") == 5
    again = runs.train(recipe, stopped)
    last = Path("checkpoints", "step-00000008", "variables.npz")
    with np.load(whole.folder / last) as mine, np.load(again.folder / last) as theirs:
        for n in mine.files:  # threads may change the last bits; other noise would change the first ones
            np.testing.assert_allclose(mine[n], theirs[n], rtol=1e-3, atol=1e-4)
    rows = again.history()
    assert [row["step"] for row in rows] == ["4", "8"]
    assert ("kl" in rows[0]) == (name == "cvae")
    assert ("discriminator" in rows[-1]) == (
        recipe.discriminator is not None or name == "semantic_inpainting"
    )

    done = command("eval.py", f"--workdir={whole.folder}")
    assert done.status == 0, done.err
    packed = runs.pack(whole, tmp_path / "packed")
    size = recipe.data.image_size
    image, mask = np.full((size, size, 3), 100, np.uint8), np.zeros((size, size), bool)
    mask[3:9, 4:10] = True
    one, two = (
        inpainting_tf.inpaint(inpainting_tf.load(f), image, mask) for f in (whole.folder, packed.folder)
    )
    assert (one[~mask] == 100).all() and np.abs(one.astype(int) - two).max() <= 2
    assert (whole.folder / "diverse.png").exists() == (name == "cvae")
