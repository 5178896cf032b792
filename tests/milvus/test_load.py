"""Loading an index into Milvus: whole or not searched, once however often it is loaded, and on from where it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import retrieval.milvus.load as loading
import retrieval.milvus.pieces as pieces
from retrieval import BuildError, BundleMissingError, Searcher
from retrieval.milvus.address import MilvusAddress
from retrieval.milvus.load import LoadOptions, load
from retrieval.milvus.marks import Marks
from retrieval.milvus.server import Server
from scripts import load_milvus
from tests.conftest import Build, FakeEncoder, random_texts
from tests.milvus.conftest import Load, silent
from tests.milvus.test_search import QUERIES, TIED, assert_same

TEXTS = random_texts(300)
REPEATED = [*TEXTS, *TIED]


class Stopped(Exception):
    """Stands for whatever ends a load."""


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "ROWS_AT_ONCE", 20)
    monkeypatch.setattr(loading, "_PIECES_BETWEEN_MARKS", 4)
    monkeypatch.setattr(loading, "_UNCERTAIN_ROWS", 80)


def stopping_after(num_rows: int) -> Callable[[str, int, int], None]:
    def report(phase: str, done: int, total: int) -> None:
        if phase == "writing" and done >= num_rows:
            raise Stopped

    return report


def marks_at(address: MilvusAddress) -> Marks:
    properties = Server(address).properties()
    assert properties is not None
    return Marks.read(properties, address)


@pytest.mark.usefixtures("small_pieces")
def test_an_interrupted_load_is_not_searched_and_continues_without_duplicates(
    address_of: Callable[[], MilvusAddress], build: Build
) -> None:
    bundle, address = build(REPEATED), address_of()
    for num_rows in (100, 240):  # each in the middle of what is marked at once: some rows are there already
        with pytest.raises(Stopped):
            load(bundle.path, address, LoadOptions(), stopping_after(num_rows))
        assert not marks_at(address).is_complete
        with pytest.raises(BundleMissingError, match="continues"):
            Searcher.open(str(address), encoder=FakeEncoder())
    gone_on = load(bundle.path, address, LoadOptions(), silent)
    assert 0 < gone_on.num_written < len(REPEATED)
    here, there = (Searcher.open(place, encoder=FakeEncoder()) for place in (bundle.path, str(address)))
    server, marks = Server(address), marks_at(address)
    assert sum(server.count(partition) for partition in marks.partitions) == len(REPEATED)
    for query in QUERIES:
        assert_same(there.search(query), here.search(query))


def test_an_index_that_is_there_is_not_loaded_twice(loaded: Load, build: Build) -> None:
    bundle = build(TEXTS)
    address = loaded(bundle.path)
    again = load(bundle.path, address, LoadOptions(), silent)
    assert again.num_written == 0


def test_another_index_is_replaced_only_when_that_is_asked(loaded: Load, build: Build) -> None:
    address = loaded(build(TEXTS, "one").path)
    other = build(TIED, "other").path
    with pytest.raises(BuildError, match="--replace"):
        load(other, address, LoadOptions(), silent)
    with pytest.raises(BuildError, match="--scan flat"):
        load(build(TEXTS, "same").path, address, LoadOptions(scan="ivf"), silent)
    loaded(other, address, replace=True)
    assert len(Searcher.open(str(address), encoder=FakeEncoder())) == len(TIED)


@pytest.mark.usefixtures("small_pieces")
def test_of_two_that_load_at_once_the_first_one_ends(address_of: Callable[[], MilvusAddress], build: Build) -> None:
    bundle, address = build(TEXTS), address_of()

    def load_in_between(phase: str, done: int, total: int) -> None:
        if (phase, done) == ("writing", 60):
            with pytest.raises(Stopped):
                load(bundle.path, address, LoadOptions(), stopping_after(20))

    with pytest.raises(BuildError, match="another process"):
        load(bundle.path, address, LoadOptions(), load_in_between)
    assert not marks_at(address).is_complete


@pytest.mark.usefixtures("small_pieces")
def test_a_row_too_many_is_noticed(address_of: Callable[[], MilvusAddress], build: Build) -> None:
    bundle, address = build(TEXTS), address_of()

    def add_a_row(phase: str, done: int, total: int) -> None:
        if (phase, done) == ("writing", total):
            [piece, *_] = pieces.Pieces(bundle).behind(0)
            Server(address).insert(piece.entities[:1], marks_at(address).partition)

    with pytest.raises(BuildError, match="loaded twice"):
        load(bundle.path, address, LoadOptions(), add_a_row)
    with pytest.raises(BundleMissingError):
        Searcher.open(str(address), encoder=FakeEncoder())


def test_a_document_beyond_what_milvus_takes_is_cut_and_counted(
    address_of: Callable[[], MilvusAddress], build: Build
) -> None:
    rows = [{"text": "red apple", "body": "ü" * 200_000}, {"text": "blue plum", "body": "short"}]
    bundle, address = build(rows), address_of()
    assert load(bundle.path, address, LoadOptions(), silent).num_cut == 1
    cut, whole = Searcher.open(str(address), encoder=FakeEncoder()).documents([0, 1])
    assert cut.text == "red apple"
    assert cut.body is not None
    assert 20_000 < len(cut.body) < 200_000
    assert cut.body.startswith("üü")
    assert whole.body == "short"


def test_the_command_loads_and_says_so(
    address_of: Callable[[], MilvusAddress], build: Build, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address = address_of()
    command = ["--uri", f"milvus://{address.server}", "--collection", address.collection, "--index"]
    assert load_milvus.main([*command, str(build(TEXTS).path)]) == 0
    assert str(address) in capsys.readouterr().out
    assert len(Searcher.open(str(address), encoder=FakeEncoder())) == len(TEXTS)
    assert load_milvus.main([*command, str(tmp_path / "nothing")]) == 1
    assert "error:" in capsys.readouterr().err
