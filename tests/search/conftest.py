"""What the tests of the search path share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from retrieval import Searcher
from tests.conftest import FakeEncoder
from tests.search.searchers import TEXTS


@pytest.fixture(scope="module")
def searcher(kept_index: Callable[..., Path]) -> Searcher:
    """Returns a searcher of `TEXTS`, which no test changes."""
    return Searcher.open(kept_index(TEXTS), encoder=FakeEncoder())
