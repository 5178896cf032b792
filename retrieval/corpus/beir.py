"""The documents of collections in BEIR's format.

corpus.jsonl       _id, title, text
queries.jsonl      _id, text
qrels/test.tsv     query-id, corpus-id, score; also train.tsv and dev.tsv, which judge other queries
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from retrieval.corpus.base import COMMON_SCHEMA, CorpusInfo
from retrieval.corpus.readers.base import in_batches
from retrieval.corpus.readers.byte_source import byte_source
from retrieval.corpus.readers.json_records import json_objects
from retrieval.corpus.readers.text_file import TextFile
from retrieval.errors import CorpusError

_SCHEMA = pa.schema([*COMMON_SCHEMA, pa.field("_id", pa.string()), pa.field("title", pa.string())])
_NUM_EXAMPLES = 6
_LONGEST_EXAMPLE = 100


class BeirCorpus:
    """The documents of a collection; the text is title and text in one, as BEIR's own retrievers take it."""

    columns: Mapping[str, str] = MappingProxyType({})
    notes = ()

    def __init__(self, path: Path) -> None:
        self._path = path

    def __repr__(self) -> str:
        return f"BeirCorpus({str(self._path)!r})"

    @property
    def info(self) -> CorpusInfo:
        """Returns the name of the folder, and the collection's first short queries as examples."""
        return CorpusInfo(name="beir", title=f"BEIR collection {self._path.resolve().name}", examples=self._examples())

    @property
    def num_rows(self) -> None:
        """Returns None: it is known only after reading."""
        return None

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yields the documents in the order of `corpus.jsonl`.

        Raises:
            CorpusError: if the file is missing, or a line is not an object with `_id` and `text`.
        """
        file = collection_file(self._path, "corpus.jsonl")
        for records in in_batches(json_objects(file)):
            rows = [_document(file, line, record) for line, record in records]
            yield pa.RecordBatch.from_pylist(rows, schema=_SCHEMA)

    def _examples(self) -> tuple[str, ...]:
        try:
            records = json_objects(collection_file(self._path, "queries.jsonl"))
            queries = (str(record.get("text", "")) for _, record in records)
            return tuple(islice((query for query in queries if 0 < len(query) <= _LONGEST_EXAMPLE), _NUM_EXAMPLES))
        except CorpusError:
            return ()  # a corpus can be indexed without queries; errors in them are reported when they are needed


def collection_file(folder: Path, name: str) -> TextFile:
    """Returns a file of the collection in a folder, which is not read yet.

    Raises:
        CorpusError: if there is none.
    """
    path = folder / name
    if not folder.is_dir():
        raise CorpusError(f"there is no folder {folder}: expected a BEIR collection with corpus.jsonl in it.")
    if not path.is_file():
        have = ", ".join(sorted(entry.name for entry in folder.iterdir())) or "nothing"
        raise CorpusError(f"{path} is missing: expected a BEIR collection, found {have} in {folder}.")
    return TextFile(byte_source(path), "tab-separated judgments" if name.endswith(".tsv") else "JSON Lines")


def _document(file: TextFile, line: int, record: Mapping[str, Any]) -> dict[str, str | None]:
    text = required_text(file, line, record, "text")
    title = record.get("title")
    metadata = record.get("metadata")
    url = metadata.get("url") if isinstance(metadata, dict) else None
    return {
        "text": f"{title} {text}".strip() if title else text,
        "body": text,
        "url": None if url is None else str(url),
        "_id": required_text(file, line, record, "_id"),
        "title": None if title is None else str(title),
    }


def required_text(file: TextFile, line: int, record: Mapping[str, Any], name: str) -> str:
    """Returns a value of a record as text: ids are text or whole numbers, a text is text.

    Raises:
        CorpusError: if it is something else, or missing.
    """
    value = record.get(name)
    if isinstance(value, str) or (name == "_id" and isinstance(value, int)):
        return str(value)
    found = f"{value!r} in it" if name in record else f"the names {', '.join(record)}"
    raise CorpusError(f"{file}, line {line}: expected {name!r} with text, found {found}.")
