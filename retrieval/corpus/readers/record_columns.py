"""Columns from records whose values are of any kind: types that emerge late, and names that some records lack."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from retrieval.corpus.readers.base import Reader, in_batches, require_distinct_names
from retrieval.corpus.readers.plain_types import as_json
from retrieval.errors import CorpusError

_INT64 = range(-(2**63), 2**63)
_NAMES = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list", dict: "an object"}
_SCALARS = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string()}


class ColumnKinds:
    """Gathers the kinds of one column, with the place of the first value of each."""

    def __init__(self) -> None:
        self._first_places: dict[type, str] = {}
        self._item_types: set[type] = set()
        self._too_big = False

    def add(self, value: object, where: str) -> None:
        """Records a value at a place such as `line 3`; null is of every kind."""
        if value is None:
            return
        kind = type(value)
        if kind not in self._first_places:
            self._first_places[kind] = where
        if isinstance(value, int):
            self._too_big |= value not in _INT64
        elif isinstance(value, list):
            self._item_types.update(type(item) for item in value if item is not None)
            self._too_big |= any(isinstance(item, int) and item not in _INT64 for item in value)

    def arrow_type(self) -> pa.DataType:
        """Returns the type that carries every value, string where that takes JSON text."""
        kinds = set(self._first_places)
        if kinds != {list}:
            return self._scalar_type(kinds) or pa.string()
        # A list of objects, of lists, or of several kinds is carried as JSON text: their names may differ line by line.
        items = self._scalar_type(self._item_types) if self._item_types else pa.string()
        return pa.string() if items is None else pa.list_(items)

    def conflict(self) -> str | None:
        """Returns where the column changes its kind, None if it never does."""
        first: dict[str, str] = {}
        for kind, place in self._first_places.items():  # in the order in which they were met
            first.setdefault(_NAMES[kind], place)
        if len(first) < 2:
            return None
        (one, place), (other, other_place) = list(first.items())[:2]
        return f"{one} in {place} but {other} in {other_place}"

    def _scalar_type(self, kinds: set[type]) -> pa.DataType | None:
        if self._too_big:
            return None
        if kinds == {int, float}:
            return pa.float64()
        return _SCALARS.get(next(iter(kinds))) if len(kinds) == 1 else None


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
