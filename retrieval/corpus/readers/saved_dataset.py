"""Data sets of the `datasets` library, saved in a folder or loaded from the hub."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from retrieval.corpus.base import BATCH_ROWS
from retrieval.corpus.readers.base import Reader, require_distinct_names
from retrieval.corpus.readers.plain_types import plain_schema, to_plain
from retrieval.corpus.readers.splits import choose_split
from retrieval.errors import CorpusError, brief

_STATE, _SPLITS = "state.json", "dataset_dict.json"


class DatasetReader(Reader):
    """Reads a `datasets.Dataset`, which is memory-mapped."""

    def __init__(self, loaded: Any, source: str, split: str | None = None) -> None:
        """Takes what `datasets` loaded, one data set or several splits.

        Raises:
            CorpusError: if the split is not there, or none is given and it is not clear which one is meant.
        """
        dataset = loaded
        if isinstance(loaded, dict):
            chosen, self.notes = choose_split({name: len(each) for name, each in loaded.items()}, split, source)
            dataset = loaded[chosen]
        elif split is not None:
            raise CorpusError(f"{source} has no splits: leave --split out.")
        self._dataset = dataset.with_format("arrow")
        self._source = source
        self.num_rows = int(dataset.num_rows)
        require_distinct_names(list(dataset.column_names), source)
        self.schema = plain_schema(dataset.features.arrow_schema)

    @classmethod
    def from_folder(cls, path: Path, split: str | None = None) -> DatasetReader:
        """Returns the reader of a folder that `save_to_disk` wrote.

        Raises:
            CorpusError: if it is damaged, names files outside itself, or the split is not there.
        """
        from datasets import load_from_disk

        try:
            _require_own_files(path)
            loaded = load_from_disk(str(path))
        except IndexError as error:  # what `datasets` makes of a data set without files
            raise CorpusError(f"{path} was saved by `datasets`, and has no rows: expected at least one.") from error
        except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
            raise CorpusError(
                f"{path} was saved by `datasets`, but cannot be read: {error}. Save or copy it again."
            ) from error
        return cls(loaded, str(path), split)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yields the rows in order.

        Raises:
            CorpusError: if a file of the data set is damaged.
        """
        try:
            for table in self._dataset.iter(batch_size=BATCH_ROWS):
                for batch in table.combine_chunks().to_batches():
                    yield to_plain(batch, self.schema)
        except (pa.ArrowException, OSError) as error:
            raise CorpusError(f"{self._source} is damaged: {error}. Save or copy it again.") from error


def is_saved_dataset(path: Path) -> bool:
    """Tells whether `save_to_disk` of `datasets` wrote a folder."""
    return any((path / mark).is_file() for mark in (_STATE, _SPLITS))


def _require_own_files(folder: Path) -> None:
    """Checks that everything named by a folder saved by `datasets` is in that folder, links followed.

    Otherwise, an untrusted folder could have any file of this machine read.

    Raises:
        CorpusError: if a split or a file is named that lies elsewhere.
        OSError: if a file that names others cannot be read.
        ValueError: if it is not JSON.
        KeyError, TypeError: if something is missing in it.
    """
    # As `load_from_disk` decides: a folder with its own state is one data set, whatever else lies in it.
    parts = (
        [folder]
        if (folder / _STATE).is_file()
        else [_inside(folder, folder, _text(name)) for name in _read(folder / _SPLITS)["splits"]]
    )
    for part in parts:
        for mark in (_STATE, "dataset_info.json"):
            _inside(folder, part, mark)
        for each in _read(part / _STATE)["_data_files"]:
            _inside(folder, part, _text(each["filename"]))


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _text(name: object) -> str:
    if not isinstance(name, str):
        raise TypeError(f"{brief(name)} is not the name of a file")
    return name


def _inside(folder: Path, part: Path, name: str) -> Path:
    path = part / name
    if "://" in name or not path.resolve().is_relative_to(folder.resolve()):
        raise CorpusError(
            f"{folder} was saved by `datasets`, but names {brief(name)}, which is not in it: a data set may name only "
            f"files in its own folder. Save it again, in one folder."
        )
    return path
