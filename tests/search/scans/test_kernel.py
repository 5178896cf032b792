"""The kernel against plain numpy: the same rows in the same order, whatever the tables, parts, ties and threads."""

from __future__ import annotations

import numpy as np
import pytest

from retrieval.quantization import binarize, unpack_signs
from retrieval.search.scans import kernel
from retrieval.search.scans.sign_patterns import packed_codes
from tests.search.scans.conftest import needs_kernel
from tests.search.scans.packed_rows import Rows
from tests.search.scans.test_float_bits import unit

pytestmark = [needs_kernel, pytest.mark.parametrize("scanned_by", ["kernel"], indirect=True)]


@pytest.mark.parametrize("num_bytes", [1, 2, 3, 16, 48, 129])
@pytest.mark.parametrize("highest", [1, 4, 255])
@pytest.mark.parametrize("have_ids", [False, True])
@pytest.mark.parametrize("num_threads", [1, 3])
def test_the_rows_are_those_of_numpy(num_bytes: int, highest: int, have_ids: bool, num_threads: int) -> None:
    rows = Rows(num_bytes, [1, 64, 700, 0, 65, 5000], have_ids)
    highest = min(highest, 65_535 // (2 * num_bytes))
    tables = np.random.default_rng(1).integers(0, highest + 1, (3, 2 * num_bytes, 16), dtype=np.uint8)
    for k in (1, 2, 150, 5829, 5830, 9000):
        found = kernel.best(rows.parts, rows.block_bytes, tables, k, num_threads)
        for own, each in zip(tables, found, strict=True):
            ids, sums = rows.expected(own, k)
            assert np.array_equal(each.ids, ids)
            assert np.array_equal(each.sums, sums)


@pytest.mark.parametrize("order", ["rising", "falling", "equal"])
@pytest.mark.parametrize("num_threads", [1, 2, 8, 100])
def test_no_order_of_the_rows_loses_one(order: str, num_threads: int) -> None:
    rows = Rows(2, [3000] * 20, have_ids=False)
    sums = {"rising": np.arange(60_000) // 236, "falling": 255 - np.arange(60_000) // 236, "equal": np.zeros(60_000)}
    rows.codes[:, 0], rows.codes[:, 1] = sums[order], 0
    packed = [packed_codes(rows.codes[start : start + 3000], 16) for start in range(0, 60_000, 3000)]
    rows.parts["codes"] = [each.ctypes.data for each in packed]
    # The sum of a row is its first byte: 16 times the upper half, and once the lower one.
    tables = np.stack([np.arange(16) * weight for weight in (16, 1, 0, 0)])[None].astype(np.uint8)
    for k in (1, 100, 20_000):
        [found] = kernel.best(rows.parts, rows.block_bytes, tables, k, num_threads)
        ids, expected = rows.expected(tables[0], k)
        assert np.array_equal(found.ids, ids)
        assert np.array_equal(found.sums, expected)


def test_sums_use_all_16_bits() -> None:
    rows = Rows(128, [500], have_ids=False)
    tables = np.full((1, 256, 16), 255, np.uint8)
    tables[0, 0, rows.codes[7, 0] >> 4] = 254
    [found] = kernel.best(rows.parts, rows.block_bytes, tables, 500, 1)
    ids, sums = rows.expected(tables[0], 500)
    assert found.sums.max() == 256 * 255
    assert np.array_equal(found.ids, ids)
    assert np.array_equal(found.sums, sums)


@pytest.mark.parametrize("num_queries", [0, 1, 32, 33, 70])
def test_any_number_of_queries_is_answered(num_queries: int) -> None:
    rows = Rows(8, [1000, 1000], have_ids=True)
    tables = np.random.default_rng(1).integers(0, 256, (num_queries, 16, 16), dtype=np.uint8)
    found = kernel.best(rows.parts, rows.block_bytes, tables, 20, 2)
    assert len(found) == num_queries
    for own, each in zip(tables, found, strict=True):
        assert np.array_equal(each.ids, rows.expected(own, 20)[0])


def test_no_rows_give_no_answer() -> None:
    nothing = np.zeros(0, kernel.PART)
    [found] = kernel.best(nothing, 128, np.zeros((1, 2, 16), np.uint8), 5, 1)
    assert len(found.ids) == len(found.sums) == 0


@pytest.mark.parametrize("dim", [1, 3, 4, 8, 31, 384, 1025, 3072, 70_000])
def test_sums_of_float_tables_are_dot_products_up_to_half_a_step_per_table(dim: int) -> None:
    queries, codes = unit(3, dim), binarize(unit(20, dim, seed=1))
    tables = kernel.float_tables(queries)
    nibbles = np.stack([codes >> 4, codes & 15], axis=2).reshape(len(codes), -1)
    for query in range(3):
        sums = tables.steps[query][np.arange(nibbles.shape[1]), nibbles].astype(np.int64).sum(axis=1)
        highest = tables.steps[query].max(axis=1).astype(np.int64).sum()
        assert highest <= 65_535
        off = np.abs(tables.dots(query, sums) - unpack_signs(codes, dim) @ queries[query])
        assert off.max() <= tables.width[query] * nibbles.shape[1] / 2 + 1e-4


def test_a_query_of_zeros_has_tables() -> None:
    tables = kernel.float_tables(np.zeros((1, 8), np.float32))
    assert not tables.steps.any()
    assert tables.dots(0, np.zeros(3, np.int64)).tolist() == [0, 0, 0]


@pytest.mark.parametrize("is_supported", [0, None])
def test_what_cannot_run_the_kernel_is_left_to_faiss(is_supported: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    class Functions:
        def fast_scan_is_supported(self) -> int | None:
            return is_supported

    monkeypatch.setattr(kernel, "library", lambda: None if is_supported is None else Functions())
    monkeypatch.setattr(kernel, "_functions", kernel._functions.__wrapped__)
    assert not kernel.can_scan(8)


def test_sums_of_16_bits_limit_the_dimensions() -> None:
    assert kernel.can_scan(65_528)
    assert not kernel.can_scan(65_529)
