"""What is wrong with a CSV file, and where: Arrow counts rows, an editor shows lines."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from retrieval.corpus.readers.lines import numbered_lines
from retrieval.errors import CorpusError

_TAIL_BYTES = 65_536
_LATE_QUOTE = "A quote that opens a field there seems to be closed only lines later, or never."
_UNQUOTED = "Put quotes around a field that holds {delimiter!r} or a line break, and double the quotes inside it."


def is_left_open(path: Path, last: pa.RecordBatch) -> bool:
    """Tells whether the quote of the last field was never closed, so that the field swallowed the rest of the file.

    Only a quoted field can hold a line break, and a closed one that is the last of all has its quote at the very end.
    """
    value = last.column(last.num_columns - 1)[last.num_rows - 1].as_py()
    if "\n" not in value:
        return False
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        return not file.read().rstrip(b"\r\n").endswith(b'"')


def left_open(path: Path, delimiter: str) -> CorpusError:
    """Returns the error for a last field whose quote is never closed."""
    line = 1
    for start, _ in _records(path, delimiter):
        line = start
    return CorpusError(f"{path}, line {line}: a quote that opens a field is never closed. Close it, or take it out.")


def explain_fault(path: Path, delimiter: str, reason: str) -> CorpusError:
    """Returns the error that names the line at fault; `reason` is what to say when none is found."""
    width = None
    names = ""
    try:
        for line, row in _records(path, delimiter):
            if row is None:
                return CorpusError(f"{path}, line {line}: {_LATE_QUOTE}")
            if width is None:
                width, names = len(row), ", ".join(row)
            elif row and len(row) != width:
                spans_lines = any("\n" in field for field in row)
                return CorpusError(
                    f"{path}, line {line}: expected {width} fields as in the header ({names}), found {len(row)}. "
                    f"{_LATE_QUOTE if spans_lines else _UNQUOTED.format(delimiter=delimiter)}"
                )
    except CorpusError as error:
        return error
    first_line = reason.split("\n", maxsplit=1)[0]
    return CorpusError(f"{path} cannot be read as CSV: {first_line}")


def _records(path: Path, delimiter: str) -> Iterator[tuple[int, list[str] | None]]:
    """Yields each record with the number of the line on which it begins; None for one too large, which is the last."""
    # The module refuses a lone carriage return where Arrow ends a line; here it is only about counting.
    lines = (line.replace("\r", " ") + "\n" for _, line in numbered_lines(path))
    reader = csv.reader(lines, delimiter=delimiter)
    start = 1
    try:
        for row in reader:
            yield start, row
            start = reader.line_num + 1
    except csv.Error:
        yield start, None
