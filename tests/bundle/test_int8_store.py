"""int8 vectors by row, from real usearch files."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from usearch.index import Index

from retrieval import BundleCorruptError, BundleIncompatibleError, BundleMissingError
from retrieval.bundle.int8_store import Int8Store, store_bytes, write_int8_store
from retrieval.quantization import Int8s


def random_codes(count: int, dim: int, seed: int = 0) -> Int8s:
    return np.random.default_rng(seed).integers(-128, 128, (count, dim), dtype=np.int8)


def written(path: Path, codes: Int8s) -> Int8Store:
    write_int8_store(path, codes.shape[1], np.array_split(codes, 4))
    return Int8Store.open(path, codes.shape[1])


@pytest.mark.parametrize("dim", [1, 7, 8, 13, 384])
def test_rows_come_back_as_they_were_written(tmp_path: Path, dim: int) -> None:
    codes = random_codes(500, dim)
    store = written(tmp_path / "int8.usearch", codes)
    assert len(store) == 500
    assert store.dim == dim
    assert np.array_equal(store.fetch(np.arange(500)), codes)


def test_rows_come_in_the_order_asked_for_even_twice(tmp_path: Path) -> None:
    codes = random_codes(100, 16)
    rows = np.array([99, 0, 50, 50, 7])
    found = written(tmp_path / "int8.usearch", codes).fetch(rows)
    assert found.dtype == np.int8
    assert np.array_equal(found, codes[rows])


@pytest.mark.parametrize("count", [0, 1])
def test_no_row_and_one_row_keep_two_dimensions(tmp_path: Path, count: int) -> None:
    store = written(tmp_path / "int8.usearch", random_codes(10, 16))
    assert store.fetch(np.arange(count)).shape == (count, 16)


def test_a_store_of_one_row(tmp_path: Path) -> None:
    codes = random_codes(1, 16)
    assert np.array_equal(written(tmp_path / "int8.usearch", codes).fetch(np.array([0])), codes)


def test_any_usearch_reads_the_file_by_key(tmp_path: Path) -> None:
    codes = random_codes(300, 32)
    written(tmp_path / "int8.usearch", codes)
    index = Index.restore(str(tmp_path / "int8.usearch"))
    keys = np.array([7, 299, 0], dtype=np.uint64)
    assert len(index) == 300
    assert np.array_equal(np.stack(index.get(keys)), codes[[7, 299, 0]])


@pytest.mark.parametrize("view", [False, True], ids=["loaded", "viewed"])
@pytest.mark.parametrize("count", [1, 300, 70_000])
def test_any_usearch_searches_the_file_exactly(tmp_path: Path, count: int, view: bool) -> None:
    codes = random_codes(count, 24)
    written(tmp_path / "int8.usearch", codes)
    found = Index.restore(str(tmp_path / "int8.usearch"), view=view).search(codes[-1], min(count, 10), exact=True)
    products = codes.astype(np.int64) @ codes[-1].astype(np.int64)
    assert np.array_equal(1 - found.distances, np.sort(products)[::-1][: len(found)])
    assert np.array_equal(products[found.keys.astype(np.int64)], 1 - found.distances)


def test_a_file_that_usearch_wrote_itself_is_read(tmp_path: Path) -> None:
    """Indexes of earlier releases have such files: the same matrix before another graph."""
    codes = random_codes(500, 48)
    theirs = Index(ndim=48, metric="ip", dtype="i8", connectivity=2, expansion_add=1, expansion_search=1)
    theirs.add(np.arange(500, dtype=np.uint64), codes, threads=1)
    theirs.save(str(tmp_path / "theirs"))
    written(tmp_path / "ours", codes)
    assert np.array_equal(Int8Store.open(tmp_path / "theirs", 48).fetch(np.arange(500)), codes)
    matrix = slice(0, 8 + codes.nbytes)
    assert (tmp_path / "theirs").read_bytes()[matrix] == (tmp_path / "ours").read_bytes()[matrix]


def test_the_size_of_a_file_is_known_before_it_is_written(tmp_path: Path) -> None:
    written(tmp_path / "int8.usearch", random_codes(5000, 384))
    assert (tmp_path / "int8.usearch").stat().st_size == store_bytes(5000, 384) < 1.1 * 5000 * 384


def test_writing_keeps_no_more_than_a_batch_in_ram(tmp_path: Path) -> None:
    batch = random_codes(1000, 1024)

    def batches() -> Iterator[Int8s]:
        for _ in range(100):
            yield batch

    tracemalloc.start()
    write_int8_store(tmp_path / "int8.usearch", 1024, batches())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * batch.nbytes < (tmp_path / "int8.usearch").stat().st_size / 9


def test_two_writes_give_the_same_bytes(tmp_path: Path) -> None:
    codes = random_codes(3000, 16)
    for name in ("one", "two"):
        write_int8_store(tmp_path / name, 16, np.array_split(codes, 2))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_threads_at_once_read_the_right_rows(tmp_path: Path) -> None:
    codes = random_codes(2000, 64)
    store = written(tmp_path / "int8.usearch", codes)
    wanted = [np.random.default_rng(seed).integers(0, 2000, 50) for seed in range(80)]
    with ThreadPoolExecutor(8) as pool:
        for rows, found in zip(wanted, pool.map(store.fetch, wanted), strict=True):
            assert np.array_equal(found, codes[rows])


@pytest.mark.parametrize("row", [-1, 10, 2**40])
def test_a_row_outside_is_an_index_error(tmp_path: Path, row: int) -> None:
    store = written(tmp_path / "int8.usearch", random_codes(10, 8))
    with pytest.raises(IndexError):
        store.fetch(np.array([0, row]))


def test_a_store_releases_its_file(tmp_path: Path) -> None:
    written(tmp_path / "int8.usearch", random_codes(10, 8))
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        Int8Store.open(tmp_path / "int8.usearch", 8).fetch(np.array([1]))
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleMissingError, match=r"int8\.usearch is missing"):
        Int8Store.open(tmp_path / "int8.usearch", 8)


@pytest.mark.parametrize("content", [b"", b"not an index", bytes(5000), bytes(range(256)) * 20])
def test_a_file_that_is_not_an_index_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "int8.usearch"
    path.write_bytes(content)
    with pytest.raises(BundleCorruptError, match=r"int8\.usearch.* Build the index again"):
        Int8Store.open(path, 8)


@pytest.mark.parametrize("kept", [4, 8, 100, 8 + 50 * 8, 8 + 50 * 8 + 30])
def test_a_truncated_file_is_refused(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "int8.usearch"
    written(path, random_codes(50, 8))
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(BundleCorruptError, match="Build the index again"):
        Int8Store.open(path, 8)


def test_a_file_that_shrinks_while_open_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "int8.usearch"
    store = written(path, random_codes(50, 8))
    os.truncate(path, 100)
    with pytest.raises(BundleCorruptError, match="truncated"):
        store.fetch(np.array([49]))


def test_vectors_of_another_length_are_refused_with_both_lengths(tmp_path: Path) -> None:
    path = tmp_path / "int8.usearch"
    written(path, random_codes(50, 8))
    with pytest.raises(BundleIncompatibleError, match=r"of 8 dimensions; I8 vectors of 16 are needed"):
        Int8Store.open(path, 16)


def test_vectors_of_another_type_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "int8.usearch"
    index = Index(ndim=8, metric="ip", dtype="f32")
    index.add(np.arange(5, dtype=np.uint64), np.ones((5, 8), dtype=np.float32))
    index.save(str(path))
    with pytest.raises(BundleIncompatibleError, match="F32 vectors"):
        Int8Store.open(path, 8)


@pytest.mark.parametrize("count", [1, 1000])
def test_a_full_disk_is_noticed_even_with_the_last_bytes(tmp_path: Path, count: int) -> None:
    (tmp_path / "int8.usearch").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        write_int8_store(tmp_path / "int8.usearch", 8, [random_codes(count, 8)])


def test_a_folder_that_cannot_be_written_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"int8\.usearch"):
        write_int8_store(tmp_path / "missing" / "int8.usearch", 8, [random_codes(1, 8)])
