"""Parquet files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from retrieval.corpus.base import BATCH_ROWS
from retrieval.corpus.readers.base import require_distinct_names
from retrieval.corpus.readers.plain_types import plain_schema, to_plain
from retrieval.corpus.readers.sniffing import require_parquet
from retrieval.errors import CorpusError

_BUFFER_BYTES = 1 << 20


class ParquetReader:
    """Reads a Parquet file a few pages at a time."""

    def __init__(self, path: Path) -> None:
        require_parquet(path)
        self._path = path
        with self._open() as file:
            self._num_rows = int(file.metadata.num_rows)
            names = file.schema_arrow.names
            require_distinct_names(names, path)
            self._schema = plain_schema(file.schema_arrow)

    @property
    def schema(self) -> pa.Schema:
        """Returns the columns of the file, in plain types."""
        return self._schema

    @property
    def num_rows(self) -> int:
        """Returns the number of rows that the file's footer states."""
        return self._num_rows

    @property
    def mixed_columns(self) -> Mapping[str, str]:
        """Returns nothing: a Parquet column has one type."""
        return {}

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yields the rows in order.

        Raises:
            CorpusError: if a page is damaged.
        """
        with self._open() as file:
            try:
                for batch in file.iter_batches(BATCH_ROWS):
                    yield to_plain(batch, self._schema)
            except (pa.ArrowException, OSError) as error:
                raise self._damaged(error) from error

    def _open(self) -> pq.ParquetFile:
        try:
            # Without read-ahead the pages of a row group come one by one, not the group at once.
            return pq.ParquetFile(self._path, pre_buffer=False, buffer_size=_BUFFER_BYTES)
        except (pa.ArrowException, OSError) as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> CorpusError:
        return CorpusError(f"{self._path} is a damaged Parquet file ({error}). Copy it again, or write it anew.")
