"""Here a build is what is tested: each one is made, and none is copied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from retrieval.bundle.bundle import Bundle
from tests.conftest import Build, FakeEncoder, Rows, build_rows


@pytest.fixture
def build(tmp_path: Path, encoder: FakeEncoder) -> Build:
    """Returns a function that builds an index of some rows with the fake encoder."""

    def make(rows: Rows, name: str = "index", **options: Any) -> Bundle:
        return build_rows(rows, encoder, tmp_path / name, **options)

    return make
