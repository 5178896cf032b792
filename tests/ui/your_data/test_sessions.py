"""What is kept of a visitor, where and for how long; and what can be taken along."""

from __future__ import annotations

import contextlib
import shutil
import stat
import time
import zipfile
from pathlib import Path

import pytest

from retrieval import BuildError, BundleMissingError, Searcher
from retrieval.serving.open_pages import OpenPages
from retrieval.serving.temp_folders import TempRoot, private_parent
from retrieval.serving.visitor.limits import OwnLimits
from retrieval.ui.your_data.own_index import OwnIndex, discard
from retrieval.ui.your_data.session import OwnSession, Source
from retrieval.ui.your_data.sessions import OwnSessions
from retrieval.ui.your_data.uploads import take_text
from retrieval.ui.your_data.zip import folder_name, write_zip
from tests.conftest import FakeEncoder
from tests.support import wait_until

LIMITS = OwnLimits(max_bytes=1_000)


def test_a_session_is_made_again_when_its_folders_are_gone(sessions: OwnSessions) -> None:
    session = sessions.to_bring("one")
    for root in (sessions.files, sessions.downloads):
        shutil.rmtree(root.path)
    assert sessions.to_bring("one") is session
    assert session.folder.is_dir()
    assert session.download_folder.is_dir()
    assert TempRoot(sessions.files.path.parent).path != sessions.files.path
    assert session.folder.is_dir()  # it is held again: the next process leaves it alone


def test_sessions_lie_outside_what_is_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "served" / "tmp"))
    monkeypatch.setenv("EMBEDDING_QUANTIZATION_CACHE", str(tmp_path / "cache"))
    assert private_parent(tmp_path / "elsewhere") == tmp_path / "served" / "tmp"
    assert private_parent(tmp_path / "served") == tmp_path / "cache"
    with pytest.raises(BuildError, match="GRADIO_TEMP_DIR"):
        private_parent(tmp_path)


def test_sessions_do_not_share_and_end_with_their_files(sessions: OwnSessions, own: OwnIndex) -> None:
    one, other = sessions.to_bring("one"), sessions.to_bring("other")
    assert one.folder != other.folder
    assert stat.S_IMODE(one.folder.stat().st_mode) == 0o700
    one.take(take_text("mine", one, LIMITS))
    one.keep(own)
    sessions.end("one")
    assert not one.folder.exists()
    assert not one.download_folder.exists()
    assert not own.folder.exists()
    assert other.folder.exists()
    assert sessions.of("one") is not one


@pytest.mark.parametrize("stays", [True, False])
def test_an_index_outlives_the_question_whether_to_leave(tmp_path: Path, own: OwnIndex, stays: bool) -> None:
    pages = OpenPages()
    sessions = OwnSessions(TempRoot(tmp_path / "a"), TempRoot(tmp_path / "b"), OwnLimits(), pages)
    session = sessions.to_bring("key")
    session.keep(own)
    with pages.held("key") if stays else contextlib.nullcontext():
        sessions.leave("key", stay_s=0.2)
        assert session.folder.exists()
        if stays:
            time.sleep(1)  # nothing happens, which cannot be waited for
            assert session.folder.exists()
        else:
            wait_until(lambda: not session.folder.exists() and not own.folder.exists())


def test_data_without_an_index_is_deleted_with_the_page(sessions: OwnSessions) -> None:
    session = sessions.to_bring("key")
    sessions.leave("key")
    assert not session.folder.exists()


def test_a_session_without_uploads_has_no_folder(sessions: OwnSessions) -> None:
    looked_in = sessions.of("looked in")
    assert not looked_in.folder.exists()
    assert sessions.to_bring("looked in") is looked_in
    assert looked_in.folder.is_dir()


def test_a_session_goes_when_its_page_was_left_and_stays_while_it_is_open(tmp_path: Path) -> None:
    pages = OpenPages()
    sessions = OwnSessions(TempRoot(tmp_path / "a"), TempRoot(tmp_path / "b"), OwnLimits(), pages)
    left, here = sessions.to_bring("left"), sessions.to_bring("here")
    with pages.held("here"), pages.held("here"):
        sessions.end_left(left_s=0)
        assert (left.folder.exists(), here.folder.exists()) == (False, True)
    sessions.end_left(left_s=3600)
    assert here.folder.exists()
    sessions.end_left(left_s=0)
    assert not here.folder.exists()
    assert len(sessions) == 0


def test_sessions_are_limited_and_empty_ones_make_room(tmp_path: Path) -> None:
    limits = OwnLimits(max_sessions=2)
    sessions = OwnSessions(TempRoot(tmp_path / "a"), TempRoot(tmp_path / "b"), limits, OpenPages())
    for key in ("one", "two", "three"):
        sessions.of(key)
    assert len(sessions) == 2
    for key in ("two", "three"):
        session = sessions.to_bring(key)
        session.take(take_text("a line", session, limits))
    with pytest.raises(BuildError, match="too many visitors"):
        sessions.of("four")
    assert sessions.of("three").source is not None


def test_the_data_of_all_visitors_together_is_limited(tmp_path: Path) -> None:
    limits = OwnLimits(max_total_bytes=1_000)
    sessions = OwnSessions(TempRoot(tmp_path / "a"), TempRoot(tmp_path / "b" / "c"), limits, OpenPages())
    one = sessions.to_bring("one")
    one.take(take_text("x" * 600, one, limits))
    (tmp_path / "b" / "c" / "upload.csv").write_bytes(b"x" * 600)
    with pytest.raises(BuildError, match="no space"):
        sessions.to_bring("two")
    sessions.end("one")
    assert sessions.to_bring("two").folder.is_dir()


def test_a_deleted_index_says_so_and_releases_its_files(own: OwnIndex) -> None:
    discard(own)
    assert not own.is_open
    with pytest.raises(BundleMissingError, match="was deleted"):
        _ = own.searcher


def test_an_index_that_comes_after_the_end_is_deleted(session: OwnSession, own: OwnIndex) -> None:
    session.end()
    session.keep(own)
    assert not own.folder.exists()


def test_another_source_replaces_the_first(session: OwnSession) -> None:
    first = take_text("one", session, LIMITS)
    session.take(first)
    session.take(Source(session.folder / "other.csv", "other.csv", 1))
    assert not first.path.exists()


def test_abandoned_folders_are_deleted_and_those_in_use_are_kept(tmp_path: Path) -> None:
    living = TempRoot(tmp_path)
    dead = tmp_path / "embedding-quantization-own-dead"
    dead.mkdir()
    (dead / "lock").touch()
    (dead / "data.csv").touch()
    other = TempRoot(tmp_path)
    assert living.path.exists()
    assert other.path.exists()
    assert not dead.exists()
    assert stat.S_IMODE(living.path.stat().st_mode) == 0o700


def test_the_zip_opens_again_with_the_same_hits(own: OwnIndex, encoder: FakeEncoder, tmp_path: Path) -> None:
    path = write_zip(own.folder, tmp_path / "notes.zip")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "unpacked")
    [folder] = (tmp_path / "unpacked").iterdir()
    assert "Searcher.open" in (folder / "README.txt").read_text()
    again = Searcher.open(folder, encoder=encoder, verify="now")
    rows = [[hit.row for hit in each.search("green pear").hits] for each in (own.searcher, again)]
    assert rows[0] == rows[1] != []


def test_the_folder_in_the_zip_has_a_plain_name() -> None:
    names = [folder_name(title) for title in ("My notes (2).csv", "../../x", "größe.csv", "日本")]
    assert names == ["my-notes-2-index", "x-index", "gr-e-index", "my-index"]
