"""The kernel finds what plain numpy finds, for parts, tables, ids, ties, threads and numbers of rows of any kind."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from retrieval.search.scans import kernel
from tests.fuzz.cases import cases, counted
from tests.search.scans.conftest import needs_kernel
from tests.search.scans.packed_rows import Rows


@needs_kernel
@cases(60)
@given(
    num_bytes=st.integers(1, 40),
    sizes=st.lists(st.integers(0, 400), min_size=1, max_size=6),
    have_ids=st.booleans(),
    highest=st.integers(0, 255),
    num_queries=st.integers(1, 3),
    k=st.integers(1, 2500),
    num_threads=st.integers(1, 5),
    seed=st.integers(0, 1000),
)
@counted
def test_the_best_rows_are_those_of_numpy(
    num_bytes: int,
    sizes: list[int],
    have_ids: bool,
    highest: int,
    num_queries: int,
    k: int,
    num_threads: int,
    seed: int,
) -> None:
    rows = Rows(num_bytes, sizes, have_ids, seed)
    shape = (num_queries, 2 * num_bytes, 16)
    tables = np.random.default_rng(seed).integers(0, highest + 1, shape, dtype=np.uint8)
    for own, found in zip(tables, kernel.best(rows.parts, rows.block_bytes, tables, k, num_threads), strict=True):
        ids, sums = rows.expected(own, k)
        np.testing.assert_array_equal(found.ids, ids)
        np.testing.assert_array_equal(found.sums, sums)
