"""Careful reading of JSON that someone else may have written: missing values and wrong types become None."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

_LONGEST_BYTES = 16_000_000
_MOST_ITEMS, _LONGEST_TEXT = 2_000, 300
_SMALLEST, _LARGEST = 1e-12, 1e18
"""No figure of ours is beyond these, and no chart could show it."""


def read_object(path: Path) -> dict[str, Any] | None:
    """Returns the JSON object in a file; None if there is none that can be read."""
    try:
        if path.stat().st_size > _LONGEST_BYTES:
            return None
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def value_at(figures: object, *keys: str) -> object:
    """Returns the value under nested keys, or None."""
    for key in keys:
        if not isinstance(figures, Mapping):
            return None
        figures = figures.get(key)
    return figures


def number_at(figures: object, *keys: str) -> float | None:
    """Returns a number that can be a figure, or None."""
    found = value_at(figures, *keys)
    if isinstance(found, bool) or not isinstance(found, int | float) or not -_LARGEST <= found <= _LARGEST:
        return None
    return float(found) if abs(found) >= _SMALLEST else 0.0


def count_at(figures: object, *keys: str) -> int | None:
    """Returns a whole number from 0 on, or None."""
    found = number_at(figures, *keys)
    return int(found) if found is not None and found >= 0 and found == int(found) else None


def text_at(figures: object, *keys: str) -> str | None:
    """Returns a text that is not blank, or None."""
    found = value_at(figures, *keys)
    return found[:_LONGEST_TEXT] if isinstance(found, str) and found.strip() else None


def items_at(figures: object, *keys: str) -> Mapping[str, Any]:
    """Returns the mapping under nested keys; an empty one where there is none."""
    found = value_at(figures, *keys)
    items = found.items() if isinstance(found, Mapping) else ()
    return {str(key)[:_LONGEST_TEXT]: value for key, value in islice(items, _MOST_ITEMS)}


def list_at(figures: object, *keys: str) -> Sequence[Any]:
    """Returns the list under nested keys; an empty one where there is none."""
    found = value_at(figures, *keys)
    return found[:_MOST_ITEMS] if isinstance(found, list | tuple) else ()


def numbers_at(figures: object, *keys: str) -> dict[str, float]:
    """Returns the finite numbers of a mapping, by key."""
    found = items_at(figures, *keys)
    return {key: number for key in found if (number := number_at(found, key)) is not None}
