"""The registry of indexes: which there are, which is the default, and that each is opened once."""

from __future__ import annotations

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from retrieval import BundleMissingError, Encoder, Searcher
from retrieval.search.stores.opening import Where
from retrieval.serving.library import Library
from tests.conftest import Build, FakeEncoder
from tests.support import PATIENCE_S


class Opener:
    """Opens with a fake encoder, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Encoder | None]] = []

    def __call__(self, path: Where, encoder: Encoder | None) -> Searcher:
        self.asked.append((path.name, encoder))
        return Searcher.open(path, encoder=encoder or FakeEncoder())


def test_every_finished_index_of_the_folder_is_offered_the_default_first(build: Build, tmp_path: Path) -> None:
    for name in ("b", "a"):
        build(["red apple"], name)
    shutil.copytree(tmp_path / "a", tmp_path / "c.building")
    (tmp_path / "unfinished").mkdir()
    library = Library(tmp_path)
    assert [entry.name for entry in library.entries()] == ["a", "b"]
    library.add(tmp_path / "b", as_default=True)
    assert [entry.name for entry in library.entries()] == ["b", "a"]
    assert library.default == "b"


def test_an_index_elsewhere_gets_its_own_name(build: Build, tmp_path: Path) -> None:
    build(["red apple"], "here/same")
    other = build(["blue plum"], "there/same").path
    library = Library(tmp_path / "here")
    assert library.add(other) == "same-2"
    assert library.add(other) == "same-2"
    assert library.add(tmp_path / "here" / "same") == "same"


def test_an_index_that_cannot_be_read_is_not_offered(build: Build, tmp_path: Path) -> None:
    build(["red apple"], "whole")
    (build(["red apple"], "broken").path / "manifest.json").write_text("{")
    assert [entry.name for entry in Library(tmp_path).entries()] == ["whole"]


def test_an_index_is_opened_once_however_many_ask(build: Build, tmp_path: Path) -> None:
    build(["red apple"], "one")
    opener = Opener()
    library = Library(tmp_path, open_searcher=opener)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(library.open, ["one"] * 8))
    assert len({id(searcher) for searcher in found}) == 1
    assert opener.asked == [("one", None)]


def test_indexes_of_one_model_share_its_encoder(build: Build, tmp_path: Path) -> None:
    for name in ("one", "two"):
        build(["red apple"], name)
    library = Library(tmp_path, open_searcher=Opener())
    assert library.open("one").encoder is library.open("two").encoder
    assert library.open_private(tmp_path / "two").encoder is library.open("one").encoder
    assert library.open_private(tmp_path / "two") is not library.open("two")


def test_a_name_that_is_not_there_is_reported_with_those_that_are(build: Build, tmp_path: Path) -> None:
    build(["red apple"], "one")
    with pytest.raises(BundleMissingError, match=r"'nowhere'.*one"):
        Library(tmp_path).open("nowhere")
    with pytest.raises(BundleMissingError, match="build one"):
        _ = Library(tmp_path / "empty").default


def test_an_open_index_answers_while_another_opens(build: Build, tmp_path: Path) -> None:
    for name in ("quick", "slow"):
        build(["red apple"], name)
    going_on, done = threading.Event(), threading.Event()

    def open_searcher(path: Where, encoder: Encoder | None) -> Searcher:
        if path.name == "slow":
            going_on.set()
            assert done.wait(PATIENCE_S)
        return Searcher.open(path, encoder=encoder or FakeEncoder())

    library = Library(tmp_path, open_searcher=open_searcher)
    quick = library.open("quick")
    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(library.open, "slow")
        assert going_on.wait(PATIENCE_S)
        asked = pool.submit(lambda: (library.open("quick"), len(library.entries())))
        try:
            assert asked.result(PATIENCE_S) == (quick, 2)
        finally:
            done.set()
        assert slow.result(PATIENCE_S) is not quick


def test_private_indexes_share_an_encoder_that_no_other_index_has(build: Build, tmp_path: Path) -> None:
    first, second = (build(["red apple"], name).path for name in ("mine", "yours"))
    opener = Opener()
    library = Library(open_searcher=opener)
    kept = library.open_private(first)
    assert library.open_private(second).encoder is kept.encoder
    assert opener.asked == [("mine", None), ("yours", kept.encoder)]


def test_an_index_whose_folder_is_gone_is_reported(build: Build, tmp_path: Path) -> None:
    library = Library(tmp_path, open_searcher=Opener())
    path = build(["red apple"], "one").path
    library.open("one")
    shutil.rmtree(path)
    with pytest.raises(BundleMissingError, match="one is gone"):
        library.open("one")
