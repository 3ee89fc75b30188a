"""LPIPS against two independent implementations, in PyTorch and plain NumPy, and the file of its weights."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import keras
import numpy as np
import pytest
from running import environment, python, without_tensorflow

from inpainting_tf.errors import InputError
from inpainting_tf.ops import lpips

SIZES = [(31, 31), (35, 50), (64, 48), (41, 67)]  # the smallest; the strides fit one of them only
SHIFT, SCALE = np.array([-0.03, -0.088, -0.188]), np.array([0.458, 0.448, 0.45])


def pictures(height: int, width: int, count: int = 2, seed: int = 0) -> np.ndarray:
    """Noise over a slope of another direction in each channel: no axis and no channel is like another."""
    y, x = np.mgrid[:height, :width] / max(height, width)
    slopes = np.stack([y, x, 1 - x * y], -1)
    noise = np.random.default_rng(seed).random((count, height, width, 3))
    return (0.4 * noise + 0.6 * slopes).astype("float32")


@pytest.fixture(scope="module")
def weights() -> dict[str, np.ndarray]:
    """Random ones, under which about half of all features are rectified away."""
    rng, found = np.random.default_rng(7), {}
    for name, shape in lpips.SHAPES.items():
        if name.endswith("kernel"):
            found[name] = rng.normal(0, np.sqrt(2 / np.prod(shape[:3])), shape)
        else:
            found[name] = rng.normal(0, 0.1, shape) if name.endswith("bias") else rng.random(shape)
    return {name: array.astype("float32") for name, array in found.items()}


@pytest.fixture(scope="module")
def path(weights, tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("lpips") / "weights.npz"
    np.savez(file, **weights)
    return file


@pytest.fixture(scope="module")
def metric(path) -> lpips.Metric:
    return lpips.load(path)


def numpy(tensor) -> np.ndarray:
    return keras.ops.convert_to_numpy(tensor)


# References


def by_numpy(weights: dict[str, np.ndarray], a: np.ndarray, b: np.ndarray) -> list[float]:
    """Picture by picture in float64, by sums over windows."""

    def windows(x: np.ndarray, size: int, stride: int) -> np.ndarray:
        """[H, W, C] -> [h, w, C, size, size]"""
        return np.lib.stride_tricks.sliding_window_view(x, (size, size), (0, 1))[::stride, ::stride]

    def taps(picture: np.ndarray) -> list[np.ndarray]:
        x, found = ((picture.astype("float64") * 2 - 1) - SHIFT) / SCALE, []
        for number, (stride, zeros) in {1: (4, 2), 2: (1, 2), 3: (1, 1), 4: (1, 1), 5: (1, 1)}.items():
            if number in (2, 3):
                x = windows(x, 3, 2).max((3, 4))
            kernel = weights[f"conv{number}_kernel"].astype("float64")
            x = windows(np.pad(x, ((zeros, zeros), (zeros, zeros), (0, 0))), len(kernel), stride)
            x = np.maximum(
                np.einsum("hwiyx,yxio->hwo", x, kernel, optimize=True), -weights[f"conv{number}_bias"]
            )
            x = x + weights[f"conv{number}_bias"]
            found.append(x / (np.sqrt((x**2).sum(-1, keepdims=True)) + 1e-10))
        return found

    return [
        sum(
            ((x - y) ** 2 @ weights[f"linear{number}"].astype("float64")).mean()
            for number, (x, y) in enumerate(zip(taps(one), taps(other), strict=True), 1)
        )
        for one, other in zip(a, b, strict=True)
    ]


def by_torch(weights: dict[str, np.ndarray], a: np.ndarray, b: np.ndarray) -> list[float]:
    """AlexNet as modules, in PyTorch's layout, tapped behind each rectifier."""
    torch = pytest.importorskip("torch", reason="takes pip install torch")
    nn = torch.nn
    features = nn.Sequential(
        nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(),
        nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(),
    )  # fmt: skip
    state = {}
    for number, place in enumerate((0, 3, 6, 8, 10), 1):
        kernel = torch.tensor(weights[f"conv{number}_kernel"])
        state[f"{place}.weight"] = kernel.permute(3, 2, 0, 1)
        state[f"{place}.bias"] = torch.tensor(weights[f"conv{number}_bias"])
    features.load_state_dict(state)
    shift, scale = (torch.tensor(values).float().view(1, 3, 1, 1) for values in (SHIFT, SCALE))
    x, y = ((torch.tensor(each).permute(0, 3, 1, 2) * 2 - 1 - shift) / scale for each in (a, b))
    total, number = torch.zeros(len(a)), 0
    with torch.no_grad():
        for module in features:
            x, y = module(x), module(y)
            if isinstance(module, nn.ReLU):
                number += 1
                units = [each / (each.pow(2).sum(1, keepdim=True).sqrt() + 1e-10) for each in (x, y)]
                linear = torch.tensor(weights[f"linear{number}"]).view(1, -1, 1, 1)
                weighted = nn.functional.conv2d((units[0] - units[1]) ** 2, linear)
                total += weighted.mean((1, 2, 3))
    assert number == 5
    return total.tolist()


@pytest.mark.parametrize("reference", [by_numpy, by_torch])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_as_an_independent_implementation(reference, size, weights, metric):
    a, b = pictures(*size), pictures(*size, seed=1)
    found = numpy(metric(a, b))
    assert found.shape == (2,) and found.dtype == np.float32 and (found > 0.1).all()
    np.testing.assert_allclose(found, reference(weights, a, b), rtol=1e-4)


@pytest.mark.parametrize("reference", [by_numpy, by_torch])
def test_small_differences_and_flat_pictures_agree_too(reference, weights, metric):
    a = pictures(40, 36)
    a[1] = 0.5
    b = np.clip(a + 0.02 * pictures(40, 36, seed=1), 0, 1)
    np.testing.assert_allclose(numpy(metric(a, b)), reference(weights, a, b), rtol=1e-4, atol=1e-7)


# What a distance is


def test_equal_pictures_have_none_and_others_the_same_both_ways(metric):
    a, b = pictures(35, 50), pictures(35, 50, seed=1)
    assert (numpy(metric(a, a.copy())) == 0).all()
    np.testing.assert_array_equal(numpy(metric(a, b)), numpy(metric(b, a)))
    near = numpy(metric(a, 0.9 * a + 0.1 * b))
    assert (near > 0).all() and (near < numpy(metric(a, b))).all()


def test_each_picture_is_measured_by_itself(metric):
    a, b = pictures(35, 50, count=3), pictures(35, 50, count=3, seed=1)
    alone = [numpy(metric(a[i : i + 1], b[i : i + 1]))[0] for i in range(3)]
    np.testing.assert_allclose(numpy(metric(a, b)), alone, rtol=1e-5)
    assert len(set(alone)) == 3


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow's tape")
def test_gradients_are_finite_also_where_no_feature_is_left(weights, tmp_path, metric):
    import tensorflow as tf

    np.savez(tmp_path / "dead.npz", **{**weights, "conv3_bias": np.full(384, -100, "float32")})
    a, b = tf.constant(pictures(35, 50)), tf.Variable(pictures(35, 50, seed=1))
    for each in (metric, lpips.load(tmp_path / "dead.npz")):
        with tf.GradientTape() as tape:
            value = tf.function(each)(a, b)
        gradient = tape.gradient(value, b).numpy()
        assert np.isfinite(gradient).all() and np.abs(gradient).max() > 1e-6
        nearer = each(a, b - 1e-3 * gradient / np.abs(gradient).max())
        assert (nearer.numpy() < value.numpy()).all()


@pytest.mark.slow
def test_jax_gives_the_same_where_there_is_no_tensorflow(path, tmp_path, metric):
    if importlib.util.find_spec("jax") is None:
        pytest.skip("takes pip install jax")
    a, b = pictures(35, 50), pictures(35, 50, seed=1)
    np.savez(tmp_path / "pictures.npz", a=a, b=b)
    code = """
import sys, jax, keras, numpy as np
from inpainting_tf.ops import lpips
metric, pair = lpips.load(sys.argv[1]), np.load(sys.argv[2])
assert keras.backend.backend() == "jax"
def total(b):
    values = metric(pair["a"], b)
    return values.sum(), values
gradient, values = jax.jit(jax.grad(total, has_aux=True))(pair["b"])
assert np.isfinite(gradient).all() and np.abs(gradient).max() > 0
print(*metric(pair["a"], pair["b"]), *values)
"""
    out = python(code, path, tmp_path / "pictures.npz", env=environment(**without_tensorflow(tmp_path)))
    found = np.array(out.split(), "float32").reshape(2, 2)
    np.testing.assert_allclose(found, [numpy(metric(a, b))] * 2, rtol=1e-4)


# What is refused


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (pictures(30, 50), pictures(30, 50), r"at least 31x31 pixels for LPIPS\. Received 30x50"),
        (pictures(50, 30), pictures(50, 30), r"at least 31x31 pixels for LPIPS\. Received 50x30"),
        (
            pictures(35, 50),
            pictures(50, 35),
            r"the same shape .* Received \(2, 35, 50, 3\) and \(2, 50, 35, 3\)",
        ),
        (pictures(35, 50)[..., :1], pictures(35, 50)[..., :1], r"3 channels, RGB, .* Received 1\."),
        (
            np.zeros((1, 35, 50, 3), "uint8"),
            pictures(35, 50),
            r"`a` must be floating point .* Received uint8",
        ),
    ],
    ids=["low", "narrow", "turned", "grey", "uint8"],
)
def test_bad_pictures_are_refused(a, b, message, metric):
    with pytest.raises(InputError, match=message):
        metric(a, b)


def refused(path: Path, message: str) -> None:
    with pytest.raises(
        InputError, match=rf"`lpips_weights` .*{message}.*scripts/convert_lpips\.py"
    ) as caught:
        lpips.load(path)
    assert "\n" not in str(caught.value) and path.name in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"conv2_bias": None}, "it lacks conv2_bias"),
        (
            {"conv1_kernel": np.zeros((64, 3, 11, 11), "float32")},
            r"conv1_kernel is float32 \(64, 3, 11, 11\)",
        ),
        ({"linear3": np.zeros(383, "float32")}, r"linear3 is float32 \(383,\), not float32 \(384,\)"),
        ({"linear3": np.zeros(384)}, r"linear3 is float64 \(384,\)"),
        ({"linear5": np.full(256, -0.1, "float32")}, "linear5 is negative in places"),
        ({"conv5_bias": np.full(256, np.nan, "float32")}, "conv5_bias is not finite"),
    ],
    ids=["missing", "pytorch's layout", "size", "type", "negative", "nan"],
)
def test_other_arrays_are_refused(change, message, weights, tmp_path):
    arrays = {name: array for name, array in {**weights, **change}.items() if array is not None}
    np.savez(tmp_path / "other.npz", **arrays)
    refused(tmp_path / "other.npz", message)


def test_what_is_no_such_file_is_refused(path, tmp_path):
    refused(tmp_path / "absent.npz", "No such file or directory")
    refused(tmp_path, "Is a directory")
    np.save(tmp_path / "single.npy", np.zeros(3))
    whole, damaged = path.read_bytes(), tmp_path / "damaged.npz"
    middle = len(whole) // 2
    flipped = bytes([whole[middle] ^ 255])
    contents = [b"", b"text", whole[:-100], whole[:middle] + flipped + whole[middle + 1 :]]
    for content in [*contents, (tmp_path / "single.npy").read_bytes()]:
        damaged.write_bytes(content)
        refused(damaged, r"it is not a whole \.npz file")
