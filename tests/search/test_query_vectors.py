"""Vectors that are kept: the same ones, no more than may be, and never in the way of a measurement."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from retrieval import Searcher
from retrieval.benchmark.quick import measure_quickly
from retrieval.evaluation.comparison.compare import compare
from retrieval.search.explanation.explain import explain
from retrieval.search.query_vectors import QueryVectors
from retrieval.serving.library import Library
from retrieval.ui.search.latency_panel import latency_panel
from retrieval.ui.visit import Visit
from tests.conftest import Build, FakeEncoder

TEXTS = ["red apple", "green pear", "blue plum", "a red plum"]


def served(build: Build, encoder: FakeEncoder) -> Searcher:
    library = Library(open_searcher=lambda path, shared: Searcher.open(path, encoder=encoder))
    library.add(build(TEXTS).path, as_default=True)
    return library.open()


def test_a_text_is_encoded_once_whichever_view_asks(build: Build) -> None:
    encoder = FakeEncoder()
    searcher = served(build, encoder)
    encoder.encoded.clear()
    first = searcher.search("red apple")
    again = searcher.search("  red apple ")
    explain(searcher, "red apple", searcher.defaults)
    compare(searcher, "red apple", searcher.defaults)
    assert encoder.encoded == ["red apple"]
    assert again.hits == first.hits
    assert (first.vector_was_kept, again.vector_was_kept) == (False, True)
    assert "its vector is reused" in latency_panel(again, Visit())
    assert "its vector is reused" not in latency_panel(first, Visit())


def test_answers_are_those_of_a_searcher_that_keeps_nothing(build: Build) -> None:
    searcher = served(build, FakeEncoder())
    plain = Searcher.open(searcher.bundle.path, encoder=FakeEncoder())
    assert plain.query_vectors is None
    for query in [*TEXTS, *TEXTS]:
        assert searcher.search(query).hits == plain.search(query).hits


def test_indexes_of_one_encoder_share_what_is_kept_and_others_do_not(build: Build) -> None:
    one, other = FakeEncoder(), FakeEncoder()
    encoders = {"a": one, "b": one, "c": other}
    library = Library(open_searcher=lambda path, shared: Searcher.open(path, encoder=encoders[path.name]))
    a, b, c = (library.open(library.add(build(TEXTS, name).path)) for name in encoders)
    assert a.query_vectors is b.query_vectors
    assert a.query_vectors is not c.query_vectors


def test_no_more_are_kept_than_may_be_and_the_last_ones_stay() -> None:
    vectors, encoded = QueryVectors(max_texts=3), list[str]()

    def encode(text: str) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        encoded.append(text)
        return np.full(4, len(encoded), np.float32)

    for text in ("a", "b", "c", "a", "d"):
        vectors.of(text, encode)
    assert (len(vectors), encoded) == (3, ["a", "b", "c", "d"])
    vectors.of("a", encode)
    vectors.of("b", encode)
    assert encoded == ["a", "b", "c", "d", "b"]
    vectors.of("long " * 1_000, encode)
    assert len(vectors) == 3
    assert vectors.nbytes == 3 * (16 + 1)


def test_a_kept_vector_cannot_be_written() -> None:
    vector = QueryVectors().of("a", lambda text: np.ones((2, 4), np.float32)[0])
    assert vector.base is None
    with pytest.raises(ValueError, match="read-only"):
        vector[0] = 2


def test_many_threads_get_the_vector_of_their_own_text() -> None:
    vectors = QueryVectors(max_texts=10)
    barrier = threading.Barrier(8)

    def ask(seed: int) -> bool:
        barrier.wait()
        numbers = np.random.default_rng(seed).integers(0, 30, 2_000)
        return all(vectors.of(f"{n}", lambda text: np.full(2, float(text), np.float32))[0] == n for n in numbers)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(8)))
    assert len(vectors) == 10


def test_kept_query_vectors_are_counted_in_the_memory(build: Build) -> None:
    searcher = served(build, FakeEncoder())
    assert searcher.memory()["query_vectors"] == 0
    searcher.search("red apple")
    assert searcher.memory()["query_vectors"] == 64 * 4 + len("red apple")


def test_a_measurement_encodes_every_text(build: Build) -> None:
    encoder = FakeEncoder()
    searcher = served(build, encoder)
    searcher.search("red apple")
    encoder.encoded.clear()
    measure_quickly(searcher, ["red apple", "blue plum"], budget_s=1.0)
    assert encoder.encoded.count("red apple") >= 2
