"""Parquet files."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from retrieval.corpus.base import BATCH_ROWS
from retrieval.corpus.readers.base import Reader, require_distinct_names
from retrieval.corpus.readers.byte_source import ByteSource
from retrieval.corpus.readers.plain_types import plain_schema, to_plain
from retrieval.corpus.readers.sniffing import require_parquet
from retrieval.errors import CorpusError

_BUFFER_BYTES = 1 << 20


class ParquetReader(Reader):
    """Reads a Parquet file a few pages at a time."""

    def __init__(self, source: ByteSource) -> None:
        require_parquet(source)
        self._source = source
        with self._open() as file:
            self.num_rows = int(file.metadata.num_rows)
            names = file.schema_arrow.names
            require_distinct_names(names, source)
            self.schema = plain_schema(file.schema_arrow)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yields the rows in order.

        Raises:
            CorpusError: if a page is damaged.
        """
        with self._open() as file:
            try:
                for batch in file.iter_batches(BATCH_ROWS):
                    yield to_plain(batch, self.schema)
            except (pa.ArrowException, OSError) as error:
                raise self._damaged(error) from error

    def _open(self) -> pq.ParquetFile:
        try:
            # Without read-ahead the pages of a row group come one by one, not the group at once.
            return pq.ParquetFile(self._source.seekable(), pre_buffer=False, buffer_size=_BUFFER_BYTES)
        except (pa.ArrowException, OSError) as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> CorpusError:
        return CorpusError(f"{self._source} is a damaged Parquet file ({error}). Copy it again, or write it again.")
