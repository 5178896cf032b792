"""Hamming search against brute-force popcount, ties included, on real faiss files."""

from __future__ import annotations

import gc
import resource
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from retrieval.bundle import binary_index as module
from retrieval.bundle.binary_file import write_binary_index
from retrieval.bundle.binary_index import BinaryIndex
from retrieval.bundle.neighbours import Neighbours
from retrieval.quantization import Bits, binarize


def random_codes(count: int, num_bytes: int, seed: int = 0) -> Bits:
    return np.random.default_rng(seed).integers(0, 256, (count, num_bytes), dtype=np.uint8)


def brute_force(query: Bits, codes: Bits, k: int) -> Neighbours:
    distances = np.bitwise_count(codes ^ query).sum(axis=1, dtype=np.int32)
    order = np.argsort(distances, kind="stable")[:k]
    return Neighbours(distances[order][None], order[None])


def assert_same(found: Neighbours, expected: Neighbours) -> None:
    assert found.distances.tolist() == expected.distances.tolist()
    assert found.ids.tolist() == expected.ids.tolist()


def written(path: Path, codes: Bits, dim: int) -> BinaryIndex:
    write_binary_index(path, dim, np.array_split(codes, 3))
    return BinaryIndex.open(path, dim)


@pytest.mark.parametrize("k", [1, 10, 999, 1000])
@pytest.mark.parametrize("num_bytes", [1, 2, 8, 13, 48])
def test_search_is_brute_force_with_ties_in_order_of_position(tmp_path: Path, num_bytes: int, k: int) -> None:
    codes, queries = random_codes(1000, num_bytes), random_codes(5, num_bytes, seed=1)
    index = written(tmp_path / "binary.faiss", codes, 8 * num_bytes)
    for query in queries:
        assert_same(index.search(query, k), brute_force(query, codes, k))


def test_many_equal_codes_come_in_order_of_position(tmp_path: Path) -> None:
    codes = np.zeros((5000, 6), dtype=np.uint8)
    codes[::1000] = 255
    found = written(tmp_path / "binary.faiss", codes, 48).search(np.zeros(6, dtype=np.uint8), 4)
    assert found.ids.tolist() == [[1, 2, 3, 4]]
    assert found.distances.tolist() == [[0, 0, 0, 0]]


@pytest.mark.parametrize("num_threads", [1, 2, 3, 7])
def test_slices_for_several_threads_give_the_answer_of_one(num_threads: int) -> None:
    codes = random_codes(module._MIN_ROWS_PER_SLICE * 3 + 17, 2)
    query = random_codes(1, 2, seed=1)[0]
    index = BinaryIndex(codes, 16, num_threads=num_threads)
    assert_same(index.search(query, 500), brute_force(query, codes, 500))


def test_a_query_during_another_one_takes_one_core() -> None:
    codes, query = random_codes(module._MIN_ROWS_PER_SLICE * 2, 2), random_codes(1, 2, seed=1)[0]
    index = BinaryIndex(codes, 16, num_threads=2)
    with index._under_way:
        assert_same(index.search(query, 100), brute_force(query, codes, 100))
    assert index._pool is None


def test_more_neighbours_than_a_slice_has_rows() -> None:
    codes = random_codes(module._MIN_ROWS_PER_SLICE * 2, 2)
    query = random_codes(1, 2, seed=1)[0]
    found = BinaryIndex(codes, 16, num_threads=2).search(query, 10**9)
    assert_same(found, brute_force(query, codes, len(codes)))


def test_k_above_the_size_gives_what_there_is_and_no_minus_one(tmp_path: Path) -> None:
    index = written(tmp_path / "binary.faiss", random_codes(3, 2), 16)
    found = index.search(random_codes(1, 2)[0], 10)
    assert sorted(found.ids[0].tolist()) == [0, 1, 2]
    assert found.distances.shape == (1, 3)


@pytest.mark.parametrize("dim", [1, 7, 9, 13])
def test_a_dim_that_fills_no_whole_byte_counts_only_its_own_bits(tmp_path: Path, dim: int) -> None:
    documents = np.random.default_rng(0).standard_normal((60, dim)).astype(np.float32)
    query = -documents[0]
    index = written(tmp_path / "binary.faiss", binarize(documents), dim)
    expected = ((documents > 0) != (query > 0)).sum(axis=1)
    found = index.search(binarize(query), 60)
    assert found.distances[0].tolist() == expected[found.ids[0]].tolist()
    assert found.distances.max() == dim


def test_a_batch_gives_the_answers_of_single_searches(monkeypatch: pytest.MonkeyPatch) -> None:
    codes, queries = random_codes(2000, 8), random_codes(37, 8, seed=1)
    index = BinaryIndex(codes, 64, num_threads=2)
    monkeypatch.setattr(module, "_COUNTING_ENTRIES", 65 * 50 * 10)  # ten queries at once
    found = index.search_batch(queries, 50)
    for row, query in enumerate(queries):
        assert_same(Neighbours(found.distances[row][None], found.ids[row][None]), brute_force(query, codes, 50))


def test_a_batch_that_asks_for_everything_stays_in_bounded_memory() -> None:
    """faiss alone would ask for 8 bytes x 300 queries x 385 distances x 60,000 neighbours: 55 GB."""
    codes = random_codes(60_000, 48)
    found = BinaryIndex(codes, 384, num_threads=1).search_batch(codes[:3].repeat(100, axis=0), 60_000)
    assert found.ids[:, 0].tolist() == np.arange(3).repeat(100).tolist()


def test_threads_at_once_get_the_answers_of_one(tmp_path: Path) -> None:
    codes, queries = random_codes(50_000, 4), random_codes(60, 4, seed=1)
    index = BinaryIndex(codes, 32, num_threads=2)
    with ThreadPoolExecutor(8) as pool:
        for query, found in zip(queries, pool.map(lambda query: index.search(query, 100), queries), strict=True):
            assert_same(found, brute_force(query, codes, 100))


def test_codes_whose_pages_were_given_back_are_read_again(tmp_path: Path) -> None:
    codes = random_codes(20_000, 8)
    written(tmp_path / "binary.faiss", codes, 64)
    index = BinaryIndex.open(tmp_path / "binary.faiss", 64, mapped=True)
    index.release()
    assert np.array_equal(index.codes, codes)
    in_ram = index.subset(np.arange(20_000))
    in_ram.release()
    assert np.array_equal(in_ram.codes, codes)


@pytest.mark.parametrize("mapped", [False, True])
def test_codes_outlive_their_index(tmp_path: Path, mapped: bool) -> None:
    codes = random_codes(50_000, 8)
    written(tmp_path / "binary.faiss", codes, 64)
    kept = BinaryIndex.open(tmp_path / "binary.faiss", 64, mapped=mapped).codes
    gc.collect()
    assert np.array_equal(kept, codes)


def test_a_subset_answers_with_positions_in_it(tmp_path: Path) -> None:
    codes = random_codes(100, 2)
    rows = np.array([90, 5, 40])
    index = written(tmp_path / "binary.faiss", codes, 16).subset(rows)
    assert_same(index.search(codes[40], 3), brute_force(codes[40], codes[rows], 3))


def test_the_codes_outlive_everything_but_their_index(tmp_path: Path) -> None:
    codes = random_codes(1000, 48)
    index = written(tmp_path / "binary.faiss", codes, 384)
    (tmp_path / "binary.faiss").unlink()
    assert np.array_equal(index.codes, codes)
    assert repr(index) == "BinaryIndex(1,000 x 384 bits, 0.0 MB)"


@pytest.mark.parametrize("k", [999, 1000, 10**9])
def test_very_many_neighbours_are_brute_force_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, k: int) -> None:
    codes = random_codes(1000, 6)
    index = written(tmp_path / "binary.faiss", codes, 48)
    monkeypatch.setattr(module, "_COUNTING_ENTRIES", 1000)
    queries = random_codes(3, 6, seed=1)
    batch = index.search_batch(queries, k)
    for row, query in enumerate(queries):
        expected = brute_force(query, codes, k)
        assert_same(index.search(query, k), expected)
        assert_same(Neighbours(batch.distances[row : row + 1], batch.ids[row : row + 1]), expected)


def test_all_of_many_codes_are_found_in_little_memory() -> None:
    codes = random_codes(200_000, 48)
    index = BinaryIndex(codes, 384, num_threads=2)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = index.search(codes[7], 10**9)
    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert (found.ids[0, 0], len(found.ids[0])) == (7, 200_000)
    assert grown_kb < 100_000  # faiss's counting kernel would take 600 MB
