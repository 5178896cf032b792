"""Vectors in a list column of a table, and the one way to open vectors in whichever file they come."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from retrieval.corpus.readers import open_plain_file
from retrieval.errors import VectorsError, brief
from retrieval.indexing.npy_vectors import NpyVectors
from retrieval.quantization import Float32s

VECTOR_SUFFIXES = (".npy",)
"""Files that hold vectors and nothing else."""
TABLE_SUFFIXES = (".parquet", ".pq", ".jsonl", ".ndjson", ".json")
"""Tables that can have a list in a cell."""


class ColumnVectors:
    """Vectors that were read from a column, in memory."""

    def __init__(self, array: Float32s, num_vectors: int) -> None:
        self.array = array
        self.num_vectors = num_vectors
        """Rows of the table; the first of them are in `array`."""

    def __len__(self) -> int:
        return len(self.array)

    @property
    def dim(self) -> int:
        """Returns the number of dimensions."""
        return int(self.array.shape[1])

    def read(self, start: int, stop: int) -> Float32s:
        """Returns a view of these rows, float32 `(stop - start, dim)`."""
        return self.array[start:stop]


def open_any_vectors(path: Path, column: str | None, limit: int) -> NpyVectors | ColumnVectors:
    """Returns the vectors in a file of vectors, or the first `limit` in a list column of a table.

    Args:
        path: the file.
        column: which column; by default the only one with lists of numbers.
        limit: how many rows of a table are read at most; a file of vectors is read where it is asked for.

    Raises:
        VectorsError: if there are none, or they cannot be read as rows of numbers.
        CorpusError: if the table cannot be read.
    """
    if path.suffix.lower() not in TABLE_SUFFIXES:
        return NpyVectors.open(path)
    return read_vector_column(path, column, limit)


def vector_columns(schema: pa.Schema) -> list[str]:
    """Returns the names of the columns that hold lists of numbers."""
    return [each.name for each in schema if _is_vector(each.type)]


def read_vector_column(path: Path, column: str | None, limit: int) -> ColumnVectors:
    """Returns the first `limit` vectors of a column; see `open_any_vectors` for what is raised."""
    reader = open_plain_file(path)
    names = vector_columns(reader.schema)
    if column is None:
        if len(names) != 1:
            told = ", ".join(brief(name) for name in names) or "none"
            raise VectorsError(f"{path} has {len(names)} columns with lists of numbers ({told}): one must be named.")
        column = names[0]
    if column not in names:
        raise VectorsError(f"{path} has no column {brief(column)} with lists of numbers.")
    parts: list[Float32s] = []
    num_read = num_rows = 0
    for batch in reader.batches():
        used = batch.column(column).slice(0, limit - num_read)
        if len(used):
            parts.append(_rows(used, num_read, path))
            if parts[0].shape[1] != parts[-1].shape[1]:
                raise _ragged(path, num_read, parts[-1].shape[1], parts[0].shape[1])
        num_read += len(used)
        num_rows += batch.num_rows
        if num_read == limit and reader.num_rows is not None:
            num_rows = reader.num_rows
            break
    if not parts:
        raise VectorsError(f"{path} has no rows: at least one vector is needed.")
    return ColumnVectors(np.concatenate(parts), num_rows)


def _rows(column: pa.Array, first: int, path: Path) -> Float32s:
    """Returns lists of one length as float32 `(n, dim)`; `first` is the row of the first one."""
    if column.null_count:
        row = first + int(pc.index(pc.is_null(column), True).as_py())
        raise VectorsError(f"row {row:,} of {path} has no vector: leave the row out.")
    lengths = pc.list_value_length(column).to_numpy(zero_copy_only=False)
    dim = int(lengths[0])
    if (lengths != dim).any():
        row = int(np.argmax(lengths != dim))
        raise _ragged(path, first + row, int(lengths[row]), dim)
    if dim == 0:
        raise VectorsError(f"row {first:,} of {path} is an empty list: vectors of at least 1 dimension are needed.")
    values = column.flatten()
    if values.null_count:
        row = first + int(pc.index(pc.is_null(values), True).as_py()) // dim
        raise VectorsError(f"row {row:,} of {path} has a null among its numbers.")
    with np.errstate(over="ignore"):
        found: Float32s = values.to_numpy(zero_copy_only=False).astype(np.float32).reshape(-1, dim)
    return found


def _ragged(path: Path, row: int, found: int, expected: int) -> VectorsError:
    return VectorsError(
        f"row {row:,} of {path} has a vector of {found:,} numbers, those before have {expected:,}: all vectors need "
        "the same number of dimensions."
    )


def _is_vector(kind: pa.DataType) -> bool:
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    return bool(is_list and (pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type)))
