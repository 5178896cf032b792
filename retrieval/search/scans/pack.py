"""Packs sign bits for what scans them fastest here."""

from __future__ import annotations

from collections.abc import Callable

from retrieval.quantization import Bits
from retrieval.search.scans import kernel
from retrieval.search.scans.faiss_bits import FaissBits
from retrieval.search.scans.kernel_bits import KernelBits
from retrieval.search.scans.packed_bits import PackedBits


def pack(codes: Bits, dim: int, after_chunk: Callable[[], None] = lambda: None) -> PackedBits:
    """Returns a copy of sign bits for the kernel of ours, where it is available, or for faiss.

    Args:
        codes: uint8 `(n, ceil(dim / 8))`.
        dim: their dimensions.
        after_chunk: called repeatedly while codes are read; earlier ones are not read again.
    """
    return (KernelBits if kernel.can_scan(dim) else FaissBits)(codes, dim, after_chunk=after_chunk)
