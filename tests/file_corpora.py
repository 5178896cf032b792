"""What the tests of file corpora share."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from retrieval.corpus.files import FileCorpus


def write(path: Path, content: bytes | str) -> Path:
    """Writes a file as it is, without translating line ends, and returns its path."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(path: Path, **columns: str) -> pa.Table:
    """Returns the whole corpus; `columns` are options of `FileCorpus`."""
    return pa.Table.from_batches(FileCorpus(path, **columns).batches())


def texts(path: Path, **columns: str) -> list[str | None]:
    """Returns the texts of the whole corpus."""
    values: list[str | None] = read(path, **columns)["text"].to_pylist()
    return values
