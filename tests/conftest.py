"""What every test may use. Environment variables are set before anything imports TensorFlow."""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import pytest


@pytest.fixture(scope="session")
def real_data_dir() -> Path:
    """The folder of real data sets, from INPAINTING_DATA_DIR or beside the checkout; skips where absent."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    place = Path(os.environ.get("INPAINTING_DATA_DIR") or beside)
    if not place.is_dir():
        pytest.skip(f"no real data: set INPAINTING_DATA_DIR (looked for {place})")
    return place
