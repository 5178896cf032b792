"""LanceDB with an IVF_RQ (RaBitQ) index: a table on disk, refined with its float32 vectors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import lancedb
import numpy as np
import pyarrow as pa
from lancedb.index import IvfRq

from scripts.bench.peers.engine import Float32s, Ids, Opened, Vectors

_TABLE = "vectors"
_ROWS_A_PARTITION = 4096


def build(vectors: Vectors, folder: Path, threads: int) -> None:
    """Writes the table and the index of `vectors` to `folder`."""
    schema = pa.schema([("position", pa.int32()), ("vector", pa.list_(pa.float32(), vectors.dim))])
    database = lancedb.connect(str(folder))
    table = database.create_table(_TABLE, data=_record_batches(vectors, schema), schema=schema)
    partitions = max(1, round(len(vectors) / _ROWS_A_PARTITION))
    table.create_index("vector", config=IvfRq(distance_type="dot", num_partitions=partitions))


def _record_batches(vectors: Vectors, schema: Any) -> Iterator[Any]:
    for start, batch in vectors.batches(16_384):
        positions = pa.array(np.arange(start, start + len(batch), dtype=np.int32))
        flat = pa.FixedSizeListArray.from_arrays(pa.array(batch.reshape(-1)), vectors.dim)
        yield pa.record_batch([positions, flat], schema=schema)


def open_index(folder: Path, threads: int) -> LancedbRq:
    """Returns the table in `folder`."""
    return LancedbRq(lancedb.connect(str(folder)).open_table(_TABLE))


class LancedbRq(Opened):
    """An opened table."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def search(self, query: Float32s, top_k: int, setting: Mapping[str, int]) -> Ids:
        return np.asarray(self._found(query, top_k, setting)["position"].to_numpy(), dtype=np.int64)

    def search_batch(self, queries: Float32s, top_k: int, setting: Mapping[str, int]) -> object:
        return self._found(list(queries), top_k, setting)

    def _found(self, asked_for: Any, top_k: int, setting: Mapping[str, int]) -> Any:
        asked = self._table.search(asked_for, vector_column_name="vector").distance_type("dot").limit(top_k)
        asked = asked.nprobes(setting["nprobes"]).refine_factor(setting["refine_factor"])
        # Lance writes a warning for every query that does not name the distance.
        return asked.select(["position", "_distance"]).to_arrow()
