"""JSON Lines, and JSON files that hold one array or one object around a table."""

from __future__ import annotations

from retrieval.corpus.readers.byte_source import ByteSource
from retrieval.corpus.readers.json_records import JsonRecords
from retrieval.corpus.readers.record_columns import RecordReader
from retrieval.corpus.readers.text_file import TextFile


class JsonReader(RecordReader):
    """Reads a JSON file: one object per line, an array, or an object with a table in it."""

    def __init__(self, source: ByteSource) -> None:
        file = TextFile(source, "JSON: one object per line, or an array of objects")
        records = JsonRecords(file)
        super().__init__(records, source)
        self.notes = (*file.notes, *records.notes)
