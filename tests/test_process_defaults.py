"""What a process has from its surroundings: locale, working folder, Keras's settings, standard streams."""

from __future__ import annotations

import ast
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image
from running import ROOT, environment, process, python, rows_of, tiny, tiny_flags

import inpainting_tf
from inpainting_tf import InputError, runs, streams
from inpainting_tf.environment import prefer_onednn

C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
MODULES = [
    *ROOT.glob("*.py"),
    *(
        file
        for part in ("inpainting_tf", "scripts", "benchmarks", "tests")
        for file in (ROOT / part).rglob("*.py")
    ),
]


# Text


def unencoded(path: Path) -> Iterator[int]:
    """The lines of a module that read or write text in the locale's encoding."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            given = {key.arg: ast.unparse(key.value) for key in node.keywords}  # None: by **
            as_text = "True" in (given.get("text"), given.get("universal_newlines"))
            if not given.keys() & {"encoding", None} and (in_text(node) or as_text):
                yield node.lineno


def in_text(call: ast.Call) -> bool:
    name = ast.unparse(call.func)
    for method, encoding in ((".read_text", 0), (".write_text", 1)):  # where it may be given by position
        if name.endswith(method):
            return name != "files.write_text" and len(call.args) <= encoding
    if name != "open":
        return False
    modes = [each.value for each in (*call.args[1:2], *(k.value for k in call.keywords if k.arg == "mode"))]
    return not any("b" in str(mode) for mode in modes)


def test_text_has_an_encoding_everywhere():
    found = [f"{file.relative_to(ROOT)}:{line}" for file in MODULES for line in unencoded(file)]
    assert len(MODULES) > 150 and not found


def test_the_lines_are_found(tmp_path):
    module = tmp_path / "module.py"
    lines = [
        "open(f)",
        "open(f, 'w')",
        "p.read_text()",
        "p.write_text(t)",
        "run([], text=True)",
        "open(f, 'rb')",
    ]
    module.write_text(
        "\n".join([*lines, "open(f, encoding='utf-8')", "files.write_text(p, t)", "p.read_text('utf-8')"]),
        encoding="utf-8",
    )
    assert list(unencoded(module)) == [1, 2, 3, 4, 5]


# A training


@pytest.mark.slow
def test_a_training_is_the_same_under_any_defaults(tmp_path):
    """C's locale, Keras's settings of another program, a backend that matplotlib does not have."""
    settings = '{"image_data_format": "channels_first", "floatx": "float64", "epsilon": 0.01}'
    (tmp_path / "keras.json").write_text(settings, encoding="utf-8")
    defaults = {"KERAS_HOME": str(tmp_path), "MPLBACKEND": "nonsense", **C_LOCALE}
    surroundings, folder = environment(**defaults), tmp_path / "Größe 面"
    trained = process("train.py", *tiny_flags(), f"--workdir={folder}", env=surroundings)
    assert trained.status == 0, trained.err
    assert f"--workdir={folder}" in trained.out.replace("'", "")
    measured = process("eval.py", f"--workdir={folder}", env=surroundings)
    assert measured.status == 0, measured.err
    assert "Gr\\xf6\\xdfe \\u9762" in measured.out and f"{folder}/sheet.png" in measured.out
    assert "Traceback" not in trained.err + measured.err
    usual = runs.train(tiny(), tmp_path / "usual")
    for mine, theirs in zip(rows_of(folder), rows_of(usual.folder), strict=True):
        for column in ("loss", "val_psnr"):
            assert float(mine[column]) == pytest.approx(float(theirs[column]), rel=1e-4)
    assert inpainting_tf.load(folder).name == "gan_direct_conv"
    assert "Größe 面" in (folder / "metrics.json").read_text(encoding="utf-8")


OTHERS = {"image_data_format": "channels_first", "floatx": "float64", "epsilon": 1e-3}


@pytest.mark.parametrize("name", OTHERS)
def test_a_program_with_other_defaults_of_keras_is_told(trained, tmp_path, name):
    usual = getattr(keras.config, name)()
    calls = {
        "build": lambda: inpainting_tf.build("glcic", image_size=16, width=4),
        "load": lambda: inpainting_tf.load(trained),
        "train": lambda: runs.train(tiny(), tmp_path / "run"),
    }
    getattr(keras.config, f"set_{name}")(OTHERS[name])
    try:
        for call in calls.values():
            message = (
                f"Keras's `{name}` must be {usual}. Received {OTHERS[name]}: call keras.config.set_{name}"
            )
            with pytest.raises(InputError, match=message.replace("(", r"\(")) as caught:
                call()
            assert "\n" not in str(caught.value)
    finally:
        getattr(keras.config, f"set_{name}")(usual)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_backend_that_there_is_not_is_one_line():
    # As a command does, before the package has imported Keras.
    code = f"""if True:
        import sys, types
        package = sys.modules["inpainting_tf"] = types.ModuleType("inpainting_tf")
        package.__path__ = [{str(ROOT / "inpainting_tf")!r}]
        from inpainting_tf import environment, errors
        try:
            environment.pin_defaults()
        except errors.InputError as error:
            print(error)
    """
    told = python(code, env=environment(KERAS_BACKEND="nonsense"))
    assert told.startswith(
        "KERAS_BACKEND must be tensorflow or jax, and that must be installed. Received 'nonse"
    )
    assert told.count("\n") == 1


def test_the_working_folder_may_change(trained, tmp_path, monkeypatch):
    shutil.copytree(trained, tmp_path / "here" / "run")
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    opened = runs.open_run("run")
    again = runs.train(opened.recipe, "run")
    monkeypatch.chdir(tmp_path / "there")
    assert opened.folder == again.folder == tmp_path / "here" / "run"
    assert opened.history() == again.history() != []


# Kernels


@pytest.mark.parametrize("machine, expected", [("x86_64", "1"), ("aarch64", None)])
def test_convolutions_run_on_onednn(monkeypatch, machine, expected):
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "")
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS")
    prefer_onednn()
    assert os.environ.get("TF_ENABLE_ONEDNN_OPTS") == expected


@pytest.mark.parametrize("command, flag", [("train", "--list"), ("reproduce", "--notrain")])
@pytest.mark.skipif(sys.platform != "linux" or platform.machine() != "x86_64", reason="of Linux on x86-64")
def test_commands_that_train_prefer_it_before_tensorflow_is_there(command, flag):
    code = (
        "import os, sys\n"
        f"from inpainting_tf.commands import cli, {command}\n"
        "def asked():\n"
        "    print('tensorflow' in sys.modules, os.environ.get('TF_ENABLE_ONEDNN_OPTS'))\n"
        "    sys.exit()\n"
        f"{command}.environment.pin_defaults = asked\n"
        f"{command}.run(cli.parse({command}, ['{flag}']))\n"
    )
    env = environment()
    env.pop("TF_ENABLE_ONEDNN_OPTS")
    ended = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, encoding="utf-8")
    assert ended.stdout == "False 1\n", ended.stderr


def test_who_has_switched_onednn_off_keeps_it_so(monkeypatch):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    prefer_onednn()
    assert os.environ["TF_ENABLE_ONEDNN_OPTS"] == "0"


# Standard streams


NOISE = """\
WARNING: All log messages before absl::InitializeLog() is called are written to STDERR
I0000 00:00:1795800421.558813   20466 port.cc:153] oneDNN custom operations are on. You may see slightly ...
2026-01-01 00:00:00.000000: I tensorflow/core/platform/cpu_feature_guard.cc:210] This binary is optimized
To enable the following instructions: AVX2, in other operations, rebuild TensorFlow with the appropriate ...
[2026-11-28 13:43:10,596 I 8020 8020] logging.cc:303: Set ray log level from environment variable ...
E0000 00:00:1795800432.6 2 cuda_platform.cc:52] failed call to cuInit: INTERNAL: UNKNOWN ERROR (303)
"""
REAL = "E0000 00:00:1795800432.6 2 cuda_platform.cc:52] failed call to cuInit: DRIVER_MISMATCH\n"


def test_noise_is_dropped_and_errors_are_shown(capfd):
    with streams.held_back():
        os.write(2, (NOISE + REAL).encode())
        assert capfd.readouterr().err == ""
    os.write(2, b"after\n")
    assert capfd.readouterr().err == f"{REAL}after\n"


def test_a_failure_shows_everything(capfd):
    with pytest.raises(ImportError), streams.held_back():
        os.write(2, NOISE.encode())
        raise ImportError
    os.write(2, b"after\n")
    assert capfd.readouterr().err == f"{NOISE}after\n"


def fake_tensorflow(folder: Path, code: str) -> dict[str, str]:
    """A module of that name which says something and then runs `code`."""
    lines = ["import os", "os.write(2, b'I0000 00:00:1 1 a.cc:1] said by TensorFlow\\n')", code]
    (folder / "tensorflow.py").write_text("\n".join(lines), encoding="utf-8")
    return environment(KERAS_BACKEND="jax", PYTHONPATH=str(folder), CUDA_VISIBLE_DEVICES="")


def silent(env: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name not in ("TF_CPP_MIN_LOG_LEVEL",)}


@pytest.mark.slow
@pytest.mark.parametrize("level", [None, "0"])
def test_a_tensorflow_that_cannot_be_imported_is_heard(tmp_path, level):
    env = silent(fake_tensorflow(tmp_path, "raise ImportError('a library is missing')"))
    env |= {} if level is None else {"TF_CPP_MIN_LOG_LEVEL": level}
    code = "import inpainting_tf\ntry:\n    import tensorflow\nexcept ImportError as error: print(error)"
    ended = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, encoding="utf-8")
    assert ended.stdout == "a library is missing\n" and "said by TensorFlow" in ended.stderr


@pytest.mark.slow
def test_a_crash_while_tensorflow_loads_says_where(tmp_path):
    env = silent(fake_tensorflow(tmp_path, "os.abort()"))
    call = [sys.executable, "-c", "import inpainting_tf, tensorflow"]
    ended = subprocess.run(call, env=env, capture_output=True, encoding="utf-8")
    assert ended.returncode < 0 and "Fatal Python error: Aborted" in ended.stderr
    assert "tensorflow.py" in ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_a_command_says_nothing_but_its_own_lines(trained, tmp_path, backend):
    usual = silent({**os.environ, "PYTHONPATH": str(ROOT), "KERAS_BACKEND": backend})
    usual.pop("CUDA_VISIBLE_DEVICES", None)
    listed = process("train.py", "--list", env=usual)
    assert (listed.status, listed.err) == (0, "") and "glcic" in listed.out
    picture = np.random.default_rng(0).integers(0, 256, (16, 24, 4), np.uint8)
    picture[..., 3] = 255
    picture[4:9, 6:12, 3] = 0
    Image.fromarray(picture).save(tmp_path / "a.png")
    options = [f"--model={trained}", f"--image={tmp_path / 'a.png'}", f"--output={tmp_path / 'b.png'}"]
    call = [sys.executable, "-m", "inpainting_tf.commands.inpaint", *options]
    ended = subprocess.run(call, env=usual, capture_output=True, encoding="utf-8")
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stderr
    code = "import inpainting_tf, tensorflow as tf; tf.constant(1)"
    code += "; inpainting_tf.build('direct_conv', width=4); print(1)"
    ended = subprocess.run([sys.executable, "-c", code], env=usual, capture_output=True, encoding="utf-8")
    assert (ended.stdout, ended.stderr) == ("1\n", "")


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="a shell that can close a stream")
def test_standard_error_may_be_closed(trained):
    code = f"import inpainting_tf, tensorflow; print(inpainting_tf.load('{trained}').name)"
    call = ["sh", "-c", '"$0" -c "$1" 2>&-', sys.executable, code]
    ended = subprocess.run(call, env=environment(), capture_output=True, encoding="utf-8")
    assert (ended.returncode, ended.stdout) == (0, "gan_direct_conv\n")


@pytest.mark.parametrize(
    ("text", "printed"), [("plain", b"plain"), ("Größe", rb"Gr\xf6\xdfe"), ("\udcc3\udcb6", "ö".encode())]
)
def test_characters_that_an_encoding_does_not_have_are_printed(tmp_path, monkeypatch, text, printed):
    with open(tmp_path / "out", "w", encoding="ascii") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        streams.print_any_character()
        print(text, end="")
    assert (tmp_path / "out").read_bytes() == printed
