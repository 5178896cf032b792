"""CSV and TSV.

Every column is read as text: "007" stays "007", and a column that looks like numbers for a million rows and then holds
a word does not stop the build.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice

import pyarrow as pa
import pyarrow.csv as pacsv

from retrieval.corpus.base import sliced
from retrieval.corpus.readers.base import Reader, in_batches, require_distinct_names, with_names
from retrieval.corpus.readers.byte_source import ByteSource
from retrieval.corpus.readers.delimited_dialect import layout_of
from retrieval.corpus.readers.delimited_quotes import quotes_of
from retrieval.corpus.readers.text_file import TextFile
from retrieval.errors import CorpusError

_FIRST_BLOCK_BYTES = 1 << 20
_LARGEST_BLOCK_BYTES = 1 << 30
_BLOCK_GROWTH = 8
_LATE_QUOTE = "A quote that opens a field there seems to be closed only lines later, or never."
_UNQUOTED = "Put quotes around a field that holds {delimiter!r} or a line break, and double the quotes inside it."


class DelimitedReader(Reader):
    """Reads a CSV or TSV file block by block."""

    def __init__(self, source: ByteSource, delimiter: str, *, has_header: bool = True) -> None:
        what = f"{'TSV' if delimiter == chr(9) else 'CSV'}{' with a header line' if has_header else ''}"
        self._file = TextFile(source, what)
        self._layout = layout_of(self._file, delimiter, has_header=has_header)
        self._quotes = quotes_of(self._file, self._layout.delimiter, self._layout.skipped_lines)
        self._header = None if has_header else [f"column_{position}" for position in range(1, self._layout.width + 1)]
        self._header_in_file = self._read_header() if has_header else []
        names = self._header or with_names(self._header_in_file)
        require_distinct_names(names, source)
        self.schema = pa.schema([(name, pa.string()) for name in names])
        quotes = (self._quotes.note,) if self._quotes.note else ()
        self.notes = (*self._file.notes, *self._layout.notes, *quotes)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yields the rows in order.

        Raises:
            CorpusError: if a row has more or fewer fields than the header, with the number of the line.
        """
        done = 0
        block_bytes = _FIRST_BLOCK_BYTES
        while True:
            try:
                for batch in _after(self._blocks(block_bytes), done):
                    done += batch.num_rows
                    yield from sliced(batch)
                break
            except pa.ArrowInvalid as error:
                block_bytes = self._larger(block_bytes, error)

    def _blocks(self, block_bytes: int) -> Iterator[pa.RecordBatch]:
        if self._quotes.after_spaces:
            yield from self._slowly()
            return
        types = {name: pa.string() for name in self._header or self._header_in_file}
        for batch in self._open(block_bytes, pacsv.ConvertOptions(column_types=types)):
            yield pa.RecordBatch.from_arrays(batch.columns, schema=self.schema)

    def _slowly(self) -> Iterator[pa.RecordBatch]:
        """Yields the rows of a file that only Python's own reader understands."""
        for rows in in_batches(self._records() if self._header else islice(self._records(), 1, None)):
            columns = zip(*rows, strict=True)
            yield pa.RecordBatch.from_arrays([pa.array(column, pa.string()) for column in columns], schema=self.schema)

    def _records(self) -> Iterator[list[str]]:
        lines = (line + "\n" for number, line in self._file.lines() if number > self._layout.skipped_lines)
        rows = csv.reader(lines, delimiter=self._layout.delimiter, skipinitialspace=True)
        yield from (row for row in rows if row)

    def _read_header(self) -> list[str]:
        if self._quotes.after_spaces:
            return next(self._records())
        block_bytes = _FIRST_BLOCK_BYTES
        while True:
            try:
                with self._open(block_bytes, pacsv.ConvertOptions(check_utf8=False)) as reader:
                    return list(reader.schema.names)
            except pa.ArrowInvalid as error:
                block_bytes = self._larger(block_bytes, error)

    def _larger(self, block_bytes: int, error: pa.ArrowInvalid) -> int:
        """Returns the next block size: Arrow needs a row to fit into one block. For other errors, raises ours."""
        if "straddling" in str(error) and block_bytes < _LARGEST_BLOCK_BYTES:
            return block_bytes * _BLOCK_GROWTH
        skipped = self._layout.skipped_lines
        raise _explained(self._file, self._layout.delimiter, str(error), skipped_lines=skipped) from error

    def _open(self, block_bytes: int, convert: pacsv.ConvertOptions) -> pacsv.CSVStreamingReader:
        return pacsv.open_csv(
            self._file.as_utf8(),
            # One thread, because only then does Arrow know the row numbers for its errors.
            read_options=pacsv.ReadOptions(
                block_size=block_bytes,
                use_threads=False,
                skip_rows=self._layout.skipped_lines,
                column_names=self._header,
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=self._layout.delimiter,
                quote_char='"' if self._quotes.are_used else False,
                escape_char="\\" if self._quotes.backslash_escapes else False,
                newlines_in_values=self._quotes.are_used,
            ),
            convert_options=convert,
        )


def _after(batches: Iterator[pa.RecordBatch], num_rows: int) -> Iterator[pa.RecordBatch]:
    """Skips the first `num_rows` rows."""
    for batch in batches:
        skipped = min(num_rows, batch.num_rows)
        num_rows -= skipped
        if skipped < batch.num_rows:
            yield batch.slice(skipped)


def _explained(file: TextFile, delimiter: str, reason: str, *, skipped_lines: int = 0) -> CorpusError:
    """Returns the error that names the faulty line; `reason` is used if none is found."""
    width = None
    names = ""
    for line, row in _records(file, delimiter, skipped_lines):
        if row is None:
            return CorpusError(f"{file}, line {line}: {_LATE_QUOTE}")
        if width is None:
            width, names = len(row), ", ".join(row)
        elif row and len(row) != width:
            spans_lines = any("\n" in field for field in row)
            return CorpusError(
                f"{file}, line {line}: expected {width} fields as in the header ({names}), found {len(row)}. "
                f"{_LATE_QUOTE if spans_lines else _UNQUOTED.format(delimiter=delimiter)}"
            )
    first_line = reason.split("\n", maxsplit=1)[0]
    return CorpusError(f"{file} cannot be read as CSV: {first_line}")


def _records(file: TextFile, delimiter: str, skipped_lines: int) -> Iterator[tuple[int, list[str] | None]]:
    """Yields each record with the number of the line on which it begins; None for one too large, which is the last."""
    lines = (line + "\n" for number, line in file.lines() if number > skipped_lines)
    reader = csv.reader(lines, delimiter=delimiter)
    start = 1 + skipped_lines
    try:
        for row in reader:
            yield start, row
            start = reader.line_num + 1 + skipped_lines
    except csv.Error:
        yield start, None
