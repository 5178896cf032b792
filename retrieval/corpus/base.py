"""What every source of documents has in common."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from retrieval.errors import CorpusError

COMMON_SCHEMA = pa.schema(
    [
        ("text", pa.string()),
        ("body", pa.string()),
        ("url", pa.string()),
        ("group", pa.string()),
        ("quality", pa.float64()),
    ]
)
COMMON_COLUMNS = tuple(COMMON_SCHEMA.names)
ROLES = COMMON_COLUMNS
"""What a column of a source can be used as."""
BATCH_ROWS = 10_000
"""Rows per batch that sources yield: large enough to be fast, small enough for little RAM."""


@dataclass(frozen=True, slots=True)
class CorpusInfo:
    """What the manifest and the page say about a source."""

    name: str
    """Short name, as `--corpus` takes it."""
    title: str
    """One line for people, such as `CoNaLa mined: Stack Overflow questions with Python snippets`."""
    attribution: str | None = None
    """Credit and licence that the page must show, as plain text."""
    attribution_url: str | None = None
    body_language: str | None = None
    """`python` when `body` is code to highlight; None when it is prose."""
    examples: tuple[str, ...] = ()
    """Queries that fit this source, shown on the page."""


class Corpus(Protocol):
    """A source of documents."""

    @property
    def info(self) -> CorpusInfo:
        """Returns what the manifest and the page say about this source."""

    @property
    def num_rows(self) -> int | None:
        """Returns the number of rows if it is known before reading, for the progress bar."""

    @property
    def columns(self) -> Mapping[str, str]:
        """Returns which column of the source is taken as the text, the body, ...; nothing if it has no columns.

        Raises:
            CorpusError: as `batches` does.
        """

    @property
    def notes(self) -> Sequence[str]:
        """Returns what the user should know about how the source is read; reading it may add to that.

        Raises:
            CorpusError: as `batches` does.
        """

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yields the rows in a fixed order, every batch with the same schema.

        Raises:
            CorpusError: if the source is missing, is not what its name says, or lacks a column.
        """


class WrappedCorpus:
    """Another corpus, of which a subclass gives other rows, or gives them in another way."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus

    @property
    def info(self) -> CorpusInfo:
        """Returns what is said of the other corpus."""
        return self._corpus.info

    @property
    def num_rows(self) -> int | None:
        """Returns the number of its rows if it is known before reading."""
        return self._corpus.num_rows

    @property
    def columns(self) -> Mapping[str, str]:
        """Returns which of its columns is taken as the text, the body, ..."""
        return self._corpus.columns

    @property
    def notes(self) -> Sequence[str]:
        """Returns what there is to tell of it."""
        return self._corpus.notes


def with_common_columns(
    batch: pa.RecordBatch,
    *,
    text: str,
    body: str | None = None,
    url: str | None = None,
    group: str | None = None,
    quality: str | None = None,
) -> pa.RecordBatch:
    """Returns `batch` with the five common columns in front, taken from the named columns.

    The source's columns follow under their own names. One that has a common name is not repeated if it is in use; if
    it is not, it is kept as `source_NAME`, so that nothing of the source is lost.

    Raises:
        CorpusError: if a named column is missing or cannot be cast.
    """
    named = {"text": text, "body": body, "url": url, "group": group, "quality": quality}
    fields = list(COMMON_SCHEMA)
    arrays = [_common_column(batch, field, named[field.name]) for field in COMMON_SCHEMA]
    taken = {*COMMON_COLUMNS, *batch.schema.names}
    for field in batch.schema:
        if field.name in COMMON_COLUMNS:
            if field.name in named.values():
                continue
            name = free_name(field.name, taken)
            taken.add(name)
            fields.append(field.with_name(name))
        else:
            fields.append(field)
        arrays.append(batch.column(field.name))
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


def _common_column(batch: pa.RecordBatch, field: pa.Field, source: str | None) -> pa.Array:
    if source is None:
        return pa.nulls(batch.num_rows, field.type)
    require_column(batch.schema.names, source, field.name)
    try:
        column = pc.cast(batch.column(source), field.type)
        # NaN is not a quality: it has no place in an order, nor in JSON.
        return column if field.name != "quality" else pc.if_else(pc.is_finite(column), column, None)
    except pa.ArrowInvalid as error:
        raise CorpusError(f"column {source!r} cannot be read as {field.name} ({field.type}): {error}") from error
    except pa.ArrowNotImplementedError as error:
        raise CorpusError(
            f"column {source!r} of type {batch.schema.field(source).type} cannot be the {field.name}: "
            f"{field.type} is needed. Choose another with --{field.name}-column."
        ) from error


def free_name(name: str, taken: Container[str]) -> str:
    """Returns the name for a column of the source whose own name is taken: `source_NAME`."""
    name = f"source_{name}"
    while name in taken:
        name = f"source_{name}"
    return name


def require_column(names: Sequence[str], column: str, role: str) -> None:
    """Checks that `column` is among `names`.

    Raises:
        CorpusError: if it is not; the message lists the names.
    """
    if column not in names:
        raise CorpusError(
            f"no column {column!r} for the {role}: the columns are {', '.join(names)}. Choose one with --{role}-column."
        )


def sliced(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Yields the rows of `batch` in slices of at most `BATCH_ROWS`, without copying."""
    for start in range(0, batch.num_rows, BATCH_ROWS):
        yield batch.slice(start, BATCH_ROWS)
