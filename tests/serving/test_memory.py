"""What the open indexes hold is read now and then, not for every request."""

from __future__ import annotations

import pytest

from retrieval import Searcher
from retrieval.serving.memory import RecentMemory
from tests.conftest import Build, FakeEncoder


@pytest.fixture
def searcher(build: Build, encoder: FakeEncoder) -> Searcher:
    return Searcher.open(build(["red apple", "blue plum"]).path, encoder=encoder)


def test_a_recent_reading_is_reused(searcher: Searcher) -> None:
    recent = RecentMemory(fresh_s=60)
    assert recent.of(searcher) is recent.of(searcher)


def test_an_old_reading_is_replaced(searcher: Searcher) -> None:
    recent = RecentMemory(fresh_s=0)
    first = recent.of(searcher)
    assert recent.of(searcher) is not first
    assert recent.of(searcher)["codes"] == first["codes"]
