"""Which kinds of JSON values a column holds, and the Arrow type that carries them all."""

from __future__ import annotations

import pyarrow as pa

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
