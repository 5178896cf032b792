"""Plain text, one document per line, and Markdown, one document per paragraph."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyarrow as pa

from retrieval.corpus.readers.base import Reader, in_batches
from retrieval.corpus.readers.byte_source import ByteSource
from retrieval.corpus.readers.text_file import TextFile

_LINES = pa.schema([("text", pa.string()), ("line", pa.int64())])
_PARAGRAPHS = pa.schema([("text", pa.string()), ("heading", pa.string()), ("line", pa.int64())])
_HEADING = re.compile(r" {0,3}#{1,6}\s+(.*?)\s*#*\s*")
_UNDERLINE = re.compile(r" {0,3}(?:=+|-+)\s*")
_FENCE = re.compile(r" {0,3}(```+|~~~+)")


class PlainTextReader(Reader):
    """Reads one document per line, with the number of the line. Blank lines are rows too: the indexer counts them."""

    schema = _LINES

    def __init__(self, source: ByteSource) -> None:
        self._file = TextFile(source, "plain text, one document per line")
        self.notes = self._file.notes

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yields the lines in order."""
        for lines in in_batches(self._file.lines()):
            yield pa.RecordBatch.from_arrays(
                [pa.array([text for _, text in lines], pa.string()), pa.array([number for number, _ in lines])],
                schema=_LINES,
            )


class MarkdownReader(Reader):
    """Reads one document per paragraph, with the heading above it and the number of its first line.

    A paragraph ends with a blank line, outside fenced code, or with a heading.
    """

    schema = _PARAGRAPHS

    def __init__(self, source: ByteSource) -> None:
        self._file = TextFile(source, "Markdown text")
        self.notes = (*self._file.notes, f"{source.name} is Markdown: each paragraph is a document.")

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yields the paragraphs in order."""
        for rows in in_batches(_paragraphs(self._file.lines())):
            yield pa.RecordBatch.from_pylist(rows, schema=_PARAGRAPHS)


def _paragraphs(lines: Iterator[tuple[int, str]]) -> Iterator[dict[str, str | int | None]]:
    heading: str | None = None
    fence = ""
    waiting: list[str] = []
    start = 1

    def ended() -> Iterator[dict[str, str | int | None]]:
        if waiting:
            yield {"text": "\n".join(waiting), "heading": heading, "line": start}
            waiting.clear()

    for number, line in lines:
        opened = _FENCE.match(line)
        if fence:
            fence = "" if opened and opened[1].startswith(fence) else fence
        elif opened:
            fence = opened[1]
        elif not line.strip():
            yield from ended()
            continue
        elif found := _HEADING.fullmatch(line):
            yield from ended()
            heading = found[1]
            continue
        elif len(waiting) == 1 and _UNDERLINE.fullmatch(line):
            heading = waiting.pop().strip()
            continue
        if not waiting:
            start = number
        waiting.append(line)
    yield from ended()
