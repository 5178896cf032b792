"""An index is made ready in a process of its own, and what comes of it is told, whatever it is."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from retrieval import BundleCorruptError
from retrieval.bundle.bundle import Bundle
from retrieval.bundle.manifest import INT8_FILE
from retrieval.serving.background.index import BackgroundIndex, BuildJob, FetchJob, Job
from scripts.hub_stand_in.faults import Fault
from scripts.hub_stand_in.server import HubStandIn
from tests.conftest import Build, random_texts
from tests.hub_client import ADDRESS, CLIENT_NOISE, hub, publish
from tests.support import PATIENCE_S, wait_until

__all__ = ["hub"]
pytestmark = CLIENT_NOISE


@pytest.fixture
def bundle(build: Build) -> Bundle:
    return build(random_texts(3_000))


@pytest.fixture
def endpoint(hub: HubStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HubStandIn:
    """The hub of the child processes, too, which have an empty cache."""
    monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
    monkeypatch.setenv("HF_HUB_DOWNLOAD_TIMEOUT", "600")
    monkeypatch.setenv("EMBEDDING_QUANTIZATION_CACHE", str(tmp_path / "cache"))
    return hub


Make = Callable[..., BackgroundIndex]


@pytest.fixture
def started() -> Iterator[Make]:
    """Starts jobs, and ends what is left of them."""
    running: list[BackgroundIndex] = []

    def make(
        job: Job, on_ready: Callable[[Path], str] = lambda path: path.name, max_silence_s: float | None = None
    ) -> BackgroundIndex:
        running.append(BackgroundIndex(job, on_ready, max_silence_s=max_silence_s))
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
    assert (status.index_name, status.has_failed, status.is_settled) == ("taken", False, True)
    assert status.child.result["revision"] == commit
    assert Bundle.open(paths[0]).manifest == bundle.manifest


def test_a_hub_that_does_not_give_it_is_reported(endpoint: HubStandIn, started: Make) -> None:
    status = started(FetchJob("hf://datasets/me/missing")).wait(PATIENCE_S)
    assert (status.has_failed, status.child.failure) == (True, "error")
    assert "no such data set repository" in status.child.message


def test_an_index_that_cannot_be_opened_is_reported(endpoint: HubStandIn, bundle: Bundle, started: Make) -> None:
    publish(endpoint, bundle)

    def refuse(path: Path) -> str:
        raise BundleCorruptError("it is damaged")

    assert "it is damaged" in started(FetchJob(ADDRESS), refuse).wait(PATIENCE_S).child.message


def test_a_stalled_fetch_is_given_up_though_the_client_waits(
    endpoint: HubStandIn, bundle: Bundle, started: Make
) -> None:
    publish(endpoint, bundle)
    endpoint.faults.append(Fault(INT8_FILE, "stall"))
    status = started(FetchJob(ADDRESS), max_silence_s=3.0).wait(PATIENCE_S)
    assert (status.has_failed, status.child.failure, status.max_silence_s) == (True, "silence", 3.0)


def test_a_child_that_is_killed_is_reported(endpoint: HubStandIn, bundle: Bundle, started: Make) -> None:
    publish(endpoint, bundle)
    endpoint.faults.append(Fault(INT8_FILE, "stall"))
    index = started(FetchJob(ADDRESS))
    wait_until(lambda: index.status.child.phase == "fetching")
    assert index.process_id is not None
    os.kill(index.process_id, signal.SIGKILL)
    child = index.wait(PATIENCE_S).child
    assert (child.failure, child.exit_status) == ("died", -signal.SIGKILL)


def test_stopping_ends_the_child_and_the_next_start_continues(
    endpoint: HubStandIn, bundle: Bundle, started: Make
) -> None:
    publish(endpoint, bundle)
    stall = Fault(INT8_FILE, "stall", after_bytes=50_000, times=1)
    endpoint.faults.append(stall)
    index = started(FetchJob(ADDRESS))
    wait_until(lambda: stall.times == 0)
    index.stop()
    assert index.status.child.state == "cancelled"
    assert not index.status.has_failed
    assert started(FetchJob(ADDRESS)).wait(PATIENCE_S).index_name == "index"


@pytest.mark.model
def test_a_corpus_is_built_and_handed_over(tmp_path: Path, started: Make) -> None:
    status = started(BuildJob("python", str(tmp_path / "built"), 40)).wait(PATIENCE_S)
    assert status.index_name == "built", status
    assert Bundle.open(tmp_path / "built").manifest.row_count == 40


@pytest.mark.parametrize(("corpus", "told"), [("nonsense", "choose one of python"), ("file", "needs --path")])
def test_a_corpus_that_cannot_be_built_is_reported(corpus: str, told: str, tmp_path: Path, started: Make) -> None:
    status = started(BuildJob(corpus, str(tmp_path / "built"))).wait(PATIENCE_S)
    assert status.child.failure == "error"
    assert told in status.child.message


def test_an_unexpected_failure_settles_the_job(
    endpoint: HubStandIn, bundle: Bundle, started: Make, caplog: pytest.LogCaptureFixture
) -> None:
    publish(endpoint, bundle)

    def fail(path: Path) -> str:
        raise ZeroDivisionError

    status = started(FetchJob(ADDRESS), fail).wait(PATIENCE_S)
    assert (status.child.failure, status.child.message) == ("unexpected", "ZeroDivisionError")
    assert "background failed" in caplog.text
