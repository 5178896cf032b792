"""The bytes of a file as the hub's stand-in sends them: a range of it, cut, or altered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

CHUNK_BYTES = 1 << 20
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def wanted_range(header: str | None, size: int) -> tuple[int, int]:
    """Returns the first byte that a `Range` header wants, and the one behind the last."""
    match = _RANGE.fullmatch(header or "")
    if match is None:
        return 0, size
    first, last = match.groups()
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(size, int(last) + 1) if last else size


def file_chunks(path: Path, start: int, end: int) -> Iterator[bytes]:
    """Yields the bytes from `start` to before `end`."""
    with path.open("rb") as file:
        file.seek(start)
        while start < end:
            chunk = file.read(min(CHUNK_BYTES, end - start))
            yield chunk
            start += len(chunk)


def altered(chunks: Iterator[bytes], after_bytes: int) -> Iterator[bytes]:
    """Yields the chunks with one bit flipped in the byte at `after_bytes`."""
    seen = 0
    for chunk in chunks:
        at = after_bytes - seen
        seen += len(chunk)
        yield chunk[:at] + bytes([chunk[at] ^ 1]) + chunk[at + 1 :] if 0 <= at < len(chunk) else chunk


def first_bytes(chunks: Iterator[bytes], count: int) -> Iterator[bytes]:
    """Yields the first `count` bytes."""
    for chunk in chunks:
        if count <= 0:
            return
        yield chunk[:count]
        count -= len(chunk)
