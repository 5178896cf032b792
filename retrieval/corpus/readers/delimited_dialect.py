"""How a CSV or TSV file is written: which delimiter, whether quotes mean anything, whether there is a header."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from retrieval.corpus.readers.headers import header_note
from retrieval.corpus.readers.text_file import TextFile

_DELIMITERS = (",", ";", "\t", "|")
_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_SEP_LINE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
_OUTSIDE = re.compile(r"[,;\t|]")
_MOST_LINES_ABOVE = 10
_LOOKED_AT_ROWS = 100
_LOOKED_AT_CHARACTERS = 1 << 20


@dataclass(frozen=True, slots=True)
class Layout:
    """What the beginning of a file shows."""

    delimiter: str
    skipped_lines: int
    """Lines above the header, such as `sep=;` for spreadsheets."""
    width: int
    """Fields in the first row."""
    notes: tuple[str, ...] = ()


def layout_of(file: TextFile, usual_delimiter: str, *, has_header: bool) -> Layout:
    """Returns how the file is laid out, judging by its first rows; `usual_delimiter` follows from its name.

    A delimiter counts only outside quotes. It is the usual one if that gives every row as many fields as the first
    one; else the one that gives the most; else the usual one again.
    """
    with file.open() as text:
        head = text.read(_LOOKED_AT_CHARACTERS)
    notes = []
    first_line, _, rest = head.partition("\n")
    if named := _SEP_LINE.fullmatch(first_line):
        delimiter, skipped, head = named[1], 1, rest
    else:
        skipped = _lines_above_header(head, usual_delimiter) if has_header else 0
        head = head.split("\n", skipped)[-1]
        delimiter = _sniffed(head, usual_delimiter)
        if skipped:
            notes.append(
                f"{file.name}: the names of the columns are in line {skipped + 1}; those above, {first_line[:60]!r}, "
                f"are left out."
            )
    rows = _rows(head, delimiter)
    first = rows[0] if rows else []
    if delimiter != usual_delimiter:
        notes.append(f"{file.name} has its fields separated by {_NAMES.get(delimiter, repr(delimiter))}.")
    if len(first) == 1 and (held := [mark for mark in _DELIMITERS if mark in first[0]]):
        notes.append(
            f"{file.name} was read as one column, called {first[0][:80]!r}, though that name holds "
            f"{_NAMES[held[0]]}: the rows do not have as many of them as the first line."
        )
    if has_header and (note := header_note(file.name, first, rows[1:])):
        notes.append(note)
    return Layout(delimiter, skipped, len(first), tuple(notes))


def _sniffed(head: str, usual: str) -> str:
    if _width(head, usual) > 1:
        return usual
    best = max(_DELIMITERS, key=lambda delimiter: (_width(head, delimiter), delimiter == usual))
    if _width(head, best) > 1:
        return best
    # The rows differ whatever separates them: by the first one, where half of the others agree with it, so that the
    # fault is reported against the right header.
    return max(_DELIMITERS, key=lambda delimiter: (_width_of_most(_rows(head, delimiter)), delimiter == usual))


def _width(head: str, delimiter: str) -> int:
    """Returns the number of fields of every row, 0 if the rows differ.

    A row with a quote in the middle of a field differs from all others: there, another mark separates the fields.
    """
    rows = _rows(head, delimiter)
    widths = {len(row) for row in rows}
    is_cut_in_quotes = any(field.count('"') % 2 for row in rows for field in row)
    return widths.pop() if len(widths) == 1 and not is_cut_in_quotes else 0


def _lines_above_header(head: str, usual: str) -> int:
    """Returns the number of lines above the names of the columns: comments, or a title alone in its line."""
    lines = head.split("\n", _MOST_LINES_ABOVE + 1)
    for above in range(min(_MOST_LINES_ABOVE, len(lines) - 1) + 1):
        rest = "\n".join(lines[above:])
        delimiter = _sniffed(rest, usual)
        rows = _rows(rest, delimiter)
        is_table = len(rows) > 1 and _width(rest, delimiter) > 1 and (above == 0 or _is_filled(lines[above]))
        if is_table and 2 * sum(map(_is_filled, rows[0])) >= len(rows[0]):
            return above
        if not _stands_alone(lines[above]):
            break
    return 0


def _stands_alone(line: str) -> bool:
    """Tells a comment, a blank line and a title from a row of a table."""
    if line.startswith("#"):
        return True
    fields = _OUTSIDE.split(line)
    return sum(map(_is_filled, fields)) < 2 and '"' not in line


def _is_filled(field: str) -> bool:
    return bool(field.strip())


def _width_of_most(rows: Sequence[Sequence[str]]) -> int:
    """Returns the number of fields of the first row, 1 where less than half of the others have as many."""
    same = sum(len(row) == len(rows[0]) for row in rows[1:])
    return len(rows[0]) if rows and 2 * same >= len(rows) - 1 else 1


def _rows(head: str, delimiter: str) -> list[list[str]]:
    """Returns the first rows with a field in them; the last one of a long file may be cut, and is left out."""
    reader = csv.reader(io.StringIO(head, newline=None), delimiter=delimiter)
    try:
        rows = list(islice(filter(None, reader), _LOOKED_AT_ROWS + 1))
    except csv.Error:  # a field of a megabyte or so
        return []
    is_cut = len(head) == _LOOKED_AT_CHARACTERS and len(rows) <= _LOOKED_AT_ROWS
    return rows[: -1 if is_cut and len(rows) > 1 else _LOOKED_AT_ROWS]
