"""What is wrong with a CSV file, and where: Arrow counts rows, an editor shows lines."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from retrieval.corpus.readers.text_file import TextFile
from retrieval.errors import CorpusError

_LATE_QUOTE = "A quote that opens a field there seems to be closed only lines later, or never."
_UNQUOTED = "Put quotes around a field that holds {delimiter!r} or a line break, and double the quotes inside it."


def explain_fault(file: TextFile, delimiter: str, reason: str, *, skipped_lines: int = 0) -> CorpusError:
    """Returns the error that names the line at fault; `reason` is what to say when none is found."""
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
