"""What every test may use. Environment variables are set before anything imports TensorFlow."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# Where JAX is used, compiling is most of the time; the steps are few.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")

import fsspec
import pytest

from inpainting_tf.environment import prefer_onednn

prefer_onednn()  # as `train` does


@pytest.fixture(scope="session")
def real_data_dir() -> Path:
    """The folder of real data sets, from INPAINTING_DATA_DIR or beside the checkout; skips where absent."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    place = Path(os.environ.get("INPAINTING_DATA_DIR") or beside)
    if not place.is_dir():
        pytest.skip(f"no real data: set INPAINTING_DATA_DIR (looked for {place})")
    return place


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished tiny run of glcic, trained in bfloat16. Copy it before you change it."""
    from running import tiny

    from inpainting_tf import runs

    folder = tmp_path_factory.mktemp("runs") / "trained"
    return runs.train(tiny(mixed_precision="bfloat16"), folder, checkpoint_minutes=0).folder


@pytest.fixture(params=["path", "memory"])
def place(request, tmp_path) -> str:
    """The address of an empty folder, on this machine and elsewhere."""
    if request.param == "path":
        return (tmp_path / "place").as_posix()
    elsewhere = fsspec.filesystem("memory")
    elsewhere.store.clear()
    elsewhere.pseudo_dirs[:] = [""]
    return "memory://bucket/place"


@pytest.fixture
def file_size_limit() -> Callable[[int], contextlib.AbstractContextManager[None]]:
    """`with file_size_limit(n)`: no file grows beyond n bytes, which fails as a full disk does."""
    resource = pytest.importorskip("resource", reason="needs limits on file sizes")

    @contextlib.contextmanager
    def limit(size: int) -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limit


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list:
    """The figures that were saved, to ask them what they show."""
    from inpainting_tf.figures import canvas

    saved, agg = [], canvas.FigureCanvasAgg
    monkeypatch.setattr(canvas, "FigureCanvasAgg", lambda figure: saved.append(figure) or agg(figure))
    return saved
