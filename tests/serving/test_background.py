"""An index is made ready in a process of its own, and what comes of it is told, whatever it is."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from retrieval import BundleCorruptError
from retrieval.bundle.bundle import INT8_FILE, Bundle
from retrieval.serving.background.index import BackgroundIndex, BuildJob, FetchJob, Job
from retrieval.serving.background.status import BackgroundStatus, Pace, failed, in_progress, in_words, ready, starting
from retrieval.ui.background_note import background_note
from scripts.hub_stand_in.faults import Fault
from scripts.hub_stand_in.server import HubStandIn
from tests.conftest import Build, random_texts
from tests.hub_client import ADDRESS, CLIENT_NOISE, hub, publish

__all__ = ["hub"]
pytestmark = CLIENT_NOISE
PATIENCE_S = 60.0


@pytest.fixture
def bundle(build: Build) -> Bundle:
    return build(random_texts(3_000))


@pytest.fixture
def endpoint(hub: HubStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HubStandIn:
    """The hub of the child processes, too, which have an empty cache."""
    monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
    monkeypatch.setenv("HF_HUB_DOWNLOAD_TIMEOUT", "1")
    monkeypatch.setenv("EMBEDDING_QUANTIZATION_CACHE", str(tmp_path / "cache"))
    return hub


Make = Callable[..., BackgroundIndex]


@pytest.fixture
def started() -> Iterator[Make]:
    """Starts jobs, and ends what is left of them."""
    running: list[BackgroundIndex] = []

    def make(job: Job, on_ready: Callable[[Path], str] = lambda path: path.name) -> BackgroundIndex:
        running.append(BackgroundIndex(job, on_ready))
        running[-1].start()
        return running[-1]

    yield make
    for index in running:
        index.stop()


def test_a_published_index_arrives_and_is_handed_over(endpoint: HubStandIn, bundle: Bundle, started: Make) -> None:
    commit = publish(endpoint, bundle)
    paths: list[Path] = []

    def take(path: Path) -> str:
        paths.append(path)
        return "taken"

    status = started(FetchJob(ADDRESS), take).wait(PATIENCE_S)
    assert (status.index_name, status.failed, status.is_settled) == ("taken", False, True)
    assert f"is ready (revision {commit})" in status.message
    assert Bundle.open(paths[0]).manifest == bundle.manifest


def test_a_hub_that_does_not_give_it_is_told(endpoint: HubStandIn, started: Make) -> None:
    status = started(FetchJob("hf://datasets/me/missing")).wait(PATIENCE_S)
    assert status.failed
    assert "no such data set repository" in status.message
    assert "goes on with what it has" in status.message


def test_an_index_that_cannot_be_opened_is_told(endpoint: HubStandIn, bundle: Bundle, started: Make) -> None:
    publish(endpoint, bundle)

    def refuse(path: Path) -> str:
        raise BundleCorruptError("it is damaged")

    assert "it is damaged" in started(FetchJob(ADDRESS), refuse).wait(PATIENCE_S).message


def wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_stalled_fetch_is_given_up_though_the_client_waits(
    endpoint: HubStandIn, bundle: Bundle, started: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(endpoint, bundle)
    endpoint.faults.append(Fault(INT8_FILE, "stall"))
    monkeypatch.setenv("HF_HUB_DOWNLOAD_TIMEOUT", "600")
    monkeypatch.setattr(FetchJob, "silence_limit_s", 3.0)
    status = started(FetchJob(ADDRESS)).wait(PATIENCE_S)
    assert "no sign of life for 3 s" in status.message


def test_a_child_that_is_killed_is_told(endpoint: HubStandIn, bundle: Bundle, started: Make) -> None:
    publish(endpoint, bundle)
    endpoint.faults.append(Fault(INT8_FILE, "stall"))
    index = started(FetchJob(ADDRESS))
    wait_for(lambda: index.status.phase == "fetching")
    assert index.process_id is not None
    os.kill(index.process_id, signal.SIGKILL)
    assert "its process ended with -9" in index.wait(PATIENCE_S).message


def test_stopping_ends_the_child_and_the_next_start_goes_on(
    endpoint: HubStandIn, bundle: Bundle, started: Make
) -> None:
    publish(endpoint, bundle)
    endpoint.faults.append(Fault(INT8_FILE, "stall", after_bytes=50_000, times=1))
    index = started(FetchJob(ADDRESS))
    wait_for(lambda: index.status.phase == "fetching")
    index.stop()
    assert not index.status.failed
    assert started(FetchJob(ADDRESS)).wait(PATIENCE_S).index_name == "index"


@pytest.mark.model
def test_a_corpus_is_built_and_handed_over(tmp_path: Path, started: Make) -> None:
    status = started(BuildJob("python", str(tmp_path / "built"), 40)).wait(PATIENCE_S)
    assert status.index_name == "built", status.message
    assert Bundle.open(tmp_path / "built").manifest.row_count == 40


@pytest.mark.parametrize(("corpus", "told"), [("nonsense", "choose one of python"), ("file", "needs --path")])
def test_a_corpus_that_cannot_be_built_is_told(corpus: str, told: str, tmp_path: Path, started: Make) -> None:
    status = started(BuildJob(corpus, str(tmp_path / "built"))).wait(PATIENCE_S)
    assert status.failed
    assert told in status.message


def report(done: int, total: int | None = 100, phase: str = "encoding") -> dict[str, object]:
    return {"kind": "progress", "phase": phase, "done": done, "total": total}


def test_progress_tells_phase_share_and_time_left() -> None:
    now = [0.0]
    pace = Pace(lambda: now[0])
    first = in_progress("The index", report(20), pace)
    now[0] = 60.0
    later = in_progress("The index", report(40), pace)
    assert (first.fraction, first.seconds_left) == (0.2, None)
    assert (later.fraction, later.seconds_left) == (0.4, 180.0)
    assert "encoding, 40 %, about 3 min left" in later.message


def test_a_resumed_phase_is_not_foretold_from_what_was_done_before() -> None:
    now = [0.0]
    pace = Pace(lambda: now[0])
    pace.seconds_left("encoding", 90, 100)
    now[0] = 10.0
    assert pace.seconds_left("encoding", 91, 100) == 90.0


def test_a_phase_without_a_total_has_no_share() -> None:
    status = in_progress("The index", report(500, None, "reading"), Pace())
    assert (status.fraction, status.seconds_left) == (None, None)
    assert "%" not in status.message


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.0, "about 5 s"), (42.0, "about 40 s"), (720.0, "about 12 min"), (9000.0, "about 2.5 h")]
)
def test_durations_are_rounded_for_people(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


@pytest.mark.parametrize(
    ("status", "parts"),
    [
        (starting("The index of conala"), ["being made ready"]),
        (in_progress("The index", report(25), Pace()), ["25 %", '<progress value="0.250"']),
        (ready("The index", "a&b"), ["is ready", 'href="?index=a%26b"']),
        (failed("The index", "<b>no</b>."), ["cannot be had: &lt;b&gt;no&lt;/b&gt;.", 'data-kind="error"']),
    ],
)
def test_the_page_tells_each_status_and_escapes_it(status: BackgroundStatus, parts: list[str]) -> None:
    note = background_note(status)
    assert [part for part in parts if part not in note] == []


def test_an_unexpected_failure_settles_the_job(
    endpoint: HubStandIn, bundle: Bundle, started: Make, caplog: pytest.LogCaptureFixture
) -> None:
    publish(endpoint, bundle)

    def fail(path: Path) -> str:
        raise ZeroDivisionError

    status = started(FetchJob(ADDRESS), fail).wait(PATIENCE_S)
    assert status.failed
    assert "ZeroDivisionError" in status.message
    assert "background failed" in caplog.text
