"""Fewer dimensions: where the exact results stand by the first bits, against sorting everything."""

from __future__ import annotations

import numpy as np
import pytest

from retrieval import Searcher
from retrieval.evaluation.comparison.dimensions import drop_dimensions, kept_dimensions
from tests.conftest import Build, FakeEncoder, random_texts

QUERY = "sort a list of numbers"


def searcher_of(build: Build, encoder: FakeEncoder, **options: object) -> Searcher:
    rows = ["sort a list"] * 20 + random_texts(199)
    return Searcher.open(build(rows, **options).path, encoder=encoder, verify="never")


@pytest.mark.parametrize(
    ("dim", "kept"),
    [
        (384, (384, 192, 96, 48)),
        (64, (64, 32, 16, 8)),
        (20, (20, 8)),
        (8, (8,)),
        (1000, (1000, 496, 248, 120)),
    ],
)
def test_a_half_a_quarter_and_an_eighth_are_tried_in_whole_bytes(dim: int, kept: tuple[int, ...]) -> None:
    assert kept_dimensions(dim) == kept


@pytest.mark.parametrize("center", [False, True], ids=["plain", "centred"])
def test_ranks_are_those_of_sorting_by_the_first_bits(build: Build, encoder: FakeEncoder, center: bool) -> None:
    searcher = searcher_of(build, encoder, center=center)
    vector, _ = searcher.encode_query(QUERY)
    dropped = drop_dimensions(searcher, vector, 10)
    own = np.unpackbits(searcher.binarize(vector), count=searcher.manifest.dim)
    bits = np.unpackbits(searcher.files.texts.codes, axis=1, count=searcher.manifest.dim)
    places = np.searchsorted(searcher.files.text_rows, dropped.rows)
    for each in dropped.kept:
        order = np.argsort((bits[:, : each.dim] != own[: each.dim]).sum(axis=1), kind="stable").tolist()
        assert list(each.ranks) == [1 + order.index(place) for place in places]
        assert each.found(100) == sum(rank <= 100 for rank in each.ranks)


@pytest.mark.parametrize("baseline", [True, False], ids=["float32", "int8"])
def test_the_results_are_those_of_the_best_vectors_that_there_are(
    build: Build, encoder: FakeEncoder, baseline: bool
) -> None:
    searcher = searcher_of(build, encoder, baseline=baseline)
    vector, _ = searcher.encode_query(QUERY)
    dropped = drop_dimensions(searcher, vector, 10)
    vectors = encoder.encode([document.text for document in searcher.documents(searcher.files.text_rows.tolist())])
    if not baseline:
        quantizer = searcher.manifest.quantizer
        vectors = quantizer.decode(quantizer.encode(vectors))
    best = np.argsort(-(vectors @ vector), kind="stable")[:10]
    assert dropped.reference_key == ("float32" if baseline else "int8")
    assert list(dropped.rows) == searcher.files.text_rows[best].tolist()
    assert len(dropped.texts) == 10
