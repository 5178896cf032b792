"""What one request to the page or its endpoints may cost. All limits of the server are here.

The package itself has none of them: on your own machine, you may ask anything.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from retrieval.results import SearchSettings
from retrieval.search.query_checks import checked_settings, usable_text

MAX_QUERY_CHARS = 20_000
MAX_TOP_K = 50
MAX_MULTIPLIER = 50
MAX_CANDIDATES = 10_000
MAX_PROBES = 10_000
"""More lists than an index has: all of them are visited."""
MAX_PASTED_BYTES = 1_000_000
MAX_BODY_BYTES = 3_000_000
"""Of a request that is not an upload. The largest is a pasted text, plus what JSON adds to it."""
UPLOAD_OVERHEAD_BYTES = 64_000
"""What surrounds the file in an upload."""
MAX_ANSWER_CHARS = 20_000
"""Of each text in an answer to a program."""
MAX_ANSWER_ITEMS = 1_000
"""Of each list in it, such as the rows of a group."""


def served_query(query: str) -> str:
    """Returns the query, if its length is allowed here.

    Raises:
        QueryError: if it is not a text, blank, or too long.
    """
    usable_text(query, max_chars=MAX_QUERY_CHARS)
    return query


def served_settings(defaults: SearchSettings, given: Mapping[str, Any]) -> SearchSettings:
    """Returns the settings of a request: those `given`, unchecked, over the `defaults` of the index.

    What the index itself recommends is always allowed.

    Raises:
        QueryError: if one of them has the wrong type, or is beyond the limits here.
    """
    limits = {
        "top_k": MAX_TOP_K,
        "num_candidates": max(MAX_CANDIDATES, defaults.num_candidates),
        "rescore_multiplier": max(MAX_MULTIPLIER, defaults.rescore_multiplier),
        "probes": max(MAX_PROBES, defaults.probes or 0),
    }
    return checked_settings(defaults, given, limits)


def bounded(value: Any) -> Any:
    """Returns plain values for a program: long texts and lists are cut, and NaN, which is not JSON, is None."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str):
        return value if len(value) <= MAX_ANSWER_CHARS else f"{value[:MAX_ANSWER_CHARS]}…"
    if isinstance(value, dict):
        return {key: bounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [bounded(each) for each in value[:MAX_ANSWER_ITEMS]]
    return value
