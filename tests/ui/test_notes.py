"""The notes over the views: those of one index come and go with it, and the background's tells how far it is."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from retrieval import BundleMissingError, Searcher
from retrieval.serving.background.index import BackgroundStatus, BuildJob, FetchJob, Job
from retrieval.serving.child_process import JobStatus, State
from retrieval.serving.library import Library
from retrieval.serving.startup import take_over
from retrieval.ui.notes import about, background_note, defaults_note
from retrieval.ui.page import build_page, lay_out
from tests.conftest import Build, FakeEncoder, random_texts
from tests.support import in_loop


@pytest.fixture
def searchers(build: Build, encoder: FakeEncoder) -> dict[str, Searcher]:
    made = {name: build([f"{name} apple"], name=name) for name in ("small", "large")}
    return {name: Searcher.open(bundle.path, encoder=encoder) for name, bundle in made.items()}


@pytest.fixture
def library(searchers: dict[str, Searcher]) -> Library:
    library = Library(open_searcher=lambda path, encoder: searchers[path.name])
    library.add(searchers["small"].bundle.path, as_default=True)
    return library


def test_a_note_about_one_index_goes_with_it(library: Library, searchers: dict[str, Searcher]) -> None:
    def make() -> Any:
        with gr.Blocks(analytics_enabled=False) as page:
            return lay_out(page, library, ["always"], index_notes={searchers["small"].bundle.path: ["the small one"]})

    frame = in_loop(make)._frame
    notes = {name: frame.on_index(searcher)[frame.notes].value for name, searcher in searchers.items()}
    assert [name for name, note in notes.items() if "always" in note] == ["small", "large"]
    assert [name for name, note in notes.items() if "the small one" in note] == ["small"]


JOB = FetchJob("hf://datasets/me/a&b")


def status(state: State = "running", name: str | None = None, job: Job = JOB, **child: Any) -> BackgroundStatus:
    return BackgroundStatus(job, JobStatus(state, **child), 180.0, name)


def test_the_page_looks_after_the_background_until_it_is_settled(library: Library) -> None:
    background: Any = SimpleNamespace(status=status())
    page = in_loop(lambda: build_page(library, background=background))
    config = page.get_config_file()
    (note,) = [part for part in config["components"] if part["props"].get("elem_id") == "background-note"]
    assert "being prepared" in note["props"]["value"]
    (look_up,) = [block.fn for block in page.fns.values() if getattr(block.fn, "__name__", "") == "look_up"]
    assert look_up()[1].active
    background.status = status("finished", "large")
    text, timer = look_up()
    assert 'href="?index=large"' in text
    assert not timer.active


@pytest.mark.parametrize(
    ("status", "parts"),
    [
        (status("waiting", job=BuildJob("conala", "out")), ["conala", "being prepared"]),
        (status(phase="fetching", done=25, total=100), ["25 %", '<progress value="0.250"', "a&amp;b"]),
        (status(phase="encoding", done=40, total=100, seconds_left=180.0), ["encoding, 40 %", "3 min left"]),
        (status("finished", "a&b", result={"revision": "c0ffee"}), ["is ready", "c0ffee", 'href="?index=a%26b"']),
        (status("failed", failure="error", message="<b>no</b>."), ["&lt;b&gt;no&lt;/b&gt;.", 'data-kind="error"']),
        (status("failed", failure="died", exit_status=-9), ["-9"]),
        (status("failed", failure="silence"), ["180 s"]),
        (status("failed", failure="unexpected", message="KeyError"), ["KeyError"]),
        (status("failed", failure="memory"), ["memory"]),
        (status("failed", failure="not started", message="no space"), ["no space"]),
    ],
)
def test_the_page_tells_each_status_and_escapes_it(status: BackgroundStatus, parts: list[str]) -> None:
    note = background_note(status)
    assert [part for part in parts if part not in note] == []


def test_a_phase_without_a_total_has_no_share() -> None:
    note = background_note(status(phase="reading", done=500))
    assert "%" not in note
    assert "<progress" not in note


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.0, "about 5 s"), (42.0, "about 40 s"), (720.0, "about 12 min"), (9000.0, "about 2.5 h")]
)
def test_durations_are_rounded_for_people(seconds: float, words: str) -> None:
    assert about(seconds) == words


def test_measured_settings_are_reported_with_their_sample_and_target(build: Build) -> None:
    manifest = build(random_texts(300)).manifest
    tuning = manifest.tuning
    assert tuning is not None
    note = defaults_note(manifest)
    assert f"{tuning.sampled_queries:,} of its texts" in note
    assert "99 %" in note
    assert "no setting reached" not in note
    missed = dataclasses.replace(tuning, reached=False).to_json()
    assert "no setting reached" in defaults_note(dataclasses.replace(manifest, search=missed))


def test_settings_that_were_not_measured_claim_no_measurement(build: Build) -> None:
    manifest = build(["red apple"]).manifest
    for search, told in (({"source": "default"}, "nothing was measured"), ({}, "does not say")):
        assert told in defaults_note(dataclasses.replace(manifest, search=search))


def test_the_index_that_takes_over_is_the_one_visitors_meet(library: Library, searchers: dict[str, Searcher]) -> None:
    assert take_over(library, searchers["large"].bundle.path) == "large"
    assert (library.default, library.open()) == ("large", searchers["large"])


def test_one_that_cannot_be_opened_does_not_take_over(library: Library, tmp_path: Path) -> None:
    with pytest.raises(BundleMissingError):
        take_over(library, tmp_path / "nothing")
    assert library.default == "small"
