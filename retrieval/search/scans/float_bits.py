"""The `float-bits` scan: the float query against the sign bits of every text.

It does the work of the Hamming and the asymmetric stage in one pass: the query need not be cut to bits, since a sum of
looked-up products costs no more than counting differing bits. Exact up to FastScan's 8-bit tables.
"""

from __future__ import annotations

import faiss
import numpy as np
import numpy.typing as npt

from retrieval.quantization import Bits
from retrieval.search.scans.scan import Candidates, Queries
from retrieval.search.scans.sign_patterns import (
    BITS_PER_CODE,
    BLOCK_ROWS,
    cosine_estimates,
    padded_dim,
    padded_queries,
    set_centroids,
    swapped,
)

_CHUNK_ROWS = 1024 * BLOCK_ROWS


class FloatBits:
    """Float queries against all sign bits. Safe to use from many threads."""

    stage = "float_bits"

    def __init__(self, codes: Bits, dim: int) -> None:
        """Rearranges a copy of the sign bits, uint8 `(n, ceil(dim / 8))`, for FastScan; a second takes millions."""
        self._dim = dim
        self._index = _fast_scan_index(codes, dim)

    @property
    def nbytes(self) -> int:
        """Returns the bytes of the rearranged sign bits."""
        return int(self._index.codes.size())

    def search(self, queries: Queries, k: int, probes: int | None = None) -> list[Candidates]:
        """Returns the best texts of each query with cosine estimates; see `Scan.search`."""
        faiss.omp_set_num_threads(1)
        dots, ids = self._index.search(padded_queries(queries.vectors), min(k, self._index.ntotal))
        return [best_first(own_dots, own_ids, self._dim) for own_dots, own_ids in zip(dots, ids, strict=True)]


def best_first(dots: npt.NDArray[np.float32], ids: npt.NDArray[np.int64], dim: int) -> Candidates:
    """Returns what faiss found for one query, `(k,)` each, -1 standing for nothing: equal scores in order of id."""
    found = ids >= 0
    dots, ids = dots[found], ids[found]
    order = np.lexsort((ids, -dots))
    return Candidates(ids[order], cosine_estimates(dots[order], dim))


def _fast_scan_index(codes: Bits, dim: int) -> faiss.IndexPQFastScan:
    index = _empty(dim)
    fast = faiss.IndexPQFastScan(index)
    num_padded = -(-len(codes) // BLOCK_ROWS) * BLOCK_ROWS
    fast.codes.resize(num_padded * fast.M2 // 2)
    packed = _bytes_of(fast)
    filled = 0
    # By chunks: faiss rearranges all codes in one go, from a copy of its own.
    for start in range(0, len(codes), _CHUNK_ROWS):
        chunk = codes[start : start + _CHUNK_ROWS]
        faiss.copy_array_to_vector(swapped(chunk).ravel(), index.codes)
        index.ntotal = len(chunk)
        part = faiss.IndexPQFastScan(index)
        own = _bytes_of(part)
        packed[filled : filled + len(own)] = own
        filled += len(own)
    fast.ntotal, fast.ntotal2 = len(codes), num_padded
    return fast


def _empty(dim: int) -> faiss.IndexPQ:
    padded = padded_dim(dim)
    index = faiss.IndexPQ(padded, padded // BITS_PER_CODE, BITS_PER_CODE, faiss.METRIC_INNER_PRODUCT)
    set_centroids(index.pq)
    index.is_trained = True
    return index


def _bytes_of(index: faiss.IndexPQFastScan) -> Bits:
    """Returns the rearranged codes of an index, uint8 `(any,)`, in place."""
    view: Bits = faiss.rev_swig_ptr(index.codes.get(), index.codes.size())
    return view
