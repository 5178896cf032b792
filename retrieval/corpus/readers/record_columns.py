"""Columns from records whose values are of any kind: types that emerge late, and names that some records lack."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from retrieval.corpus.readers.base import Reader, in_batches, require_distinct_names
from retrieval.corpus.readers.json_kinds import ColumnKinds
from retrieval.corpus.readers.plain_types import as_json
from retrieval.errors import CorpusError

_MAX_COLUMNS = 1_000
Records = Iterable[tuple[str, dict[str, Any]]]
"""Objects, each with its place, such as `line 3`."""


class RecordReader(Reader):
    """Reads objects: a column for every name that occurs, null where a record lacks it.

    They are read twice. The first pass finds the type of every column, so that a column that turns from whole numbers
    to fractions in the last record, or first appears there, is no surprise; and a fault is found before anything is
    built.
    """

    def __init__(self, records: Records, source: object) -> None:
        """Takes records that can be read any number of times.

        Raises:
            CorpusError: if a record cannot be read, or there are too many names.
        """
        self._records = records
        self._kinds: dict[str, ColumnKinds] = {}
        self.num_rows = 0
        for where, record in records:
            self.num_rows += 1
            for name, value in record.items():
                kinds = self._kinds.get(name)
                if kinds is None:
                    kinds = self._kinds[name] = ColumnKinds()
                    self._check_column_count(source, where)
                kinds.add(value, where)
        require_distinct_names(list(self._kinds), source)
        self.schema = pa.schema([(name, kinds.arrow_type()) for name, kinds in self._kinds.items()])
        self.mixed_columns = {
            name: conflict for name, kinds in self._kinds.items() if (conflict := kinds.conflict()) is not None
        }

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yields the records in order.

        Raises:
            CorpusError: if the source changed since it was opened.
        """
        for chunk in in_batches(self._records):
            arrays = [_column([record.get(field.name) for _, record in chunk], field.type) for field in self.schema]
            yield pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _check_column_count(self, source: object, where: str) -> None:
        if len(self._kinds) > _MAX_COLUMNS:
            raise CorpusError(
                f"{source}, {where}: more than {_MAX_COLUMNS:,} different names. Expected the same names in every "
                f"object; put names that vary into an object of their own."
            )


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
