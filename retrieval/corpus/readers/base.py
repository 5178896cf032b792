"""What the readers have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType
from typing import TypeVar

import pyarrow as pa

from retrieval.corpus.base import BATCH_ROWS
from retrieval.errors import CorpusError

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read a source that does not say so itself. An option that does not apply to the source is refused."""

    split: str | None = None
    """Which split of a data set."""
    has_header: bool = True
    """Whether the first row of a CSV or TSV file has the names of the columns."""
    table: str | None = None
    """Which table of a database, or sheet of a workbook; the only table, or the first sheet, when not given."""
    max_unpacked_bytes: int | None = None
    """The size that a compressed file may unpack to; None for any size."""


class Reader(ABC):
    """A table that is read from its beginning, any number of times."""

    schema: pa.Schema
    """Names and types of the columns."""
    num_rows: int | None = None
    """None if it is known only after reading."""
    mixed_columns: Mapping[str, str] = MappingProxyType({})
    """The columns whose values are of several kinds, with a sentence that says where the first two are."""
    notes: tuple[str, ...] = ()
    """What the user should know about how the source was read. Options are named in parentheses, for the terminal."""

    @abstractmethod
    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yields the rows in order, at most `BATCH_ROWS` at a time.

        Raises:
            CorpusError: if the table turns out to be damaged, or not what its name says.
        """


def require_distinct_names(names: Sequence[str], source: object) -> None:
    """Checks that there is at least one column, and that no two share a name.

    Raises:
        CorpusError: if not.
    """
    if not names:
        raise CorpusError(f"{source} has no columns: expected at least one with text.")
    if repeated := [name for name, count in Counter(names).items() if count > 1]:
        raise CorpusError(
            f"{source} has several columns called {', '.join(map(repr, repeated))}: rename them so that each name "
            f"occurs once."
        )


def with_names(header: Sequence[str]) -> list[str]:
    """Returns the header with a free name for each column that has none: `unnamed_3` for the third."""
    names: list[str] = []
    for position, name in enumerate(header, start=1):
        free = f"unnamed_{position}"
        while not name and free in header:
            free += "_"
        names.append(name or free)
    return names


def in_batches(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    """Yields the items in lists of `BATCH_ROWS`, the last one shorter."""
    remaining = iter(items)
    while chunk := list(islice(remaining, BATCH_ROWS)):
        yield chunk
