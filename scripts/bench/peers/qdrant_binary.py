"""Qdrant Edge, the engine of Qdrant in this process: a graph over sign bits, rescored with float32 from disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import qdrant_edge as qdrant

from scripts.bench.peers.engine import Float32s, Ids, Opened, Vectors


def build(vectors: Vectors, folder: Path, threads: int) -> None:
    """Writes the shard of `vectors` to `folder`."""
    shard = qdrant.EdgeShard.create(str(folder), _configuration(vectors.dim, threads))
    for start, batch in vectors.batches(1000):
        points = [qdrant.Point(start + i, vector) for i, vector in enumerate(batch.tolist())]
        shard.update(qdrant.UpdateOperation.upsert_points(points))
    while shard.optimize():
        pass
    shard.flush()
    shard.close()


def _configuration(dim: int, threads: int) -> Any:
    return qdrant.EdgeConfig(
        vectors=qdrant.EdgeVectorParams(size=dim, distance=qdrant.Distance.Dot, memory=qdrant.Memory.Cold),
        hnsw_config=qdrant.HnswIndexConfig(
            m=16, ef_construct=100, full_scan_threshold=10, max_indexing_threads=threads, memory=qdrant.Memory.Cached
        ),
        quantization_config=qdrant.BinaryQuantizationConfig(memory=qdrant.Memory.Pinned),
        # One graph over everything: more segments would each be searched, one after the other.
        optimizers=qdrant.EdgeOptimizersConfig(
            default_segment_number=1, max_segment_size=100_000_000, indexing_threshold=100
        ),
        max_search_threads=threads,
        wal_enabled=False,
    )


def open_index(folder: Path, threads: int) -> QdrantBinary:
    """Returns the shard in `folder`."""
    return QdrantBinary(qdrant.EdgeShard.load(str(folder)))


class QdrantBinary(Opened):
    """An opened shard."""

    def __init__(self, shard: Any) -> None:
        self._shard = shard

    def search(self, query: Float32s, top_k: int, setting: Mapping[str, int]) -> Ids:
        rescored = qdrant.QuantizationSearchParams(rescore=True, oversampling=setting["oversampling"])
        found = self._shard.search(
            qdrant.SearchRequest(
                query=qdrant.Query.Nearest(query), limit=top_k, params=qdrant.SearchParams(quantization=rescored)
            )
        )
        return np.array([point.id for point in found], dtype=np.int64)
