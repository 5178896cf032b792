"""Any text, vector and setting ends in sound hits or a `QueryError`, and never in anything else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from retrieval import SCANS, QueryError, Searcher, SearchResponse, SearchSettings, build_index
from retrieval.indexing.options import BuildOptions
from retrieval.ui.request_limits import (
    MAX_CANDIDATES,
    MAX_MULTIPLIER,
    MAX_TOP_K,
    bounded,
    served_query,
    served_settings,
)
from tests.conftest import FakeEncoder, RowsCorpus, random_texts
from tests.fuzz.cases import any_values, assert_sentence, cases, counted, texts

KNOBS = ("num_candidates", "rescore_multiplier", "asymmetric", "rescore", "scan", "probes")
usual = st.none() | st.integers(1, 700) | st.booleans() | st.sampled_from(SCANS)
knobs = st.dictionaries(st.sampled_from(KNOBS), usual | any_values, max_size=4)


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    rows = [{"text": text, "group": f"g{place // 3}"} for place, text in enumerate(random_texts(300))]
    path = tmp_path_factory.mktemp("fuzzed") / "index"
    return Searcher.open(
        build_index(RowsCorpus(rows), FakeEncoder(24), path, BuildOptions(lists=4)).path, encoder=FakeEncoder(24)
    )


def assert_sound(response: SearchResponse, searcher: Searcher) -> None:
    hits = response.hits
    assert 1 <= len(hits) <= response.settings.top_k
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert all(np.isfinite(score) and abs(score) <= 1.5 for score in scores)
    assert all(hit.document == searcher.documents([hit.row])[0] for hit in hits)
    assert len({hit.document.group for hit in hits}) == len(hits)
    assert set(response.latency.stages) >= {"encode", "binarize", "rescore"}


@cases(40)
@given(texts | any_values, st.none() | st.integers(1, 20) | any_values, knobs)
@counted
def test_any_query_and_settings(searcher: Searcher, query: Any, top_k: Any, knobs: dict[str, Any]) -> None:
    try:
        response = searcher.search(query, top_k, **knobs)
    except QueryError as error:
        assert_sentence(error)
    else:
        assert_sound(response, searcher)


@cases(30)
@given(
    hnp.arrays(st.sampled_from([np.float16, np.float32, np.float64, np.int8, np.int64, np.bool_]), st.just(24))
    | hnp.arrays(hnp.scalar_dtypes(), hnp.array_shapes(max_dims=3, max_side=30))
    | any_values,
    knobs,
)
@counted
def test_any_vector(searcher: Searcher, vector: Any, knobs: dict[str, Any]) -> None:
    try:
        response = searcher.search_vector(vector, **knobs)
    except QueryError as error:
        assert_sentence(error)
    else:
        assert_sound(response, searcher)


@cases(20)
@given(st.integers(-5, 400) | any_values, st.none() | st.integers(1, 20) | any_values)
@counted
def test_any_row(searcher: Searcher, row: Any, top_k: Any) -> None:
    try:
        response = searcher.more_like(row, top_k)
    except QueryError as error:
        assert_sentence(error)
    else:
        assert_sound(response, searcher)
        assert all(hit.row != row for hit in response.hits)


@cases(15)
@given(st.lists(texts, max_size=4) | any_values, knobs)
@counted
def test_many_are_answered_as_each_alone(searcher: Searcher, queries: Any, knobs: dict[str, Any]) -> None:
    try:
        responses = searcher.search_many(queries, **knobs)
    except QueryError:
        return
    for query, response in zip(queries, responses, strict=True):
        alone = searcher.search(query, **knobs)
        assert [(hit.row, hit.member_rows) for hit in response.hits] == [
            (hit.row, hit.member_rows) for hit in alone.hits
        ]


@cases(40)
@given(st.dictionaries(st.sampled_from(("top_k", *KNOBS)), any_values, max_size=7), texts | any_values)
@counted
def test_a_server_answers_settings_within_its_limits_only(given_values: dict[str, Any], query: Any) -> None:
    try:
        settings = served_settings(SearchSettings(), given_values)
        served_query(query)
    except QueryError as error:
        assert_sentence(error)
    else:
        assert 1 <= settings.top_k <= MAX_TOP_K
        assert 1 <= settings.num_candidates <= max(MAX_CANDIDATES, SearchSettings().num_candidates)
        assert 1 <= settings.rescore_multiplier <= MAX_MULTIPLIER
        assert isinstance(settings.rescore, bool)
        assert query.strip()
        assert bounded([query])
