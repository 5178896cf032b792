"""The float32 baseline of a bundle, memory-mapped."""

from __future__ import annotations

import tokenize
from pathlib import Path

import numpy as np

from retrieval.errors import BundleCorruptError
from retrieval.quantization import Float32s

HEADER_DAMAGE = (
    *(ValueError, SyntaxError, TypeError, KeyError, OverflowError, MemoryError, RecursionError, EOFError),
    tokenize.TokenError,
)
"""What numpy raises for the header of a `.npy` that was altered: it is parsed as Python."""
_MEND = "Copy it again, or build the index again."


def map_embeddings(path: Path) -> np.memmap[tuple[int, int], np.dtype[np.float32]]:
    """Returns the vectors of a `.npy`, float32 `(n, dim)`, mapped.

    Raises:
        BundleCorruptError: if it is missing or damaged, or holds something else.
    """
    try:
        mapped = np.load(path, mmap_mode="r")
    except (OSError, *HEADER_DAMAGE) as error:
        raise BundleCorruptError(f"{path} cannot be read ({error or type(error).__name__}). {_MEND}") from error
    if not isinstance(mapped, np.memmap) or mapped.ndim != 2 or mapped.dtype != np.float32:
        raise BundleCorruptError(f"{path} does not hold rows of float32. {_MEND}")
    return mapped


def row_of(path: Path, row: int) -> Float32s:
    """Returns a copy of one vector of a `.npy`, float32 `(dim,)`.

    Raises:
        BundleCorruptError: if the file is missing or damaged, or has no such row.
    """
    mapped = map_embeddings(path)
    if row >= len(mapped):
        raise BundleCorruptError(f"{path} has {len(mapped):,} rows, row {row:,} is needed. {_MEND}")
    return np.array(mapped[row])
