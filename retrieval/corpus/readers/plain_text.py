"""Plain text: a document a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa

from retrieval.corpus.readers.lines import in_batches, numbered_lines
from retrieval.corpus.readers.sniffing import require_text

_SCHEMA = pa.schema([("text", pa.string()), ("line", pa.int64())])


class PlainTextReader:
    """Reads a document a line, with the number of the line. Blank lines are rows too: the indexer counts them."""

    def __init__(self, path: Path) -> None:
        require_text(path, "plain text, a document a line")
        self._path = path

    @property
    def schema(self) -> pa.Schema:
        """Returns `text` and `line`."""
        return _SCHEMA

    @property
    def num_rows(self) -> None:
        """Returns None: only reading would tell."""
        return None

    @property
    def mixed_columns(self) -> Mapping[str, str]:
        """Returns nothing: every line is text."""
        return {}

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yields the lines in order.

        Raises:
            CorpusError: if a line is not UTF-8.
        """
        for lines in in_batches(numbered_lines(self._path)):
            yield pa.RecordBatch.from_arrays(
                [pa.array([text for _, text in lines], pa.string()), pa.array([number for number, _ in lines])],
                schema=_SCHEMA,
            )
