"""The bytes of one file: as they are, or unpacked while it is read, never to the disk."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa

from retrieval.errors import CorpusError, counted

STREAMS: dict[str, Callable[[Path], Any]] = {
    ".gz": gzip.GzipFile,
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
    ".zst": lambda path: pa.CompressedInputStream(pa.OSFile(str(path)), "zstd"),
}
"""The functions that open a compressed file, by the end of its name."""
PACKED = (*STREAMS, ".zip")
_BUFFER_BYTES = 1 << 16
_ENCRYPTED = 1
_SHOWN_MEMBERS = 5


class ByteSource:
    """A file to read from its beginning, any number of times. Its `str` is what messages call it."""

    def __init__(
        self, path: Path, suffix: str, unpack: Callable[[], Any] | None = None, max_bytes: int | None = None
    ) -> None:
        self.path = path
        self.suffix = suffix
        """In lower case; for a compressed file, that of its content."""
        self.is_packed = unpack is not None
        self._unpack = unpack
        self._max_bytes = max_bytes

    def __str__(self) -> str:
        return str(self.path)

    @property
    def name(self) -> str:
        """Returns the name of the file for notes, which are kept in the index, where paths do not belong."""
        return self.path.name

    def open(self) -> io.BufferedReader:
        """Returns the content as a stream.

        Raises:
            CorpusError: if it cannot be opened; while it is read, if it is damaged or unpacks to more than is allowed.
        """
        try:
            if self._unpack is None:
                return self.path.open("rb")
            raw = _Unpacked(self._unpack(), self.path, self._max_bytes)
        except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise CorpusError(f"{self.path} cannot be opened: {_reason(error)}.") from error
        return io.BufferedReader(raw, _BUFFER_BYTES)

    def head(self, num_bytes: int) -> bytes:
        """Returns the first bytes.

        Raises:
            CorpusError: as `open` does.
        """
        with self.open() as file:
            return file.read(num_bytes)

    def seekable(self) -> Path | io.BytesIO:
        """Returns the path, or the unpacked content in RAM: for formats that are read from their end.

        Raises:
            CorpusError: as `open` does.
        """
        if not self.is_packed:
            return self.path
        with self.open() as file:
            return io.BytesIO(file.read())


def byte_source(path: Path, max_unpacked_bytes: int | None = None) -> ByteSource:
    """Returns the content of a file; a compressed file, or the only file in a .zip, is unpacked.

    Raises:
        CorpusError: if a .zip cannot be read, or does not hold exactly one file.
    """
    suffix = path.suffix.lower()
    if (unpack := STREAMS.get(suffix)) is not None:
        return ByteSource(path, Path(path.stem).suffix.lower(), lambda: unpack(path), max_unpacked_bytes)
    if suffix == ".zip":
        member = _only_member(path)
        inner = PurePosixPath(member.filename).suffix.lower()
        return ByteSource(path, inner, lambda: zipfile.ZipFile(path).open(member), max_unpacked_bytes)
    return ByteSource(path, suffix)


def require_unpacked_size(path: Path, max_bytes: int | None) -> None:
    """Checks that the files in a zip archive, such as a workbook, take at most `max_bytes` together.

    Python's `zipfile` never unpacks more of a file than its entry states.

    Raises:
        CorpusError: if they take more, or it is not a zip archive.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except (OSError, zipfile.BadZipFile) as error:
        raise CorpusError(f"{path} cannot be opened: {_reason(error)}.") from error
    if max_bytes is not None and size > max_bytes:
        raise _too_large(path, max_bytes)


def _only_member(path: Path) -> zipfile.ZipInfo:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if _is_content(member)]
    except (OSError, zipfile.BadZipFile) as error:
        raise CorpusError(f"{path} is not a ZIP archive that can be read: {_reason(error)}. Copy it again.") from error
    if len(members) != 1:
        names = ", ".join(member.filename for member in members[:_SHOWN_MEMBERS])
        names += ", …" if len(members) > _SHOWN_MEMBERS else ""
        raise CorpusError(
            f"{path} holds {counted(len(members), 'file')}{f' ({names})' if names else ''}: expected one. Unpack it "
            f"and use one of them, or the folder."
        )
    if members[0].flag_bits & _ENCRYPTED:
        raise CorpusError(f"{path} is encrypted: unpack it with its password, and use the file in it.")
    return members[0]


def _is_content(member: zipfile.ZipInfo) -> bool:
    """Tells files from folders, and from what macOS adds."""
    name = PurePosixPath(member.filename)
    return not member.is_dir() and "__MACOSX" not in name.parts and not name.name.startswith(".")


class _Unpacked(io.RawIOBase):
    """Counts the unpacked bytes, and turns the archive's errors into ours."""

    def __init__(self, file: Any, path: Path, max_bytes: int | None) -> None:
        self._file = file
        self._path = path
        self._max_bytes = max_bytes
        self._num_bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            content = self._file.read(len(buffer))
        except (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile) as error:
            raise CorpusError(f"{self._path} is damaged or was cut short: {_reason(error)}. Copy it again.") from error
        self._num_bytes += len(content)
        if self._max_bytes is not None and self._num_bytes > self._max_bytes:
            raise _too_large(self._path, self._max_bytes)
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        self._file.close()
        super().close()


def _too_large(path: Path, max_bytes: int) -> CorpusError:
    return CorpusError(
        f"{path} unpacks to more than {max_bytes / 1e6:,.0f} MB, the most that is allowed here: use a part of it."
    )


def _reason(error: Exception) -> str:
    strerror = getattr(error, "strerror", None)
    return strerror or str(error).rstrip(".") or type(error).__name__
