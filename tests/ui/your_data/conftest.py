"""What the tests of a visitor's data share."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval import Searcher
from retrieval.serving.open_pages import OpenPages
from retrieval.serving.temp_folders import TempRoot
from retrieval.serving.visitor.limits import OwnLimits
from retrieval.ui.your_data.own_index import OwnIndex
from retrieval.ui.your_data.session import OwnSession
from retrieval.ui.your_data.sessions import OwnSessions
from tests.conftest import Build, FakeEncoder


@pytest.fixture
def sessions(tmp_path: Path) -> OwnSessions:
    return OwnSessions(TempRoot(tmp_path / "files"), TempRoot(tmp_path / "downloads"), OwnLimits(), OpenPages())


@pytest.fixture
def session(sessions: OwnSessions) -> OwnSession:
    return sessions.to_bring("one")


@pytest.fixture
def own(build: Build, encoder: FakeEncoder) -> OwnIndex:
    bundle = build(["red apple", "green pear", "blue plum"])
    return OwnIndex(Searcher.open(bundle.path, encoder=encoder), bundle.path, "notes.csv")
