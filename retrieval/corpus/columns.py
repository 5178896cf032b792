"""Which column of a table is the text, the body, the URL: as the user said, else a guess that is told."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from retrieval.corpus.base import require_column
from retrieval.errors import CorpusError

_TEXT_NAMES = (
    *("text", "title", "question", "intent", "summary", "content", "sentence", "passage", "document", "description"),
    *("query", "headline", "abstract", "body", "message", "comment", "review"),
)
_BODY_NAMES = (
    *("body", "snippet", "code", "answer", "passage", "content", "context", "text", "abstract", "description"),
    "summary",
)
_URL_NAMES = ("url", "link", "href", "source_url", "permalink", "uri")


def choose_columns(sample: pa.RecordBatch, given: Mapping[str, str]) -> dict[str, str]:
    """Returns the column of each role that has one: the given ones, and for text, body and URL else a guess.

    A group or a quality changes how hits are merged and ordered, so they are taken only from a column of that very
    name. `sample` is the first batch of the table.

    Raises:
        CorpusError: if a given column is not there, or no column can be the text.
    """
    for role, column in given.items():
        require_column(sample.schema.names, column, role)
    chosen = dict(given)
    free = [name for name in sample.schema.names if name not in given.values()]
    wordy = [name for name in free if _is_wordy(sample.column(name))]
    if "text" not in chosen:
        chosen["text"] = _named(wordy, _TEXT_NAMES) or _longest(sample, wordy)
        wordy.remove(chosen["text"])
    guesses = {
        "body": _named(wordy, _BODY_NAMES),
        "url": _named([name for name in wordy if _is_text(sample.column(name))], _URL_NAMES),
        "group": _named([name for name in free if not pa.types.is_nested(sample.column(name).type)], ("group",)),
        "quality": _named([name for name in free if _is_numeric(sample.column(name))], ("quality",)),
    }
    for role, guess in guesses.items():
        if role not in chosen and guess is not None:
            chosen[role] = guess
    return {role: chosen[role] for role in ("text", "body", "url", "group", "quality") if role in chosen}


def _named(names: list[str], wanted: tuple[str, ...]) -> str | None:
    by_lower = {name.strip().lower(): name for name in reversed(names)}
    return next((by_lower[name] for name in wanted if name in by_lower), None)


def _longest(sample: pa.RecordBatch, names: list[str]) -> str:
    if not names:
        have = ", ".join(f"{field.name} ({field.type})" for field in sample.schema)
        raise CorpusError(
            f"no column holds text to search in: the columns are {have}. Name one with --text-column, even if its "
            f"values are numbers."
        )
    return max(names, key=lambda name: pc.mean(pc.utf8_length(sample.column(name))).as_py() or 0.0)


def _is_text(column: pa.Array) -> bool:
    return bool(pa.types.is_string(column.type))


def _is_wordy(column: pa.Array) -> bool:
    """Tells whether the column is text, and not numbers written as text."""
    return _is_text(column) and not _is_numeric(column)


def _is_numeric(column: pa.Array) -> bool:
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return True
    if not _is_text(column):
        return False
    values = pc.utf8_trim_whitespace(column.drop_null())
    values = values.filter(pc.not_equal(values, ""))
    if len(values) == 0:
        return False
    try:
        pc.cast(values, pa.float64())
    except pa.ArrowInvalid:
        return False
    return True
