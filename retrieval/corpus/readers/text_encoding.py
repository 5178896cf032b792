"""The encoding of a text file: UTF-8, UTF-16 with a byte order mark, or Windows-1252."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass

from retrieval.corpus.readers.byte_source import ByteSource
from retrieval.corpus.readers.sniffing import HEAD_BYTES, unmarked_utf16
from retrieval.errors import CorpusError

_CHUNK_BYTES = 1 << 20
_MARKS = (
    *((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF8, "utf-8-sig")),
    *((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")),
)
_WINDOWS = "cp1252"
_MOST_ACCENTED = 0.4
"""The share of letters that are not ASCII, in any language that is written in Windows-1252, stays below. Text in
Cyrillic, Greek or Chinese encodings, taken for it, is above."""
_SHOWN_CHARACTERS = 30
_HOW_TO_SAVE = "Save it as UTF-8 (spreadsheets call it CSV UTF-8)."


@dataclass(frozen=True, slots=True)
class Encoding:
    """The name of an encoding in Python, and what to tell the user."""

    name: str
    note: str = ""


def encoding_of(source: ByteSource) -> Encoding:
    """Returns the encoding of a text file, after reading it to its end.

    Raises:
        CorpusError: if it is in none of the known ones; the message names the first faulty line.
    """
    head = source.head(HEAD_BYTES)
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None) or unmarked_utf16(head)
    if (fault := _first_fault(source, marked or "utf-8")) is None:
        name = marked or "utf-8"
        return Encoding(name, "" if name.startswith("utf-8") else f"{source.name} is in {name.upper()}: read as such.")
    where = f"line {fault.line}: not {(marked or 'utf-8').removesuffix('-sig').upper()} ({fault.what})"
    if marked is None and _is_windows(source):
        return Encoding(
            _WINDOWS,
            f"{source.name}, {where}: read as Windows-1252, in which this line has {fault.shown!r}. If that is wrong, "
            f"save it as UTF-8.",
        )
    raise CorpusError(f"{source}, {where}. {_HOW_TO_SAVE}")


@dataclass(frozen=True, slots=True)
class _Fault:
    line: int
    what: str
    shown: str
    """What is there, read as Windows-1252."""


def _first_fault(source: ByteSource, encoding: str) -> _Fault | None:
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    for chunk in _chunks(source):
        try:
            decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            content, at = error.object, error.start
            start = max(content.rfind(b"\n", 0, at) + 1, at - _SHOWN_CHARACTERS)
            shown = content[start : at + _SHOWN_CHARACTERS].splitlines() or [b""]
            return _Fault(
                line + content[:at].count(b"\n"),
                f"byte 0x{content[at]:02x}",
                shown[0].decode(_WINDOWS, "replace"),
            )
        line += chunk.count(b"\n")
    return None


def _is_windows(source: ByteSource) -> bool:
    """Tells whether the file looks like Windows-1252, not like damaged UTF-8 or text in another alphabet."""
    utf8 = codecs.getincrementaldecoder("utf-8")("replace")
    windows = codecs.getincrementaldecoder(_WINDOWS)()
    num_good = num_bad = num_ascii = num_accented = 0
    for chunk in _chunks(source):
        as_utf8 = utf8.decode(chunk, final=not chunk)
        bad = as_utf8.count("\ufffd")
        num_bad += bad
        num_good += sum(not character.isascii() for character in as_utf8) - bad
        try:
            letters = [character.isascii() for character in windows.decode(chunk) if character.isalpha()]
        except UnicodeDecodeError:
            return False
        num_ascii += sum(letters)
        num_accented += len(letters) - sum(letters)
    return num_bad >= num_good and num_accented <= _MOST_ACCENTED * (num_ascii + num_accented)


def _chunks(source: ByteSource) -> Iterator[bytes]:
    """Yields the content, and an empty chunk as its end."""
    with source.open() as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk
    yield b""
