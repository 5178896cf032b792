"""The files of a built index, and the manifest that describes them.

binary.faiss      sign bits of every row, an IndexBinaryFlat
int8.usearch      int8 codes of every row
embeddings.npy    float32 `(n, dim)`, the baseline; may be left out
lists.faiss       sign bits of every distinct text, in lists, for the scan `lists`; may be left out
documents/        documents.arrow: the rows themselves, an Arrow IPC file
manifest.json     what the index is made of, the size and SHA-256 of every file above, and its own checksum
benchmark.json    what was measured on it; not part of the index, and may be absent
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from retrieval.bundle.manifest import BINARY_FILE, Manifest
from retrieval.encoding.model_cache import sha256_of
from retrieval.errors import BundleCorruptError, BundleError, BundleMissingError


@dataclass(frozen=True, slots=True)
class Bundle:
    """A folder whose manifest was read and whose files are there, at their recorded sizes."""

    path: Path
    manifest: Manifest

    @classmethod
    def open(cls, path: Path | str) -> Self:
        """Returns the bundle in a folder, after checking manifest, files and sizes, and the checksum of the codes.

        Raises:
            BundleMissingError: if the folder, the manifest or a file is not there.
            BundleCorruptError: if the manifest cannot be read, a size differs, or the codes are altered.
            BundleIncompatibleError: if the format version is another.
        """
        path = Path(path)
        if not path.is_dir():
            raise BundleMissingError(f"no index at {path}: build one with scripts/build_index.py --output {path}.")
        bundle = cls(path, Manifest.read(path))
        for name in bundle.manifest.files:
            bundle.check_size(name)
        bundle.check_whole(BINARY_FILE)
        return bundle

    def check_current(self) -> None:
        """Checks that the folder still holds this bundle: a build may have replaced it since it was opened.

        Raises:
            BundleError: if it holds another one.
        """
        if Manifest.read(self.path) != self.manifest:
            raise BundleError(f"{self.path} was replaced by a new index while it was being opened: open it again.")

    def file(self, name: str) -> Path:
        """Returns the path of one of the bundle's files."""
        return self.path / name

    def check_size(self, name: str) -> None:
        """Checks that a file is there and has its recorded size.

        Raises:
            BundleMissingError: if it is not there.
            BundleCorruptError: if its size differs.
        """
        expected = self.manifest.files[name].size_bytes
        try:
            found = self.file(name).stat().st_size
        except (FileNotFoundError, NotADirectoryError) as error:
            raise BundleMissingError(
                f"{self.file(name)} is missing: copy the whole folder, or build the index again."
            ) from error
        except OSError as error:
            raise BundleError(f"{self.file(name)} cannot be read: {error}.") from error
        if found != expected:
            raise BundleCorruptError(
                f"{self.file(name)} has {found:,} bytes, expected {expected:,}: it is truncated or altered. "
                f"Copy it again, or build the index again."
            )

    def check_whole(self, name: str) -> None:
        """Checks a file against its recorded checksum, which reads all of it.

        Raises:
            BundleCorruptError: if the checksum differs.
            BundleError: if the file cannot be read.
        """
        try:
            found = sha256_of(self.file(name))
        except OSError as error:
            raise BundleError(f"{self.file(name)} cannot be read: {error}.") from error
        self.check_sha256(name, found)

    def check_sha256(self, name: str, found: str) -> None:
        """Checks the checksum that was found of a file, in hexadecimal, against the recorded one.

        Raises:
            BundleCorruptError: if it differs.
        """
        expected = self.manifest.files[name].sha256
        if found != expected:
            raise BundleCorruptError(
                f"{self.file(name)} is altered: SHA-256 {found[:16]}…, expected {expected[:16]}…. "
                f"Copy it again, or build the index again."
            )
