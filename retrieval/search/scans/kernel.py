"""What `fast_scan.c` does for the scans, in numpy's terms: tables of a query, and the best of packed rows by them.

faiss's FastScan looks up 32 rows in a register of 32 bytes. This kernel reads the same layout in registers of 64, on
processors with AVX-512, which takes 0.7 to 0.85 of the time (593,891 x 384 bits, AMD Zen 5). Without a compiler or such
a processor, faiss scans. What the kernel returns is exact: the rows with the highest sums of table entries, the lower
id first among equal ones.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from retrieval.native.library import address, library
from retrieval.quantization import Bits, Float32s
from retrieval.search.scans.sign_patterns import BITS_PER_CODE, MOST_STEPS, padded_dim

PART = np.dtype([("codes", "<u8"), ("ids", "<u8"), ("first_id", "<i8"), ("num_rows", "<i8")])
"""Rows that lie together: the addresses of their codes and of their ids, or 0 if those count from `first_id` on.

Ids are below 2 ** 40."""
_QUERIES_AT_ONCE = 32
_MOST_THREADS = 8
"""As in `fast_scan.c`: a few cores use all of the memory bandwidth."""
_ID_BITS = np.uint64(40)
_HIGHEST_ID = np.uint64((1 << 40) - 1)
_ROOM_BESIDE = 1024
"""With `k`, what a thread gathers before it drops all but the best `k`: dropping costs about as much as gathering."""
_NIBBLES = np.arange(1 << BITS_PER_CODE, dtype=np.uint8)
_AGREEMENTS = (BITS_PER_CODE - np.bitwise_count(_NIBBLES[:, None] ^ _NIBBLES)).astype(np.uint8)
"""How many of four bits agree, for each two patterns."""


@dataclass(frozen=True, slots=True)
class Found:
    """The best rows for one query, best first."""

    ids: npt.NDArray[np.int64]
    """`(m,)`."""
    sums: npt.NDArray[np.int64]
    """`(m,)` sums of table entries."""


@cache
def _functions() -> ctypes.CDLL | None:
    functions = library()
    return functions if functions is not None and functions.fast_scan_is_supported() else None


def can_scan(dim: int) -> bool:
    """Returns whether the kernel was compiled, this processor can run it, and its sums suffice for the dimensions."""
    return _functions() is not None and padded_dim(dim) <= MOST_STEPS


def _kernel() -> ctypes.CDLL:
    functions = _functions()
    assert functions is not None, "ask `can_scan` first"
    return functions


@dataclass(frozen=True, slots=True)
class FloatTables:
    """For queries, the dot products of four of their values with all signs, in steps of 8 bits."""

    steps: Bits
    """`(m, padded_dim / 4, 16)`."""
    width: Float32s
    """`(m,)` of a step."""
    lowest: Float32s
    """`(m,)` sum of the lowest entry of each table: that of 0 steps."""

    def dots(self, query: int, sums: npt.NDArray[np.int64]) -> Float32s:
        """Returns the dot products for sums of the steps of one of the queries, of any shape."""
        dots: Float32s = sums.astype(np.float32) * self.width[query] + self.lowest[query]
        return dots


def float_tables(vectors: Float32s) -> FloatTables:
    """Returns the tables of float32 queries `(m, dim)`."""
    num_queries, dim = vectors.shape
    padded = np.zeros((num_queries, padded_dim(dim)), np.float32)
    padded[:, :dim] = vectors
    num_tables = padded.shape[1] // BITS_PER_CODE
    steps = np.empty((num_queries, num_tables, 1 << BITS_PER_CODE), np.uint8)
    width, lowest = np.empty(num_queries, np.float32), np.empty(num_queries, np.float32)
    _kernel().fast_scan_tables(
        address(padded), num_queries, num_tables, address(steps), address(width), address(lowest)
    )
    return FloatTables(steps, width, lowest)


def agreement_tables(codes: Bits) -> Bits:
    """Returns tables of how many bits agree, uint8 `(m, 2 * bytes, 16)`, for codes `(m, bytes)`."""
    nibbles = np.stack([codes >> BITS_PER_CODE, codes & 15], axis=2).reshape(len(codes), -1)
    tables: Bits = _AGREEMENTS[nibbles]
    return tables


def best(parts: npt.NDArray[np.void], block_bytes: int, tables: Bits, k: int, num_threads: int) -> list[Found]:
    """Returns the `k` rows with the highest sums of table entries for each query; fewer, if there are fewer rows.

    The interpreter lock is not held meanwhile.

    Args:
        parts: rows in blocks of `BLOCK_ROWS`, dtype `PART`, whose codes and ids stay where they are.
        block_bytes: from one block to the next.
        tables: uint8 `(m, num_tables, 16)`: see `float_tables` and `agreement_tables`.
        k: from 1 on.
        num_threads: how many threads share the parts, at most. Queries share each piece of them, up to 32 at a time.

    Raises:
        MemoryError: if there is no memory for the rows found.
    """
    found = []
    for start in range(0, len(tables), _QUERIES_AT_ONCE):
        found += _best(parts, block_bytes, tables[start : start + _QUERIES_AT_ONCE], k, num_threads)
    return found


def _best(parts: npt.NDArray[np.void], block_bytes: int, tables: Bits, k: int, num_threads: int) -> list[Found]:
    tables = np.ascontiguousarray(tables)
    num_queries, num_tables, _ = tables.shape
    num_rows = int(parts["num_rows"].sum())
    k = min(k, num_rows)
    if k == 0:
        return [Found(np.empty(0, np.int64), np.empty(0, np.int64))] * num_queries
    num_threads = min(num_threads, len(parts), _MOST_THREADS)
    keys = np.empty((num_threads, num_queries, min(2 * k + _ROOM_BESIDE, num_rows + 1)), np.uint64)
    counts = np.empty(num_queries, np.int64)
    failed = _kernel().fast_scan_search(
        address(parts), len(parts), num_tables // 2, block_bytes, address(tables),
        num_queries, k, keys.shape[2], num_threads, address(keys), address(counts),
    )  # fmt: skip
    if failed:
        raise MemoryError(f"no memory for the {k:,} best rows of {num_queries} queries")
    return [_found(own[:count]) for own, count in zip(keys[0], counts.tolist(), strict=True)]


def _found(keys: npt.NDArray[np.uint64]) -> Found:
    descending = np.sort(keys)[::-1]
    return Found((_HIGHEST_ID - (descending & _HIGHEST_ID)).astype(np.int64), (descending >> _ID_BITS).astype(np.int64))


def codes_at(packed: Bits, num_bytes: int, block_bytes: int, rows: npt.NDArray[np.int64]) -> Bits:
    """Returns the sign codes at `rows` `(m,)` of packed ones that lie together, uint8 `(m, num_bytes)`."""
    rows, codes = np.ascontiguousarray(rows, np.int64), np.empty((len(rows), num_bytes), np.uint8)
    _kernel().fast_scan_codes(address(packed), num_bytes, block_bytes, address(rows), len(rows), address(codes))
    return codes
