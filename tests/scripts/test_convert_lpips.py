"""The weights of LPIPS from the files that torchvision and the authors hand out: names, layout, mistakes."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from running import command

from inpainting_tf.errors import InputError
from inpainting_tf.ops import lpips

SCRIPT = "scripts/convert_lpips.py"
KERNELS = {  # as in the published files
    "features.0": (64, 3, 11, 11), "features.3": (192, 64, 5, 5), "features.6": (384, 192, 3, 3),
    "features.8": (256, 384, 3, 3), "features.10": (256, 256, 3, 3),
}  # fmt: skip


@pytest.fixture(scope="module")
def states() -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Random state dicts with the keys and shapes of the two files."""
    rng, alexnet, linear = np.random.default_rng(3), {}, {}
    for index, (name, shape) in enumerate(KERNELS.items()):
        alexnet[f"{name}.weight"] = rng.normal(0, 0.05, shape).astype("float32")
        alexnet[f"{name}.bias"] = rng.normal(0, 0.1, shape[0]).astype("float32")
        linear[f"lin{index}.model.1.weight"] = rng.random((1, shape[0], 1, 1), "float32")
    return {**alexnet, "classifier.6.bias": np.zeros(1000, "float32")}, linear


def check(arrays, alexnet, linear) -> None:
    """Each array is where LPIPS looks for it, in Keras's layout."""
    assert set(arrays) == set(lpips.SHAPES)
    for number, (name, (outputs, inputs, _, _)) in enumerate(KERNELS.items(), 1):
        kernel, theirs = arrays[f"conv{number}_kernel"], alexnet[f"{name}.weight"]
        for o, i in ((0, 0), (outputs - 1, 1), (5, inputs - 1)):
            np.testing.assert_array_equal(kernel[:, :, i, o], theirs[o, i])
        np.testing.assert_array_equal(arrays[f"conv{number}_bias"], alexnet[f"{name}.bias"])
        np.testing.assert_array_equal(
            arrays[f"linear{number}"], linear[f"lin{number - 1}.model.1.weight"][0, :, 0, 0]
        )


def test_every_array_finds_its_place(states):
    check(lpips.convert(*states), *states)


@pytest.mark.parametrize(
    ("which", "key", "array", "message"),
    [
        (0, "features.3.bias", None, r"`alexnet` must hold features\.3\.bias .*\(192,\)\. Received none"),
        (0, "features.0.weight", np.zeros((64, 3, 3, 3)), r"\(64, 3, 11, 11\)\. Received \(64, 3, 3, 3\)"),
        (1, "lin4.model.1.weight", None, r"`linear` must hold lin4\.model\.1\.weight"),
        (1, "lin1.model.1.weight", np.zeros((1, 128, 1, 1)), r"\(1, 192, 1, 1\)\. Received \(1, 128, 1, 1\)"),
    ],
    ids=["no bias", "other network", "no linear", "those of vgg"],
)
def test_other_state_dicts_are_refused(which, key, array, message, states):
    states = [dict(state) for state in states]
    states[which][key] = array
    changed = [{k: v for k, v in state.items() if v is not None} for state in states]
    with pytest.raises(InputError, match=message):
        lpips.convert(*changed)


# The command


@pytest.fixture(scope="module")
def published(states, tmp_path_factory) -> Path:
    """A folder with the two files as PyTorch writes them: the new format, and the one before."""
    torch = pytest.importorskip("torch", reason="takes pip install torch")
    folder = tmp_path_factory.mktemp("published")
    alexnet, linear = ({key: torch.tensor(array) for key, array in state.items()} for state in states)
    torch.save(alexnet, folder / "alexnet.pth")
    torch.save(linear, folder / "alex.pth", _use_new_zipfile_serialization=False)
    return folder


def convert(published: Path, output: Path, **changes):
    files = {"alexnet": published / "alexnet.pth", "linear": published / "alex.pth"} | changes
    return command(SCRIPT, *(f"--{flag}={path}" for flag, path in files.items()), f"--output={output}")


def test_from_the_published_files_to_a_distance(published, states, tmp_path):
    output = tmp_path / "new folder" / "weights"  # no ending, and none is added
    done = convert(published, output)
    assert done.status == 0 and done.errors == [], done.err
    assert f"--lpips_weights={output}" in done.out
    with np.load(output) as arrays:
        check(dict(arrays), *states)
    a, b = np.random.default_rng(0).random((2, 1, 32, 48, 3), "float32")
    assert float(lpips.load(output)(a, b)[0]) > 0.01


def test_a_wrong_file_is_one_line_and_leaves_nothing(published, tmp_path):
    torch = pytest.importorskip("torch", reason="takes pip install torch")
    (tmp_path / "text.pth").write_text("This is not a state dict.", encoding="utf-8")
    (tmp_path / "cut.pth").write_bytes((published / "alexnet.pth").read_bytes()[:-1000])
    torch.save({"state_dict": {}}, tmp_path / "nested.pth")
    torch.save(torch.nn.ReLU(), tmp_path / "module.pth")
    output = tmp_path / "weights.npz"
    for name in ("text", "cut", "nested", "module"):
        done = convert(published, output, alexnet=tmp_path / f"{name}.pth")
        assert done.refuses("--alexnet must name a file of PyTorch", f"{name}.pth", "not a whole"), done.err
    absent = convert(published, output, linear=tmp_path / "absent.pth")
    assert absent.refuses("--linear must name a file of PyTorch", "absent.pth", "No such file or directory")
    swapped = convert(published, output, linear=published / "alexnet.pth")
    assert swapped.refuses("`linear` must hold lin0.model.1.weight")
    assert not output.exists()


def test_negative_weights_are_refused(published, states, tmp_path):
    torch = pytest.importorskip("torch", reason="takes pip install torch")
    torch.save({key: torch.tensor(-array) for key, array in states[1].items()}, tmp_path / "minus.pth")
    done = convert(published, tmp_path / "weights.npz", linear=tmp_path / "minus.pth")
    assert done.refuses("`alexnet` and `linear` must be", "linear1 is negative in places")


def test_without_pytorch_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)  # as if it were not installed
    done = convert(tmp_path, tmp_path / "weights.npz")
    assert done.refuses("needs PyTorch", "pip install torch")


def test_no_file_is_refused():
    assert command(SCRIPT).refuses("--alexnet must name a file of PyTorch. Received none")
