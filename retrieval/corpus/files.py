"""A table as a corpus: CSV, TSV, JSON Lines, Parquet, plain text, a folder saved by `datasets`, or a hub id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from retrieval.corpus.base import CorpusInfo, with_common_columns
from retrieval.corpus.columns import choose_columns
from retrieval.corpus.readers import Reader, is_hub_id, open_plain_file, open_reader
from retrieval.errors import CorpusError


class FileCorpus:
    """Rows of a table. It is opened when first asked for more than its name."""

    def __init__(
        self,
        path: str | Path,
        *,
        text_column: str | None = None,
        body_column: str | None = None,
        url_column: str | None = None,
        group_column: str | None = None,
        quality_column: str | None = None,
    ) -> None:
        self._path = path
        roles = {
            "text": text_column,
            "body": body_column,
            "url": url_column,
            "group": group_column,
            "quality": quality_column,
        }
        self._given = {role: column for role, column in roles.items() if column is not None}

    def __repr__(self) -> str:
        return f"FileCorpus({str(self._path)!r})"

    @property
    def info(self) -> CorpusInfo:
        """Returns the name of the file; a data set on the hub is credited."""
        if is_hub_id(self._path):
            return CorpusInfo(
                name="file",
                title=str(self._path),
                attribution=f"{self._path}, a data set on Hugging Face; its licence is on its page",
                attribution_url=f"https://huggingface.co/datasets/{self._path}",
            )
        return CorpusInfo(name="file", title=Path(self._path).name)

    @property
    def num_rows(self) -> int | None:
        """Returns the number of rows, None for formats where only reading would tell.

        Raises:
            CorpusError: if the file cannot be opened.
        """
        return self._reader.num_rows

    @cached_property
    def columns(self) -> Mapping[str, str]:
        """Returns the column of each role that has one, given or guessed.

        Raises:
            CorpusError: if the file cannot be opened, has no rows, lacks a given column, or none can be the text.
        """
        sample = next(self._reader.batches(), None)
        if sample is None:
            raise CorpusError(f"{self._path} has no rows: expected at least one.")
        return choose_columns(sample, self._given)

    @property
    def guessed_columns(self) -> Mapping[str, str]:
        """Returns the part of `columns` that nobody gave.

        Raises:
            CorpusError: as `columns` does.
        """
        return {role: column for role, column in self.columns.items() if role not in self._given}

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yields the rows in the order of the file.

        Raises:
            CorpusError: if the file is missing, damaged, not what its name says, or lacks a column that is needed.
        """
        columns = self.columns
        if (conflict := self._reader.mixed_columns.get(columns["text"])) is not None:
            raise CorpusError(
                f"{self._path}: the column {columns['text']!r} is {conflict}: expected text in every line. Mend the "
                f"file, or choose another column with --text-column."
            )
        for batch in self._reader.batches():
            yield with_common_columns(_with_numbers(batch, columns.get("quality")), **columns)

    @cached_property
    def _reader(self) -> Reader:
        return self._open()

    def _open(self) -> Reader:
        return open_reader(self._path)


class PlainFileCorpus(FileCorpus):
    """Rows of a file that a stranger brought: no folder, no link and no data set elsewhere is opened for it."""

    def _open(self) -> Reader:
        return open_plain_file(self._path)


def _with_numbers(batch: pa.RecordBatch, quality: str | None) -> pa.RecordBatch:
    """A blank in a CSV column of numbers is a number that is not there."""
    if quality is None or not pa.types.is_string(batch.column(quality).type):
        return batch
    values = pc.utf8_trim_whitespace(batch.column(quality))
    numbers = pc.if_else(pc.equal(values, ""), pa.scalar(None, pa.string()), values)
    return batch.set_column(batch.schema.get_field_index(quality), quality, numbers)
