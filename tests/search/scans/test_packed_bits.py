"""Packed sign bits against the codes they were made from: the same bits, the same Hamming distances, the same order."""

from __future__ import annotations

import numpy as np
import pytest

from retrieval.bundle.binary_index import BinaryIndex
from retrieval.quantization import binarize, unpack_signs
from retrieval.search.scans.packed_bits import PackedBits
from tests.search.scans.test_float_bits import DIMS, unit


@pytest.mark.parametrize("dim", [*DIMS, 2048, 3072])
def test_codes_come_back_as_they_were_given(dim: int) -> None:
    codes = binarize(unit(101, dim))
    rows = np.random.default_rng(0).integers(0, 101, 300)
    assert np.array_equal(PackedBits(codes, dim).codes_at(rows), codes[rows])


@pytest.mark.parametrize("dim", [*DIMS, 1040])
@pytest.mark.parametrize("count", [1, 33, 5000])
def test_the_nearest_are_those_of_counting_bits_in_the_same_order(dim: int, count: int) -> None:
    codes, queries = binarize(unit(count, dim)), binarize(unit(4, dim, seed=1))
    packed, counting = PackedBits(codes, dim), BinaryIndex(codes, dim)
    for query in [*queries, codes[0], ~codes[0] if dim % 8 == 0 else codes[-1]]:
        for k in {1, min(10, count), min(300, count)}:
            found, expected = packed.nearest(query, k), counting.search(query, k)
            assert found is not None or dim < 32
            if found is not None:
                assert np.array_equal(found.distances, expected.distances)
                assert np.array_equal(found.ids, expected.ids)


def test_too_many_equal_distances_are_left_to_counting() -> None:
    codes = np.tile(binarize(unit(1, 64)), (5000, 1))
    assert PackedBits(codes, 64).nearest(codes[0], 10) is None


def test_too_many_dimensions_are_left_to_counting() -> None:
    codes = binarize(unit(10, 1100))
    assert PackedBits(codes, 1100).nearest(codes[0], 3) is None


@pytest.mark.parametrize("dim", [1, 2, 8, 384, 1024, 1025, 1536, 3072])
def test_a_text_that_is_the_query_is_the_first_and_none_is_lost(dim: int) -> None:
    documents = unit(300, dim)
    signs, packed = unpack_signs(binarize(documents), dim), PackedBits(binarize(documents), dim)
    for query, dots, rows in zip(documents, *packed.highest_dots(documents, 300), strict=True):
        exact = signs @ query
        assert sorted(rows.tolist()) == list(range(300))
        assert np.abs(dots - exact[rows]).max() < 0.15
        assert exact[rows[0]] >= exact.max() - 0.15
