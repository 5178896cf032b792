"""The one way to open vectors in whichever file they come: a file of vectors, or a column of a table.

A build takes those of a column from a `.npy` file.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from retrieval.corpus.readers.opening import open_plain_file
from retrieval.corpus.vector_columns import ArrayVectors, float_rows, vector_columns
from retrieval.errors import VectorsError, brief
from retrieval.indexing.npy_vectors import NpyVectors
from retrieval.indexing.vector_formats import open_vectors
from retrieval.quantization import Float32s

VECTOR_SUFFIXES = (".npy", ".npz", ".fvecs")
"""Files that hold only vectors."""
_TABLE_SUFFIXES = (".parquet", ".pq", ".arrow", ".feather", ".ipc", ".jsonl", ".ndjson", ".json")
"""Tables that can have lists in cells."""


def open_any_vectors(path: Path, column: str | None, limit: int) -> NpyVectors | ArrayVectors:
    """Returns the vectors in a file of vectors, or the first `limit` in a list column of a table.

    Args:
        path: the file.
        column: which column; by default the only one with lists of numbers.
        limit: how many rows of a table are read at most; a file of vectors is read as needed.

    Raises:
        VectorsError: if there are none, or they cannot be read as rows of numbers.
        CorpusError: if the table cannot be read.
    """
    if path.suffix.lower() not in _TABLE_SUFFIXES:
        return open_vectors(path)
    reader = open_plain_file(path)
    parts: list[Float32s] = []
    num_taken = num_rows = 0
    for batch in reader.batches():
        name = column = _chosen(column, vector_columns(batch), batch.schema.names, path)
        used = batch.column(name).slice(0, limit - num_taken)
        if used.null_count:
            row = num_taken + used.is_null().to_pylist().index(True)
            raise VectorsError(f"row {row + 1:,} of {path} has no vector: leave the row out.")
        if len(used):
            parts.append(float_rows(used, num_taken, parts[0].shape[1] if parts else None))
        num_taken += len(used)
        num_rows += batch.num_rows
        if num_taken == limit and reader.num_rows is not None:
            num_rows = reader.num_rows
            break
    if not parts:
        raise VectorsError(f"{path} has no rows: at least one vector is needed.")
    return ArrayVectors(np.concatenate(parts), num_rows)


def _chosen(column: str | None, candidates: list[str], names: list[str], path: Path) -> str:
    if column is not None:
        if column not in names:
            raise VectorsError(f"{path} has no column {brief(column)}: it has {', '.join(map(brief, names[:8]))}.")
        return column
    if not candidates:
        raise VectorsError(f"{path} has no column with lists of at least 8 numbers, all of one length: one is needed.")
    if len(candidates) > 1:
        told = ", ".join(map(brief, candidates))
        raise VectorsError(f"{path} has {len(candidates)} columns of vectors ({told}): name one of them.")
    return candidates[0]


def write_column_vectors(columns: Iterable[pa.Array], path: Path) -> Path:
    """Writes the vectors of a column, float32 `(rows, dim)`, batch by batch, and returns the path.

    Raises:
        VectorsError: if a value is not a vector, their lengths differ, or there is none.
    """
    num_rows, dim, waiting = 0, None, 0
    with path.open("wb") as file:
        for column in columns:
            rows = float_rows(column, num_rows, dim)
            num_rows += len(column)
            if dim is None and rows.shape[1] == 0:
                waiting += len(column)  # rows without a vector, before the length of one is known
                continue
            if dim is None:
                dim = rows.shape[1]
                _write_header(file, num_rows, dim)
                file.write(np.zeros((waiting, dim), dtype=np.float32).tobytes())
            file.write(rows.tobytes())
        if dim is None:
            raise VectorsError("the column has no vector in any row: name the one that has.")
        file.seek(0)
        _write_header(file, num_rows, dim)
    return path


def _write_header(file: BinaryIO, num_rows: int, dim: int) -> None:
    # numpy leaves room for any number of rows: the header keeps its length.
    header = {"descr": "<f4", "fortran_order": False, "shape": (num_rows, dim)}
    np.lib.format.write_array_header_1_0(file, header)
