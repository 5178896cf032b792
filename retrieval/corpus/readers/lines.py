"""Lines of a UTF-8 text file, numbered."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypeVar

from retrieval.corpus.base import BATCH_ROWS
from retrieval.errors import CorpusError

_Item = TypeVar("_Item")


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yields each line without its end, numbered from 1; a byte order mark is left out.

    Only line feeds end a line (with or without a carriage return before them): separators that Python's own
    `splitlines` also knows, such as U+2028, are part of the text.

    Raises:
        CorpusError: if the file cannot be opened, or a line is not UTF-8.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise CorpusError(f"{path} cannot be opened: {error.strerror}.") from error
    with file:
        for number, raw in enumerate(file, start=1):
            if number == 1:
                raw = raw.removeprefix(codecs.BOM_UTF8)
            try:
                yield number, raw.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8")
            except UnicodeDecodeError as error:
                raise not_utf8(path, number, error) from error


def not_utf8(path: Path, number: int, error: UnicodeDecodeError) -> CorpusError:
    """Returns the error for a line that is not UTF-8."""
    return CorpusError(
        f"{path}, line {number}: not UTF-8 (byte 0x{error.object[error.start]:02x}). Save the file as UTF-8; if it is "
        f"Latin-1: iconv -f LATIN1 -t UTF-8 {path.name} > utf8{path.suffix}"
    )


def in_batches(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    """Yields the items in lists of `BATCH_ROWS`, the last one shorter."""
    remaining = iter(items)
    while chunk := list(islice(remaining, BATCH_ROWS)):
        yield chunk
