"""Which column of a table is the text, the body, the link: as the user said, or a guess, with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from retrieval.corpus.base import ROLES, require_column
from retrieval.corpus.column_values import ColumnValues, is_numeric
from retrieval.errors import CorpusError, counted

_TEXT_NAMES = (
    *("text", "title", "question", "intent", "summary", "content", "sentence", "passage", "document", "description"),
    *("query", "headline", "abstract", "body", "message", "comment", "review", "name", "product_name", "product"),
)
_BODY_NAMES = (
    *("body", "snippet", "code", "answer", "passage", "content", "context", "text", "abstract", "description"),
    "summary",
)
_URL_NAMES = ("url", "link", "href", "source_url", "permalink", "uri", "website", "homepage")
_ADDRESSES = "web addresses"
_PICTURES = ("image", "img", "picture", "photo", "thumb", "avatar", "icon", "logo")
_BY_NAME = "because of its name"
_LEAST_FILLED = 0.5
"""A column with a telling name that is mostly empty is not a text: its rows would be left out."""


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """The column of each role that has one, and why it was guessed."""

    columns: Mapping[str, str]
    reasons: Mapping[str, str]
    """By role, for those that were not given."""
    left_out: Mapping[str, str]
    """Columns of text that are not used as the text because they hold no words, and what they hold."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Returns a sentence for each column that is used for something."""
        told = []
        for role, column in self.columns.items():
            reason = self.reasons.get(role)
            told.append(f"Column {column!r} is the {_CALLED[role]}{f', {reason}' if reason else ', as given'}.")
        if self.left_out and self.reasons.get("text", _BY_NAME) != _BY_NAME:
            listed = ", ".join(f"{name!r} ({what})" for name, what in self.left_out.items())
            told.append(f"Not used as the text: {listed}.")
        return tuple(told)

    def without(self, role: str) -> ColumnChoice:
        """Returns the choice without a column for that role."""
        columns = {each: column for each, column in self.columns.items() if each != role}
        return ColumnChoice(columns, self.reasons, self.left_out)


_CALLED = {"text": "text", "body": "body", "url": "link", "group": "group", "quality": "quality"}


def choose_columns(sample: pa.RecordBatch, given: Mapping[str, str]) -> ColumnChoice:
    """Returns the column of each role that has one: the given ones, and a guess for the others.

    A role with an empty name has no column, and none is guessed. A group or a quality changes how hits are
    merged and ordered, so they are guessed only from a column of exactly that name. `sample` is the first batch.

    Raises:
        CorpusError: if a given column is not there, the text is given an empty name, or no column can be the text.
    """
    names = sample.schema.names
    if given.get("text") == "":
        raise CorpusError("an index needs a text: name its column with --text-column.")
    for role, column in given.items():
        if column:
            require_column(names, column, role)
    looked = {name: ColumnValues.of(sample.column(name)) for name in names if name not in given.values()}
    guesses: dict[str, tuple[str, str]] = {}
    wordy = {name: each for name, each in looked.items() if each.has_words}
    if "text" not in given:
        guesses["text"] = _guessed_text(wordy, sample)
        wordy.pop(guesses["text"][0], None)
    free = {name: each for name, each in looked.items() if name != guesses.get("text", ("",))[0]}
    bodies = [name for name, each in free.items() if each.is_text and each.kind in (None, "JSON", "codes", "paths")]
    if body := _named(bodies, _BODY_NAMES):
        guesses["body"] = (body, _BY_NAME)
    if url := _guessed_url(free):
        guesses["url"] = url
    if group := _named([name for name in free if not pa.types.is_nested(sample.column(name).type)], ("group",)):
        guesses["group"] = (group, f"{_BY_NAME}: {_folding(sample.column(group))}")
    if quality := _named([name for name in free if is_numeric(sample.column(name))], ("quality",)):
        guesses["quality"] = (quality, f"{_BY_NAME}: it orders hits of the same score")
    guesses = {role: guess for role, guess in guesses.items() if role not in given}
    columns = {
        **{role: guess[0] for role, guess in guesses.items()},
        **{role: name for role, name in given.items() if name},
    }
    return ColumnChoice(
        {role: columns[role] for role in ROLES if role in columns},
        {role: reason for role, (_, reason) in guesses.items()},
        {name: each.kind for name, each in looked.items() if each.kind and name not in columns.values()},
    )


def has_texts(sample: pa.RecordBatch) -> bool:
    """Tells whether a column holds texts that differ from row to row, or is named like a text."""
    looked = {name: ColumnValues.of(sample.column(name)) for name in sample.schema.names}
    wordy = {name: each for name, each in looked.items() if each.has_words}
    return _named(list(wordy), _TEXT_NAMES) is not None or any(each.is_prose for each in wordy.values())


def _guessed_text(wordy: Mapping[str, ColumnValues], sample: pa.RecordBatch) -> tuple[str, str]:
    if named := _named([name for name, each in wordy.items() if each.filled >= _LEAST_FILLED], _TEXT_NAMES):
        return named, _BY_NAME
    if wordy:
        # A category has long names too, but few: a text is recognized by its letters and by how many values differ.
        best = max(wordy, key=lambda name: wordy[name].letters * (0.1 + wordy[name].distinct))
        words = f"{wordy[best].words:.1f} words per value"
        return best, f"the only column with words ({words})" if len(
            wordy
        ) == 1 else f"the one with the most words ({words})"
    nested = [name for name in sample.schema.names if ColumnValues.of(sample.column(name)).kind == "JSON"]
    if nested:
        return nested[0], "the only column with text, though it is JSON"
    have = ", ".join(f"{field.name} ({_what(sample.column(field.name), field)})" for field in sample.schema)
    raise CorpusError(
        f"no column holds text to search: the columns are {have}. Name one with --text-column, even if its values "
        f"are numbers."
    )


def _guessed_url(free: Mapping[str, ColumnValues]) -> tuple[str, str] | None:
    if named := _named([name for name, each in free.items() if each.is_text and each.kind != "numbers"], _URL_NAMES):
        return named, _BY_NAME
    links = [name for name, each in free.items() if each.kind == _ADDRESSES]
    links = [name for name in links if not any(part in name.lower() for part in _PICTURES)]
    return (links[0], "the only one with web addresses") if len(links) == 1 else None


def _folding(column: pa.Array) -> str:
    num_groups = pc.count_distinct(column).as_py()
    return f"rows with the same value are one hit ({counted(num_groups, 'value')} in {counted(len(column), 'row')})"


def _named(names: Sequence[str], wanted: Sequence[str]) -> str | None:
    by_lower = {name.strip().lower(): name for name in reversed(names)}
    return next((by_lower[name] for name in wanted if name in by_lower), None)


def _what(column: pa.Array, field: pa.Field) -> str:
    return ColumnValues.of(column).kind or str(field.type)
