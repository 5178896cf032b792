"""The frontier measured in child processes: of what a visitor brings, and of an index of the library."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrieval import BundleMissingError, Searcher
from retrieval.evaluation.frontier.points import Frontier
from retrieval.serving.child_process import JobStatus
from retrieval.serving.frontiers import IndexFrontiers
from retrieval.serving.visitor.limits import OwnLimits
from retrieval.serving.visitor.queue import ChildQueue
from retrieval.ui.your_data.failures import why_failed
from retrieval.ui.your_data.requests import measure_request
from tests.conftest import Build, FakeEncoder, random_texts
from tests.support import PATIENCE_S

VECTORS = np.random.default_rng(0).normal(size=(320, 32)).astype(np.float32)


@pytest.fixture(scope="module")
def queue() -> Iterator[ChildQueue]:
    queue = ChildQueue(max_waiting=3)
    yield queue
    queue.close()


def measured(queue: ChildQueue, path: Path, metric: str = "cosine", **limits: Any) -> JobStatus:
    request = measure_request(path, None, metric, OwnLimits(**limits))
    return queue.submit(request, max_seconds=PATIENCE_S).wait()


def saved(folder: Path, vectors: Any, **options: Any) -> Path:
    np.save(folder / "mine.npy", vectors, **options)
    return folder / "mine.npy"


def with_row(value: float) -> Any:
    vectors = VECTORS.copy()
    vectors[5] = value
    return vectors


def test_vectors_are_measured_and_what_was_done_to_them_is_reported(queue: ChildQueue, tmp_path: Path) -> None:
    status = measured(queue, saved(tmp_path, VECTORS))
    assert status.state == "finished"
    assert status.result["were_normalized"]
    frontier = Frontier.from_json(dict(status.result["frontier"]))
    assert (frontier.num_vectors + frontier.num_queries, frontier.dim) == (320, 32)
    assert [each["row"] for each in status.result["neighbours"]] == [0, 63, 127, 191, 255, 319]
    exact = next(point for point in frontier.points if (point.scheme, point.dim) == ("float32", 32))
    assert exact.recall.mean == 1.0


def test_of_too_many_vectors_the_first_are_taken(queue: ChildQueue, tmp_path: Path) -> None:
    # What comes after the first 100 would be refused.
    status = measured(queue, saved(tmp_path, np.concatenate([VECTORS[:100], np.full((50, 32), np.nan)])), max_rows=100)
    assert status.state == "finished"
    frontier = status.result["frontier"]
    assert (frontier["num_given"], frontier["num_vectors"] + frontier["num_queries"]) == (150, 100)


@pytest.mark.parametrize(
    "vectors", [np.ones((60, 32)), (VECTORS[:60] * 40).astype(np.int8), VECTORS[:60].astype(np.float16)],
    ids=["all equal", "int8", "float16"],
)  # fmt: skip
def test_unusual_vectors_are_measured(queue: ChildQueue, tmp_path: Path, vectors: Any) -> None:
    assert measured(queue, saved(tmp_path, vectors)).state == "finished"


@pytest.mark.parametrize(
    ("vectors", "told"),
    [
        (with_row(np.nan), "Row 5 of the vectors has a value that is not finite"),
        (with_row(0), "Row 5 of the vectors is all zeros"),
        (VECTORS[:1], "1 vector given"),
        (VECTORS[:9], "more than 10 are needed"),
        (VECTORS[:, :1], "at least 8 dimensions"),
        (np.ones((20, 4097), np.float16), "4,097 dimensions: at most 4,096"),
        (np.array([["a", "b"]] * 20), "mine.npy holds"),
    ],
    ids=["NaN", "zeros", "one", "fewer than k", "dimension 1", "too many dimensions", "strings"],
)
def test_bad_vectors_are_refused_with_the_reason(queue: ChildQueue, tmp_path: Path, vectors: Any, told: str) -> None:
    status = measured(queue, saved(tmp_path, vectors))
    assert (status.state, status.failure) == ("failed", "error")
    shown = why_failed(status, tmp_path, 90)
    assert told in shown
    assert str(tmp_path) not in shown


def test_pickled_objects_are_never_loaded(queue: ChildQueue, tmp_path: Path) -> None:
    status = measured(queue, saved(tmp_path, np.array([{"a": 1}] * 20, dtype=object), allow_pickle=True))
    assert "never loaded" in why_failed(status, tmp_path, 90)


def test_vectors_of_zeros_have_inner_products(queue: ChildQueue, tmp_path: Path) -> None:
    assert measured(queue, saved(tmp_path, with_row(0)), "inner product").state == "finished"


def test_an_index_is_measured_once_and_kept(build: Build, encoder: FakeEncoder) -> None:
    searcher = Searcher.open(build(random_texts(60)).path, encoder=encoder)
    frontiers = IndexFrontiers()
    try:
        assert frontiers.kept(searcher) is None
        frontier = frontiers.of(searcher)
        assert (frontier.dim, frontier.num_vectors + frontier.num_queries) == (encoder.dim, 60)
        assert frontiers.kept(searcher) is frontier
        assert frontiers.of(searcher) is frontier
    finally:
        frontiers.close()


def test_an_index_without_float32_vectors_cannot_be_measured(build: Build, encoder: FakeEncoder) -> None:
    searcher = Searcher.open(build(random_texts(60), baseline=False).path, encoder=encoder)
    with pytest.raises(BundleMissingError):
        IndexFrontiers().start(searcher)
