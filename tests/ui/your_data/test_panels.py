"""What the view of a visitor's data says before, during and after a build."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
import pytest

from retrieval.serving.child_process import JobStatus
from retrieval.serving.library import Library
from retrieval.serving.visitor.limits import OwnLimits
from retrieval.ui.page import build_page
from retrieval.ui.theme import launch_options
from retrieval.ui.your_data import panels as own_panels
from retrieval.ui.your_data.failures import for_visitors, why_failed
from retrieval.ui.your_data.own_index import OwnIndex
from tests.support import in_loop

HOSTILE = "<img src=x onerror=alert(1)>"


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
