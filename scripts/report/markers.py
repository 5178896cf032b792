"""Tables between markers in a text: `<!-- figures: NAME -->` and `<!-- /figures -->`, each on its own line."""

from __future__ import annotations

import re
from collections.abc import Callable

from retrieval import RetrievalError

_START = re.compile(r"<!-- figures: ([a-z_]+) -->")
_END = "<!-- /figures -->"


class MarkerError(RetrievalError):
    """The markers of a text are not in pairs, or name no table."""


def replaced(text: str, table: Callable[[str], str]) -> str:
    """Returns the text with a fresh table between each pair of markers.

    Args:
        text: with markers.
        table: returns the lines of the table with that name.

    Raises:
        MarkerError: if there is no marker, one is unpaired, or one is inside another pair.
        RetrievalError: from `table`: there is no such table, or it has no figures.
    """
    kept: list[str] = []
    inside: str | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        start = _START.fullmatch(line.strip())
        is_end = line.strip() == _END
        if start and inside:
            raise MarkerError(f"line {number}: the table {start[1]} begins before {inside} has ended with {_END}")
        if is_end and not inside:
            raise MarkerError(f"line {number}: {_END} ends no table: its <!-- figures: NAME --> is missing")
        if start:
            inside = start[1]
            kept += [line, table(inside)]
        elif is_end:
            inside = None
            kept.append(line)
        elif not inside:
            kept.append(line)
    if inside:
        raise MarkerError(f"the table {inside} does not end: {_END} is missing")
    if not _START.search(text):
        raise MarkerError("there is no marker <!-- figures: NAME --> to put a table after")
    return "\n".join(kept) + "\n"
