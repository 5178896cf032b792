"""How a CSV or TSV file is written: which delimiter, whether quotes mean anything, whether there is a header."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from retrieval.corpus.readers.headers import header_note
from retrieval.corpus.readers.text_file import TextFile

_DELIMITERS = (",", ";", "\t", "|")
_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_SEP_LINE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
_LOOKED_AT_ROWS = 100
_LOOKED_AT_CHARACTERS = 1 << 20


@dataclass(frozen=True, slots=True)
class Layout:
    """What the beginning of a file tells."""

    delimiter: str
    skipped_lines: int
    """Lines above the header, such as `sep=;` for spreadsheets."""
    width: int
    """Fields in the first row."""
    notes: tuple[str, ...] = ()


def layout_of(file: TextFile, usual_delimiter: str, *, has_header: bool) -> Layout:
    """Returns how the file is laid out, by its first rows; `usual_delimiter` is what its name says.

    A delimiter counts outside quotes only. It is the usual one where that gives every row as many fields as the first
    one; else the one that gives the most; else again the usual one.
    """
    with file.open(newline="") as text:
        head = text.read(_LOOKED_AT_CHARACTERS)
    first_line, _, rest = head.partition("\n")
    if named := _SEP_LINE.fullmatch(first_line.rstrip("\r")):
        delimiter, skipped, head = named[1], 1, rest
        rows = _rows(head, delimiter)
    else:
        delimiter, skipped = _sniffed(head, usual_delimiter), 0
        rows = _rows(head, delimiter)
    first = rows[0] if rows else []
    notes = []
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
    def width(delimiter: str) -> int:
        """Returns the number of fields of every row, 0 where the rows differ."""
        widths = {len(row) for row in _rows(head, delimiter)}
        return widths.pop() if len(widths) == 1 else 0

    if width(usual) > 1:
        return usual
    best = max(_DELIMITERS, key=lambda delimiter: (width(delimiter), delimiter == usual))
    if width(best) > 1:
        return best
    # The rows differ whatever separates them: by the first one, where half of the others agree with it, so that the
    # fault is told against the right header.
    return max(_DELIMITERS, key=lambda delimiter: (_width_of_most(_rows(head, delimiter)), delimiter == usual))


def _width_of_most(rows: Sequence[Sequence[str]]) -> int:
    """Returns the number of fields of the first row, 1 where less than half of the others have as many."""
    same = sum(len(row) == len(rows[0]) for row in rows[1:])
    return len(rows[0]) if rows and 2 * same >= len(rows) - 1 else 1


def _rows(head: str, delimiter: str) -> list[list[str]]:
    """Returns the first rows with a field in them; the last one of a long file may be cut, and is left out."""
    reader = csv.reader(io.StringIO(head, newline=None), delimiter=delimiter)
    try:
        rows = list(islice(_filled(reader), _LOOKED_AT_ROWS + 1))
    except csv.Error:  # a field of a megabyte or so
        return []
    is_cut = len(head) == _LOOKED_AT_CHARACTERS and len(rows) <= _LOOKED_AT_ROWS
    return rows[: -1 if is_cut and len(rows) > 1 else _LOOKED_AT_ROWS]


def _filled(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    yield from (row for row in reader if row)
