"""Packed sign bits against the codes they were made from: the same bits, the same Hamming distances, the same order."""

from __future__ import annotations

import numpy as np
import pytest

from retrieval.bundle.binary_index import BinaryIndex
from retrieval.quantization import binarize, unpack_signs
from retrieval.search.scans import kernel_bits
from retrieval.search.scans.faiss_bits import FaissBits
from retrieval.search.scans.kernel_bits import KernelBits
from retrieval.search.scans.pack import pack
from tests.search.scans.test_float_bits import DIMS, unit


def test_the_kernel_packs_where_it_is_available(scanned_by: str) -> None:
    expected = {"kernel": KernelBits, "faiss": FaissBits}
    assert type(pack(binarize(unit(10, 8)), 8)) is expected[scanned_by]


@pytest.mark.parametrize("dim", [*DIMS, 2048, 3072])
def test_codes_come_back_as_they_were_given(dim: int) -> None:
    codes = binarize(unit(101, dim))
    rows = np.random.default_rng(0).integers(0, 101, 300)
    assert np.array_equal(pack(codes, dim).codes_at(rows), codes[rows])


@pytest.mark.parametrize("dim", [*DIMS, 1040])
@pytest.mark.parametrize("count", [1, 33, 5000])
def test_the_nearest_are_those_of_counting_bits_in_the_same_order(dim: int, count: int, scanned_by: str) -> None:
    codes, queries = binarize(unit(count, dim)), binarize(unit(4, dim, seed=1))
    packed, counting = pack(codes, dim), BinaryIndex(codes, dim)
    for query in [*queries, codes[0], ~codes[0] if dim % 8 == 0 else codes[-1]]:
        for k in {1, min(10, count), min(300, count)}:
            [found], expected = packed.nearest(query[None], k), counting.search(query, k)
            assert found is not None or (scanned_by == "faiss" and dim < 32)
            if found is not None:
                assert np.array_equal(found.distances, expected.distances)
                assert np.array_equal(found.ids, expected.ids)


def test_many_equal_distances_are_in_order_of_position_or_left_to_counting(scanned_by: str) -> None:
    codes = np.tile(binarize(unit(1, 64)), (5000, 1))
    [found] = pack(codes, 64).nearest(codes[:1], 10)
    if scanned_by == "faiss":
        assert found is None
    else:
        assert found is not None
        assert found.ids.tolist() == [list(range(10))]


@pytest.mark.parametrize("dim", [1100, 65_528, 65_529])
def test_too_many_dimensions_are_left_to_counting(scanned_by: str, dim: int) -> None:
    codes = binarize(unit(10, dim))
    [found] = pack(codes, dim).nearest(codes[:1], 3)
    if scanned_by == "faiss" or dim > 65_528:
        assert found is None
    else:
        assert found is not None
        assert np.array_equal(found.ids, BinaryIndex(codes, dim).search(codes[0], 3).ids)


@pytest.mark.parametrize("row", [-1, 101])
def test_a_row_that_is_not_there_is_an_error(scanned_by: str, row: int) -> None:
    if scanned_by == "kernel":
        with pytest.raises(IndexError, match="not all among 101 codes"):
            pack(binarize(unit(101, 16)), 16).codes_at(np.array([0, row]))


@pytest.mark.parametrize("dim", [1, 2, 8, 384, 1024, 1025, 1536, 3072])
def test_a_text_that_is_the_query_is_the_first_and_none_is_lost(dim: int) -> None:
    documents = unit(300, dim)
    signs, packed = unpack_signs(binarize(documents), dim), pack(binarize(documents), dim)
    for query, (dots, rows) in zip(documents, packed.highest_dots(documents, 300), strict=True):
        exact = signs @ query
        assert sorted(rows.tolist()) == list(range(300))
        assert np.abs(dots - exact[rows]).max() < 0.15
        assert exact[rows[0]] >= exact.max() - 0.15


@pytest.mark.parametrize("num_parts", [2, 3, 5])
@pytest.mark.parametrize("several_cores", [False, True])
def test_parts_give_the_answer_of_the_whole(
    num_parts: int, several_cores: bool, scanned_by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes, queries = binarize(unit(1001, 48)), unit(3, 48, seed=1)
    whole = pack(codes, 48)
    monkeypatch.setattr(kernel_bits, "_PART_ROWS", 64 * -(-1001 // (num_parts * 64)))
    in_parts = FaissBits(codes, 48, num_slices=num_parts) if scanned_by == "faiss" else KernelBits(codes, 48)
    rows = np.random.default_rng(0).permutation(1001)
    assert len(in_parts) == 1001
    assert np.array_equal(in_parts.codes_at(rows), codes[rows])
    for query in queries:
        [(dots, _)] = in_parts.highest_dots(query[None], 1001, several_cores=several_cores)
        assert np.array_equal(dots, whole.highest_dots(query[None], 1001)[0][0])
        [found] = in_parts.nearest(binarize(query[None]), 40, several_cores=several_cores)
        [expected] = whole.nearest(binarize(query[None]), 40)
        assert found is not None
        assert expected is not None
        assert np.array_equal(found.ids, expected.ids)
        assert np.array_equal(found.distances, expected.distances)


def test_a_batch_gives_each_query_its_own_answer() -> None:
    codes = binarize(unit(500, 64))
    packed = pack(codes, 64)
    together = packed.nearest(codes[:5], 20)
    for place, found in enumerate(together):
        [alone] = packed.nearest(codes[place : place + 1], 20)
        assert found is not None
        assert alone is not None
        assert np.array_equal(found.ids, alone.ids)


def test_the_number_of_cores_is_measured_and_the_answers_stay(scanned_by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_bits, "_PART_ROWS", 512)
    codes, queries = binarize(unit(1001, 48)), unit(1, 48, seed=1)
    packed = FaissBits(codes, 48, num_slices=2) if scanned_by == "faiss" else KernelBits(codes, 48)
    [(dots, rows)] = packed.highest_dots(queries, 30)
    packed.choose_cores()
    [(dots_after, rows_after)] = packed.highest_dots(queries, 30, several_cores=packed.several_pay)
    assert np.array_equal(dots, dots_after)
    assert np.array_equal(rows, rows_after)
