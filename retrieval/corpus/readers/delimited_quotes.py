"""What quotes mean in a CSV or TSV file: around fields, escaped with backslashes, or part of the text."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from retrieval.corpus.readers.text_file import TextFile
from retrieval.errors import CorpusError

_LONGEST_FIELD = 1 << 26
_UNCLOSED = "unexpected end of data"


@dataclass(frozen=True, slots=True)
class Quotes:
    """How fields are quoted."""

    are_used: bool = True
    backslash_escapes: bool = False
    after_spaces: bool = False
    """Whether spaces before a quote do not count, as in `1, "a, b"`."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Trial:
    """The result of reading the whole file in one way."""

    num_rows: int
    num_lines: int
    other_width: bool
    """Whether a row has more or fewer fields than the first one."""
    fault: str = ""
    fault_line: int = 0

    @property
    def fits(self) -> bool:
        return not self.fault and not self.other_width


def quotes_of(file: TextFile, delimiter: str, skipped_lines: int) -> Quotes:
    """Returns what quotes mean in a file. One without any is not read again.

    A quoted field ends with a quote before a delimiter or the end of a line, with quotes inside it doubled, or escaped
    with backslashes. If that gives rows of several widths, and plain lines do not, quotes are text; in a
    TSV file also if it would only join lines.

    Raises:
        CorpusError: if the file is neither; the message names the line.
    """
    if not _has_quotes(file):
        return Quotes()

    def trial(**dialect: Any) -> _Trial:
        return _trial(file, delimiter, skipped_lines, **dialect)

    quoted = trial(strict=True)
    joins_lines = quoted.num_rows < quoted.num_lines
    if quoted.fits and not (delimiter == "\t" and joins_lines):
        return Quotes()
    as_text = trial(quoting=csv.QUOTE_NONE)
    is_raw = as_text.fits and _width(file, delimiter, skipped_lines) > 1
    if delimiter == "\t" and is_raw:
        return Quotes(are_used=False, note=f"{file.name}: quotes are read as part of the text, a row per line.")
    if not quoted.fits and trial(strict=True, skipinitialspace=True).fits:
        return Quotes(after_spaces=True, note=f"{file.name}: spaces after delimiters are ignored.")
    if not quoted.fault:
        return Quotes()  # well quoted, or with a row of another width, which is reported when it is reached
    if trial(strict=True, escapechar="\\").fits:
        return Quotes(backslash_escapes=True, note=f'{file.name}: \\" inside a field is read as a quote.')
    if is_raw:
        return Quotes(are_used=False, note=f"{file.name}: quotes are read as part of the text, a row per line.")
    sloppy = trial()
    if sloppy.fits and sloppy.num_rows == sloppy.num_lines:
        return Quotes(note=f"{file.name}, line {quoted.fault_line}: a quoted field continues after its closing quote.")
    raise CorpusError(f"{file}, line {quoted.fault_line}: {quoted.fault}")


def _trial(file: TextFile, delimiter: str, skipped_lines: int, **dialect: Any) -> _Trial:
    width, num_rows, num_lines = None, 0, 0
    other_width = False
    start = 1

    def lines() -> Iterator[str]:
        nonlocal num_lines
        for number, line in file.lines():
            if number > skipped_lines:
                num_lines += bool(line)
                yield line + "\n"

    reader = csv.reader(lines(), delimiter=delimiter, **dialect)
    limit = csv.field_size_limit(_LONGEST_FIELD)
    try:
        for row in reader:
            start = reader.line_num + 1
            if not row:
                continue
            num_rows += 1
            width = len(row) if width is None else width
            other_width = other_width or len(row) != width
    except csv.Error as error:
        what = "a quote that opens a field is never closed. Close it, or remove it."
        if str(error) != _UNCLOSED:
            what = "a quoted field continues after its closing quote. Double the quotes inside it."
        return _Trial(num_rows, num_lines, other_width, what, start + skipped_lines)
    finally:
        csv.field_size_limit(limit)
    return _Trial(num_rows, num_lines, other_width)


def _width(file: TextFile, delimiter: str, skipped_lines: int) -> int:
    return next((line.count(delimiter) + 1 for number, line in file.lines() if number > skipped_lines and line), 0)


def _has_quotes(file: TextFile) -> bool:
    with file.open(newline="") as text:
        while chunk := text.read(1 << 20):
            if '"' in chunk:
                return True
    return False
