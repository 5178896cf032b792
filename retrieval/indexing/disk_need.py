"""How much disk space a build needs, reported beforehand, and refused if it is not there."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from retrieval.bundle.int8_store import store_bytes
from retrieval.bundle.manifest import BINARY_FILE, EMBEDDINGS_FILE, INT8_FILE, LISTS_FILE
from retrieval.errors import BuildError
from retrieval.indexing.folder import VECTORS_FILE
from retrieval.indexing.lists import chosen_lists
from retrieval.quantization import num_code_bytes

_COUNTED = (VECTORS_FILE, BINARY_FILE, INT8_FILE, EMBEDDINGS_FILE, LISTS_FILE)
_POSITION_BYTES = 8
_WORTH_A_NOTE_BYTES = 10**9
_SLACK_BYTES = 1 << 20
"""File headers, the manifest, and what the file system rounds up."""


@dataclass(frozen=True, slots=True)
class DiskNeed:
    """The disk space for the vectors and codes of a build while it runs; its documents come on top."""

    num_rows: int
    num_texts: int
    """Distinct ones."""
    dim: int
    baseline: bool
    """Whether the float32 vectors of all rows are kept."""
    lists: int | None
    """As `BuildOptions.lists`."""

    @property
    def size_bytes(self) -> int:
        """Returns the bytes of all files of vectors and codes together."""
        float_bytes, code_bytes = 4 * self.dim, num_code_bytes(self.dim)
        # If every text is a row, the baseline is a hard link to the vectors.
        needs_copy = self.baseline and self.num_texts != self.num_rows
        num_lists = chosen_lists(self.lists, self.num_texts)
        return (
            self.num_texts * float_bytes
            + (self.num_rows * float_bytes if needs_copy else 0)
            + self.num_rows * code_bytes
            + store_bytes(self.num_rows, self.dim)
            + (self.num_texts * (code_bytes + _POSITION_BYTES) + num_lists * float_bytes if num_lists else 0)
            + _SLACK_BYTES
        )

    @property
    def least_bytes(self) -> int:
        """Returns the bytes that the rows take even if all have the same text."""
        return DiskNeed(self.num_rows, min(1, self.num_rows), self.dim, self.baseline, self.lists).size_bytes


def check_before_reading(need: DiskNeed, work: Path, note: Callable[[str], None]) -> None:
    """Reports the most that a build in the folder `work` can take, if all its rows have distinct texts.

    Raises:
        BuildError: if there is not even space for rows that all have the same text.
    """
    if need.size_bytes >= _WORTH_A_NOTE_BYTES:
        note(
            f"This build takes up to {_gb(need.size_bytes)} of disk for {need.num_rows:,} rows, in addition to their "
            f"documents; {_gb(_room(work))} are free at {work.parent}."
        )
    _require(need.least_bytes, "at least ", work)


def check_after_reading(need: DiskNeed, work: Path, note: Callable[[str], None]) -> None:
    """Reports what a build takes once its documents are written.

    Raises:
        BuildError: if there is not enough space.
    """
    if need.size_bytes >= _WORTH_A_NOTE_BYTES:
        note(
            f"The vectors and codes of {need.num_texts:,} distinct texts take {_gb(need.size_bytes)} of disk; "
            f"{_gb(_room(work))} are free."
        )
    _require(need.size_bytes, "", work)


def _require(size_bytes: int, at_least: str, work: Path) -> None:
    if size_bytes > (room := _room(work)):
        raise BuildError(
            f"the disk is too small at {work.parent}: {at_least}{_gb(size_bytes)} are needed plus the documents, "
            f"{_gb(room)} are free. Free some space and run the same command again, or choose an output on another "
            f"disk."
        )


def _room(work: Path) -> int:
    """Returns the bytes that are free, plus those of earlier files, which this build overwrites or reuses."""
    files = [path.stat() for name in _COUNTED if (path := work / name).is_file()]
    there = {found.st_ino: found.st_size for found in files}
    return shutil.disk_usage(work).free + sum(there.values())


def _gb(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:,.1f} GB" if size_bytes >= _WORTH_A_NOTE_BYTES / 10 else f"{size_bytes / 1e6:,.1f} MB"
