"""Types that an index can carry: Arrow's plain ones, whichever way the source stored its columns.

The documents of an index are one Arrow file that many readers open, so dictionaries, views, run-length encoding and
extension types are resolved here, and what has no plain counterpart becomes JSON text.
"""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def plain_schema(schema: pa.Schema) -> pa.Schema:
    """Returns the schema that `to_plain` gives batches of `schema`: no metadata, plain types."""
    return pa.schema([pa.field(field.name, _plain_type(field.type)) for field in schema])


def to_plain(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Returns `batch` in the types of `schema`, which `plain_schema` made."""
    arrays = [_cast(column, field.type) for column, field in zip(batch.columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def as_json(value: object) -> str | None:
    """Returns `value` as JSON text; text and None stay as they are."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def _plain_type(kind: pa.DataType) -> pa.DataType:
    types = pa.types
    if isinstance(kind, pa.BaseExtensionType):
        return _plain_type(kind.storage_type)
    if types.is_dictionary(kind) or types.is_run_end_encoded(kind):
        return _plain_type(kind.value_type)
    if types.is_large_string(kind) or types.is_string_view(kind) or types.is_null(kind):
        return pa.string()
    if types.is_binary_view(kind) or types.is_large_binary(kind):
        return pa.binary()
    if not types.is_nested(kind):
        return kind
    return kind if _is_plain_nested(kind) else pa.string()


def _is_plain_nested(kind: pa.DataType) -> bool:
    types = pa.types
    if not (
        types.is_list(kind)
        or types.is_large_list(kind)
        or types.is_fixed_size_list(kind)
        or types.is_struct(kind)
        or types.is_map(kind)
    ):
        return False
    children = [kind.field(index).type for index in range(kind.num_fields)]
    if types.is_map(kind):
        children = [kind.key_type, kind.item_type]
    return all(_is_plain_nested(child) if types.is_nested(child) else _plain_type(child) == child for child in children)


def _cast(column: pa.Array, kind: pa.DataType) -> pa.Array:
    if column.type == kind:
        return column
    if isinstance(column, pa.ExtensionArray):
        return _cast(column.storage, kind)
    if pa.types.is_run_end_encoded(column.type):
        return _cast(pc.run_end_decode(column), kind)
    if pa.types.is_nested(column.type):
        values: list[Any] = column.to_pylist()
        return pa.array([as_json(value) for value in values], kind)
    return pc.cast(column, kind)
