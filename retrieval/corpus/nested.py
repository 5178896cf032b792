"""Texts inside objects, as columns of their own: `document.text` is the `text` in each object of `document`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

_DEEPEST = 3
_LOOKED_AT_ROWS = 100
_MOST_NAMES = 100


def inner_names(batch: pa.RecordBatch) -> list[str]:
    """Returns the names of the texts inside objects, at most a hundred; of objects in JSON, by the first rows."""
    found: dict[str, None] = {}
    for field in batch.schema:
        if pa.types.is_struct(field.type):
            found.update(dict.fromkeys(_texts_of(field.type, field.name)))
        elif pa.types.is_string(field.type):
            for value in _parsed(batch.column(field.name).slice(0, _LOOKED_AT_ROWS)):
                found.update(dict.fromkeys(_texts_in(value, field.name)))
    return [name for name in found if name not in batch.schema.names][:_MOST_NAMES]


def with_inner(batch: pa.RecordBatch, names: Sequence[str]) -> pa.RecordBatch:
    """Returns the batch with a column of text for each name, null where an object lacks it."""
    for name in names:
        outer, *path = name.split(".")
        column = batch.column(outer)
        if pa.types.is_struct(column.type):
            values = pc.struct_field(column, path)
        else:
            values = pa.array([_at(value, path) for value in _parsed(column)], pa.string())
        batch = batch.append_column(pa.field(name, pa.string()), values)
    return batch


def _texts_of(kind: pa.StructType, name: str, depth: int = 1) -> Iterator[str]:
    for field in kind:
        if pa.types.is_string(field.type) and "." not in field.name:
            yield f"{name}.{field.name}"
        elif pa.types.is_struct(field.type) and depth < _DEEPEST:
            yield from _texts_of(field.type, f"{name}.{field.name}", depth + 1)


def _texts_in(value: Any, name: str, depth: int = 1) -> Iterator[str]:
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        if isinstance(inner, str) and "." not in key:
            yield f"{name}.{key}"
        elif depth < _DEEPEST:
            yield from _texts_in(inner, f"{name}.{key}", depth + 1)


def _parsed(column: pa.Array) -> Iterator[Any]:
    """Yields the object in each row of JSON text, None if there is none."""
    for text in column.to_pylist():
        try:
            yield json.loads(text) if text is not None and text.startswith("{") else None
        except (ValueError, RecursionError):
            yield None


def _at(value: Any, path: Sequence[str]) -> str | None:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else None
