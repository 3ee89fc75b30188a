"""The command lines: help, the list of models, and every mistake in one line with the way out of it."""

from __future__ import annotations

import pytest
from running import ROOT, Result, command, contents, process, tiny_flags

from inpainting_tf import recipes, runs

SCRIPTS = ("train.py", "eval.py")


def train(*args: str) -> Result:
    return command("train.py", "--model=glcic", "--preset=smoke", *args)


# What may go wrong on train.py's line, and the words that the one line about it must hold.
MISTAKES = {
    "--model=glcik": ["`model` must be one of", "Received 'glcik'. Did you mean 'glcic'?"],
    "--model=": ["--model must be one of", "double_autoencoder", "Received none"],
    "--preset=huge": ["`preset` must be one of", "Received 'huge'"],
    "--preset=lap": ["Did you mean 'laptop'?"],
    "--epochs=0": ["`epochs` must be at least 1. Received 0"],
    "--batch_size=0": ["`batch_size` must be at least 1. Received 0"],
    "--batch_size=33": ["`batch_size` must be at most the number of training pictures, 32. Received 33"],
    "--image_size=8": ["`image_size` must be at least 16 pixels. Received 8"],
    "--image_size=30": ["height and width divisible by 4. Received 30 x 30"],
    "--width=3": ["`width` must be positive and even. Received 3"],
    "--learning_rate=0": ["`learning_rate` must be above 0"],
    "--learning_rate=nan": ["`learning_rate` must be above 0"],
    "--alpha=-1": ["`objective.alpha` must be 0 or more. Received -1.0"],
    "--seed=-1": ["`seed` must be 0", "Received -1"],
    "--mixed_precision=float8": ["`mixed_precision` must be one of", "Did you mean 'float16'?"],
    "--dataset=celebb": ["`dataset` must be one of", "Received 'celebb'. Did you mean 'celeba'?"],
    "--dataset=folder": ["`data_dir` must be a folder of pictures", "Received None"],
    "--classes=automobile": ["`classes` must be none for dataset 'synthetic_faces'"],
    "--data_dir=/tmp": [
        "`data_dir` must be None for dataset 'synthetic_faces'",
        "Name its data set as well: --dataset=celeba, or --dataset=folder for others.",
    ],
    "--set=nonsense": ["--set must be field=value. Received 'nonsense'"],
    "--set=schedule.foo=1": ["`--set schedule.foo` must be one of", "Received 'foo'"],
    "--set=schedule.epoch=1": ["Did you mean 'epochs'?"],
    "--set=schedule.epochs=many": ["`schedule.epochs` must be a whole number. Received 'many'"],
    "--set=data.flip=maybe": ["`data.flip` must be true or false. Received 'maybe'"],
    "--set=batch_size=none": ["`batch_size` must be a whole number. Received 'none'"],
    "--set=batch_size.x=1": ["`batch_size` has none below it"],
    "--set=optimizer=sgd": ["`optimizer` must name one of its fields"],
    "--set=optimizer.name=sgd": ["`optimizer.name` must be one of adadelta, adam. Received 'sgd'"],
    "--set=objective.adversarial=minmax": ["Did you mean 'minimax'?"],
    "--set=network.builder=glcik": ["must be one of", "Received 'glcik'. Did you mean 'glcic'?"],
    "--set=network.arguments.fill=purple": [
        "`fill` must be one of grey, black, white, mean, smooth, thin_plate, telea,",
        "Received 'purple'",
    ],
    "--set=network.arguments.fil=black": ["`argument of glcic` must be one of", "Did you mean 'fill'?"],
    "--set=schedule.completion_share=1.5": ["shares must be 0 or more and sum to at most 1"],
    "stray": ["Options begin with --. Received 'stray'"],
}
# What absl refuses by itself, before any of our lines runs.
FLAG_MISTAKES = {
    "--epohcs=3": ["Unknown command line flag 'epohcs'. Did you mean: epochs"],
    "--epochs=abc": ["flag --epochs=abc: invalid literal for int()"],
    "--epochs=1.5": ["flag --epochs=1.5"],
    "--learning_rate=fast": ["flag --learning_rate=fast: could not convert string to float"],
    "--checkpoint_minutes=-1": ["flag --checkpoint_minutes=-1: -1.0 is not a non-negative number"],
    "--deterministic=maybe": ["flag --deterministic=maybe"],
    "--workdir": ["Missing value for flag --workdir"],
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_and_leaves_nothing(mistake, tmp_path):
    done = train(f"--workdir={tmp_path / 'run'}", mistake)
    assert done.refuses(*MISTAKES[mistake]), done.err
    assert done.out == "" and contents(tmp_path) == {}


@pytest.mark.parametrize("mistake", FLAG_MISTAKES)
def test_a_mistaken_flag_is_one_line_and_the_way_to_help(mistake, tmp_path):
    done = train(f"--workdir={tmp_path / 'run'}", mistake)
    assert done.refuses(*FLAG_MISTAKES[mistake]), done.err
    assert "Pass --help to see the flags" in done.err
    assert not (tmp_path / "run").exists()


# What `Recipe.check` lets through today: it ends in a traceback, or in a training of nonsense.
UNCHECKED = {
    "--mask=squares": ["`mask` must be one of centre", "Received 'squares'"],
    "--mask=rectangel": ["Did you mean 'rectangle'?"],
    "--crop=center": ["`data.crop` must be one of centre, random, resize", "Did you mean 'centre'?"],
    "--mask=no/masks": ["or a folder of mask files. Received 'no/masks'"],
    "--invert_masks": ["`invert_masks` must not be given", "'rectangle', which are drawn. Received True"],
    "--set=mask.train.kind=folder": ["`mask.folder` must be a folder of mask files", "Received none"],
    "--set=mask.train.folder=masks": ["`mask.folder` must not be given for holes of the kind 'rectangle'"],
    "--set=mask.train.low=2": ["`mask` must have 0 < low <= high <= 1"],
    "--set=mask.test.high=0": ["`mask` must have 0 < low <= high <= 1"],
    "--seed=4294967296": ["`seed` must be"],
    "--learning_rate=inf": ["`learning_rate` must be"],
    "--set=network.builder=iizuka_discriminator": ["must be one of", "Received 'iizuka_discriminator'"],
    "--set=discriminator.builder=glcic": ["must be one of", "Received 'glcic'"],
}


@pytest.mark.parametrize("mistake", UNCHECKED)
def test_a_mistake_is_found_before_anything_is_trained(mistake, tmp_path):
    done = train(f"--workdir={tmp_path / 'run'}", "--epochs=1", mistake)
    assert done.refuses(*UNCHECKED[mistake]), done.err[-300:]
    assert contents(tmp_path) == {}


DRAWN = ("--dataset=synthetic_faces", "--image_size=16")
EVAL_MISTAKES = {
    (): ["--workdir, --model_path or --baseline", "Received none"],
    ("--workdir=nowhere",): [
        "`workdir` must be the folder of a run. Received ",
        "nowhere': no recipe.json in it",
    ],
    ("--model_path=nothing.keras",): ["a run's folder or a .keras file. Received 'nothing.keras'"],
    ("--baseline=tela",): ["`baseline` must be one of", "Received 'tela'. Did you mean 'telea'?"],
    ("--baseline=telea", "--dataset=celebb"): ["`dataset` must be one of", "Did you mean 'celeba'?"],
    ("--baseline=telea", "--dataset=folder"): ["`data_dir` must be a folder of pictures"],
    ("--baseline=telea", *DRAWN, "--mask=square"): ["`mask` must be one of", "Received 'square'"],
    ("--baseline=telea", *DRAWN, "--image_size=8"): ["`image_size` must be at least 16 pixels. Received 8"],
    ("--baseline=telea", *DRAWN, "--image_size=96x"): ["a side or HEIGHTxWIDTH", "'96x'"],
    ("--baseline=telea", *DRAWN, "--invert_masks"): ["`invert_masks` must not be given", "are drawn"],
    ("--baseline=telea", "--baseline=telea", *DRAWN): ["different names"],
    ("--baseline=telea", "stray"): ["Options begin with --. Received 'stray'"],
}


@pytest.mark.parametrize("args", EVAL_MISTAKES, ids=" ".join)
def test_an_evaluation_mistake_is_one_line_and_leaves_nothing(args, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = command("eval.py", *args)
    assert done.refuses(*EVAL_MISTAKES[args]), done.err
    assert done.out == "" and contents(tmp_path) == {}


@pytest.mark.parametrize("args", [["--batch_size=0"], ["--base=telea"], ["--workdirs=a"]])
def test_a_mistaken_evaluation_flag_is_one_line(args):
    assert command("eval.py", *args).refuses(args[0].removeprefix("--").partition("=")[0])


# What goes right


def test_the_list_names_every_model():
    done = command("train.py", "--list")
    lines = done.out.splitlines()
    assert done.status == 0 and done.err == ""
    assert [line.split()[0] for line in lines] == ["model", *recipes.RECIPES]
    assert "face_gan" in lines[1] and "6.08 M" in lines[1] and "Iizuka" in lines[1]


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_shows_how_to_begin_and_every_flag(script):
    done = command(script, "--help")
    assert f"\npython {ROOT / script} --" in done.out
    own = {"train.py": ["--model", "--preset", "--workdir", "--set", "--[no]list"], "eval.py": ["--baseline"]}
    for flag in (*own[script], "--dataset", "--data_dir", "--mask", "--image_size"):
        assert f"\n  {flag}:" in done.out, flag
    assert done.err == ""


def test_every_flag_of_the_recipe_reaches_it(tmp_path, monkeypatch):
    seen = []

    def look(recipe, *_, **__):
        seen.append(recipe)
        return runs.Run(tmp_path, recipe)

    monkeypatch.setattr(runs, "train", look)
    flags = {
        "--image_size=64": "data.image_size",
        "--width=6": "network.width",
        "--epochs=9": "schedule.epochs",
        "--batch_size=7": "batch_size",
        "--learning_rate=0.25": "optimizer.learning_rate",
        "--alpha=0.5": "objective.alpha",
        "--mask=strokes": "mask.test.kind",
        "--seed=3": "seed",
        "--mixed_precision=bfloat16": "mixed_precision",
        "--jit_compile=True": "jit_compile",
        "--deterministic=True": "deterministic",
        "--dataset=cifar10": "data.source",
        "--classes=automobile": "data.classes",
        "--set=optimizer.beta_1=0.75": "optimizer.beta_1",
    }
    assert train(*flags).status == 0
    settings = seen[0].settings()
    for flag, field in flags.items():
        assert str(settings[field]) == flag.rpartition("=")[2], field
    assert (settings["discriminator.width"], settings["mask.train.kind"]) == (6, "strokes")


@pytest.mark.parametrize(
    ("flags", "classes"),
    [([], "automobile"), (["--dataset=folder"], None), (["--dataset=cifar10"], "automobile"),
     (["--classes=none"], None), (["--dataset=cifar10", "--classes=cat,dog"], "cat,dog")],
)  # fmt: skip
def test_another_data_set_forgets_the_classes_of_the_recipes_own(flags, classes, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(
        runs, "train", lambda recipe, *_, **__: (seen.append(recipe), runs.Run(tmp_path, recipe))[1]
    )
    assert command("train.py", "--model=direct_conv", *flags).status == 0
    assert seen[0].data.classes == classes


# In processes of their own


@pytest.mark.slow
def test_the_list_in_a_process_of_its_own():
    done = process("train.py", "--list")
    assert done.status == 0 and done.errors == []
    assert [line.split()[0] for line in done.out.splitlines()] == ["model", *recipes.RECIPES]


@pytest.mark.slow
def test_a_mistake_in_a_process_of_its_own(tmp_path):
    done = process("train.py", *tiny_flags(batch_size=99), cwd=tmp_path)
    assert done.refuses("`batch_size` must be at most the number of training pictures, 20. Received 99")
    assert contents(tmp_path) == {}


@pytest.mark.slow
def test_an_unknown_flag_in_a_process_of_its_own(tmp_path):
    done = process("eval.py", "--worksdir=a", cwd=tmp_path)
    assert done.refuses("Unknown command line flag 'worksdir'. Did you mean: workdir")
