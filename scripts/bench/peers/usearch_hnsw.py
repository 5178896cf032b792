"""usearch: a graph over int8 vectors, all in RAM."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from usearch.index import Index

from scripts.bench.peers.engine import Float32s, Ids, Vectors

_FILE = "hnsw.usearch"


def build(vectors: Vectors, folder: Path, threads: int) -> None:
    """Writes the graph of `vectors` to `folder`."""
    index = Index(ndim=vectors.dim, metric="cos", dtype="i8")
    for start, batch in vectors.batches(65_536):
        index.add(np.arange(start, start + len(batch)), batch, threads=threads)
    index.save(str(folder / _FILE))


def open_index(folder: Path, threads: int) -> UsearchHnsw:
    """Returns the graph in `folder`."""
    return UsearchHnsw(Index.restore(str(folder / _FILE), view=False))


class UsearchHnsw:
    """An opened graph."""

    def __init__(self, index: Any) -> None:
        self._index = index
        self._expansion_lock = threading.Lock()

    def search(self, query: Float32s, top_k: int, setting: Mapping[str, int]) -> Ids:
        """Returns the positions of the nearest vectors, nearest first."""
        # The knob is the index's, not the call's: it is set once, before callers come from several threads.
        if self._index.expansion_search != setting["expansion"]:
            with self._expansion_lock:
                self._index.expansion_search = setting["expansion"]
        return np.asarray(self._index.search(query, top_k, threads=1).keys, dtype=np.int64)

    def held_bytes(self) -> int | None:
        """Returns the bytes that the index says it has allocated."""
        return int(self._index.memory_usage)

    def enter_caller(self) -> None:
        """Does nothing: one query takes one core anyway."""
