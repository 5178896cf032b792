"""Whether the first row of a table has the names of its columns, or is a row like the others."""

from __future__ import annotations

from collections.abc import Sequence

from retrieval.corpus.value_kinds import kind_of_value, num_words

_FEWEST_WORDS = 5
"""A column name has one to three words; a text in its place has more."""


def header_note(source: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str | None:
    """Returns a note on a header that looks like one of the rows below it, None if it looks like names."""
    for position, name in enumerate(header):
        below = [row[position] for row in rows if len(row) > position and row[position].strip()]
        if below and name.strip() and (why := _why_data(name.strip(), below)):
            return (
                f"The first line of {source} was read as the names of the columns, but looks like data: {why}. If it "
                f"is data, put a line with names above it (or read it with --no-header)."
            )
    return None


def _why_data(name: str, below: Sequence[str]) -> str | None:
    kind = kind_of_value(name)
    if kind not in (None, "codes") and all(kind_of_value(value) == kind for value in below):
        return f"{name[:60]!r} is above {kind}"
    typical = sum(map(num_words, below)) / len(below)
    if num_words(name) >= _FEWEST_WORDS and typical / 2 <= num_words(name) <= 2 * typical:
        return f"{name[:60]!r} has {num_words(name)} words"
    return None
