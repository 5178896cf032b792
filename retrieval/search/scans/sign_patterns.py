"""Sign bits as the codes of a 4-bit product quantizer, which needs no training.

Four sign bits are one 4-bit code whose 16 centroids are the patterns of +1 and -1. The dot product of a float query
with such a code is looked up, and faiss's FastScan looks up 32 documents at once in the processor's registers (André et
al., "Quicker ADC", arXiv 1812.09162; faiss wiki, "Fast accumulation of PQ and AQ codes"). Its tables have 8 bits per
entry, scaled for each query: the dot products are off by a fraction of a percent.
"""

from __future__ import annotations

import math

import faiss
import numpy as np

from retrieval.quantization import Bits, Float32s, num_code_bytes
from retrieval.search.rescoring import MEAN_COSINE_WITH_OWN_SIGNS

BITS_PER_CODE = 4
BLOCK_ROWS = 32
"""FastScan keeps the codes of so many rows interleaved."""


def padded_dim(dim: int) -> int:
    """Returns the dimension that whole bytes have room for: a multiple of 8."""
    return 8 * num_code_bytes(dim)


def padded_queries(vectors: Float32s) -> Float32s:
    """Returns float32 `(m, padded_dim)` for queries `(m, dim)`: zeros do not count, whatever the padding bits are."""
    missing = padded_dim(vectors.shape[1]) - vectors.shape[1]
    padded = np.pad(vectors, ((0, 0), (0, missing))) if missing else vectors
    return np.ascontiguousarray(padded, dtype=np.float32)


def set_centroids(quantizer: faiss.ProductQuantizer) -> None:
    """Gives a product quantizer of 4-bit codes the 16 patterns of +1 and -1 as centroids of every code."""
    bits = np.arange(1 << BITS_PER_CODE)[:, None] >> np.arange(BITS_PER_CODE)[::-1] & 1
    patterns = np.where(bits, 1.0, -1.0).astype(np.float32)
    faiss.copy_array_to_vector(np.tile(patterns, (quantizer.M, 1, 1)).ravel(), quantizer.centroids)


def empty_index(dim: int) -> faiss.IndexPQ:
    """Returns a product quantizer's index for sign bits of `dim` dimensions, without any."""
    padded = padded_dim(dim)
    index = faiss.IndexPQ(padded, padded // BITS_PER_CODE, BITS_PER_CODE, faiss.METRIC_INNER_PRODUCT)
    set_centroids(index.pq)
    index.is_trained = True
    return index


def packed_codes(codes: Bits, dim: int) -> Bits:
    """Returns sign bits, uint8 `(n, ceil(dim / 8))`, as FastScan reads them: blocks of 32 rows, uint8 `(any,)`."""
    index = empty_index(dim)
    # faiss packs the first 4-bit code of a byte lowest, numpy's `packbits` the first bit highest.
    swapped = np.bitwise_or(codes << 4, codes >> 4, dtype=np.uint8)
    faiss.copy_array_to_vector(swapped.ravel(), index.codes)
    index.ntotal = len(codes)
    fast = faiss.IndexPQFastScan(index)  # named: what `packed_in` shows is gone with it
    return packed_in(fast).copy()


def packed_in(index: faiss.IndexPQFastScan) -> Bits:
    """Returns the packed codes that an index holds, uint8 `(any,)`, in place."""
    view: Bits = faiss.rev_swig_ptr(index.codes.get(), index.codes.size())
    return view


def cosine_estimates(dots: Float32s, dim: int) -> Float32s:
    """Returns cosine estimates for dot products with signs, of any shape; see `rescoring.asymmetric_scores`."""
    estimates: Float32s = dots * np.float32(1.0 / (math.sqrt(dim) * MEAN_COSINE_WITH_OWN_SIGNS))
    return estimates
