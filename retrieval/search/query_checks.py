"""Checks the input of a search: the text, the vector and the settings."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval.encoding.encoder import clean_text
from retrieval.errors import QueryError, brief
from retrieval.quantization import Float32s
from retrieval.results import SCANS, SearchKnobs, SearchSettings

NUMBERS = ("top_k", "num_candidates", "rescore_multiplier", "probes")
"""The fields of `SearchSettings` that are numbers; `scan` is a name, the others are switches."""
_FIELDS = tuple(field.name for field in dataclasses.fields(SearchSettings))


def several(queries: Sequence[str]) -> list[str]:
    """Returns the queries of a batch as a list.

    Raises:
        QueryError: if they are one text, or nothing that has several.
    """
    if isinstance(queries, str):
        raise QueryError("search_many takes a list of queries, but got one text: use search, or a list.")
    try:
        return list(queries)
    except TypeError as error:
        raise QueryError(f"search_many got {brief(queries)}: a list of queries is needed.") from error


def usable_text(query: str, *, max_chars: int | None = None) -> str:
    """Returns the query as a tokenizer accepts it.

    Raises:
        QueryError: if it is not a text, blank, or longer than `max_chars`.
    """
    if not isinstance(query, str):
        raise QueryError(f"the query is {type(query).__name__}: a text is needed.")
    if max_chars is not None and len(query) > max_chars:
        raise QueryError(
            f"the query has {len(query):,} characters: at most {max_chars:,} are allowed here. Shorten it."
        )
    text = clean_text(query.replace("\0", " ")).strip()
    if not text:
        raise QueryError("the query is empty: type a few words to search for.")
    return text


def unit_vector(vector: npt.ArrayLike, dim: int) -> Float32s:
    """Returns a query vector at length 1, float32 `(dim,)`.

    Raises:
        QueryError: if it has another shape, is not finite or has no length.
    """
    try:
        given = np.asarray(vector)
        if np.iscomplexobj(given):
            raise ValueError("they are complex")
        values = given.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise QueryError(f"the query vector is not {dim} finite numbers: {error}.") from error
    largest = float(np.abs(values).max(initial=0))
    if values.shape != (dim,) or not np.isfinite(largest) or largest == 0:
        raise QueryError(
            f"the query vector has shape {values.shape} and {largest:g} as its largest number: "
            f"{dim} finite numbers, not all 0, are needed."
        )
    values /= largest  # the squares of very large or small numbers overflow or vanish
    unit: Float32s = (values / np.linalg.norm(values)).astype(np.float32)
    return unit


def chosen_settings(
    defaults: SearchSettings,
    top_k: int | None,
    knobs: SearchKnobs,
    *,
    num_rows: int,
    num_texts: int,
    scans: Sequence[str],
) -> SearchSettings:
    """Returns the `defaults` with the given settings, limited to what the index has; None means not given.

    Raises:
        QueryError: if a number is not a whole number from 1 on, or the index has no such scan.
        TypeError: if a setting is unknown.
    """
    settings = checked_settings(defaults, {"top_k": top_k, **knobs}, {})
    _check_scan(settings.scan, scans)
    top_k = min(settings.top_k, num_rows)
    num_candidates = min(max(settings.num_candidates, top_k), num_texts)
    probes = settings.probes if settings.scan == "lists" else None
    return dataclasses.replace(settings, top_k=top_k, num_candidates=num_candidates, probes=probes)


def checked_settings(defaults: SearchSettings, given: Mapping[str, Any], limits: Mapping[str, int]) -> SearchSettings:
    """Returns the `defaults` with the settings that were `given`, unchecked; None means not given.

    Args:
        defaults: what the index recommends.
        given: values by name of a field of `SearchSettings`.
        limits: the largest number allowed, by name; a name that is left out has none.

    Raises:
        QueryError: if a number is not a whole number from 1 on, or beyond its limit, or a switch is neither true
            nor false.
        TypeError: if a name is no field of `SearchSettings`.
    """
    given = {name: value for name, value in given.items() if value is not None}
    checked: dict[str, Any] = {}
    settings = dataclasses.replace(defaults, **given)
    for name in _FIELDS:
        value = getattr(settings, name)
        if name == "scan":
            checked[name] = _scan(value)
        elif name in NUMBERS:
            checked[name] = None if value is None else whole_number(name, value, limits.get(name))
        else:
            checked[name] = _switch(name, value)
    return SearchSettings(**checked)


def whole_number(name: str, value: object, most: int | None = None) -> int:
    """Returns a given number as Python's `int`; 2.0 is 2, and numpy's numbers are accepted.

    Raises:
        QueryError: if it is not a whole number from 1 on, or larger than `most`.
    """
    number = 0
    if isinstance(value, int | np.integer | float | np.floating) and not isinstance(value, bool):
        # int(): numpy's whole numbers overflow where Python's do not.
        number = int(value) if isinstance(value, int | np.integer) or float(value).is_integer() else 0
    if number < 1 or (most is not None and number > most):
        wanted = "of at least 1" if most is None else f"from 1 to {most:,}"
        raise QueryError(f"{name} is {brief(value)}: a whole number {wanted} is needed.")
    return number


def _scan(value: object) -> str:
    if not isinstance(value, str) or value not in SCANS:
        raise QueryError(f"scan is {brief(value)}: one of {', '.join(SCANS)} is needed.")
    return value


def _switch(name: str, value: object) -> bool:
    if not isinstance(value, bool | np.bool_):
        raise QueryError(f"{name} is {brief(value)}: true or false is needed.")
    return bool(value)


def _check_scan(scan: str, scans: Sequence[str]) -> None:
    if scan not in scans:
        raise QueryError(
            f"this index has no {scan}, only {' and '.join(scans)}: build it again with --lists auto, or with a number "
            f"of lists."
        )
