"""Several files of one format and with the same columns, as one table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from retrieval.corpus.readers.base import Reader
from retrieval.errors import CorpusError

_SHOWN_FILES = 3


class ShardsReader(Reader):
    """Reads files one after the other."""

    def __init__(self, shards: Sequence[tuple[Path, Reader]], folder: Path) -> None:
        """Takes the files in the order in which they are read, each with its reader.

        Raises:
            CorpusError: if their columns differ.
        """
        self._shards = shards
        self.schema = _common_schema(shards, folder)
        counts = [reader.num_rows for _, reader in shards]
        self.num_rows = None if None in counts else sum(count for count in counts if count is not None)
        self.mixed_columns = {
            name: f"{conflict} of {path.name}"
            for path, reader in shards
            for name, conflict in reader.mixed_columns.items()
        }
        notes = dict.fromkeys(note for _, reader in shards for note in reader.notes)
        if len(shards) > 1:
            names = ", ".join(path.name for path, _ in shards[:_SHOWN_FILES])
            more = ", …" if len(shards) > _SHOWN_FILES else ""
            notes = {f"{folder.name}: {len(shards):,} files were read as one table: {names}{more}.": None, **notes}
        self.notes = tuple(notes)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yields the rows of all files.

        Raises:
            CorpusError: if a file is damaged.
        """
        for path, reader in self._shards:
            for batch in reader.batches():
                try:
                    yield batch.select(self.schema.names).cast(self.schema)
                except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
                    raise CorpusError(f"{path} has different columns from the other files: {error}.") from error


def _common_schema(shards: Sequence[tuple[Path, Reader]], folder: Path) -> pa.Schema:
    first_path, first = shards[0]
    for path, reader in shards[1:]:
        if set(reader.schema.names) != set(first.schema.names):
            raise CorpusError(
                f"the files in {folder} are not parts of one table: {first_path.name} has the columns "
                f"{', '.join(first.schema.names)}, {path.name} has {', '.join(reader.schema.names)}. Name one of the "
                f"files."
            )
    try:
        return pa.unify_schemas([reader.schema for _, reader in shards], promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise CorpusError(f"the files in {folder} are not parts of one table: {error}. Name one of them.") from error
