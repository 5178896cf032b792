"""The values of an Arrow column as Python has them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

_UNKNOWN_TO_PYTHON = (ValueError, OverflowError, TypeError, KeyError, pa.ArrowException)
"""What Arrow raises for values that Python has no type for."""


def python_values(column: pa.Array) -> list[Any]:
    """Returns the values of a column; what Python cannot hold, such as a date before the year 1, as text."""
    try:
        return list(column.to_pylist())
    except _UNKNOWN_TO_PYTHON:
        return [_value(scalar) for scalar in column]


def _value(scalar: pa.Scalar) -> Any:
    try:
        return scalar.as_py()
    except _UNKNOWN_TO_PYTHON:
        pass
    kind = scalar.type
    if pa.types.is_struct(kind):
        return {kind.field(index).name: _value(scalar[index]) for index in range(kind.num_fields)}
    if pa.types.is_map(kind):
        return [(_value(each[0]), _value(each[1])) for each in scalar.values]
    if pa.types.is_nested(kind):
        return [_value(each) for each in scalar.values]
    # A time stamp in an unknown time zone has no text with one; what has no text at all is a number.
    naive = [pa.timestamp(kind.unit)] if pa.types.is_timestamp(kind) else []
    for path in ([pa.string()], [*naive, pa.string()], [pa.int64(), pa.string()]):
        try:
            text = scalar
            for step in path:
                text = pc.cast(text, step)
            return text.as_py()
        except pa.ArrowException:
            continue
    return str(scalar)
