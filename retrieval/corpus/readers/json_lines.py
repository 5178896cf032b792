"""JSON Lines: an object a line.

Read twice. The first time tells the type of every column, so that a column that turns from whole numbers to fractions
in the last line, or first appears there, is no surprise; and a broken line is found before anything is built from it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from retrieval.corpus.readers.base import require_distinct_names
from retrieval.corpus.readers.json_kinds import ColumnKinds
from retrieval.corpus.readers.lines import in_batches, numbered_lines
from retrieval.corpus.readers.plain_types import as_json
from retrieval.corpus.readers.sniffing import require_text
from retrieval.errors import CorpusError

_MAX_COLUMNS = 1_000
_SHOWN_CHARACTERS = 60
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class JsonLinesReader:
    """Reads an object a line: a column for every name that occurs, null where a line lacks it."""

    def __init__(self, path: Path) -> None:
        require_text(path, "JSON Lines, an object a line")
        self._path = path
        self._kinds: dict[str, ColumnKinds] = {}
        self._num_rows = 0
        for number, record in json_objects(path):
            self._num_rows += 1
            for name, value in record.items():
                kinds = self._kinds.get(name)
                if kinds is None:
                    kinds = self._kinds[name] = ColumnKinds()
                    self._check_column_count(number)
                kinds.add(value, number)
        require_distinct_names(list(self._kinds), path)
        self._schema = pa.schema([(name, kinds.arrow_type()) for name, kinds in self._kinds.items()])

    @property
    def schema(self) -> pa.Schema:
        """Returns the columns in the order in which they first occur."""
        return self._schema

    @property
    def num_rows(self) -> int:
        """Returns the number of objects."""
        return self._num_rows

    @property
    def mixed_columns(self) -> Mapping[str, str]:
        """Returns the columns that hold values of several kinds, with the lines of the first two."""
        return {name: text for name, kinds in self._kinds.items() if (text := kinds.conflict()) is not None}

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yields the objects in order.

        Raises:
            CorpusError: if the file changed since it was opened.
        """
        for records in in_batches(json_objects(self._path)):
            arrays = [_column([record.get(field.name) for _, record in records], field.type) for field in self._schema]
            yield pa.RecordBatch.from_arrays(arrays, schema=self._schema)

    def _check_column_count(self, line: int) -> None:
        if len(self._kinds) > _MAX_COLUMNS:
            raise CorpusError(
                f"{self._path}, line {line}: more than {_MAX_COLUMNS:,} different names. Expected the same names in "
                f"every object; put names that vary into an object of their own."
            )


def json_objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yields the object of each line that is not blank, with the number of the line.

    Raises:
        CorpusError: if a line is not a JSON object, or not UTF-8.
    """
    for number, line in numbered_lines(path):
        if not line or line.isspace():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            reason = f"{error.msg} at column {error.colno}" if isinstance(error, json.JSONDecodeError) else str(error)
            raise _no_object(path, number, line, f"not a JSON object ({reason})") from error
        if not isinstance(record, dict):
            raise _no_object(path, number, line, 'expected a JSON object such as {"text": ...}')
        yield number, _without_lone_surrogates(record) if _ESCAPED_SURROGATE.search(line) else record


def _without_lone_surrogates(record: dict[str, Any]) -> dict[str, Any]:
    """JSON can spell half a character, UTF-8 and Arrow cannot: it becomes U+FFFD."""
    text = json.dumps(record, ensure_ascii=False)
    whole: dict[str, Any] = json.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    return whole


def _column(values: list[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_string(kind):
        values = [as_json(value) for value in values]
    elif pa.types.is_floating(kind):
        values = _floats(values)
    elif pa.types.is_list(kind) and pa.types.is_floating(kind.value_type):
        values = [None if value is None else _floats(value) for value in values]
    return pa.array(values, kind)


def _floats(values: list[float | None]) -> list[float | None]:
    """Arrow refuses whole numbers beyond 2**53 among doubles; the nearest double is what any JSON reader gives."""
    return [None if value is None else float(value) for value in values]


def _no_object(path: Path, number: int, line: str, what: str) -> CorpusError:
    found = line if len(line) <= _SHOWN_CHARACTERS else f"{line[:_SHOWN_CHARACTERS]}…"
    hint = " (is it all one JSON array? Write its items one a line)" if line.lstrip().startswith("[") else ""
    return CorpusError(f"{path}, line {number}: {what}, found: {found}{hint}")
