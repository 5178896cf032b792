"""A user's vectors, checked while they are read, and scaled to length 1 for cosine."""

from __future__ import annotations

import numpy as np

from retrieval.errors import VectorsError
from retrieval.evaluation.frontier.vectors import Vectors, chunks
from retrieval.quantization import Float32s

METRICS = ("cosine", "inner product", "euclidean")
_UNIT_TOLERANCE = 1e-3


class GivenVectors:
    """The first vectors of a set, finite, and of length 1 under cosine."""

    def __init__(self, vectors: Vectors, metric: str, most: int | None = None, name: str = "the vectors") -> None:
        """Takes at most `most` of `vectors`, by default all; errors call them `name`.

        Raises:
            VectorsError: if there is no such metric.
        """
        if metric not in METRICS:
            raise VectorsError(f"{metric!r} is not a metric: choose one of {', '.join(METRICS)}.")
        self._vectors = vectors
        self._normalize = metric == "cosine"
        self._count = len(vectors) if most is None else min(most, len(vectors))
        self._name = name
        self.were_normalized = False
        """Whether a vector that was read did not have length 1, and was scaled to it."""

    def __len__(self) -> int:
        return self._count

    @property
    def dim(self) -> int:
        """Returns the number of dimensions."""
        return self._vectors.dim

    def read(self, start: int, stop: int) -> Float32s:
        """Returns the vectors from row `start` to before row `stop`, float32 `(stop - start, dim)`.

        Raises:
            VectorsError: if a value is not finite, or a vector has length 0 and so no angle.
        """
        read = self._vectors.read(start, stop)
        finite = np.isfinite(read).all(axis=1)
        if not finite.all():
            raise VectorsError(
                f"row {start + int(np.argmin(finite)):,} of {self._name} has a value that is not finite."
            )
        if not self._normalize:
            return read
        lengths = np.linalg.norm(read, axis=1, keepdims=True)
        if not lengths.all():
            raise VectorsError(
                f"row {start + int(np.argmin(lengths)):,} of {self._name} is all zeros and has no angle: "
                f"leave it out, or compare by inner product."
            )
        if (np.abs(lengths - 1) > _UNIT_TOLERANCE).any():
            self.were_normalized = True
        unit: Float32s = read / lengths
        return unit

    def all(self) -> Float32s:
        """Returns all of them, float32 `(n, dim)`."""
        parts = [chunk for _, chunk in chunks(self)]
        return np.concatenate(parts) if parts else np.empty((0, self.dim), np.float32)
