"""What a file really is, whatever its name says."""

from __future__ import annotations

from retrieval.corpus.readers.byte_source import ByteSource
from retrieval.errors import CorpusError

HEAD_BYTES = 65_536
_SIGNATURES = (
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive (or an Excel or Word file)"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "an Arrow file"),
    (b"SQLite format 3", "an SQLite database"),
    (b"version https://git-lfs", "a pointer of Git LFS (fetch the file itself with git lfs pull)"),
)
_MARKS_OF_WIDE_TEXT = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")
"""UTF-16 and UTF-32, of which every other byte may be NUL."""
_LEAST_NULS = 0.25
"""The share of NULs at every other byte, from which text is UTF-16: Latin letters, digits and spaces have one each."""


def require_text(source: ByteSource, expected: str) -> None:
    """Checks that a file begins like text; `expected` names what it should be, for the message.

    Raises:
        CorpusError: if it is empty, a known binary format, or holds a NUL byte near its beginning.
    """
    head = source.head(HEAD_BYTES)
    is_wide = head.startswith(_MARKS_OF_WIDE_TEXT) or unmarked_utf16(head) is not None
    if not head.strip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n" if is_wide else b"\xef\xbb\xbf \t\r\n"):
        raise CorpusError(f"{source} is empty: expected {expected} with at least one row.")
    if is_wide:
        return
    found = format_of(head)
    if found is None and b"\0" in head:
        found = f"binary data (a NUL byte at byte {head.index(0)})"
    if found is not None:
        raise CorpusError(
            f"{source} is not what its name says: expected {expected}, found {found}. To fix it, rename the file to "
            f"what it is, or convert it."
        )


def unmarked_utf16(head: bytes) -> str | None:
    """Returns the name of the encoding if a file begins like UTF-16 without its mark, else None."""
    if format_of(head) is not None:
        return None
    high_nuls, low_nuls = head[1::2].count(0), head[::2].count(0)
    if low_nuls == 0 and high_nuls >= max(1, _LEAST_NULS * len(head) / 2):
        return "utf-16-le"
    if high_nuls == 0 and low_nuls >= max(1, _LEAST_NULS * len(head) / 2):
        return "utf-16-be"
    return None


def require_parquet(source: ByteSource) -> None:
    """Checks that a file begins and ends like a Parquet file.

    Raises:
        CorpusError: if it is empty, another format, or cut short.
    """
    head = source.head(HEAD_BYTES)
    if not head:
        raise CorpusError(f"{source} is empty: expected a Parquet file.")
    if not head.startswith(b"PAR1"):
        found = format_of(head) or ("binary data" if b"\0" in head else "plain text")
        raise CorpusError(
            f"{source} is not what its name says: expected a Parquet file, found {found}. Rename it to what it is "
            f"(.csv, .tsv, .jsonl, .txt)."
        )
    if source.is_packed:
        return
    with source.path.open("rb") as file:
        file.seek(max(0, source.path.stat().st_size - 4))
        if file.read() != b"PAR1":
            raise CorpusError(f"{source} is a Parquet file that was cut short: its end is missing. Copy it again.")


def format_of(head: bytes) -> str | None:
    """Returns what kind of file begins like this, None if it is unknown."""
    return next((name for signature, name in _SIGNATURES if head.startswith(signature)), None)
