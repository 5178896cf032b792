"""What may be asked: queries, vectors and settings at and beyond their limits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from retrieval import QueryError, Searcher
from tests.conftest import Build, FakeEncoder
from tests.search.searchers import QUERIES, TEXTS, opened, rows


class TestInput:
    @pytest.mark.parametrize("top_k", [400, 401, 10**9, 10**30])
    def test_top_k_above_the_corpus_gives_what_there_is(self, searcher: Searcher, top_k: int) -> None:
        hits = searcher.search("red apple", top_k).hits
        assert sorted(hit.row for hit in hits) == list(range(400))

    @pytest.mark.parametrize("top_k", [1, 10])
    def test_a_corpus_of_one_row(self, build: Build, top_k: int) -> None:
        [hit] = opened(build(["red apple"])).search("apple", top_k).hits
        assert (hit.row, hit.rank, hit.binary_rank) == (0, 1, 1)
        assert hit.score == pytest.approx(float(np.dot(*FakeEncoder().encode(["red apple", "apple"]))), abs=0.01)

    def test_fewer_rows_than_candidates(self, build: Build) -> None:
        response = opened(build(TEXTS[:15])).search("red", 10)
        assert len(response.hits) == 10
        assert (response.num_candidates, response.int8_rows_read) == (15, 15)

    def test_fewer_candidates_than_top_k_are_raised_to_it(self, searcher: Searcher) -> None:
        assert len(searcher.search("red", 10, num_candidates=1).hits) == 10

    @pytest.mark.parametrize("name", ["top_k", "num_candidates", "rescore_multiplier"])
    @pytest.mark.parametrize("value", [0, -1, True, 1.5, "3", np.float64(2.5), float("nan"), float("inf"), {}])
    def test_settings_below_one_or_no_whole_number_are_refused(self, searcher: Searcher, name: str, value: Any) -> None:
        with pytest.raises(QueryError, match=f"{name} is .*: a whole number of at least 1 is needed"):
            searcher.search("red", **{name: value})

    @pytest.mark.parametrize("value", [np.int64(3), np.uint8(3), 3, 3.0, np.float64(3)])
    def test_whole_numbers_of_numpy_are_whole_numbers(self, searcher: Searcher, value: Any) -> None:
        multiplier: Any = np.int64(2**62)
        assert len(searcher.search("red", value, rescore_multiplier=multiplier).hits) == 3

    def test_a_rescore_multiplier_beyond_everything_reads_the_candidates(self, searcher: Searcher) -> None:
        assert searcher.search("red", num_candidates=50, rescore_multiplier=10**30).int8_rows_read == 50

    @pytest.mark.parametrize("query", ["", " ", "\t\n", "\0", "\0 \0\n", "\u2003"])
    def test_an_empty_query_is_refused(self, searcher: Searcher, query: str) -> None:
        with pytest.raises(QueryError, match="the query is empty: type a few words"):
            searcher.search(query)
        with pytest.raises(QueryError, match="the query is empty"):
            searcher.search_many(["red", query])

    @pytest.mark.parametrize("query", [None, 3, b"red", ["red"]])
    def test_a_query_that_is_not_a_text_is_refused(self, searcher: Searcher, query: Any) -> None:
        with pytest.raises(QueryError, match="a text is needed"):
            searcher.search(query)

    @pytest.mark.parametrize(
        "query", ["日本語の本", "🍎🍐", "сливы и яблоки", "\ud800", "red \udfff apple", "a\0b", "e\u0301\u202e", "x"]
    )
    def test_any_script_and_broken_text_is_answered(self, searcher: Searcher, query: str) -> None:
        response = searcher.search(query)
        assert len(response.hits) == 10
        assert response.query == query

    def test_lone_surrogates_reach_no_encoder(self, build: Build) -> None:
        encoder = FakeEncoder()
        searcher = Searcher.open(build(TEXTS).path, encoder=encoder)
        searcher.search("red \ud800 apple")
        assert encoder.encoded[-1] == "red \ufffd apple"

    def test_100_000_characters_are_cut_with_a_note(self, searcher: Searcher) -> None:
        response = searcher.search("apple " * 17_000)
        assert response.hits
        assert response.notes == (
            "The query is long: its last 16,744 tokens are beyond the model's length and were not read.",
        )
        assert searcher.search("red apple").notes == ()

    @pytest.mark.parametrize(
        "vector", [np.zeros(64), np.full(64, np.nan), np.full(64, np.inf), np.ones(63), np.ones((1, 64)), np.ones(0)]
    )
    def test_a_vector_that_points_nowhere_is_refused(self, searcher: Searcher, vector: Any) -> None:
        with pytest.raises(
            QueryError, match=r"the query vector has shape .*: 64 finite numbers, not all 0, are needed"
        ):
            searcher.search_vector(vector)

    @pytest.mark.parametrize("vector", ["text", None, [[1], [2, 3]], [object()]])
    def test_values_that_are_not_vectors_are_refused(self, searcher: Searcher, vector: Any) -> None:
        with pytest.raises(QueryError, match="64 finite numbers"):
            searcher.search_vector(vector)

    @pytest.mark.parametrize("row", [-1, 400])
    def test_a_document_outside_the_corpus_is_an_index_error(self, searcher: Searcher, row: int) -> None:
        with pytest.raises(IndexError, match="rows 0 to 399"):
            searcher.documents([row])


def test_search_many_refuses_one_text_instead_of_asking_letter_by_letter(build: Build, encoder: FakeEncoder) -> None:
    searcher = Searcher.open(build(["red apple"]).path, encoder=encoder)
    with pytest.raises(QueryError, match="a list of queries"):
        searcher.search_many("red apple")


class TestWhatFuzzingFound:
    @pytest.mark.parametrize("factor", [1e18, 1e300, 1e-30, 1e-300])
    def test_a_vector_of_any_length_finds_what_its_direction_does(self, searcher: Searcher, factor: float) -> None:
        vector = FakeEncoder().encode([QUERIES[0]])[0].astype(np.float64)
        assert rows(searcher.search_vector(vector * factor)) == rows(searcher.search_vector(vector))

    @pytest.mark.parametrize("row", [b"bytes", 2.5, None, True, [1], np.float32(1)], ids=repr)
    def test_a_row_that_is_not_a_whole_number_is_refused(self, searcher: Searcher, row: Any) -> None:
        with pytest.raises(QueryError, match="is not in this index"):
            searcher.more_like(row)

    @pytest.mark.parametrize("queries", [None, 3, np.zeros(3), [b"x"], object], ids=repr)
    def test_many_queries_that_are_not_texts_are_refused(self, searcher: Searcher, queries: Any) -> None:
        with pytest.raises(QueryError, match="needed"):
            searcher.search_many(queries)

    def test_a_scan_that_is_an_array_is_refused(self, searcher: Searcher) -> None:
        with pytest.raises(QueryError, match="scan is"):
            searcher.search(QUERIES[0], scan=np.zeros(3))  # type: ignore[arg-type]

    def test_complex_numbers_are_not_a_vector(self, searcher: Searcher) -> None:
        with pytest.raises(QueryError, match="complex"):
            searcher.search_vector(np.full(64, 1j))
