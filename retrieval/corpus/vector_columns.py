"""Columns of vectors in a table."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from retrieval.errors import VectorsError

_LEAST_DIM = 8
"""Shorter lists of numbers are more likely coordinates or ratings."""


class ArrayVectors:
    """Vectors in memory: a whole set, or the first of it."""

    def __init__(self, array: npt.NDArray[np.float32], num_vectors: int | None = None) -> None:
        """Takes float32 `(n, dim)`, and how many the set has in all: by default, these."""
        self.array = array
        self.num_vectors = len(array) if num_vectors is None else num_vectors

    def __len__(self) -> int:
        return len(self.array)

    @property
    def dim(self) -> int:
        """Returns the number of dimensions."""
        return int(self.array.shape[1])

    def read(self, start: int, stop: int) -> npt.NDArray[np.float32]:
        """Returns a view of these rows, float32 `(stop - start, dim)`."""
        return self.array[start:stop]


def vector_columns(sample: pa.RecordBatch) -> list[str]:
    """Returns the columns whose values are lists of at least 8 numbers, all of one length."""
    return [field.name for field in sample.schema if _is_numbers(field.type) and _is_even(sample.column(field.name))]


def float_rows(column: pa.Array, first_row: int, dim: int | None) -> npt.NDArray[np.float32]:
    """Returns the vectors of a column as float32 `(len(column), dim)`; a row without one is all zeros.

    A value is a list of numbers, or such a list as JSON text. The first vector sets `dim` where it is None.

    Raises:
        VectorsError: if a value is not a list of numbers, or has another length.
    """
    rows = np.zeros((len(column), dim or 0), dtype=np.float32)
    for position, value in enumerate(_values(column)):
        if value is None:
            continue
        try:
            vector = np.asarray(json.loads(value) if isinstance(value, str) else value, dtype=np.float32)
        except (ValueError, TypeError, RecursionError) as error:
            raise VectorsError(f"row {first_row + position + 1:,} has no vector: {error}.") from error
        if dim is None:
            dim = len(vector) if vector.ndim == 1 else 0
            rows = np.zeros((len(column), dim), dtype=np.float32)
        if vector.shape != (dim,):
            raise VectorsError(
                f"row {first_row + position + 1:,} has a vector of shape {vector.shape}: {dim:,} numbers are expected, "
                f"as in the rows before."
            )
        rows[position] = vector
    return rows


def _values(column: pa.Array) -> Iterator[object]:
    if pa.types.is_string(column.type):
        yield from column.to_pylist()
        return
    if not _is_numbers(column.type):
        raise VectorsError(f"a column of type {column.type} holds no vectors: lists of numbers are needed.")
    for value in column:
        yield None if not value.is_valid else value.values.to_numpy(zero_copy_only=False)


def _is_numbers(kind: pa.DataType) -> bool:
    types = pa.types
    if not (types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)):
        return False
    return bool(types.is_floating(kind.value_type) or types.is_integer(kind.value_type))


def _is_even(column: pa.Array) -> bool:
    lengths = pc.unique(pc.list_value_length(column.drop_null()))
    return len(lengths) == 1 and lengths[0].as_py() >= _LEAST_DIM
