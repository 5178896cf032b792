"""Arrow IPC files and streams, as `.arrow` and `.feather`: also the documents of an index, and caches of `datasets`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.feather

from retrieval.corpus.base import sliced
from retrieval.corpus.readers.base import Reader, require_distinct_names
from retrieval.corpus.readers.byte_source import ByteSource
from retrieval.corpus.readers.plain_types import plain_schema, to_plain
from retrieval.corpus.readers.sniffing import format_of
from retrieval.errors import CorpusError

_FILE_MARK = b"ARROW1"
_OLD_FEATHER_MARK = b"FEA1"
_STREAM_MARK = b"\xff\xff\xff\xff"


class ArrowReader(Reader):
    """Reads record batches one by one."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self._mark = source.head(len(_FILE_MARK))
        if not self._mark.startswith((_FILE_MARK, _OLD_FEATHER_MARK, _STREAM_MARK)):
            found = format_of(self._mark) or ("nothing" if not self._mark else "something else")
            raise CorpusError(f"{source} is not what its name says: expected Arrow or Feather, found {found}.")
        with self._opened() as (schema, _):
            require_distinct_names(schema.names, source)
            self._raw_schema = schema
            self.schema = plain_schema(schema)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yields the rows in order.

        Raises:
            CorpusError: if a batch is damaged.
        """
        with self._opened() as (_, found):
            for batch in found:
                _require_offsets(batch)
                for part in sliced(batch):
                    yield to_plain(part, self.schema)

    @contextmanager
    def _opened(self) -> Iterator[tuple[pa.Schema, Iterator[pa.RecordBatch]]]:
        try:
            if self._mark.startswith(_OLD_FEATHER_MARK):
                table = pyarrow.feather.read_table(self._source.seekable())
                yield table.schema, iter(table.to_batches())
            elif self._mark.startswith(_STREAM_MARK):
                with self._source.open() as file, pa.ipc.open_stream(file) as stream:
                    yield stream.schema, iter(stream)
            else:
                where = self._source.seekable()
                with (
                    pa.OSFile(str(self._source.path)) if where == self._source.path else pa.PythonFile(where) as file,
                    pa.ipc.open_file(file) as reader,
                ):
                    yield reader.schema, map(reader.get_batch, range(reader.num_record_batches))
        except (pa.ArrowException, OSError, ValueError) as error:
            raise CorpusError(f"{self._source} is a damaged Arrow file ({error}). Copy it again.") from error


def _require_offsets(batch: pa.RecordBatch) -> None:
    """Checks the offsets, which Arrow trusts: wrong ones would lead out of the file. Text is not checked for UTF-8.

    Raises:
        pa.ArrowInvalid: if an offset is wrong.
    """
    for column in batch.columns:
        if pa.types.is_string(column.type):
            column = column.view(pa.binary())
        elif pa.types.is_large_string(column.type):
            column = column.view(pa.large_binary())
        column.validate(full=True)
