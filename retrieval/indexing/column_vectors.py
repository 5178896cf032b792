"""The vectors that a table brings in a column of its own, written to a `.npy` file for a build."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa

from retrieval.corpus.vector_columns import float_rows
from retrieval.errors import VectorsError


def write_column_vectors(columns: Iterable[pa.Array], path: Path) -> Path:
    """Writes the vectors of a column, float32 `(rows, dim)`, batch by batch, and returns the path.

    Raises:
        VectorsError: if a value is no vector, their lengths differ, or there is none.
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
                file.write(_header(num_rows, dim))
                file.write(np.zeros((waiting, dim), dtype=np.float32).tobytes())
            file.write(rows.tobytes())
        if dim is None:
            raise VectorsError("the column has no vector in any row: name the one that has.")
        file.seek(0)
        file.write(_header(num_rows, dim))
    return path


def _header(num_rows: int, dim: int) -> bytes:
    """Returns the header of a `.npy` file, at a length that does not depend on the number of rows."""
    fields = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({num_rows}, {dim}), }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(fields).to_bytes(2, "little") + fields.encode()
