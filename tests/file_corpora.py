"""What the tests of file corpora share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from retrieval.corpus.files import FileCorpus


def write(path: Path, content: bytes | str) -> Path:
    """Writes a file as it is, without translating line ends, and returns its path."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(path: Path, **options: Any) -> pa.Table:
    """Returns the whole corpus; `options` are those of `FileCorpus`."""
    return pa.Table.from_batches(FileCorpus(path, **options).batches())


def texts(path: Path, **options: Any) -> list[str | None]:
    """Returns the texts of the whole corpus."""
    values: list[str | None] = read(path, **options)["text"].to_pylist()
    return values
