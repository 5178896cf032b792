"""Values that an index could store but not return: text that is not UTF-8, dates beyond Python's range."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from retrieval.errors import CorpusError, first_line

_PER_DAY = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000}
"""Units of a time stamp per day. Nanoseconds are left out: in 64 bits, they reach only from 1677 to 2262."""
_FIRST_DAY = datetime.date(1, 1, 2).toordinal() - datetime.date(1970, 1, 1).toordinal()
_LAST_DAY = datetime.date(9999, 12, 31).toordinal() - datetime.date(1970, 1, 1).toordinal()
"""Days from 1970 on; a day from either end, as a time zone may move a time stamp by most of one."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with some values of a column, and what happens to them."""

    column: str
    row: int
    """Of the first one, counted from 0 in the batch."""
    what: str


def sound(batch: pa.RecordBatch, first_row: int) -> tuple[pa.RecordBatch, list[Fault]]:
    """Returns the batch with text in UTF-8, and what was wrong with it; its first row is `first_row`.

    Invalid bytes become U+FFFD. Dates before the year 1 and after 9999 stay: they come
    out of the index as text.

    Raises:
        CorpusError: if a value inside a list or an object is not UTF-8, or is damaged.
    """
    faults = []
    columns = list(batch.columns)
    for position, (name, column) in enumerate(zip(batch.schema.names, columns, strict=True)):
        try:
            column.validate(full=True)
        except pa.ArrowInvalid as error:
            if not pa.types.is_string(column.type):
                raise CorpusError(
                    f"column {name!r}, row {first_row + _first_invalid(column) + 1:,}: {first_line(error)}. Correct "
                    "the value, or leave the column out."
                ) from error
            columns[position] = _as_utf8(column)
            faults.append(
                Fault(name, _first_invalid(column), "text that is not UTF-8: wrong bytes are shown as \ufffd")
            )
        if (row := _first_strange_date(column)) is not None:
            faults.append(Fault(name, row, "a date that is not between the years 1 and 9999: it is shown as text"))
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema), faults


def _as_utf8(column: pa.Array) -> pa.Array:
    values = column.view(pa.binary()).to_pylist()
    return pa.array([None if value is None else value.decode("utf-8", "replace") for value in values], pa.string())


def _first_invalid(column: pa.Array) -> int:
    """Returns the first row of a column that has one with a fault, by halving."""
    start, end = 0, len(column)
    while end - start > 1:
        middle = (start + end) // 2
        try:
            # A slice of its own, without the values of its neighbours.
            pa.concat_arrays([column.slice(start, middle - start)]).take(pa.array(range(middle - start))).validate(
                full=True
            )
            start = middle
        except pa.ArrowInvalid:
            end = middle
    return start


def _first_strange_date(column: pa.Array) -> int | None:
    kind = column.type
    if pa.types.is_date(kind):
        per_day = _PER_DAY["ms"] if pa.types.is_date64(kind) else 1
    elif pa.types.is_timestamp(kind) and kind.unit in _PER_DAY:
        per_day = _PER_DAY[kind.unit]
    else:
        return None
    numbers = pc.cast(column.view(pa.int32() if pa.types.is_date32(kind) else pa.int64()), pa.int64())
    strange = pc.or_(pc.less(numbers, _FIRST_DAY * per_day), pc.greater(numbers, _LAST_DAY * per_day))
    found = pc.index(strange, True).as_py()
    return found if found >= 0 else None
