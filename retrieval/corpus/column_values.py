"""What the values of a column are like: whether they hold words, and how many of them differ."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from retrieval.corpus.numbers import are_numbers
from retrieval.corpus.value_kinds import kind_of_column, num_word_letters, num_words

_FEWEST_WORDS = 2.0
_LEAST_DISTINCT = 0.1
"""Below these, a column is a category, or the same text in most rows; single words must differ in half of them."""
_LOOKED_AT = 200


@dataclass(frozen=True, slots=True)
class ColumnValues:
    """What some values of a column are like."""

    is_text: bool
    kind: str | None = None
    """What the values are, if they are not words."""
    filled: float = 0.0
    """The share of values that are not blank."""
    words: float = 0.0
    """Words per value that is not blank."""
    letters: float = 0.0
    """Letters in words per value."""
    distinct: float = 0.0
    """The share of the values that differ."""

    @classmethod
    def of(cls, column: pa.Array) -> ColumnValues:
        """Returns what 200 values of a column are like, spread over all of them."""
        if not pa.types.is_string(column.type):
            return cls(is_text=False)
        step = max(1, len(column) // _LOOKED_AT)
        values: list[str | None] = column.take(pa.array(range(0, len(column), step))).to_pylist()
        filled = [value for value in values if value and not value.isspace()]
        if not filled:
            return cls(is_text=True)
        return cls(
            is_text=True,
            kind="numbers" if is_numeric(column) else kind_of_column(filled),
            filled=len(filled) / len(values),
            words=sum(map(num_words, filled)) / len(filled),
            letters=sum(map(num_word_letters, filled)) / len(values),
            distinct=len(set(filled)) / len(filled),
        )

    @property
    def has_words(self) -> bool:
        """Returns whether its texts hold words."""
        return self.is_text and self.kind is None and self.words > 0

    @property
    def is_prose(self) -> bool:
        """Returns whether the words differ from row to row: otherwise it is a category."""
        least = _LEAST_DISTINCT if self.words >= _FEWEST_WORDS else 0.5
        return self.has_words and self.distinct >= least


def is_numeric(column: pa.Array) -> bool:
    """Returns whether the values of a column are numbers, or texts that are."""
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return True
    if not pa.types.is_string(kind):
        return False
    values = pc.utf8_trim_whitespace(column.drop_null())
    values = values.filter(pc.not_equal(values, ""))
    return len(values) > 0 and are_numbers(values)
