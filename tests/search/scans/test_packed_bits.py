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
            [found], expected = packed.nearest(query[None], k), counting.search(query, k)
            assert found is not None or dim < 32
            if found is not None:
                assert np.array_equal(found.distances, expected.distances)
                assert np.array_equal(found.ids, expected.ids)


def test_too_many_equal_distances_are_left_to_counting() -> None:
    codes = np.tile(binarize(unit(1, 64)), (5000, 1))
    assert PackedBits(codes, 64).nearest(codes[:1], 10) == [None]


def test_too_many_dimensions_are_left_to_counting() -> None:
    codes = binarize(unit(10, 1100))
    assert PackedBits(codes, 1100).nearest(codes[:1], 3) == [None]


@pytest.mark.parametrize("dim", [1, 2, 8, 384, 1024, 1025, 1536, 3072])
def test_a_text_that_is_the_query_is_the_first_and_none_is_lost(dim: int) -> None:
    documents = unit(300, dim)
    signs, packed = unpack_signs(binarize(documents), dim), PackedBits(binarize(documents), dim)
    for query, dots, rows in zip(documents, *packed.highest_dots(documents, 300), strict=True):
        exact = signs @ query
        assert sorted(rows.tolist()) == list(range(300))
        assert np.abs(dots - exact[rows]).max() < 0.15
        assert exact[rows[0]] >= exact.max() - 0.15


@pytest.mark.parametrize("num_slices", [2, 3, 5])
@pytest.mark.parametrize("several_cores", [False, True])
def test_slices_give_the_answer_of_the_whole(num_slices: int, several_cores: bool) -> None:
    codes, queries = binarize(unit(1001, 48)), unit(3, 48, seed=1)
    whole, sliced = PackedBits(codes, 48, num_slices=1), PackedBits(codes, 48, num_slices=num_slices)
    rows = np.random.default_rng(0).permutation(1001)
    assert len(sliced) == 1001
    assert np.array_equal(sliced.codes_at(rows), codes[rows])
    for query in queries:
        dots, _ = sliced.highest_dots(query[None], 1001, several_cores=several_cores)
        assert np.array_equal(dots, whole.highest_dots(query[None], 1001)[0])
        [found] = sliced.nearest(binarize(query[None]), 40, several_cores=several_cores)
        [expected] = whole.nearest(binarize(query[None]), 40)
        assert found is not None
        assert expected is not None
        assert np.array_equal(found.ids, expected.ids)
        assert np.array_equal(found.distances, expected.distances)


def test_a_batch_gives_each_query_its_own_answer() -> None:
    codes = binarize(unit(500, 64))
    packed = PackedBits(codes, 64)
    together = packed.nearest(codes[:5], 20)
    for place, found in enumerate(together):
        [alone] = packed.nearest(codes[place : place + 1], 20)
        assert found is not None
        assert alone is not None
        assert np.array_equal(found.ids, alone.ids)


def test_the_number_of_cores_is_measured_and_the_answers_stay() -> None:
    codes, queries = binarize(unit(1001, 48)), unit(1, 48, seed=1)
    packed = PackedBits(codes, 48, num_slices=2)
    before = packed.highest_dots(queries, 30)
    packed.choose_cores()
    after = packed.highest_dots(queries, 30, several_cores=packed.several_pay)
    assert np.array_equal(before[0], after[0])
    assert np.array_equal(before[1], after[1])
