"""What a file really is, whatever its name says."""

from __future__ import annotations

from pathlib import Path

from retrieval.errors import CorpusError

_HEAD_BYTES = 65_536
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
    (b"\xff\xfe", "UTF-16 text"),
    (b"\xfe\xff", "UTF-16 text"),
)


def require_text(path: Path, expected: str) -> None:
    """Returns when `path` begins like text in UTF-8; `expected` names what it should be, for the message.

    Raises:
        CorpusError: if it is empty, a known binary format, in UTF-16, or holds a NUL byte near its beginning.
    """
    head = _head(path)
    if not head.strip(b"\xef\xbb\xbf \t\r\n"):
        raise CorpusError(f"{path} is empty: expected {expected} with at least one row.")
    found = _named(head)
    if found is None and b"\0" in head:
        found = f"binary data (a NUL byte at byte {head.index(0)})"
    if found is not None:
        mend = "save it as UTF-8" if "UTF-16" in found else "name the file by what it is, or convert it"
        raise CorpusError(f"{path} is not what its name says: expected {expected}, found {found}. To mend it, {mend}.")


def require_parquet(path: Path) -> None:
    """Returns when `path` begins and ends like a Parquet file.

    Raises:
        CorpusError: if it is empty, another format, or cut short.
    """
    head = _head(path)
    if not head:
        raise CorpusError(f"{path} is empty: expected a Parquet file.")
    if not head.startswith(b"PAR1"):
        found = _named(head) or ("binary data" if b"\0" in head else "plain text")
        raise CorpusError(
            f"{path} is not what its name says: expected a Parquet file, found {found}. Rename it to what it is "
            f"(.csv, .tsv, .jsonl, .txt)."
        )
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 4))
        if file.read() != b"PAR1":
            raise CorpusError(f"{path} is a Parquet file that was cut short: its end is missing. Copy it again.")


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD_BYTES)
    except OSError as error:
        raise CorpusError(f"{path} cannot be opened: {error.strerror}.") from error


def _named(head: bytes) -> str | None:
    return next((name for signature, name in _SIGNATURES if head.startswith(signature)), None)
