"""What goes wrong between here and a server: a clear error each, never another index's hits, and back by itself."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from retrieval import (
    BundleError,
    BundleIncompatibleError,
    BundleMissingError,
    EngineError,
    RetrievalError,
    Searcher,
)
from retrieval.milvus.address import MilvusAddress
from retrieval.milvus.server import Server
from retrieval.search.stores.opening import Where
from retrieval.serving.health import health
from retrieval.serving.library import Library
from retrieval.ui.notes import engine_note
from scripts.packaged_milvus import FIRST_TOKEN, PackagedMilvus, packaged_milvus
from tests.conftest import Build, FakeEncoder, random_texts
from tests.milvus.conftest import Load
from tests.page_server import free_port
from tests.support import PATIENCE_S, wait_until

TEXTS, OTHERS = random_texts(120), random_texts(150, seed=1)
QUERY = "red apple"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits for one second only: for calls that must fail."""
    monkeypatch.setenv("MILVUS_TIMEOUT", "1")


@pytest.fixture
def patient(milvus: PackagedMilvus, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits for as long as a busy machine needs, and no longer for what has failed."""
    monkeypatch.setenv("MILVUS_TIMEOUT", "8")


def is_found(searcher: Searcher, rows: list[int]) -> bool:
    """Returns whether the searcher answers; its answer must be these rows."""
    try:
        found = [hit.row for hit in searcher.search(QUERY).hits]
    except BundleError:
        return False
    assert found == rows
    return True


def open_there(place: Where, encoder: object = None) -> Searcher:
    return Searcher.open(str(place), encoder=FakeEncoder())


@pytest.mark.usefixtures("quick", "milvus")
def test_nobody_listening_is_an_error() -> None:
    with pytest.raises(EngineError, match="does not answer"):
        open_there(MilvusAddress("127.0.0.1", free_port(), "any"))


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port where connections are taken, and nothing is ever said."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.mark.usefixtures("quick", "milvus")
def test_something_else_listening_is_an_error(silent_port: int) -> None:
    with pytest.raises(EngineError):
        open_there(MilvusAddress("127.0.0.1", silent_port, "any"))


@pytest.mark.parametrize("token", ["root:s3cret-word", ""], ids=["wrong", "none"])
def test_a_refused_token_is_an_error_that_does_not_have_it(
    address_of: Callable[[], MilvusAddress], monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("MILVUS_TOKEN", token)
    with pytest.raises(EngineError, match="MILVUS_TOKEN") as raised:
        open_there(address_of())
    assert "s3cret" not in str(raised.value)


def test_a_missing_collection_is_an_error(address_of: Callable[[], MilvusAddress]) -> None:
    with pytest.raises(BundleMissingError, match="load_milvus"):
        open_there(address_of())


def test_a_collection_of_something_else_is_an_error(address_of: Callable[[], MilvusAddress]) -> None:
    server = Server(address_of())
    fields = [{"field_name": "id", "datatype": "INT64", "is_primary": True},
              {"field_name": "v", "datatype": "BINARY_VECTOR", "dim": 8}]  # fmt: skip
    server.create(fields, {}, 1)
    with pytest.raises(BundleMissingError, match="something else"):
        open_there(server.address)


@pytest.mark.parametrize("dim", [32, 128])
def test_an_encoder_of_another_dimension_is_an_error(loaded: Load, build: Build, dim: int) -> None:
    address = loaded(build(TEXTS).path)
    with pytest.raises(BundleIncompatibleError):
        Searcher.open(str(address), encoder=FakeEncoder(dim))


def test_another_model_is_an_error(loaded: Load, build: Build) -> None:
    address, encoder = loaded(build(TEXTS).path), FakeEncoder()
    encoder.weights_sha256 = "0" * 64
    with pytest.raises(BundleIncompatibleError):
        Searcher.open(str(address), encoder=encoder)


@pytest.mark.usefixtures("patient")
def test_a_collection_that_is_dropped_is_reported_and_found_again(loaded: Load, build: Build) -> None:
    path = build(TEXTS).path
    address = loaded(path)
    searcher = open_there(address)
    before = searcher.search(QUERY)
    Server(address).drop()
    with pytest.raises(BundleMissingError, match="no collection"):
        searcher.search(QUERY)
    loaded(path, address)
    wait_until(lambda: is_found(searcher, [hit.row for hit in before.hits]), 60)


@pytest.mark.usefixtures("patient")
def test_another_index_in_the_same_collection_is_never_searched_as_the_first(loaded: Load, build: Build) -> None:
    address = loaded(build(TEXTS, "one").path)
    library = Library(open_searcher=open_there)
    name = library.add(address, as_default=True)
    assert name == address.collection
    searcher = library.open()
    searcher.search(QUERY)
    loaded(build(OTHERS, "other").path, address, replace=True)
    with pytest.raises(BundleError):
        searcher.search(QUERY)
    wait_until(lambda: searcher.store.is_replaced, 60)
    with pytest.raises(BundleError):
        searcher.search(QUERY)
    assert len(library.open()) == len(OTHERS)
    assert library.open().search(QUERY).num_documents == len(OTHERS)


@pytest.mark.usefixtures("patient")
def test_a_server_that_hangs_is_reported_and_found_again(
    milvus: PackagedMilvus, loaded: Load, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = loaded(build(TEXTS).path)
    searcher = open_there(address)
    before = [hit.row for hit in searcher.search(QUERY).hits]
    monkeypatch.setenv("MILVUS_TIMEOUT", "3")  # a server that is stopped for longer gives itself up
    hurried = open_there(address)
    os.kill(milvus.pid, signal.SIGSTOP)
    try:
        with pytest.raises(EngineError):
            hurried.search(QUERY)
    finally:
        os.kill(milvus.pid, signal.SIGCONT)
    wait_until(lambda: is_found(searcher, before), 120)


@contextmanager
def asking(searcher: Searcher) -> Iterator[list[list[int] | Exception]]:
    """Searches all the time, from several threads; yields what was found or raised so far."""
    outcomes: list[list[int] | Exception] = []
    ended = threading.Event()

    def ask() -> None:
        while not ended.is_set():
            try:
                outcomes.append([hit.row for hit in searcher.search(QUERY).hits])
            except Exception as error:  # noqa: BLE001 - the test looks at what it is
                outcomes.append(error)
                ended.wait(0.05)

    with ThreadPoolExecutor(3) as pool:
        for _ in range(3):
            pool.submit(ask)
        try:
            yield outcomes
        finally:
            ended.set()


@pytest.mark.usefixtures("patient")
def test_a_server_that_dies_in_mid_query_is_reported_and_found_again(
    loaded: Load, build: Build, tmp_path: Path
) -> None:
    with packaged_milvus(tmp_path / "server") as server:
        address = MilvusAddress.parse(f"{server.uri}/texts")
        loaded(build(TEXTS).path, address)
        library = Library(open_searcher=open_there)
        library.add(address, as_default=True)
        searcher = library.open()
        before = [hit.row for hit in searcher.search(QUERY).hits]
        assert health(library)[0]
        assert engine_note(library.engines()) == ""
        with asking(searcher) as outcomes:
            wait_until(lambda: len(outcomes) > 30)
            server.kill()
            wait_until(lambda: not health(library)[0])
            with pytest.raises(EngineError):
                searcher.search(QUERY)
            assert 'data-kind="error"' in engine_note(library.engines())
            assert [entry.name for entry in library.entries()] == [address.collection]
            server.start()
            wait_until(lambda: outcomes[-1] == before, 2 * PATIENCE_S, told=lambda: str(outcomes[-1]))
            wait_until(lambda: health(library)[0])
            assert engine_note(library.engines()) == ""
    errors = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert errors != []
    assert [error for error in errors if not isinstance(error, BundleError)] == []
    assert [outcome for outcome in outcomes if not isinstance(outcome, Exception) and outcome != before] == []
    assert not any(FIRST_TOKEN in str(error) for error in errors)


@pytest.mark.parametrize(
    "text",
    ["milvus://user:s3cret@host:1/c", "milvus://host:1", "milvus://host:no/c", "milvus://host:1/9c", "ftp://host/c"],
    ids=["password", "no-collection", "no-port", "no-name", "no-milvus"],
)
def test_an_address_that_is_none_is_reported_without_what_it_holds(text: str) -> None:
    with pytest.raises(RetrievalError) as raised:
        MilvusAddress.parse(text)
    assert "s3cret" not in str(raised.value)


def test_an_address_is_read_as_it_is_written() -> None:
    address = MilvusAddress.parse("milvus://db.example:20000/texts")
    assert (address.host, address.port, address.collection) == ("db.example", 20000, "texts")
    assert MilvusAddress.parse(str(address)) == address
