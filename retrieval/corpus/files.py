"""A table as a corpus: from a file, a folder, or a data set of the hub."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

import pyarrow as pa

from retrieval.corpus.base import ROLES, CorpusInfo, require_column, with_common_columns
from retrieval.corpus.columns import ColumnChoice, choose_columns, has_texts
from retrieval.corpus.nested import inner_names, with_inner
from retrieval.corpus.numbers import first_non_number, with_numbers
from retrieval.corpus.readers.base import Reader, ReadOptions
from retrieval.corpus.readers.opening import is_hub_id, open_plain_file, open_reader
from retrieval.corpus.soundness import Fault, sound
from retrieval.corpus.vector_columns import vector_columns
from retrieval.errors import CorpusError


class FileCorpus:
    """Rows of a table. It is opened when more than its name is first needed."""

    def __init__(
        self,
        path: str | Path,
        *,
        text_column: str | None = None,
        body_column: str | None = None,
        url_column: str | None = None,
        group_column: str | None = None,
        quality_column: str | None = None,
        embeddings_column: str | None = None,
        options: ReadOptions | None = None,
    ) -> None:
        """Takes where the table is, and the columns that are known; None for a guess, "" for none.

        Args:
            path: a file, a folder, or the id of a data set on the hub.
            text_column: what is embedded.
            body_column: what is shown.
            url_column: where a document lives.
            group_column: rows with the same value are one hit.
            quality_column: orders hits of the same score.
            embeddings_column: the vectors of the rows, which are not part of the documents.
            options: how to read it.
        """
        self._path = path
        self._options = options
        named = (text_column, body_column, url_column, group_column, quality_column)
        self._given = {role: column for role, column in zip(ROLES, named, strict=True) if column is not None}
        self._embeddings_column = embeddings_column
        self._faults: dict[tuple[str, str], str] = {}

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
        """Returns the number of rows, None for formats where it is known only after reading.

        Raises:
            CorpusError: if the file cannot be opened.
        """
        return self._reader.num_rows

    @property
    def columns(self) -> Mapping[str, str]:
        """Returns the column of each role that has one, given or guessed.

        Raises:
            CorpusError: if the file cannot be opened, has no rows, lacks a given column, or none can be the text.
        """
        return self._choice.columns

    @property
    def notes(self) -> tuple[str, ...]:
        """Returns how the file was read, which column is used for what and why, and invalid values.

        Raises:
            CorpusError: as `columns` does.
        """
        return (*self._reader.notes, *self._choice.notes, *self._left_aside, *self._faults.values())

    @cached_property
    def sample(self) -> pa.RecordBatch:
        """Returns the first rows of the table, under its own names.

        Where no column has texts of its own, the texts inside objects are columns, too, such as `document.text`.

        Raises:
            CorpusError: if the file cannot be opened, or has no rows.
        """
        sample = next(self._rows(), None)
        if sample is None:
            raise CorpusError(f"{self._path} has no rows: expected at least one.")
        inner = inner_names(sample)
        given = [name for name in inner if name in self._given.values()]
        return with_inner(sample, given if has_texts(sample) else inner)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yields the rows in the order of the file.

        Raises:
            CorpusError: if the file is missing, damaged, not what its name says, or lacks a column that is needed.
        """
        columns = self.columns
        inner = [name for name in columns.values() if name not in self._reader.schema.names]
        if (conflict := self._reader.mixed_columns.get(columns["text"])) is not None:
            raise CorpusError(
                f"{self._path}: the column {columns['text']!r} is {conflict}: expected text in every row. Correct the "
                "file, or choose another column with --text-column."
            )
        for batch in self._rows():
            batch = with_numbers(with_inner(batch, inner), columns.get("quality"))
            yield with_common_columns(batch, **columns)

    def vectors(self) -> Iterator[pa.Array]:
        """Yields the column of vectors, batch by batch, in the order of the file.

        Raises:
            CorpusError: if it is not there, or as `batches` does.
        """
        name = self._embeddings_column
        if name is None:
            raise CorpusError("no column of vectors is given: name it with --embeddings-column.")
        require_column(self._reader.schema.names, name, "embeddings")
        yield from (batch.column(name) for batch in self._reader.batches())

    def _rows(self) -> Iterator[pa.RecordBatch]:
        """Yields the rows without the column of vectors, with values that an index can give back."""
        done = 0
        for batch in self._reader.batches():
            if self._embeddings_column in batch.schema.names:
                batch = batch.drop_columns([self._embeddings_column])
            batch, faults = sound(batch, done)
            for fault in faults:
                self._note(fault, done)
            done += batch.num_rows
            yield batch

    @cached_property
    def _reader(self) -> Reader:
        return self._open()

    def _open(self) -> Reader:
        return open_reader(self._path, self._options)

    @cached_property
    def _choice(self) -> ColumnChoice:
        choice = choose_columns(self.sample, self._given)
        if "quality" not in choice.reasons:
            return choice
        # Other guesses are right or wrong for the whole table; this one breaks where a value is not a number.
        found = first_non_number(self._rows(), choice.columns["quality"])
        if found is None:
            return choice
        row, value = found
        self._faults["quality", ""] = (
            f"Column {choice.columns['quality']!r} is not used as the quality: row {row + 1:,} has {value[:40]!r}, "
            f"which is not a number."
        )
        return choice.without("quality")

    @property
    def _left_aside(self) -> list[str]:
        """Returns a note on columns of vectors that are not used."""
        printed = [name for name, kind in self._choice.left_out.items() if kind == "lists of numbers"]
        found = [name for name in (*vector_columns(self.sample), *printed) if name not in self.columns.values()]
        if not found or self._embeddings_column is not None:
            return []
        return [
            f"Column {found[0]!r} holds vectors, which are not used: the texts are encoded again (--embeddings-column "
            f"uses these vectors)."
        ]

    def _note(self, fault: Fault, done: int) -> None:
        """Keeps the first fault of each kind in a column, however often the file is read."""
        told = f"Column {fault.column!r}, row {done + fault.row + 1:,}: {fault.what}. Others may follow."
        self._faults.setdefault((fault.column, fault.what), told)


class PlainFileCorpus(FileCorpus):
    """Rows of an untrusted file: no folder, no link and no data set elsewhere is opened for it."""

    def _open(self) -> Reader:
        return open_plain_file(self._path, self._options)
