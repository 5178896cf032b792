"""Files that change while an index is in use: a change in place is noticed, a replaced file is served as it was."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from retrieval import BundleCorruptError, Searcher
from retrieval.bundle.bundle import Bundle
from retrieval.bundle.manifest import BINARY_FILE, DOCUMENTS_FILE, EMBEDDINGS_FILE, INT8_FILE
from retrieval.bundle.watched_files import WatchedFiles
from tests.conftest import Build, FakeEncoder, random_texts

WATCHED = (INT8_FILE, DOCUMENTS_FILE, EMBEDDINGS_FILE)
TEXTS = random_texts(200)


@pytest.fixture
def bundle(build: Build) -> Bundle:
    return build(TEXTS)


@pytest.fixture
def searcher(bundle: Bundle) -> Searcher:
    return Searcher.open(bundle.path, encoder=FakeEncoder(), verify="now")


def overwrite(path: Path) -> None:
    """Alters the file that others have open, without cutting it short meanwhile."""
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(bytes(byte ^ 0xFF for byte in path.read_bytes()[path.stat().st_size // 2 :]))


@pytest.mark.parametrize("name", WATCHED)
def test_a_file_overwritten_in_place_takes_the_index_out_of_service(searcher: Searcher, name: str) -> None:
    overwrite(searcher.bundle.file(name))
    for _ in range(2):
        with pytest.raises(BundleCorruptError, match=rf"out of service: .*while it was in use.*{name} is altered"):
            searcher.search("red apple")
    assert searcher.files.verification.status == "failed"


@pytest.mark.parametrize("name", WATCHED)
@pytest.mark.parametrize("size", [0, 1, 4096])
def test_a_file_cut_short_takes_the_index_out_of_service(searcher: Searcher, name: str, size: int) -> None:
    os.truncate(searcher.bundle.file(name), size)
    with pytest.raises(BundleCorruptError, match="out of service"):
        searcher.search("red apple")
    with pytest.raises(BundleCorruptError, match="out of service"):
        searcher.documents([150])


@pytest.mark.parametrize("size", [0, 1, 4096])
def test_the_codes_are_in_ram_and_outlive_their_file(searcher: Searcher, size: int) -> None:
    before = searcher.search("red apple").hits
    os.truncate(searcher.bundle.file(BINARY_FILE), size)
    assert searcher.search("red apple").hits == before
    overwrite(searcher.bundle.file(BINARY_FILE))
    assert searcher.search("red apple").hits == before


@pytest.mark.parametrize("change", [overwrite, lambda path: os.truncate(path, 100)], ids=["overwritten", "cut short"])
def test_codes_that_are_mapped_are_watched(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None]
) -> None:
    monkeypatch.setattr("retrieval.search.stores.files.WORTH_PACKING", 1)
    searcher = Searcher.open(bundle.path, encoder=FakeEncoder(), verify="now")
    searcher.search("red apple")
    change(bundle.file(BINARY_FILE))
    with pytest.raises(BundleCorruptError, match=r"out of service: .*binary\.faiss"):
        searcher.search("red apple")


@pytest.mark.parametrize("name", [BINARY_FILE, *WATCHED])
def test_a_file_that_is_removed_or_replaced_is_served_as_it_was(searcher: Searcher, name: str) -> None:
    before = searcher.search("red apple").hits
    path = searcher.bundle.file(name)
    path.unlink()
    assert searcher.search("red apple").hits == before
    path.write_bytes(b"something else")
    assert searcher.search("red apple").hits == before
    assert searcher.files.verification.status == "passed"


def test_a_folder_that_a_new_index_replaces_is_served_as_it_was(searcher: Searcher, build: Build) -> None:
    before = searcher.search("red apple").hits
    build(["something else"], overwrite=True)
    assert searcher.search("red apple").hits == before


@pytest.mark.parametrize("name", WATCHED)
def test_a_file_that_is_only_touched_stays_in_service(searcher: Searcher, name: str) -> None:
    before = searcher.search("red apple").hits
    os.utime(searcher.bundle.file(name))
    assert searcher.search("red apple").hits == before
    assert searcher.files.verification.status == "passed"


def test_nobody_gets_an_answer_while_a_changed_file_is_read_again(searcher: Searcher) -> None:
    overwrite(searcher.bundle.file(INT8_FILE))

    def ask(_: int) -> str:
        try:
            return str(searcher.search("red apple").hits)
        except BundleCorruptError:
            return "refused"

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(40))) == {"refused"}


def test_a_change_that_keeps_size_and_time_is_noticed(bundle: Bundle) -> None:
    path = bundle.file(INT8_FILE)
    watched = WatchedFiles({"codes": path})
    assert watched.changed() == []
    before = path.stat()
    overwrite(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert watched.changed() == ["codes"]
    watched.accept("codes")
    assert watched.changed() == []


def test_a_file_that_is_gone_is_watched_no_longer(bundle: Bundle, tmp_path: Path) -> None:
    path = bundle.file(INT8_FILE)
    watched = WatchedFiles({"codes": path})
    shutil.move(path, tmp_path / "elsewhere")
    assert watched.changed() == []
    (tmp_path / "elsewhere").replace(path)
    overwrite(path)
    assert watched.changed() == []
