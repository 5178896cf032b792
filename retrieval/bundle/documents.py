"""The rows of the corpus, in a memory-mapped Arrow IPC file.

After the source's columns there are two of ours: `_text_id`, equal for rows with the same text and numbered in order of
first appearance, and `_group_id`, the same for groups, where a row without a group counts as its own group.
"""

from __future__ import annotations

import mmap
import threading
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from retrieval.bundle.python_values import python_values
from retrieval.corpus.base import COMMON_COLUMNS
from retrieval.errors import BundleCorruptError, BundleMissingError
from retrieval.results import Document

TEXT_ID = "_text_id"
GROUP_ID = "_group_id"
_OURS = (TEXT_ID, GROUP_ID)
_QUALITY = "quality"
_MOST_OPEN = 512


class DocumentStore:
    """Reads documents by row; only the pages that are touched come into RAM. Safe to use from many threads.

    Opening a batch takes 20 microseconds if its head is not in the processor's cache: up to 512 stay open, some 2 MB.
    """

    def __init__(self, file: pa.ipc.RecordBatchFileReader, path: Path, mapped: mmap.mmap) -> None:
        """Reads from `file`, over all of `mapped`.

        Raises:
            BundleCorruptError: if a column of ours is missing, there twice, or of another type.
            pa.ArrowException: if a batch cannot be read.
        """
        self._file = file
        reading = threading.Lock()  # Arrow does not say that a reader is safe to use from many threads

        def read(part: int) -> pa.RecordBatch:
            with reading:
                return file.get_batch(part)

        self._read = read
        self._read_often = lru_cache(_MOST_OPEN)(read)
        self.path = path
        self._schema: pa.Schema = file.schema
        ours = self._checked_columns()
        sizes = []
        nulls: Counter[str] = Counter()
        for batch in self._all_batches():
            sizes.append(batch.num_rows)
            nulls.update({name: batch.column(name).null_count for name in ours})
        self._starts: list[int] = [0, *accumulate(sizes)]
        self._has_qualities = nulls[_QUALITY] < len(self)
        for name in _OURS:
            if nulls[name]:
                raise self._not_whole_numbers(name)
        self._mapped = mapped
        # That has touched the head of every batch; from here on, pages come in row by row.
        self._release_pages()
        if hasattr(mmap, "MADV_RANDOM"):
            # Hits are far apart: if nothing is in RAM yet, read-ahead loads megabytes for each of them.
            mapped.madvise(mmap.MADV_RANDOM)
        self._extra = [name for name in self._schema.names if name not in COMMON_COLUMNS and name not in _OURS]

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
            return cls(pa.ipc.open_file(pa.py_buffer(mapped)), path, mapped)
        except FileNotFoundError as error:
            raise BundleMissingError(f"{path} is missing: copy the whole folder, or build the index again.") from error
        except (pa.ArrowException, ValueError, OSError) as error:
            raise BundleCorruptError(f"Arrow cannot read {path}: {error}. Build the index again.") from error

    def _checked_columns(self) -> list[str]:
        """Returns the names of the columns whose values are numbers of ours."""
        counts = Counter(self._schema.names)
        if missing := [name for name in (*COMMON_COLUMNS, TEXT_ID) if not counts[name]]:
            raise BundleCorruptError(f"{self.path} lacks the columns {missing}. Build the index again.")
        if twice := [name for name in (*COMMON_COLUMNS, *_OURS) if counts[name] > 1]:
            raise BundleCorruptError(f"{self.path} has the columns {twice} more than once. Build the index again.")
        ids = [name for name in _OURS if counts[name]]
        for name in ids:
            if self._schema.field(name).type != pa.int32():
                raise self._not_whole_numbers(name)
        return [*ids, _QUALITY]

    def _not_whole_numbers(self, name: str) -> BundleCorruptError:
        return BundleCorruptError(f"column {name} of {self.path} is not whole numbers. Build the index again.")

    def __len__(self) -> int:
        return self._starts[-1]

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
        documents = self._documents([self._batch(row) for row in rows], rows)
        self._release_pages()
        return documents

    def read(self, start: int, stop: int) -> tuple[Document, ...]:
        """Returns the documents from row `start` to before `stop`, read together: for going through all of them.

        There must be such rows.

        Raises:
            BundleCorruptError: if the bytes of a row cannot be what was written.
        """
        documents = self._documents(self._batches(start, stop), range(start, stop))
        self._release_pages()
        return documents

    def text_ids(self) -> npt.NDArray[np.int32]:
        """Returns the text id of every row, int32 `(n,)`."""
        return self._int_column(TEXT_ID)

    def group_ids(self) -> npt.NDArray[np.int32] | None:
        """Returns the group id of every row, int32 `(n,)`, or None when the corpus has no groups."""
        return self._int_column(GROUP_ID) if GROUP_ID in self._schema.names else None

    def qualities(self) -> npt.NDArray[np.float64] | None:
        """Returns the quality of every row, float64 `(n,)`, null as -inf; None when no row has one."""
        if not self._has_qualities:
            return None
        return np.array(self._column(_QUALITY).fill_null(float("-inf")).to_numpy(), dtype=np.float64)

    def texts(self, rows: Iterable[int]) -> list[str]:
        """Returns the texts at `rows`."""
        return [document.text for document in self.fetch(list(rows))]

    def _int_column(self, name: str) -> npt.NDArray[np.int32]:
        # A copy: it stays in use as long as the index is open, and must not change or vanish with the file.
        return np.array(self._column(name).to_numpy(), dtype=np.int32)

    def _column(self, name: str) -> pa.ChunkedArray:
        return pa.chunked_array([batch.column(name) for batch in self._all_batches()], self._schema.field(name).type)

    def _release_pages(self) -> None:
        """Releases what was read: a row maps 64 KB around it into the process, and up to 2 MB where the kernel can.

        The file is read-only and stays in the page cache: a row that is wanted again is mapped again, in microseconds.
        """
        if hasattr(mmap, "MADV_DONTNEED"):
            self._mapped.madvise(mmap.MADV_DONTNEED)

    def _documents(self, batches: Sequence[pa.RecordBatch], rows: Sequence[int]) -> tuple[Document, ...]:
        """Returns the documents in batches that have these rows."""
        try:
            for batch in batches:
                # Arrow trusts the offsets in a file; altered ones would lead outside it, and end the process.
                batch.validate(full=True)
        except pa.ArrowInvalid as error:
            raise BundleCorruptError(f"{self.path} is altered: {error}. Build the index again.") from error
        found = pa.concat_batches(batches)
        common = _by_row({name: found.column(name).to_pylist() for name in COMMON_COLUMNS}, len(rows))
        extra = _by_row({name: python_values(found.column(name)) for name in self._extra}, len(rows))
        return tuple(
            Document(row=row, **values, extra=others) for row, values, others in zip(rows, common, extra, strict=True)
        )

    def _batch(self, row: int) -> pa.RecordBatch:
        if not 0 <= row < len(self):
            raise IndexError(f"row {row} is not in the corpus, which has rows 0 to {len(self) - 1}")
        part = self._part(row)
        return self._read_often(part).slice(row - self._starts[part], 1)

    def _batches(self, start: int, stop: int) -> list[pa.RecordBatch]:
        batches = []
        while start < stop:
            part = self._part(start)
            end = min(stop, self._starts[part + 1])
            batches.append(self._read(part).slice(start - self._starts[part], end - start))
            start = end
        return batches

    def _part(self, row: int) -> int:
        return bisect_right(self._starts, row) - 1

    def _all_batches(self) -> Iterator[pa.RecordBatch]:
        return map(self._read, range(self._file.num_record_batches))


def _by_row(columns: dict[str, list[Any]], num_rows: int) -> list[dict[str, Any]]:
    """Returns the values of columns by row."""
    return [{name: values[place] for name, values in columns.items()} for place in range(num_rows)]
