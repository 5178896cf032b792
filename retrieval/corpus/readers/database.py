"""SQLite databases: the rows of one table, the one with the most rows unless another is named."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from retrieval.corpus.readers.base import ReadOptions
from retrieval.corpus.readers.byte_source import ByteSource
from retrieval.corpus.readers.record_columns import RecordReader
from retrieval.errors import CorpusError

_MARK = b"SQLite format 3\0"


class DatabaseReader(RecordReader):
    """Reads a table of a database, which is opened read-only. Blobs are left out."""

    def __init__(self, source: ByteSource, options: ReadOptions) -> None:
        if source.is_packed:
            raise CorpusError(f"{source} has a database in it: unpack it first.")
        if source.head(len(_MARK)) != _MARK:
            raise CorpusError(f"{source} is not what its name says: expected an SQLite database.")
        kinds = _tables(source.path)
        tables = [name for name, kind in kinds.items() if kind == "table"]
        if not kinds:
            raise CorpusError(f"{source} has no table.")
        largest = max(tables, key=lambda name: _num_rows(source.path, name)) if tables else next(iter(kinds))
        table = options.table or largest
        if table not in kinds:
            raise CorpusError(f"{source} has no table {table!r}: choose one of {', '.join(kinds)} (--table).")
        super().__init__(_Rows(source.path, table), source)
        if others := [name for name in kinds if name != table]:
            which = "as given" if options.table else "the largest"
            self.notes = (
                f"{source.name}: the table {table!r} was read, {which}; there are also {', '.join(others)} (--table).",
            )


class _Rows:
    """The rows of one table as records."""

    def __init__(self, path: Path, table: str) -> None:
        self._path = path
        self._table = table

    def __iter__(self) -> Iterator[tuple[str, dict[str, Any]]]:
        try:
            with closing(_connect(self._path)) as connection:
                cursor = connection.execute(f"SELECT * FROM {_quoted(self._table)}")
                columns = [column[0] for column in cursor.description]
                for number, row in enumerate(cursor, start=1):
                    values = (None if isinstance(value, bytes) else value for value in row)
                    yield f"row {number}", dict(zip(columns, values, strict=True))
        except sqlite3.Error as error:
            raise CorpusError(f"{self._path}: the table {self._table!r} cannot be read: {error}.") from error


def _num_rows(path: Path, table: str) -> int:
    """Returns the number of rows; of a table that cannot be read, -1."""
    try:
        with closing(_connect(path)) as connection:
            return int(connection.execute(f"SELECT count(*) FROM {_quoted(table)}").fetchone()[0])
    except sqlite3.Error:
        return -1


def _quoted(name: str) -> str:
    """Returns the name of a table as SQL takes it."""
    return '"' + name.replace('"', '""') + '"'


def _tables(path: Path) -> dict[str, str]:
    """Returns `table` or `view` by name, without the internal tables of full-text indexes."""
    try:
        with closing(_connect(path)) as connection:
            found = connection.execute(
                "SELECT name, type FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'view') "
                "AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY type, name"
            )
            return {str(name): str(kind) for name, kind in found}
    except sqlite3.Error as error:
        raise CorpusError(f"{path} is a database that cannot be read: {error}. Copy it again.") from error


def _connect(path: Path) -> sqlite3.Connection:
    # A program that has it open keeps its last changes in a file next to it; without one, only this file is read.
    has_log = path.with_name(path.name + "-wal").exists()
    options = "mode=ro" if has_log else "mode=ro&immutable=1"
    connection = sqlite3.connect(f"file:{quote(str(path.absolute()))}?{options}", uri=True)
    connection.execute("PRAGMA trusted_schema = OFF")
    # Text in another encoding is not a reason to lose the row.
    connection.text_factory = lambda content: content.decode("utf-8", "replace")
    return connection
