"""What the tests of the pages and servers share."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(scope="session")
def here() -> Any:
    """The answers of threads of this process, for the server for programs."""
    pytest.importorskip("fastapi", reason="needs the extra `serve`")
    from inpainting_tf.apps import repairer, replicas

    return replicas.Here(repairer.Repairer(repairer.Model("faces", threads=None)), at_once=2)
