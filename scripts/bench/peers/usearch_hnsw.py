"""usearch: a graph over int8 vectors, all in RAM.

The codes are made here, with one scale that is fitted to the vectors: usearch's own cast takes a component of 1 to be
127, which leaves vectors of length 1 a few bits per dimension, and cost 5 points of recall where it was tried.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from usearch.index import Index

from scripts.bench.peers.engine import Float32s, Ids, Opened, Vectors

_FILE = "hnsw.usearch"
_SCALE_FILE = "scale.npy"
_CLIPPED = 0.9999
"""The share of components that the codes can express; the few beyond saturate."""

Codes = npt.NDArray[np.int8]


def encode(vectors: Float32s, scale: float) -> Codes:
    """Returns the int8 codes of vectors, of their shape."""
    codes: Codes = np.clip(np.rint(vectors * scale), -127, 127).astype(np.int8)
    return codes


def build(vectors: Vectors, folder: Path, threads: int) -> None:
    """Writes the graph of `vectors` to `folder`."""
    index = Index(ndim=vectors.dim, metric="cos", dtype="i8")
    scale = 127 / float(np.quantile(np.abs(vectors.sample(10_000)), _CLIPPED))
    for start, batch in vectors.batches(65_536):
        index.add(np.arange(start, start + len(batch)), encode(batch, scale), threads=threads)
    np.save(folder / _SCALE_FILE, scale)
    index.save(str(folder / _FILE))


def open_index(folder: Path, threads: int) -> UsearchHnsw:
    """Returns the graph in `folder`."""
    scale = float(np.load(folder / _SCALE_FILE))
    return UsearchHnsw(Index.restore(str(folder / _FILE), view=False), scale, threads)


class UsearchHnsw(Opened):
    """An opened graph."""

    def __init__(self, index: Any, scale: float, threads: int) -> None:
        self._index = index
        self._threads = threads
        self._scale = scale
        self._expansion_lock = threading.Lock()

    def search(self, query: Float32s, top_k: int, setting: Mapping[str, int]) -> Ids:
        self._expand(setting["expansion"])
        return np.asarray(self._index.search(encode(query, self._scale), top_k, threads=1).keys, dtype=np.int64)

    def search_batch(self, queries: Float32s, top_k: int, setting: Mapping[str, int]) -> object:
        self._expand(setting["expansion"])
        return self._index.search(encode(queries, self._scale), top_k, threads=self._threads).keys

    def _expand(self, expansion: int) -> None:
        # The knob is the index's, not the call's: it is set once, before callers come from several threads.
        if self._index.expansion_search != expansion:
            with self._expansion_lock:
                self._index.expansion_search = expansion

    def held_bytes(self) -> int | None:
        """Returns the bytes that the index says it has allocated."""
        return int(self._index.memory_usage)
