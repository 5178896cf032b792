"""Workbooks of Excel and other spreadsheets (`.xlsx`): one sheet, whose first row has the names of the columns."""

from __future__ import annotations

import datetime
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice, zip_longest
from typing import Any

from retrieval.corpus.readers.base import ReadOptions, with_names
from retrieval.corpus.readers.byte_source import ByteSource, require_unpacked_size
from retrieval.corpus.readers.headers import header_note
from retrieval.corpus.readers.record_columns import RecordReader
from retrieval.corpus.readers.sniffing import format_of
from retrieval.errors import CorpusError

_LOOKED_AT_ROWS = 100
_ZIP = b"PK\x03\x04"


class WorkbookReader(RecordReader):
    """Reads the rows of a sheet, those without any value left out. Formulas give the values that were saved."""

    def __init__(self, source: ByteSource, options: ReadOptions) -> None:
        head = source.head(64)
        if not head.startswith(_ZIP):
            found = format_of(head) or ("nothing" if not head else "something else")
            raise CorpusError(f"{source} is not what its name says: expected a workbook (.xlsx), found {found}.")
        if source.is_packed:
            raise CorpusError(f"{source} has a workbook in it: unpack it first.")
        require_unpacked_size(source.path, options.max_unpacked_bytes)
        with _opened(source) as book:
            names = list(book.sheetnames)
            filled = next((name for name in names if _has_values(book[name])), names[0])
        if options.table is not None and options.table not in names:
            raise CorpusError(f"{source} has no sheet {options.table!r}: choose one of {', '.join(names)} (--table).")
        sheet = options.table or filled
        rows = _Rows(source, sheet, has_header=options.has_header)
        super().__init__(rows, source)
        self.notes = rows.notes()
        if len(names) > 1:
            others = ", ".join(name for name in names if name != sheet)
            also = f"{source.name}: the sheet {sheet!r} was read; there are also {others} (--table)."
            self.notes = (also, *self.notes)


class _Rows:
    """The rows of one sheet as records."""

    def __init__(self, source: ByteSource, sheet: str, *, has_header: bool) -> None:
        self._source = source
        self._sheet = sheet
        self._has_header = has_header

    def __iter__(self) -> Iterator[tuple[str, dict[str, Any]]]:
        with _opened(self._source) as book:
            filled = (
                (number, row)
                for number, row in enumerate(_rows(book[self._sheet]), start=1)
                if any(value is not None for value in row)
            )
            header: list[str] | None = None
            for number, row in filled:
                if header is None:
                    header = self._names(row)
                    if self._has_header:
                        continue
                named = zip_longest(header, map(_plain, row))
                record = {name or f"unnamed_{place}": value for place, (name, value) in enumerate(named, start=1)}
                # A column without a name counts only if it has a value: sheets are as wide as their formatting.
                yield (
                    f"row {number}",
                    {name: value for name, value in record.items() if name in header or value is not None},
                )

    def notes(self) -> tuple[str, ...]:
        """Returns a note on a header that looks like data."""
        if not self._has_header:
            return ()
        few = [record for _, record in islice(self, _LOOKED_AT_ROWS)]
        header = list(few[0]) if few else []
        below = [[str(record.get(name) or "") for name in header] for record in few]
        note = header_note(self._source.name, header, below)
        return (note,) if note else ()

    def _names(self, row: tuple[Any, ...]) -> list[str]:
        if not self._has_header:
            return [f"column_{place}" for place in range(1, len(row) + 1)]
        filled = [str(value).strip() if value is not None else "" for value in row]
        while filled and not filled[-1]:
            filled.pop()
        names = with_names(filled)
        if len(set(names)) < len(names):
            raise CorpusError(f"{self._source}: several columns of the sheet {self._sheet!r} have the same name.")
        return names


@contextmanager
def _opened(source: ByteSource) -> Iterator[Any]:
    import openpyxl  # takes a good part of a second, only for those who need it

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # styles and extensions that are not understood do not matter here
            book = openpyxl.load_workbook(source.path, read_only=True, data_only=True, keep_links=False)
        try:
            if not book.sheetnames:
                raise CorpusError(f"{source} has no sheets.")
            yield book
        finally:
            book.close()
    except CorpusError:
        raise
    except Exception as error:
        raise CorpusError(f"{source} cannot be read as a workbook ({error}). Save the sheet as CSV UTF-8.") from error


def _has_values(sheet: Any) -> bool:
    return any(value is not None for row in _rows(sheet) for value in row)


def _rows(sheet: Any) -> Iterator[tuple[Any, ...]]:
    """Yields the actual rows: a sheet may claim a million rows by 16,384 columns, and hold ten."""
    if hasattr(sheet, "reset_dimensions"):  # a sheet that is a chart has no cells
        sheet.reset_dimensions()
        yield from sheet.iter_rows(values_only=True)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    return value if isinstance(value, bool | int | float | str | None) else str(value)
