"""What a JSON file holds, as records: one object per line, an array, or one object around all of it.

A record is an object. Each comes with its place (`line 3`, `item 3`), for messages.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from retrieval.corpus.readers.byte_source import ByteSource
from retrieval.corpus.readers.json_layouts import records_in
from retrieval.corpus.readers.record_columns import RecordReader
from retrieval.corpus.readers.text_file import TextFile
from retrieval.errors import CorpusError

Record = dict[str, Any]
_SHOWN_CHARACTERS = 60
_EXPECTED = 'expected a JSON object such as {"text": ...}'
_LINES = (".jsonl", ".ndjson")
_CHUNK_CHARACTERS = 1 << 20
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_SPACE = re.compile(r"[ \t\r\n]*")


class JsonRecords:
    """The records of a file, to be read any number of times."""

    def __init__(self, file: TextFile) -> None:
        """Finds out the layout of the file.

        Raises:
            CorpusError: if it is JSON of a layout that holds no table.
        """
        self._file = file
        self.notes: tuple[str, ...] = ()
        self._read: Callable[[], Iterator[tuple[str, Record]]] = self._lines
        with file.open() as text:
            start = text.read(1)
            while start.isspace():
                start = text.read(1)
        if start == "[":
            self._read = self._items
        elif start == "{" and (whole := self._whole()) is not None:
            found = records_in(whole, file.name, may_be_row=file.source.suffix in _LINES)
            if found is not None:
                self._read = lambda: ((f"item {number}", record) for number, record in enumerate(found.records, 1))
                self.notes = (found.note,)

    def __iter__(self) -> Iterator[tuple[str, Record]]:
        """Yields the records, and where each is.

        Raises:
            CorpusError: if one is not JSON, or no object.
        """
        return self._read()

    def _lines(self) -> Iterator[tuple[str, Record]]:
        for number, value, line in _line_values(self._file):
            if (record := _as_record(value)) is None:
                raise _no_object(self._file, number, line, _EXPECTED)
            yield f"line {number}", record

    def _items(self) -> Iterator[tuple[str, Record]]:
        for number, (item, shown) in enumerate(_array_items(self._file), start=1):
            if (record := _as_record(item)) is None:
                raise CorpusError(f"{self._file}, item {number}: {_EXPECTED} or a text, found {shown}.")
            yield f"item {number}", record

    def _whole(self) -> Record | None:
        """Returns the one object that is the whole file; None if there are several, one object per line."""
        for number, (_, line) in enumerate(line for line in self._file.lines() if line[1] and not line[1].isspace()):
            if number == 0:
                first = _parsed(line)
            elif first is not None:
                return None  # the first line is an object, and others follow
            else:
                break
        with self._file.open() as text:
            whole = _parsed(text.read())
        return whole if isinstance(whole, dict) else None


def json_objects(file: TextFile) -> Iterator[tuple[int, Record]]:
    """Yields the object of each line that is not blank, with the number of the line.

    Raises:
        CorpusError: if a line is not a JSON object.
    """
    for number, value, line in _line_values(file):
        if not isinstance(value, dict):
            raise _no_object(file, number, line, _EXPECTED)
        yield number, value


def _line_values(file: TextFile) -> Iterator[tuple[int, Any, str]]:
    """Yields the value of each line that is not blank, between the number of the line and the line."""
    for number, line in file.lines():
        if not line or line.isspace():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise _no_object(file, number, line, f"not a JSON object ({_reason(error)})") from error
        yield number, _without_lone_surrogates(value) if _ESCAPED_SURROGATE.search(line) else value, line


def _as_record(value: Any) -> Record | None:
    """Returns a row as a record: an object, a text alone, or a list of fields; None if it is none of these."""
    if isinstance(value, dict):
        return value
    if isinstance(value, str):
        return {"text": value}
    if isinstance(value, list):
        return {f"column_{place}": each for place, each in enumerate(value, start=1)}
    return None


def _array_items(file: TextFile) -> Iterator[tuple[Any, str]]:
    """Yields the items of the array that is the whole file, and how each begins, with little of the file in RAM."""
    decoder = json.JSONDecoder()
    with file.open() as text:
        waiting, is_first, number = text.read(_CHUNK_CHARACTERS), True, 0
        position = _SPACE.match(waiting).end() + 1  # type: ignore[union-attr] # behind the bracket
        while True:
            while True:
                position = _SPACE.match(waiting, position).end()  # type: ignore[union-attr]
                try:
                    if waiting.startswith("]", position):
                        end = _SPACE.match(waiting, position + 1).end()  # type: ignore[union-attr]
                        if waiting[end:].strip() or text.read(_CHUNK_CHARACTERS).strip():
                            raise CorpusError(f"{file} continues after its array: expected one array of objects.")
                        return
                    begin = position
                    if not is_first:
                        if waiting[position : position + 1] not in (",", ""):
                            raise json.JSONDecodeError("a comma or ] is expected", waiting, position)
                        begin = _SPACE.match(waiting, position + 1).end()  # type: ignore[union-attr]
                    item, end = decoder.raw_decode(waiting, begin)
                    if _SPACE.match(waiting, end).end() == len(waiting):  # type: ignore[union-attr]
                        raise json.JSONDecodeError("a comma or ] is expected", waiting, end)
                    break
                except (ValueError, RecursionError) as error:
                    if not (more := text.read(max(_CHUNK_CHARACTERS, len(waiting) - position))):
                        shown = waiting[position : position + _SHOWN_CHARACTERS].strip(", \n")
                        raise CorpusError(
                            f"{file}, item {number + 1}: not JSON ({_reason(error)}), found: {shown or 'the end'}"
                        ) from error
                    waiting, position = waiting[position:] + more, 0
            number, is_first, position = number + 1, False, end
            shown = waiting[begin : min(end, begin + _SHOWN_CHARACTERS)]
            yield _without_lone_surrogates(item) if _ESCAPED_SURROGATE.search(waiting, begin, end) else item, shown


def _parsed(text: str) -> Any:
    """Returns what the text is in JSON, None if it is none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return _without_lone_surrogates(value) if _ESCAPED_SURROGATE.search(text) else value


def _without_lone_surrogates(value: Any) -> Any:
    """JSON can hold half a character, UTF-8 and Arrow cannot: it becomes U+FFFD."""
    text = json.dumps(value, ensure_ascii=False)
    return json.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _reason(error: Exception) -> str:
    return f"{error.msg} at column {error.colno}" if isinstance(error, json.JSONDecodeError) else str(error)


def _no_object(file: TextFile, number: int, line: str, what: str) -> CorpusError:
    found = line if len(line) <= _SHOWN_CHARACTERS else f"{line[:_SHOWN_CHARACTERS]}…"
    return CorpusError(f"{file}, line {number}: {what}, found: {found}")


class JsonReader(RecordReader):
    """Reads a JSON file: one object per line, an array, or an object with a table in it."""

    def __init__(self, source: ByteSource) -> None:
        file = TextFile(source, "JSON: one object per line, or an array of objects")
        records = JsonRecords(file)
        super().__init__(records, source)
        self.notes = (*file.notes, *records.notes)
