"""A folder of text files: each file is a document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from retrieval.corpus.base import BATCH_ROWS
from retrieval.corpus.readers.base import Reader
from retrieval.corpus.readers.byte_source import byte_source
from retrieval.corpus.readers.text_file import TextFile
from retrieval.errors import counted

_SCHEMA = pa.schema([("text", pa.string()), ("file", pa.string())])
_BATCH_CHARACTERS = 16_000_000


class TextFolderReader(Reader):
    """Reads one document per file, with its path in the folder. An empty file is a row too: the indexer counts it."""

    schema = _SCHEMA

    def __init__(self, folder: Path, files: Sequence[Path], left_out: Sequence[str]) -> None:
        self._folder = folder
        self._files = files
        self.num_rows = len(files)
        notes = [f"{folder.name}: {counted(len(files), 'text file')} read, each as a document."]
        if left_out:
            shown = ", ".join(left_out[:5]) + (", …" if len(left_out) > 5 else "")
            notes.append(f"{folder.name}: files of other kinds were left out ({len(left_out):,}): {shown}.")
        self.notes = tuple(notes)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yields the documents by path.

        Raises:
            CorpusError: if a file cannot be read, or is not a text.
        """
        texts: list[str] = []
        names: list[str] = []
        for path in self._files:
            names.append(str(path.relative_to(self._folder)))
            texts.append(_content(path))
            if len(texts) == BATCH_ROWS or sum(map(len, texts[-100:])) > _BATCH_CHARACTERS:
                yield _batch(texts, names)
                texts, names = [], []
        if texts:
            yield _batch(texts, names)


def _content(path: Path) -> str:
    if not path.stat().st_size:
        return ""
    source = byte_source(path)
    if not source.head(4096).strip():
        return ""
    with TextFile(source, "text").open() as text:
        return text.read().strip()


def _batch(texts: list[str], names: list[str]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array(texts, pa.string()), pa.array(names, pa.string())], schema=_SCHEMA)
