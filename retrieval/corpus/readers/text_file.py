"""A text file in any encoding and with any line ends, as lines or as UTF-8."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from retrieval.corpus.readers.byte_source import ByteSource
from retrieval.corpus.readers.sniffing import require_text
from retrieval.corpus.readers.text_encoding import encoding_of

_CHUNK_CHARACTERS = 1 << 18


class TextFile:
    """Text that was checked to its end. Its `str` is its name in messages."""

    def __init__(self, source: ByteSource, expected: str) -> None:
        """Checks the file; `expected` names what it should be, for the message.

        Raises:
            CorpusError: if it cannot be opened, is empty, is not a text, or is in no known encoding.
        """
        require_text(source, expected)
        self.source = source
        self._encoding = encoding_of(source)

    def __str__(self) -> str:
        return str(self.source)

    @property
    def name(self) -> str:
        """Returns the name of the file."""
        return self.source.name

    @property
    def notes(self) -> tuple[str, ...]:
        """Returns what the user should know about the encoding."""
        return (self._encoding.note,) if self._encoding.note else ()

    def open(self, newline: str | None = None) -> io.TextIOWrapper:
        """Returns the text as a stream, by default with line feeds for line ends of any kind; see `open` of Python."""
        encoding = "utf-8-sig" if self._encoding.name == "utf-8" else self._encoding.name
        return io.TextIOWrapper(self.source.open(), encoding, newline=newline)

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yields each line without its end, numbered from 1; a byte order mark is left out.

        Line feeds and carriage returns end a line, alone or together. Separators that `str.splitlines` also knows, such
        as U+2028, are part of the text.
        """
        with self.open() as text:
            for number, line in enumerate(text, start=1):
                yield number, line.removesuffix("\n")

    def as_utf8(self) -> Path | io.BufferedReader:
        """Returns the content in UTF-8, for readers of bytes: the path, if the file is exactly that."""
        if self._encoding.name.startswith("utf-8"):
            return self.source.open() if self.source.is_packed else self.source.path
        return io.BufferedReader(_Utf8(self.open(newline="")))


class _Utf8(io.RawIOBase):
    """The bytes of a text stream in UTF-8."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._left:
            self._left = self._text.read(_CHUNK_CHARACTERS).encode("utf-8", "replace")
        content, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        self._text.close()
        super().close()
