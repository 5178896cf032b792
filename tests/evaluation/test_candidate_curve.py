"""What more candidates keep: as the search itself would find it, and the build's averages next to it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from retrieval import Searcher
from retrieval.evaluation.comparison.compare import compare
from retrieval.evaluation.comparison.curve import LEVELS, MOST_RESCORED, CandidateCurve
from tests.conftest import Build, FakeEncoder, random_texts

QUERY = "sort a list of numbers"


@pytest.fixture
def searcher(build: Build, encoder: FakeEncoder) -> Searcher:
    """700 distinct texts, one of them 300 times."""
    rows = ["sort a list"] * 300 + random_texts(699)
    return Searcher.open(build(rows).path, encoder=encoder, verify="never")


def curve_of(searcher: Searcher) -> CandidateCurve:
    curve = compare(searcher, QUERY, searcher.defaults).curve
    assert curve is not None
    return curve


def test_each_level_keeps_what_a_search_with_that_many_candidates_finds(searcher: Searcher) -> None:
    vector, _ = searcher.encode_query(QUERY)
    wanted = [hit.row for hit in compare(searcher, QUERY, searcher.defaults).reference.hits]
    curve = curve_of(searcher)
    for level, kept in zip(curve.levels, curve.kept, strict=True):
        settings = replace(searcher.defaults, num_candidates=level, rescore_multiplier=MOST_RESCORED // 10)
        found = searcher.nearest_texts(vector, settings)
        assert list(kept) == np.isin(wanted, found).tolist(), level


def test_levels_end_with_the_texts_and_more_candidates_lose_nothing_by_bits(searcher: Searcher) -> None:
    curve = curve_of(searcher)
    num_texts = len(searcher.files.texts.codes)
    assert curve.levels == (*(level for level in LEVELS if level < num_texts), num_texts)
    assert all(rank is not None and 1 <= rank <= num_texts for rank in curve.binary_ranks)
    assert all(found == sum(kept) for found, kept in zip(curve.found, curve.kept, strict=True))


def test_averages_are_those_of_the_build_and_none_where_it_measured_none(searcher: Searcher) -> None:
    curve, tuning = curve_of(searcher), searcher.manifest.tuning
    assert tuning is not None
    measured = {(each.num_candidates, each.int8_rows): each.recall for each in tuning.curve}
    expected = [measured.get((level, min(level, MOST_RESCORED))) for level in curve.levels]
    assert list(curve.averages) == expected
    assert expected[2] is not None  # 40, as the demos of 2024 take for ten results
    assert curve.num_queries == tuning.sampled_queries
