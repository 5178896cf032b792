"""Your data: panels, the verdict, what is kept where and for how long, and the zip; without a browser."""

from __future__ import annotations

import contextlib
import csv
import io
import re
import shutil
import stat
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from retrieval import BuildError, BundleMissingError, CorpusError, Searcher
from retrieval.bundle.manifest import Manifest
from retrieval.bundle.tuning import Tuning, TuningPoint, TuningRecall
from retrieval.serving.child_process import JobStatus
from retrieval.serving.library import Library
from retrieval.serving.open_pages import OpenPages
from retrieval.serving.temp_folders import TempRoot, private_parent
from retrieval.serving.visitor.corpus import BoundedCorpus
from retrieval.serving.visitor.limits import OwnLimits
from retrieval.ui.page import build_page
from retrieval.ui.request_limits import MAX_PASTED_BYTES
from retrieval.ui.theme import launch_options
from retrieval.ui.your_data import panels as own_panels
from retrieval.ui.your_data.failures import for_visitors, why_failed
from retrieval.ui.your_data.sample import sample_csv
from retrieval.ui.your_data.sessions import OwnIndex, OwnSession, OwnSessions, Source, discard
from retrieval.ui.your_data.taking import build_request, take_pasted, take_text, take_upload
from retrieval.ui.your_data.verdict import percent, verdict
from retrieval.ui.your_data.zip import folder_name, write_zip
from tests.conftest import Build, FakeEncoder, RowsCorpus, random_texts
from tests.support import in_loop, wait_until

LIMITS = OwnLimits(max_bytes=1_000)
HOSTILE = "<img src=x onerror=alert(1)>"
MEASURED = Tuning(
    num_candidates=30, rescore_multiplier=8, top_k=10, target_share=0.99, reached_share=0.997, reached=True,
    sampled_queries=60, recall=TuningRecall(bits=0.71, float_bits=0.93, int8_all=0.994, chosen=0.991),
    curve=(TuningPoint(30, 8, 30, 0.997, 0.991),),
).to_json()  # fmt: skip
SEEN = {"rows_in_file": 400, "rows_used": 400, "counted_all": True}


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


@pytest.fixture
def manifest(build: Build) -> Manifest:
    return replace(build(random_texts(400)).manifest, search=MEASURED)


def test_the_limits_are_reported_before_they_are_met() -> None:
    told = own_panels.introduction(OwnLimits(max_rows=5_000, max_bytes=3_000_000, max_seconds=45))
    assert all(limit in told for limit in ("5,000 rows", "3.0 MB", "45 seconds", 'data-max-bytes="3000000"'))


def test_the_view_can_be_switched_off(own: OwnIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OWN_DATA", "0")
    library = Library(open_searcher=lambda path, encoder: own.searcher)
    library.add(own.folder, as_default=True)
    page = in_loop(lambda: build_page(library))
    texts = [str(block.value) for block in page.blocks.values() if isinstance(block, gr.HTML)]
    assert any("turned off" in text for text in texts)
    assert not any(isinstance(block, gr.File) for block in page.blocks.values())
    assert launch_options()["max_file_size"] == 1


def test_a_preview_shows_untrusted_texts_and_never_runs_them() -> None:
    looked = {
        "columns": [HOSTILE, "b"], "guesses": {"text": HOSTILE}, "num_rows": 30_000,
        "rows": [{HOSTILE: HOSTILE, "b": "x" * 400}],
    }  # fmt: skip
    shown = own_panels.preview(HOSTILE, 400, looked, OwnLimits())
    assert "<img" not in shown
    assert "Only the first 20,000" in shown
    assert "x" * 200 not in shown


@pytest.mark.parametrize(
    ("status", "place", "told"),
    [
        (JobStatus(), 2, "2 builds ahead of yours"),
        (JobStatus(), 1, "Yours is next"),
        (JobStatus("running", "encoding", 50, 200, elapsed_s=7), 0, "<strong>25%</strong>, 50 of 200"),
        (JobStatus("running", "encoding", 50, 200, seconds_left=3.2), 0, "about 4 seconds left"),
        (JobStatus("running", "model", elapsed_s=2), 0, "2 s of at most 90 s"),
        (JobStatus("running", "a phase of tomorrow"), 0, "Starting"),
    ],
)
def test_progress_is_reported_in_words(status: JobStatus, place: int, told: str) -> None:
    assert told in own_panels.progress(status, OwnLimits(), place)


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (JobStatus("failed", "encoding", 12_345, 20_000, failure="timeout"), "first 11,000 rows"),
        (JobStatus("failed", "model", failure="timeout"), "90 s"),
        (JobStatus("failed", "looking", failure="timeout"), "could not be read in 90 s"),
        (JobStatus("failed", failure="died", exit_status=7), "status 7"),
        (JobStatus("failed", failure="died", exit_status=-9), "memory"),
        (JobStatus("failed", failure="memory"), "memory"),
        (JobStatus("failed", failure="not started", message="no space"), "no space"),
        (JobStatus("failed", failure="unexpected", message="KeyError"), "was logged"),
        (JobStatus("failed", failure="error", message="/tmp/x/a.csv: no rows"), "a.csv: no rows"),
    ],
)
def test_each_failure_is_reported_without_paths(status: JobStatus, told: str) -> None:
    shown = why_failed(status, Path("/tmp/x"), 90)
    assert told in shown
    assert "/tmp" not in shown


def test_a_message_for_visitors_has_no_path_and_no_option() -> None:
    told = for_visitors("/tmp/x/notes.csv: no column 'a'. Choose one with --text-column.", Path("/tmp/x"))
    assert told == "notes.csv: no column 'a'. Choose one as the text column."
    assert for_visitors("cannot write the index at /tmp/x/built: full", Path("/tmp/x")).startswith("Cannot write")


def test_a_verdict_says_what_is_kept_and_saved(manifest: Manifest) -> None:
    shown = verdict(manifest, SEEN, 12)
    headline = shown.split("<h2>")[1].split("</h2>")[0]
    assert "71 %" in headline
    assert "99.1 %" in headline
    assert "1/32 of the memory" in verdict(replace(manifest, dim=384), SEEN, 12)
    assert "<dd>30</dd>" in shown
    assert "suits your data" in shown


def test_a_verdict_with_many_candidates_does_not_praise(manifest: Manifest) -> None:
    shown = verdict(replace(manifest, search={**MEASURED, "num_candidates": 100}), SEEN, 12)
    assert "25 % of your texts are candidates in every query" in shown
    assert "suits your data" not in shown


def test_every_recall_has_its_interval(manifest: Manifest) -> None:
    shown = verdict(manifest, SEEN, 12)
    assert "60 texts of yours as queries" in shown
    assert "71 %<small>59 to 81</small>" in shown  # 0.585 to 0.809: Wilson for 60 queries
    assert len(re.findall(r"<small>\d+ to \d+</small>", shown)) == 4


def test_savings_of_duplicates_are_separate(build: Build) -> None:
    repeated = verdict(build(random_texts(30) * 4, "repeated").manifest, {**SEEN, "rows_used": 120}, 1)
    assert "Your 120 rows hold 30 distinct texts" in repeated
    assert "30 &times; 64 floats" in repeated


def test_a_verdict_without_measurements_says_so(manifest: Manifest) -> None:
    for search in ({"num_candidates": 9, "rescore_multiplier": 2}, {**MEASURED, "source": "default"}):
        assert "was not measured" in verdict(replace(manifest, search=search), SEEN, 12)


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        ({"non_ascii_texts": 200}, "50 % of your texts have letters beyond English"),
        ({"sampled_texts": 100, "long_texts": 60}, "60 % of your texts are longer"),
        ({"cut_texts": 1}, "1 text was so long"),
        ({"rows_in_file": 900}, "first 400 of 900 rows"),
        ({"rows_in_file": 900, "counted_all": False}, "of at least 900 rows"),
    ],
)
def test_a_verdict_tells_what_bears_on_it(manifest: Manifest, seen: dict[str, Any], told: str) -> None:
    assert told not in verdict(manifest, SEEN, 12)
    assert told in verdict(manifest, {**SEEN, **seen}, 12)


def test_few_texts_are_reported_to_prove_little(build: Build) -> None:
    shown = verdict(build(random_texts(20)).manifest, {**SEEN, "rows_in_file": 20, "rows_used": 20}, 1)
    assert "20 distinct texts prove little" in shown


def test_a_share_is_rounded_up_to_all_only_when_it_is_all() -> None:
    assert [percent(share) for share in (0.714, 0.9912, 0.9999, 1.0)] == ["71 %", "99.1 %", "99.9 %", "100 %"]


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


def test_rows_beyond_the_limit_are_counted_and_long_texts_cut() -> None:
    rows = [{"text": f"a text of some length {n}"} for n in range(250)]
    corpus = BoundedCorpus(RowsCorpus(rows), "Mine", max_rows=120, max_text_chars=10)
    batches = list(corpus.batches())
    assert sum(batch.num_rows for batch in batches) == 120
    assert {len(text) for batch in batches for text in batch.column("text").to_pylist()} == {10}
    assert (corpus.seen.rows_in_file, corpus.seen.cut_texts) == (250, 120)
    assert (corpus.num_rows, corpus.info.title) == (120, "Mine")
    assert len(corpus.info.examples) == 4


def test_the_sample_is_real_and_large_enough_to_measure() -> None:
    rows = list(csv.DictReader(io.StringIO(sample_csv())))
    assert len(rows) > 500
    assert any(row["name"] == "json.dumps" and row["summary"].startswith("Serialize") for row in rows)


def test_a_file_named_like_the_build_does_not_disturb_it(session: OwnSession, encoder: FakeEncoder) -> None:
    session.take(take_text("one\ntwo", session, LIMITS, "built"))
    session.looked = {"columns": ["text"]}
    output = Path(build_request(session, {"text": "text"}, 2, LIMITS, encoder)["output"])
    assert not output.exists()
