"""Sign bits as the codes of a 4-bit product quantizer, which needs no training.

Four sign bits are one 4-bit code whose 16 centroids are the patterns of +1 and -1. The dot product of a float query
with such a code is looked up, and faiss's FastScan looks up 32 documents at once in the processor's registers (André et
al., "Quicker ADC", arXiv 1812.09162; faiss wiki, "Fast accumulation of PQ and AQ codes"). Its tables have 8 bits per
entry, scaled for each query: the dot products are off by a fraction of a percent.

For faiss, bytes of zeros follow each code, so that a query can add to all sums alike. It leaves out rows whose sum is
0, so a table that gives every row a little goes first. And its sums have 16 bits: with thousands of dimensions, a text
that agrees with the query in every sign would pass them by what rounding adds; tables that give no row anything, but
count as wide, make faiss take smaller steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import faiss
import numpy as np
import numpy.typing as npt

from retrieval.quantization import Bits, Float32s, num_code_bytes
from retrieval.search.rescoring import MEAN_COSINE_WITH_OWN_SIGNS

BITS_PER_CODE = 4
BLOCK_ROWS = 64
"""FastScan compares this many rows in one go: 64 take 0.83 of the time of its default, 32 (593,891 x 384, AMD EPYC)."""
_PACKED_AT_ONCE = 512 * BLOCK_ROWS
_TABLE_STEPS, MOST_STEPS = 255, 65_535
"""The steps of one table, and of a sum."""
_LITTLE = 64
"""The offset of every row, as a part of half the widest table: eight steps of it."""
_DIMS_PER_BYTE = 2048
"""Dimensions per byte of zeros: rounding adds at most half a step per table, 256 for 2,048 dimensions."""


def padded_dim(dim: int) -> int:
    """Returns the dimension rounded up to whole bytes: a multiple of 8."""
    return 8 * num_code_bytes(dim)


def packed_dim(dim: int) -> int:
    """Returns the dimension including the bytes of zeros."""
    return padded_dim(dim) + 8 * (1 + padded_dim(dim) // _DIMS_PER_BYTE)


def block_bytes(dim: int) -> int:
    """Returns the bytes of a block of rows, with the bytes of zeros."""
    return BLOCK_ROWS * packed_dim(dim) // 8


def float_queries(vectors: Float32s) -> tuple[Float32s, Float32s]:
    """Returns queries `(m, packed_dim)` for float32 `(m, dim)`, and what they add to the dot products, `(m, 1)`."""
    dim = vectors.shape[1]
    padded, packed = padded_dim(dim), packed_dim(dim)
    queries = np.zeros((len(vectors), packed), np.float32)
    queries[:, :dim] = vectors
    tables = 2 * np.abs(queries[:, :padded]).reshape(len(vectors), -1, BITS_PER_CODE).sum(axis=2)
    widest, together = tables.max(axis=1), tables.sum(axis=1)
    are_too_wide = _TABLE_STEPS * together > (MOST_STEPS - _TABLE_STEPS) * widest
    little = widest / _LITTLE
    empty = np.where(are_too_wide, together * _TABLE_STEPS / (MOST_STEPS - _TABLE_STEPS), 0) / 2
    # The signs of a byte of zeros are all -1.
    queries[:, padded] = -little
    places = np.arange(padded + BITS_PER_CODE, packed, BITS_PER_CODE)
    queries[:, places] = empty[:, None]
    return queries, (little - len(places) * empty)[:, None].astype(np.float32)


def set_centroids(quantizer: faiss.ProductQuantizer) -> None:
    """Gives a product quantizer of 4-bit codes the 16 patterns of +1 and -1 as centroids of every code."""
    bits = np.arange(1 << BITS_PER_CODE)[:, None] >> np.arange(BITS_PER_CODE)[::-1] & 1
    patterns = np.where(bits, 1.0, -1.0).astype(np.float32)
    faiss.copy_array_to_vector(np.tile(patterns, (quantizer.M, 1, 1)).ravel(), quantizer.centroids)


def empty_index(dim: int) -> faiss.IndexPQ:
    """Returns a product quantizer's index for sign bits of `dim` dimensions, without any."""
    packed = packed_dim(dim)
    index = faiss.IndexPQ(packed, packed // BITS_PER_CODE, BITS_PER_CODE, faiss.METRIC_INNER_PRODUCT)
    set_centroids(index.pq)
    index.is_trained = True
    return index


def packed_codes(codes: Bits, dim: int) -> Bits:
    """Returns sign bits, uint8 `(n, ceil(dim / 8))`, as FastScan reads them in blocks of rows, uint8 `(any,)`."""
    index = empty_index(dim)
    padded = np.pad(codes, ((0, 0), (0, packed_dim(dim) // 8 - codes.shape[1])))
    # faiss packs the first 4-bit code of a byte lowest, numpy's `packbits` the first bit highest.
    swapped = np.bitwise_or(padded << 4, padded >> 4, dtype=np.uint8)
    faiss.copy_array_to_vector(swapped.ravel(), index.codes)
    index.ntotal = len(codes)
    fast = faiss.IndexPQFastScan(index, BLOCK_ROWS)  # named: what `packed_in` shows is gone with it
    return packed_in(fast).copy()


def packed_chunks(codes: Bits, dim: int, after_chunk: Callable[[], None]) -> Iterator[tuple[slice, Bits]]:
    """Yields blocks of packed sign bits, uint8 `(any, block_bytes)`, and before them which blocks they are.

    By chunks: faiss rearranges codes in one go, from its own copy.

    Args:
        codes: the sign bits, uint8 `(n, ceil(dim / 8))`.
        dim: their dimensions.
        after_chunk: called after each chunk was taken; its codes are not read again.
    """
    for start in range(0, len(codes), _PACKED_AT_ONCE):
        packed = packed_codes(codes[start : start + _PACKED_AT_ONCE], dim).reshape(-1, block_bytes(dim))
        first = start // BLOCK_ROWS
        yield slice(first, first + len(packed)), packed
        after_chunk()


def packed_in(index: faiss.IndexPQFastScan) -> Bits:
    """Returns the packed codes that an index holds, uint8 `(any,)`, in place."""
    view: Bits = faiss.rev_swig_ptr(index.codes.get(), index.codes.size())
    return view


def cosine_estimates(dots: Float32s, dim: int) -> Float32s:
    """Returns cosine estimates for dot products with signs, of any shape; see `rescoring.asymmetric_scores`."""
    estimates: Float32s = dots * np.float32(1.0 / (math.sqrt(dim) * MEAN_COSINE_WITH_OWN_SIGNS))
    return estimates


def best_first(dots: Float32s, rows: npt.NDArray[np.int64]) -> tuple[Float32s, npt.NDArray[np.int64]]:
    """Returns what faiss found for one query, `(k,)` each, row -1 standing for nothing: equal sums in order of row."""
    found = rows >= 0
    dots, rows = dots[found], rows[found]
    order = np.lexsort((rows, -dots))
    return dots[order], rows[order]
