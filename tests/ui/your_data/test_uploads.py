"""What a visitor brings, and the request to build from it."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from retrieval import CorpusError
from retrieval.serving.visitor.limits import OwnLimits
from retrieval.ui.request_limits import MAX_PASTED_BYTES
from retrieval.ui.your_data.requests import build_request
from retrieval.ui.your_data.sample import sample_csv
from retrieval.ui.your_data.session import OwnSession
from retrieval.ui.your_data.uploads import take_pasted, take_text, take_upload
from tests.conftest import FakeEncoder

LIMITS = OwnLimits(max_bytes=1_000)


def test_an_upload_is_moved_away_from_where_it_can_be_fetched(session: OwnSession, tmp_path: Path) -> None:
    upload = tmp_path / "cache" / "hash" / "notes.csv"
    upload.parent.mkdir(parents=True)
    upload.write_text("text\na\n")
    source = take_upload(upload, session, LIMITS, tmp_path / "cache")
    assert source.path.parent == session.folder
    assert source.path.read_text() == "text\na\n"
    assert not upload.parent.exists()


def test_an_upload_that_is_refused_is_deleted_too(session: OwnSession, tmp_path: Path) -> None:
    uploads = tmp_path / "cache"
    upload = uploads / "hash" / "notes.csv"
    for content, told in ((b"x" * 1001, "at most 1.0 kB"), (b"", "is empty")):
        upload.parent.mkdir(parents=True)
        upload.write_bytes(content)
        with pytest.raises(CorpusError, match=told):
            take_upload(upload, session, LIMITS, uploads)
        assert not upload.exists()
    with pytest.raises(CorpusError, match="choose it again"):
        take_upload(upload, session, LIMITS, uploads)


@pytest.mark.parametrize("name", ["..csv", "-rf .csv", "a/b;c$(d).csv", "n" * 300 + ".csv", "größe.CSV"])
def test_a_strange_file_name_stays_in_the_folder(session: OwnSession, tmp_path: Path, name: str) -> None:
    upload = tmp_path / "hash" / Path(name).name[-200:]
    upload.parent.mkdir()
    upload.write_text("text\na\n")
    path = take_upload(upload, session, LIMITS, tmp_path).path
    assert path.parent == session.folder
    assert path.suffix.lower() == ".csv"
    assert not path.name.startswith(("-", "."))


@pytest.mark.parametrize("packed", [".gz", ".bz2", ".XZ", ".zst"])
def test_a_packed_file_keeps_the_name_of_its_format(session: OwnSession, tmp_path: Path, packed: str) -> None:
    upload = tmp_path / "hash" / f"my notes.csv{packed}"
    upload.parent.mkdir()
    upload.write_bytes(b"packed")
    assert take_upload(upload, session, LIMITS, tmp_path).path.name == f"my notes.csv{packed}"


@pytest.mark.parametrize("place", ["", "a", "a/b/c.csv", "a/../a", "../outside.csv", "a/link.csv", "folder-link/c.csv"])
def test_a_file_that_was_not_uploaded_is_neither_read_nor_deleted(
    session: OwnSession, tmp_path: Path, place: str
) -> None:
    uploads = tmp_path / "uploads"
    (uploads / "a" / "b").mkdir(parents=True)
    for path in (uploads / "a" / "b" / "c.csv", tmp_path / "outside.csv"):
        path.write_text("text\na\n")
    (uploads / "a" / "link.csv").symlink_to(tmp_path / "outside.csv")
    (uploads / "folder-link").symlink_to(uploads / "a" / "b")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(CorpusError, match="choose it again"):
        take_upload(uploads / place, session, LIMITS, uploads)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_pasted_text_is_smaller_than_a_file_may_be(session: OwnSession) -> None:
    with pytest.raises(CorpusError, match=r"at most 1\.0 MB"):
        take_pasted("x" * (MAX_PASTED_BYTES + 1), session, OwnLimits())


def test_pasted_lines_are_limited_and_not_blank(session: OwnSession) -> None:
    assert take_text("one\r\ntwo", session, LIMITS).path.read_bytes() == b"one\ntwo"
    for text, told in ((" \n ", "no lines yet"), ("x" * 1001, "the text has 1.0 kB")):
        with pytest.raises(CorpusError, match=told):
            take_text(text, session, LIMITS)


def test_a_build_needs_data_and_a_column_of_it(session: OwnSession) -> None:
    with pytest.raises(CorpusError, match="no data"):
        build_request(session, {"text": "a"}, None, LIMITS, None)
    session.take(take_text("a", session, LIMITS))
    session.looked = {"columns": ["a"]}
    for column, told in ((None, "no text column"), ("b", "no column 'b'")):
        with pytest.raises(CorpusError, match=told):
            build_request(session, {"text": column}, None, LIMITS, None)
    asked = build_request(session, {"text": "a", "body": "", "url": None}, 10**9, LIMITS, FakeEncoder())
    assert asked["model"] == {"id": "fake", "weights_sha256": "f" * 64}
    assert (asked["columns"], asked["max_rows"]) == ({"text": "a", "body": "", "url": ""}, LIMITS.max_rows)


def test_the_sample_is_real_and_large_enough_to_measure() -> None:
    rows = list(csv.DictReader(io.StringIO(sample_csv())))
    assert len(rows) > 500
    assert any(row["name"] == "json.dumps" and row["summary"].startswith("Serialize") for row in rows)


def test_a_file_named_like_the_build_does_not_disturb_it(session: OwnSession, encoder: FakeEncoder) -> None:
    session.take(take_text("one\ntwo", session, LIMITS, "built"))
    session.looked = {"columns": ["text"]}
    output = Path(build_request(session, {"text": "text"}, 2, LIMITS, encoder)["output"])
    assert not output.exists()
