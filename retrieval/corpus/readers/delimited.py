"""CSV and TSV.

Every column is read as text: "007" stays "007", and a column that looks like numbers for a million rows and then holds
a word does not stop the build.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv

from retrieval.corpus.base import sliced
from retrieval.corpus.readers.base import require_distinct_names
from retrieval.corpus.readers.delimited_faults import explain_fault, is_left_open, left_open
from retrieval.corpus.readers.sniffing import require_text

_FIRST_BLOCK_BYTES = 1 << 20
_LARGEST_BLOCK_BYTES = 1 << 30
_BLOCK_GROWTH = 8


class DelimitedReader:
    """Reads a CSV or TSV file with a header, block by block."""

    def __init__(self, path: Path, delimiter: str) -> None:
        require_text(path, f"{'TSV' if delimiter == chr(9) else 'CSV'} with a header line")
        self._path = path
        self._delimiter = _real_delimiter(path, delimiter)
        self._header = self._read_header()
        names = [name or f"unnamed_{position}" for position, name in enumerate(self._header, start=1)]
        require_distinct_names(names, path)
        self._schema = pa.schema([(name, pa.string()) for name in names])

    @property
    def schema(self) -> pa.Schema:
        """Returns the columns of the header, all of them text."""
        return self._schema

    @property
    def num_rows(self) -> None:
        """Returns None: only reading would tell."""
        return None

    @property
    def mixed_columns(self) -> Mapping[str, str]:
        """Returns nothing: every value is text."""
        return {}

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yields the rows in order.

        Raises:
            CorpusError: if a row has more or fewer fields than the header, a quote is never closed, or a line is not
                UTF-8; with the number of the line.
        """
        done = 0
        block_bytes = _FIRST_BLOCK_BYTES
        last: pa.RecordBatch | None = None
        while True:
            try:
                for batch in _after(self._blocks(block_bytes), done):
                    done += batch.num_rows
                    last = batch
                    yield from sliced(batch)
                break
            except pa.ArrowInvalid as error:
                # Arrow wants a row to fit into a block: for a field larger than that, read on with larger blocks.
                if "straddling" not in str(error) or block_bytes >= _LARGEST_BLOCK_BYTES:
                    raise explain_fault(self._path, self._delimiter, str(error)) from error
                block_bytes *= _BLOCK_GROWTH
        if last is not None and is_left_open(self._path, last):
            raise left_open(self._path, self._delimiter)

    def _blocks(self, block_bytes: int) -> Iterator[pa.RecordBatch]:
        types = {name: pa.string() for name in self._header}
        for batch in self._open(block_bytes, pacsv.ConvertOptions(column_types=types)):
            yield pa.RecordBatch.from_arrays(batch.columns, schema=self._schema)

    def _read_header(self) -> list[str]:
        block_bytes = _FIRST_BLOCK_BYTES
        while True:
            try:
                with self._open(block_bytes, pacsv.ConvertOptions(check_utf8=False)) as reader:
                    return list(reader.schema.names)
            except (pa.ArrowInvalid, UnicodeDecodeError) as error:
                if "straddling" not in str(error) or block_bytes >= _LARGEST_BLOCK_BYTES:
                    raise explain_fault(self._path, self._delimiter, str(error)) from error
                block_bytes *= _BLOCK_GROWTH

    def _open(self, block_bytes: int, convert: pacsv.ConvertOptions) -> pacsv.CSVStreamingReader:
        return pacsv.open_csv(
            self._path,
            # One thread, since only then does Arrow know the numbers of the rows it complains about.
            read_options=pacsv.ReadOptions(block_size=block_bytes, use_threads=False),
            parse_options=pacsv.ParseOptions(delimiter=self._delimiter, newlines_in_values=True),
            convert_options=convert,
        )


def _real_delimiter(path: Path, delimiter: str) -> str:
    """Spreadsheets of half of Europe write .csv with semicolons: a header without a comma tells."""
    with path.open("rb") as file:
        header = file.readline()
    if delimiter == "," and b"," not in header:
        return max(",;\t", key=lambda candidate: header.count(candidate.encode()))
    return delimiter


def _after(batches: Iterator[pa.RecordBatch], num_rows: int) -> Iterator[pa.RecordBatch]:
    """Leaves the first `num_rows` rows out."""
    for batch in batches:
        skipped = min(num_rows, batch.num_rows)
        num_rows -= skipped
        if skipped < batch.num_rows:
            yield batch.slice(skipped)
