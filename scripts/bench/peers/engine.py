"""What the module of one engine offers, and the vectors that it is given."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

Float32s = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]


class Vectors:
    """The vectors that every engine indexes: one a distinct text, read from the mapped baseline in batches."""

    def __init__(self, embeddings: Path, rows: Path) -> None:
        """Maps `embeddings`, a `.npy` of float32 `(any, dim)`; the `.npy` `rows` says which of them are indexed."""
        self._embeddings: Float32s = np.load(embeddings, mmap_mode="r")
        self._rows: Ids = np.load(rows)
        self.dim = int(self._embeddings.shape[1])

    def __len__(self) -> int:
        return len(self._rows)

    def batches(self, size: int) -> Iterator[tuple[int, Float32s]]:
        """Yields position of the first and vectors, C-contiguous float32 `(at most size, dim)`."""
        for start in range(0, len(self), size):
            yield start, np.ascontiguousarray(self._embeddings[self._rows[start : start + size]])

    def sample(self, count: int) -> Float32s:
        """Returns `(min(count, n), dim)` vectors, always the same ones."""
        rng = np.random.default_rng(0)
        rows = np.sort(rng.choice(self._rows, size=min(count, len(self)), replace=False))
        return np.ascontiguousarray(self._embeddings[rows])


class Opened(ABC):
    """An engine that is ready to search."""

    @abstractmethod
    def search(self, query: Float32s, top_k: int, setting: Mapping[str, int]) -> Ids:
        """Returns the positions of the nearest vectors to a query `(dim,)`, nearest first."""

    def search_batch(self, queries: Float32s, top_k: int, setting: Mapping[str, int]) -> object:
        """Searches for all of the queries `(m, dim)` at once, on all cores; None if the engine has no such call."""
        return None

    def held_bytes(self) -> int | None:
        """Returns what the engine says it holds in RAM; None when it does not say."""
        return None

    def enter_caller(self) -> None:  # noqa: B027 - most engines have nothing to do
        """Is called in each of several calling threads, before its first search: they share the cores."""


class EngineModule(Protocol):
    """The module of one engine."""

    def build(self, vectors: Vectors, folder: Path, threads: int) -> None:
        """Writes an index of `vectors` to the empty `folder`."""

    def open_index(self, folder: Path, threads: int) -> Opened:
        """Returns the index in `folder`, ready to search."""
