"""A set of vectors that may be larger than memory, read chunk by chunk; and parts of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np

from retrieval.bundle.row_tables import Rows
from retrieval.errors import VectorsError, counted
from retrieval.quantization import Float32s

CHUNK_ROWS = 32_768


class Vectors(Protocol):
    """A set of vectors that may be larger than memory."""

    def __len__(self) -> int: ...

    @property
    def dim(self) -> int:
        """Returns the number of dimensions."""

    def read(self, start: int, stop: int) -> Float32s:
        """Returns the vectors from row `start` to before row `stop`, float32 `(stop - start, dim)`."""


def sample_of(vectors: Vectors, count: int) -> Float32s:
    """Returns about `count` vectors spread over the set, float32 `(m, dim)`: 16 runs of neighbouring rows."""
    if len(vectors) <= count:
        return np.ascontiguousarray(vectors.read(0, len(vectors)))
    run = count // 16
    starts = np.linspace(0, len(vectors) - run, 16).astype(np.int64)
    return np.concatenate([vectors.read(int(start), int(start) + run) for start in starts])


def chunks(vectors: Vectors, ends: Sequence[int] = ()) -> Iterator[tuple[int, Float32s]]:
    """Yields the first row and the vectors of each chunk; a chunk also ends before each of the rows in `ends`."""
    bounds = sorted({*range(0, len(vectors), CHUNK_ROWS), *(end for end in ends if end < len(vectors)), len(vectors)})
    for start, stop in pairwise(bounds):
        yield start, vectors.read(start, stop)


@dataclass(frozen=True)
class _Without:
    """Vectors without those that are held out as queries."""

    vectors: Vectors
    rows: Rows
    """`(m,)` rows held out, ascending."""

    def __len__(self) -> int:
        return len(self.vectors) - len(self.rows)

    @property
    def dim(self) -> int:
        return self.vectors.dim

    def read(self, start: int, stop: int) -> Float32s:
        # Row i of what is left is row i + j of all, where j of the rows held out come before it.
        shifted = self.rows - np.arange(len(self.rows))
        first, last = (int(row + np.searchsorted(shifted, row, side="right")) for row in (start, max(start, stop - 1)))
        inside = self.rows[(self.rows >= first) & (self.rows <= last)] - first
        return np.delete(self.vectors.read(first, last + 1), inside, axis=0)[: stop - start]


def hold_out(vectors: Vectors, count: int) -> tuple[Vectors, Float32s]:
    """Holds out `count` vectors, spread over the set: returns the others, and these as queries `(count, dim)`.

    Raises:
        VectorsError: if there are too few to hold any out.
    """
    if count < 1:
        raise VectorsError(
            f"{counted(len(vectors), 'vector')} given: at least 5 are needed to hold one out as a query."
        )
    rows = np.unique(np.linspace(0, len(vectors) - 1, count).astype(np.int64))
    queries = np.concatenate([vectors.read(int(row), int(row) + 1) for row in rows])
    return _Without(vectors, rows), np.ascontiguousarray(queries)


@dataclass(frozen=True)
class FirstDimensions:
    """The first dimensions of vectors, scaled to length 1 again if the whole vectors have it."""

    vectors: Vectors
    dim: int
    normalized: bool
    """Whether the whole vectors have length 1."""

    def __len__(self) -> int:
        return len(self.vectors)

    def read(self, start: int, stop: int) -> Float32s:
        """Returns the first dimensions of these rows, float32 `(stop - start, dim)`."""
        return self.cut(self.vectors.read(start, stop))

    def cut(self, vectors: Float32s) -> Float32s:
        """Returns the first dimensions of any vectors `(m, any)`, float32 `(m, dim)`."""
        kept = np.ascontiguousarray(vectors[:, : self.dim])
        if not self.normalized:
            return kept
        lengths: Float32s = np.linalg.norm(kept, axis=1, keepdims=True)
        lengths[lengths == 0] = 1
        return kept / lengths
