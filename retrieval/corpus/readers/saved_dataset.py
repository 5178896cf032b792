"""Data sets of the `datasets` library, saved in a folder or loaded from the hub."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from retrieval.corpus.base import BATCH_ROWS
from retrieval.corpus.readers.base import require_distinct_names
from retrieval.corpus.readers.named_files import require_own_files
from retrieval.corpus.readers.plain_types import plain_schema, to_plain
from retrieval.errors import CorpusError

_MARKS = ("state.json", "dataset_dict.json", "dataset_info.json")


class DatasetReader:
    """Reads a `datasets.Dataset`, which is memory-mapped."""

    def __init__(self, dataset: Any, source: str) -> None:
        self._dataset = dataset.with_format("arrow")
        self._source = source
        require_distinct_names(list(dataset.column_names), source)
        self._schema = plain_schema(dataset.features.arrow_schema)

    @classmethod
    def from_folder(cls, path: Path) -> DatasetReader:
        """Returns the reader of a folder that `save_to_disk` wrote.

        Raises:
            CorpusError: if it is no such folder, is damaged, names files outside of itself, or has several splits
                and none is called `train`.
        """
        if not any((path / mark).is_file() for mark in _MARKS):
            raise CorpusError(f"{path} is a folder, but not one that `datasets` saved. {_what_to_name(path)}")
        from datasets import load_from_disk

        try:
            require_own_files(path)
            loaded = load_from_disk(str(path))
        except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
            raise CorpusError(
                f"{path} was saved by `datasets`, but cannot be read: {error}. Save or copy it again."
            ) from error
        return cls(only_split(loaded, str(path)), str(path))

    @property
    def schema(self) -> pa.Schema:
        """Returns the columns of the data set, in plain types."""
        return self._schema

    @property
    def num_rows(self) -> int:
        """Returns the number of rows."""
        return int(self._dataset.num_rows)

    @property
    def mixed_columns(self) -> Mapping[str, str]:
        """Returns nothing: a column of a data set has one type."""
        return {}

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yields the rows in order.

        Raises:
            CorpusError: if a file of the data set is damaged.
        """
        try:
            for table in self._dataset.iter(batch_size=BATCH_ROWS):
                for batch in table.combine_chunks().to_batches():
                    yield to_plain(batch, self._schema)
        except (pa.ArrowException, OSError) as error:
            raise CorpusError(f"{self._source} is damaged: {error}. Save or copy it again.") from error


def only_split(loaded: Any, source: str) -> Any:
    """Returns the one data set in `loaded`: itself, its split `train`, or its only split.

    Raises:
        CorpusError: if there are several splits and none is called `train`.
    """
    if not isinstance(loaded, dict):
        return loaded
    if "train" in loaded:
        return loaded["train"]
    if len(loaded) == 1:
        return next(iter(loaded.values()))
    raise CorpusError(
        f"{source} has the splits {', '.join(loaded)}, and none is called 'train': save the one to be indexed in a "
        f"folder of its own, with save_to_disk."
    )


def _what_to_name(path: Path) -> str:
    if (path / "corpus.jsonl").is_file():
        return "It looks like a BEIR collection: use --corpus beir."
    if (path / "manifest.json").is_file():
        return "It looks like an index that is built already: open it with --index."
    suffixes = (".csv", ".tsv", ".jsonl", ".parquet", ".txt")
    files = sorted(file.name for file in path.iterdir() if file.suffix.lower() in suffixes)
    if files:
        return f"Name one of the files in it: {', '.join(files[:5])}{', …' if len(files) > 5 else ''}."
    return "Name a CSV, TSV, JSON Lines, Parquet or text file, or a folder written by save_to_disk."
