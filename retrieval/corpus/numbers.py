"""Numbers that a table has as text, as every column of a CSV file."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc


def with_numbers(batch: pa.RecordBatch, column: str | None) -> pa.RecordBatch:
    """Returns the batch with null for what is blank in a column of numbers: a number that is not there."""
    if column is None or not pa.types.is_string(batch.column(column).type):
        return batch
    values = pc.utf8_trim_whitespace(batch.column(column))
    numbers = pc.if_else(pc.equal(values, ""), pa.scalar(None, pa.string()), values)
    return batch.set_column(batch.schema.get_field_index(column), column, numbers)


def first_non_number(batches: Iterable[pa.RecordBatch], column: str) -> tuple[int, str] | None:
    """Returns the first row, counted from 0, that has a text in the column which is not a number, and that text."""
    done = 0
    for batch in batches:
        if not pa.types.is_string(batch.column(column).type):
            return None
        values = with_numbers(batch.select([column]), column).column(0)
        if not are_numbers(values):
            for row, value in enumerate(values.to_pylist()):
                if value is not None and not are_numbers(pa.array([value])):
                    return done + row, value
        done += batch.num_rows
    return None


def are_numbers(values: pa.Array) -> bool:
    """Returns whether all texts of an array are numbers; null is."""
    try:
        pc.cast(values, pa.float64())
    except pa.ArrowInvalid:
        return False
    return True
