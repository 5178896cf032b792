"""faiss IndexHNSWFlat: a graph over float32 vectors, all in RAM."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from scripts.bench.peers.engine import Float32s, Ids, Opened, Vectors

_FILE = "hnsw.faiss"


def build(vectors: Vectors, folder: Path, threads: int) -> None:
    """Writes the graph of `vectors` to `folder`."""
    faiss.omp_set_num_threads(threads)
    index = faiss.IndexHNSWFlat(vectors.dim, 32, faiss.METRIC_INNER_PRODUCT)
    for _, batch in vectors.batches(65_536):
        index.add(batch)
    faiss.write_index(index, str(folder / _FILE))


def open_index(folder: Path, threads: int) -> FaissHnsw:
    """Returns the graph in `folder`."""
    faiss.omp_set_num_threads(threads)
    return FaissHnsw(faiss.read_index(str(folder / _FILE)))


class FaissHnsw(Opened):
    """An opened graph."""

    def __init__(self, index: Any) -> None:
        self._index = index

    def search(self, query: Float32s, top_k: int, setting: Mapping[str, int]) -> Ids:
        nearest: Ids = self.search_batch(query[None], top_k, setting)[0]
        return nearest

    def search_batch(self, queries: Float32s, top_k: int, setting: Mapping[str, int]) -> Ids:
        parameters = faiss.SearchParametersHNSW(efSearch=setting["efSearch"])
        _, ids = self._index.search(queries, top_k, params=parameters)
        return np.asarray(ids, dtype=np.int64)

    def enter_caller(self) -> None:
        """Keeps OpenMP, whose setting belongs to the calling thread, to one core a caller."""
        faiss.omp_set_num_threads(1)
