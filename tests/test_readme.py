"""Every command in the README: each is either run here, at a size of seconds, or named with what runs it."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from running import PATIENCE, PROGRAMS, ROOT, TINY, drawn_faces, environment
from running import command as in_this_process
from test_packaging import declared

import inpainting_tf
from inpainting_tf.data import synthetic_faces

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"(?:^    \S.*\n(?:^ +\S.*\n)*)+", README, re.MULTILINE)
INLINE = re.findall(r"`((?:python|pip|inpaint|inpainting-tf|KERAS_BACKEND)[ =][^`]+)`", README)
SMOKE = [
    "--preset=smoke",
    "--dataset=synthetic_faces",
    *(f"--set={k}={v}" for k, v in (TINY | {"schedule.epochs": 1}).items()),
]
DRAWN = ["--dataset=synthetic_faces", "--image_size=16", "--train=10", "--test=4"]


def commands() -> list[str]:
    """The README's commands in their order, without comments; a backslash goes on with the next line."""
    lines = "".join(BLOCKS).replace("\\\n", " ").splitlines() + INLINE
    found = (" ".join(line.split("  #")[0].split()) for line in lines)
    starts = ("pip ", "make ", "python ", "inpaint ", "inpainting-tf ", "source ", "KERAS_BACKEND=")
    return list(dict.fromkeys(line for line in found if line.startswith(starts)))


# Command -> options that make it small, put behind its own so that they win. Where a flag may not be given
# twice or needs data that is not here, (what is taken out, what is put in).
RUN: dict[str, list[str] | tuple[list[str], list[str]]] = {
    "inpaint --image=photo.jpg --mask=mask.png --output=repaired.png": [],
    "inpaint --image=scans --mask=watermark.png --output=repaired --format=png": [],
    "inpainting-tf export --workdir=runs/glcic --output=exported/glcic": [],
    "python train.py --model=glcic --dataset=celeba --data_dir=FOLDER_OR_ZIP --preset=laptop": (
        ["--dataset=celeba", "--data_dir=FOLDER_OR_ZIP", "--preset=laptop"],
        [*SMOKE, "--workdir=runs/new"],
    ),
    "python train.py --list": [],
    "python train.py --model=photos --data_dir=FOLDER --preset=laptop": (
        ["--data_dir=FOLDER", "--preset=laptop"],
        [*(flag for flag in SMOKE if "discriminator" not in flag), "--crop=centre"],
    ),
    "python train.py --model=direct_conv --data_dir=FOLDER --preset=laptop": (
        ["--data_dir=FOLDER", "--preset=laptop"],
        [flag for flag in SMOKE if "discriminator" not in flag],
    ),
    "python train.py --model=glcic --dataset=folder --data_dir=FOLDER --preset=laptop --workdir=runs/mine": (
        ["--dataset=folder", "--preset=laptop"],
        [*SMOKE[:1], *SMOKE[2:], "--dataset=folder"],
    ),
    "inpainting-tf prepare --dataset=celeba --data_dir=FOLDER --image_size=128 --output=celeba_128": (
        ["--dataset=celeba", "--data_dir=FOLDER", "--image_size=128"],
        DRAWN,
    ),
    "python eval.py --workdir=runs/mine --mask=MASKS": [],
    "python eval.py --workdir=runs/glcic": [],
    "python eval.py --workdir=runs/glcic --baseline=biharmonic --baseline=telea "
    "--output=evaluations/glcic": [],
}
SERVED = (
    "inpainting-tf demo",
    "inpainting-tf study --runs=runs/glcic --runs=runs/one_autoencoder --pictures=FOLDER",
)
ELSEWHERE = {
    "KERAS_BACKEND=jax python train.py --model=double_autoencoder --data_dir=FOLDER --preset=gpu "
    "--epochs=100": "test_jax",
    "python train.py --help": "test_command_lines",
    "python train.py --model=multiscale_context_encoder --dataset=dtd --data_dir=FOLDER "
    "--preset=laptop": "test_dtd",
    "python train.py --model=multiscale_context_encoder --dataset=folder --data_dir=PARIS "
    "--set data.train=none": "test_folders",
    "python eval.py --workdir=faces --dataset=folder --data_dir=FOLDER": "test_own_folders",
    "inpainting-tf train": "test_main",
    "inpainting-tf evaluate": "test_main",
    "inpainting-tf reproduce": "test_main",
    "inpainting-tf prepare": "test_main",
    "inpainting-tf serve": "test_serve",
    "pip install .": "test_what_is_installed_is_whole",
    "pip install --no-deps -e . && pip install -r requirements-jax.txt": "test_packaging",
    "pip install -r requirements-repair.txt && pip install --no-deps .": "test_packaging",
    "make demo": "test_make_knows_its_targets",
    "make test": "test_make_knows_its_targets",
    "KERAS_BACKEND=jax python scripts/paper_scale.py --data_dir=celeba_128 --minutes=10": "test_paper_scale",
    "python scripts/encoder_comparison.py --data_dir=FOLDER": "test_encoders",
    "python reproduce.py --paper=face_gan --table=4.3 --data_dir=CELEBA": "test_reproduce",
    "python reproduce.py --paper=all --data_dir=CELEBA --data_dir=CIFAR10": "test_reproduce",
    "python train.py --model=NAME --data_dir=FOLDER --preset=laptop": "the one with direct_conv",
}


@pytest.fixture(scope="module")
def place(trained, tmp_path_factory) -> Path:
    """A copy of the scripts, a run, and a user's pictures."""
    folder = tmp_path_factory.mktemp("readme")
    for name in ("train.py", "eval.py"):
        shutil.copy(ROOT / name, folder)
    for name in ("glcic", "one_autoencoder"):
        shutil.copytree(trained, folder / "runs" / name)
    kernel = inpainting_tf.load(folder / "runs" / "one_autoencoder")
    kernel.set_weights([weight + 0.01 for weight in kernel.get_weights()])  # a study wants two systems
    kernel.save(folder / "runs" / "one_autoencoder" / "model.keras")
    (folder / "scans").mkdir()
    drawn_faces(folder / "FOLDER", 25)
    for number in range(2):
        Image.fromarray(synthetic_faces.face(number, (60, 80))).save(folder / "scans" / f"{number}.png")
    Image.fromarray(synthetic_faces.face(0, (60, 80))).save(folder / "photo.jpg")
    mask = np.zeros((60, 80), np.uint8)
    mask[20:31, 30:42] = 255
    (folder / "MASKS").mkdir()
    for name in ("mask.png", "watermark.png", "MASKS/0.png"):
        Image.fromarray(mask).save(folder / name)
    return folder


def called(command: str) -> list[str]:
    """The words of a command for this interpreter."""
    program, *options = shlex.split(command)
    start = "from inpainting_tf.commands import main; main.{}()"
    first = ["-c", start.format(PROGRAMS[program].__name__)] if program in PROGRAMS else []
    return [sys.executable, *first, *options]


def program_of(command: str) -> tuple[str, list[str]]:
    """The program of a command, as `running.command` takes it, and its options."""
    words = shlex.split(command)
    first = next(index for index, word in enumerate(words) if word.startswith("--"))
    return " ".join(words[:first]).removeprefix("python "), words[first:]


def test_every_command_is_accounted_for():
    installs = {command for command in commands() if command.startswith("pip install") and "[" in command}
    found, known = set(commands()) - installs, {*RUN, *SERVED, *ELSEWHERE}
    assert found == known
    extras = {name for command in installs for name in re.search(r"\[([\w,-]+)\]", command)[1].split(",")}
    assert extras <= set(declared()["options.extras_require"])


def test_every_file_that_is_linked_exists():
    links = re.findall(r"\]\(([^)#]+)\)", README)
    local = [link for link in links if "://" not in link]
    assert len(local) > 8 and all((ROOT / link).exists() for link in local)


@pytest.mark.slow
@pytest.mark.parametrize("command", RUN)
def test_a_command_does_what_it_says(command, place, monkeypatch):
    """In this process, to save the imports; other tests start each script in one of its own."""
    small = RUN[command]
    out, more = small if isinstance(small, tuple) else ([], small)
    program, options = program_of(command)
    assert all(word in options for word in out)
    options = [word for word in options if word not in out] + more
    monkeypatch.chdir(place)
    done = in_this_process(program, *options)
    assert done.status == 0 and "Traceback" not in done.err, done.err[-2000:]
    for output in re.findall(r"--(?:output|workdir)=(\S+)", " ".join(options)):
        assert (place / output).exists()


@pytest.mark.slow
def test_inpaint_in_a_process_of_its_own(place):
    words = called("inpaint --image=photo.jpg --mask=mask.png --output=own.png")
    done = subprocess.run(
        words, cwd=place, env=environment(), capture_output=True, encoding="utf-8", timeout=PATIENCE
    )
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr[-2000:]
    assert (place / "own.png").exists()


@pytest.mark.slow
@pytest.mark.parametrize("command", SERVED)
def test_a_page_is_served(command, place):
    pytest.importorskip("gradio", reason="the pages need the extra `apps`")
    words = called(command)
    with subprocess.Popen(
        words,
        cwd=place,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    ) as server:
        try:
            end = time.monotonic() + PATIENCE
            said = ""
            while "The page is at http://127.0.0.1:" not in said:
                line = server.stdout.readline()
                said += line
                assert line and time.monotonic() < end, said
        finally:
            server.send_signal(signal.SIGTERM)


def test_make_knows_its_targets():
    for target in ("demo", "test"):
        done = subprocess.run(
            ["make", "-n", target], cwd=ROOT, capture_output=True, encoding="utf-8", check=True
        )
        assert "python" in done.stdout


def test_python_in_the_readme_runs(place, monkeypatch):
    """One block after the other, as whoever reads on would type them; trained for two steps."""
    monkeypatch.chdir(place)
    names: dict = {}
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(blocks) == 2 and len(blocks[1].strip().splitlines()) <= 15
    for code in blocks:
        names.pop("filled", None)
        short = re.sub(r"steps_per_epoch=\d+, epochs=\d+", "steps_per_epoch=2, epochs=1", code)
        exec(compile(short, "README.md", "exec"), names)
        known = names["mask"] == 0
        assert names["filled"].shape == names["image"].shape
        assert np.array_equal(names["filled"][known], names["image"][known])
    assert (place / "mine.keras").is_file()


@pytest.mark.slow
def test_what_is_installed_is_whole(tmp_path):
    """The console command and the models come along, and work outside the checkout."""
    pytest.importorskip("setuptools", reason="what builds the package is not installed")
    source = tmp_path / "source"
    source.mkdir()
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "inpainting_tf", source / "inpainting_tf")
    place = tmp_path / "installed"
    call = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*call, f"--target={place}", str(source)], check=True, timeout=PATIENCE)
    assert all((place / "bin" / program).is_file() for program in PROGRAMS)
    environ = {**os.environ, "PYTHONPATH": str(place)}
    code = """
import inpainting_tf
stored, network = inpainting_tf.load("faces"), inpainting_tf.Inpainter.from_preset("faces")
print(inpainting_tf.__file__, network.count_params(), stored.facts == network.facts and type(stored).__name__)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    file, count, kind = done.stdout.split()
    assert kind == "Runtime", "its ONNX file is there, too"
    assert Path(file).is_relative_to(place) and int(count) > 1_000_000
