"""The rows of the corpus, in a memory-mapped Arrow IPC file.

Behind the source's columns stand two of ours: `_text_id`, equal for rows with the same text and counted in order of
first appearance, and `_group_id`, the same for groups, where a row without a group is one of its own.
"""

from __future__ import annotations

import mmap
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from retrieval.corpus.base import COMMON_COLUMNS
from retrieval.errors import BundleCorruptError, BundleMissingError
from retrieval.results import Document

TEXT_ID = "_text_id"
GROUP_ID = "_group_id"
_OURS = (TEXT_ID, GROUP_ID)
_ROWS_BETWEEN_RELEASES = 128
"""Each row touched maps some 64 KB into the process; this many are given back at once, to keep that below 10 MB."""

_UNKNOWN_TO_PYTHON = (ValueError, OverflowError, TypeError, KeyError, pa.ArrowException)
"""What Arrow raises for values that Python has no type for."""


class DocumentStore:
    """Reads documents by row; only the pages that are touched come into RAM. Safe to use from many threads."""

    def __init__(self, table: pa.Table, path: Path, mapped: mmap.mmap) -> None:
        self._batches: list[pa.RecordBatch] = table.to_batches()
        self._starts: list[int] = [0, *accumulate(batch.num_rows for batch in self._batches)]
        self._table = table
        self._mapped = mapped
        # Opening has touched the head of every batch; from here on, pages come in row by row.
        self._num_touched = _ROWS_BETWEEN_RELEASES
        self._release_pages(0)
        if hasattr(mmap, "MADV_RANDOM"):
            # Hits are far apart: where nothing is in RAM yet, reading ahead brings in megabytes for each of them.
            mapped.madvise(mmap.MADV_RANDOM)
        self._extra = [name for name in table.schema.names if name not in COMMON_COLUMNS and name not in _OURS]
        self.path = path

    @classmethod
    def open(cls, path: Path) -> DocumentStore:
        """Returns the documents in an Arrow IPC file, memory-mapped.

        Raises:
            BundleMissingError: if the file is not there.
            BundleCorruptError: if Arrow cannot read it, or a column of ours is missing or of another type.
        """
        try:
            with path.open("rb") as file:
                mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
            table = pa.ipc.open_file(pa.py_buffer(mapped)).read_all()
            names = set(table.schema.names)
        except FileNotFoundError as error:
            raise BundleMissingError(f"{path} is missing: copy the whole folder, or build the index again.") from error
        except (pa.ArrowException, ValueError, OSError) as error:
            raise BundleCorruptError(f"Arrow cannot read {path}: {error}. Build the index again.") from error
        if missing := {*COMMON_COLUMNS, TEXT_ID} - names:
            raise BundleCorruptError(f"{path} lacks the columns {sorted(missing)}. Build the index again.")
        for name in {TEXT_ID, GROUP_ID} & names:
            if table.schema.field(name).type != pa.int32() or table.column(name).null_count:
                raise BundleCorruptError(f"column {name} of {path} is not whole numbers. Build the index again.")
        return cls(table, path, mapped)

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def __repr__(self) -> str:
        return f"DocumentStore({len(self):,} rows, {len(self._mapped) / 1e6:.1f} MB mapped)"

    @property
    def column_names(self) -> tuple[str, ...]:
        """Returns the names of the columns that are the source's, the common ones first."""
        return (*COMMON_COLUMNS, *self._extra)

    def fetch(self, rows: Sequence[int]) -> tuple[Document, ...]:
        """Returns the documents at `rows`, in that order.

        Raises:
            IndexError: if a row is not in the corpus.
            BundleCorruptError: if the bytes of a row cannot be what was written.
        """
        if not rows:
            return ()
        documents = self._documents(pa.Table.from_batches([self._batch(row) for row in rows]), rows)
        self._release_pages(len(rows))
        return documents

    def read(self, start: int, stop: int) -> tuple[Document, ...]:
        """Returns the documents from row `start` to before `stop`, read together: for going through all of them.

        Raises:
            BundleCorruptError: if the bytes of a row cannot be what was written.
        """
        documents = self._documents(self._table.slice(start, stop - start), range(start, stop))
        self._release_pages(_ROWS_BETWEEN_RELEASES)
        return documents

    def text_ids(self) -> npt.NDArray[np.int32]:
        """Returns the text id of every row, int32 `(n,)`."""
        return self._int_column(TEXT_ID)

    def group_ids(self) -> npt.NDArray[np.int32] | None:
        """Returns the group id of every row, int32 `(n,)`, or None when the corpus has no groups."""
        return self._int_column(GROUP_ID) if GROUP_ID in self._table.schema.names else None

    def qualities(self) -> npt.NDArray[np.float64] | None:
        """Returns the quality of every row, float64 `(n,)`, null as -inf; None when no row has one."""
        column = self._table.column("quality")
        if column.null_count == len(column):
            return None
        return np.array(column.fill_null(float("-inf")).to_numpy(), dtype=np.float64)

    def texts(self, rows: Iterable[int]) -> list[str]:
        """Returns the texts at `rows`."""
        return [document.text for document in self.fetch(list(rows))]

    def _int_column(self, name: str) -> npt.NDArray[np.int32]:
        # A copy: what stays in use for as long as the index is open must not change, or vanish, with the file.
        return np.array(self._table.column(name).to_numpy(), dtype=np.int32)

    def _release_pages(self, num_rows: int) -> None:
        self._num_touched += num_rows
        if self._num_touched >= _ROWS_BETWEEN_RELEASES and hasattr(mmap, "MADV_DONTNEED"):
            self._num_touched = 0
            # The file is read-only and stays in the page cache: a row that is wanted again is mapped again.
            self._mapped.madvise(mmap.MADV_DONTNEED)

    def _documents(self, found: pa.Table, rows: Sequence[int]) -> tuple[Document, ...]:
        """Returns the documents in a table that has these rows."""
        try:
            # Arrow believes the offsets of a file; altered ones would lead out of it, and end the process.
            found.validate(full=True)
        except pa.ArrowInvalid as error:
            raise BundleCorruptError(f"{self.path} is altered: {error}. Build the index again.") from error
        common = _by_row({name: found.column(name).to_pylist() for name in COMMON_COLUMNS}, len(rows))
        extra = _by_row({name: _values(found.column(name)) for name in self._extra}, len(rows))
        return tuple(
            Document(row=row, **values, extra=others) for row, values, others in zip(rows, common, extra, strict=True)
        )

    def _batch(self, row: int) -> pa.RecordBatch:
        if not 0 <= row < len(self):
            raise IndexError(f"row {row} is not in the corpus, which has rows 0 to {len(self) - 1}")
        part = bisect_right(self._starts, row) - 1
        return self._batches[part].slice(row - self._starts[part], 1)


def _values(column: pa.ChunkedArray) -> list[Any]:
    """Returns the values of a column as Python has them; see `_value`."""
    try:
        return list(column.to_pylist())
    except _UNKNOWN_TO_PYTHON:
        return [_value(scalar) for scalar in column]


def _by_row(columns: dict[str, list[Any]], num_rows: int) -> list[dict[str, Any]]:
    """Returns the values of columns by row."""
    return [{name: values[place] for name, values in columns.items()} for place in range(num_rows)]


def _value(scalar: pa.Scalar) -> Any:
    """Returns a value as Python has it; what Python cannot hold, such as a date before the year 1, as text."""
    try:
        return scalar.as_py()
    except _UNKNOWN_TO_PYTHON:
        pass
    kind = scalar.type
    if pa.types.is_struct(kind):
        return {kind.field(index).name: _value(scalar[index]) for index in range(kind.num_fields)}
    if pa.types.is_map(kind):
        return [(_value(each[0]), _value(each[1])) for each in scalar.values]
    if pa.types.is_nested(kind):
        return [_value(each) for each in scalar.values]
    # A time stamp in an unknown time zone has no text with one; what has no text at all is a number.
    naive = [pa.timestamp(kind.unit)] if pa.types.is_timestamp(kind) else []
    for path in ([pa.string()], [*naive, pa.string()], [pa.int64(), pa.string()]):
        try:
            text = scalar
            for step in path:
                text = pc.cast(text, step)
            return text.as_py()
        except pa.ArrowException:
            continue
    return str(scalar)
