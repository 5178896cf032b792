"""What the readers have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import pyarrow as pa

from retrieval.errors import CorpusError


class Reader(Protocol):
    """A table that is read from its beginning, as often as one likes."""

    @property
    def schema(self) -> pa.Schema:
        """Returns the names and types of the columns."""
        ...

    @property
    def num_rows(self) -> int | None:
        """Returns the number of rows, None where only reading would tell."""
        ...

    @property
    def mixed_columns(self) -> Mapping[str, str]:
        """Returns the columns whose values are of several kinds, with a sentence that says where the first two are."""
        ...

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yields the rows in order, at most `BATCH_ROWS` at a time.

        Raises:
            CorpusError: if the table turns out to be damaged, or not what its name says.
        """
        ...


def require_distinct_names(names: Sequence[str], source: object) -> None:
    """Returns when there is at least one column, and no two share a name.

    Raises:
        CorpusError: if not.
    """
    if not names:
        raise CorpusError(f"{source} has no columns: expected at least one with text.")
    if repeated := [name for name, count in Counter(names).items() if count > 1]:
        raise CorpusError(
            f"{source} has several columns called {', '.join(map(repr, repeated))}: rename them so that each name is "
            f"there once."
        )
