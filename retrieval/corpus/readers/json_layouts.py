"""Tables in one JSON object: a list of rows under a name, or columns as pandas and others write them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from retrieval.corpus.value_kinds import num_words
from retrieval.errors import CorpusError, counted

_FEWEST_WORDS = 3
_DEEPEST = 3
_FEWEST_ITEMS = 2
"""Lists of one value each may as well be the lists of a single row."""


@dataclass(frozen=True, slots=True)
class FoundRecords:
    """The rows that were found in an object, and a note about it."""

    records: Sequence[dict[str, Any]]
    note: str


def records_in(whole: dict[str, Any], source: str, *, may_be_row: bool) -> FoundRecords | None:
    """Returns the rows of the table that an object holds, None if it is a row itself.

    Supported are `{"data": [{...}, ...]}`, with any name and any other content, also inside other objects, and
    what pandas' `to_json` writes with `orient` columns, index, split, table and values, and `to_dict` with list. With
    `may_be_row`, an object that also has a text is a row.

    Raises:
        CorpusError: if it holds several lists of objects.
    """
    values = list(whole.values())
    if may_be_row and any(isinstance(value, str) and num_words(value) >= _FEWEST_WORDS for value in values):
        return None
    if _is_split(whole):
        names = list(map(str, whole["columns"]))
        rows = [dict(zip(names, row, strict=True)) for row in whole["data"]]
        return FoundRecords(rows, f"{source} is one object with columns and data: read as {counted(len(rows), 'row')}.")
    lists = [name for name, value in whole.items() if _is_rows(value)]
    if len(lists) == 1:
        name = lists[0]
        beside = [other for other in whole if other != name]
        left_out = f" The rest is left out: {', '.join(beside[:5])}." if beside else ""
        rows = whole[name]
        return FoundRecords(rows, f"{source} is one object: {counted(len(rows), 'row')} read from {name!r}.{left_out}")
    if len(lists) > 1:
        raise CorpusError(
            f"{source} is one object with several lists of rows: {', '.join(map(repr, lists))}. Expected one: write "
            f"each into its own file."
        )
    columns = [value for value in values if isinstance(value, list) and len(value) >= _FEWEST_ITEMS]
    if len(columns) == len(values) and len({len(column) for column in columns}) == 1:
        rows = [dict(zip(whole, row, strict=True)) for row in zip(*columns, strict=True)]
        return FoundRecords(
            rows, f"{source} is one object with a list per column: read as {counted(len(rows), 'row')}."
        )
    if values and all(isinstance(value, dict) and value.keys() == values[0].keys() for value in values):
        found = _nested(whole, source)
        if found is not None:
            return found
    if may_be_row:
        return None
    inside = list(_rows_inside(whole))
    if len(inside) != 1:
        return None
    name, rows = inside[0]
    return FoundRecords(rows, f"{source} is one object: {counted(len(rows), 'row')} read from {name!r}.")


def _rows_inside(whole: dict[str, Any], depth: int = 1) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yields the lists of rows in the objects of an object, with their dotted names."""
    for name, value in whole.items():
        if _is_rows(value):
            yield name, value
        elif isinstance(value, dict) and depth < _DEEPEST:
            yield from ((f"{name}.{inner}", rows) for inner, rows in _rows_inside(value, depth + 1))


def _is_rows(value: object) -> bool:
    return isinstance(value, list) and len(value) > 0 and all(isinstance(item, dict) for item in value)


def _is_split(whole: dict[str, Any]) -> bool:
    columns, data = whole.get("columns"), whole.get("data")
    if not isinstance(columns, list) or not isinstance(data, list) or not whole.keys() <= {"columns", "index", "data"}:
        return False
    return all(isinstance(row, list) and len(row) == len(columns) for row in data)


def _nested(whole: dict[str, Any], source: str) -> FoundRecords | None:
    """Objects in an object: of columns, by the labels of the rows, or of rows, by the names of the columns."""
    outer, inner = list(whole), list(next(iter(whole.values())))
    if not inner or (len(outer) == 1 and not all(map(str.isdecimal, [*inner]))):
        return None  # a row with an object in it
    rows_are_inside = all(map(str.isdecimal, inner)) or (not all(map(str.isdecimal, outer)) and len(inner) > len(outer))
    if rows_are_inside:
        rows = [{name: whole[name][label] for name in outer} for label in inner]
        return FoundRecords(
            rows, f"{source} is one object with an object per column: read as {counted(len(rows), 'row')}."
        )
    rows = list(whole.values())
    return FoundRecords(rows, f"{source} is one object with an object per row: read as {counted(len(rows), 'row')}.")
