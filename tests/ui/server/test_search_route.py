"""The JSON route when the server has too much to do, or an index is out of service; no server is needed for that."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from retrieval import Searcher
from retrieval.serving.library import Library
from retrieval.serving.turns import Turns
from retrieval.ui.server.search_route import PATH, search_route
from tests.conftest import Build, FakeEncoder
from tests.support import PATIENCE_S, wait_until

TEXTS = ["red apple", "green pear", "blue plum"]


@pytest.fixture
def searcher(build: Build, encoder: FakeEncoder) -> Searcher:
    return Searcher.open(build(TEXTS).path, encoder=encoder)


def client_of(searcher: Searcher, turns: Turns) -> TestClient:
    library = Library(open_searcher=lambda path, encoder: searcher)
    library.add(searcher.bundle.path, as_default=True)
    return TestClient(FastAPI(routes=[search_route(library, turns)]), raise_server_exceptions=False)


def test_busy_is_a_503_that_says_when_to_retry(searcher: Searcher) -> None:
    turns, go_on = Turns(workers=1, max_waiting=0), threading.Event()
    client = client_of(searcher, turns)
    assert client.get(PATH, params={"q": "red apple"}).json()["hits"][0]["text"] == "red apple"
    with ThreadPoolExecutor(1) as other:
        held = other.submit(turns.call, lambda: go_on.wait(PATIENCE_S))
        wait_until(lambda: turns.taken == 1)
        refused = client.get(PATH, params={"q": "red apple"})
        go_on.set()
        assert held.result()
    assert (refused.status_code, int(refused.headers["retry-after"]) > 0) == (503, True)
    assert "try again" in refused.json()["error"]
    assert client.get(PATH, params={"q": "red apple"}).status_code == 200


def test_an_index_out_of_service_is_a_503_without_the_folders_of_the_server(build: Build, encoder: FakeEncoder) -> None:
    bundle = build(TEXTS)
    searcher = Searcher.open(bundle.path, encoder=encoder, verify="never")
    documents = Path(bundle.file("documents")) if bundle.file("documents").is_file() else bundle.file("int8.usearch")
    documents.write_bytes(bytes(reversed(documents.read_bytes())))
    searcher.files.verification.start("background")
    searcher.files.verification.wait()
    answer = client_of(searcher, Turns()).get(PATH, params={"q": "red apple"})
    assert answer.status_code == 503
    assert "out of service" in answer.json()["error"]
    assert str(bundle.path.parent) not in answer.json()["error"]


def test_an_unexpected_failure_is_a_500_with_a_sentence(searcher: Searcher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searcher, "search", None)
    answer = client_of(searcher, Turns()).get(PATH, params={"q": "red apple"})
    assert answer.status_code == 500
    assert "on the server" in answer.json()["error"]


def test_a_number_that_json_does_not_have_is_null(build: Build, encoder: FakeEncoder) -> None:
    rows = [{"text": "red apple", "quality": float("nan")}, {"text": "blue plum", "quality": float("inf")}]
    searcher = Searcher.open(build(rows).path, encoder=encoder)
    answer = client_of(searcher, Turns()).get(PATH, params={"q": "red apple"})
    assert [hit["quality"] for hit in answer.json()["hits"]] == [None, None]
