"""An index in Milvus gives the hits of the same index in files, in the same order, with the same scores."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrieval import QueryError, Searcher, SearchKnobs, SearchResponse
from retrieval.milvus.marks import num_lists
from tests.conftest import FakeEncoder, build_rows, random_texts
from tests.milvus.conftest import Load

QUERIES = ("red apple", "parse a json file", "close socket 17", "matrix", "open the file and read a row")
GROUPED: list[dict[str, Any]] = [
    *({"text": text, "group": f"g{n % 90}", "quality": (n * 7 % 10) / 10} for n, text in enumerate(random_texts(300))),
    *({"text": "the same title", "group": f"g{n % 40}", "quality": n % 5 / 5, "body": str(n)} for n in range(250)),
    *({"text": text} for text in random_texts(30)),
]
"""Repeated texts, one of them often; groups that share them; rows without either."""
TIED = [" ".join(words) for words in itertools.permutations(("red", "green", "apple", "pear", "file"))] * 2
"""Texts with the same words have the same vector here: hundreds of rows tie, and twice each text."""


@dataclass(frozen=True)
class Pair:
    """One index, in files and in Milvus."""

    path: Path
    here: Searcher
    there: Searcher


@pytest.fixture(scope="module", params=["distinct", "grouped", "tied"])
def pair(request: pytest.FixtureRequest, loaded: Load, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    corpora: dict[str, list[Any]] = {"distinct": random_texts(400), "grouped": GROUPED, "tied": TIED}
    rows = corpora[request.param]
    path = build_rows(rows, FakeEncoder(), tmp_path_factory.mktemp("pair") / "index").path
    return Pair(
        path,
        Searcher.open(path, encoder=FakeEncoder()),
        Searcher.open(str(loaded(path)), encoder=FakeEncoder()),
    )


def assert_same(there: SearchResponse, here: SearchResponse) -> None:
    assert [hit.score for hit in there.hits] == pytest.approx([hit.score for hit in here.hits], abs=1e-3)
    for name in ("row", "hamming_distance", "binary_rank", "is_estimate", "member_rows", "document"):
        assert [getattr(hit, name) for hit in there.hits] == [getattr(hit, name) for hit in here.hits], name
    assert (there.num_candidates, there.int8_rows_read) == (here.num_candidates, here.int8_rows_read)


@pytest.mark.parametrize(
    "knobs",
    [
        SearchKnobs(),
        SearchKnobs(num_candidates=30, rescore_multiplier=2),
        SearchKnobs(num_candidates=30, asymmetric=False),
        SearchKnobs(num_candidates=30, rescore=False),
        SearchKnobs(num_candidates=30, rescore=False, asymmetric=False),
        SearchKnobs(num_candidates=100_000),
    ],
    ids=["default", "few", "hamming-order", "no-rescore", "bits-alone", "all"],
)
def test_the_hits_are_those_of_the_files(pair: Pair, knobs: SearchKnobs) -> None:
    for query in QUERIES:
        assert_same(pair.there.search(query, 10, **knobs), pair.here.search(query, 10, **knobs))


def test_more_hits_than_one_group_has_are_found_by_looking_further(pair: Pair) -> None:
    knobs = SearchKnobs(num_candidates=40, rescore_multiplier=1)
    assert_same(pair.there.search("the same title", 40, **knobs), pair.here.search("the same title", 40, **knobs))


def test_a_batch_is_answered_as_its_queries_alone(pair: Pair) -> None:
    for there, here in zip(pair.there.search_many(QUERIES, 5), pair.here.search_many(QUERIES, 5), strict=True):
        assert_same(there, here)


def test_documents_like_one_are_those_of_the_files(pair: Pair) -> None:
    assert_same(pair.there.more_like(7, 5), pair.here.more_like(7, 5))


def test_nearest_texts_are_those_of_the_files(pair: Pair) -> None:
    settings = pair.here.defaults
    for query in QUERIES:
        vector = pair.here.encode_query(query)[0]
        assert np.array_equal(pair.there.nearest_texts(vector, settings), pair.here.nearest_texts(vector, settings))


def test_documents_are_those_of_the_files(pair: Pair) -> None:
    rows = [3, 0, 3, len(pair.here) - 1]
    assert pair.there.documents(rows) == pair.here.documents(rows)
    with pytest.raises(IndexError):
        pair.there.documents([len(pair.here)])


def test_the_network_is_a_stage(pair: Pair) -> None:
    latency = pair.there.search("red apple").latency
    assert latency.stages["network"] > 0
    assert min(latency.stages.values()) >= 0
    assert sum(latency.stages.values()) <= latency.total_ms
    assert pair.here.search("red apple").latency.stages["network"] == 0


def test_what_needs_every_vector_says_why_not(pair: Pair) -> None:
    assert pair.there.scans == ("hamming",)
    with pytest.raises(QueryError, match="milvus://"):
        _ = pair.there.files
    with pytest.raises(QueryError, match="lists"):
        pair.there.search("red", scan="lists")


def test_lists_give_the_exact_answer_when_all_are_visited(loaded: Load, pair: Pair) -> None:
    probes = num_lists(pair.here.manifest.distinct_text_count)
    lists = Searcher.open(str(loaded(pair.path, scan="ivf", probes=probes)), encoder=FakeEncoder())
    assert "BIN_IVF_FLAT" in repr(lists)
    for query in QUERIES:
        assert_same(lists.search(query, 10), pair.here.search(query, 10))
