"""Writing files so that nobody ever finds half of one, not even after a crash of the machine."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

NEW_SUFFIX = ".new"
"""Added to a name while the file is written; a killed process may leave one."""


def sync(path: Path) -> None:
    """Asks the system to write a file or folder to the disk before anything else."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_rows(file: BinaryIO, batches: Iterable[npt.NDArray[Any]]) -> int:
    """Writes arrays `(any, width)` one after the other, one batch in RAM at a time, and returns their number of rows.

    Raises:
        OSError: if the disk is full, or the file cannot be written.
    """
    num_rows = 0
    for batch in batches:
        file.write(np.ascontiguousarray(batch).data)
        num_rows += len(batch)
    return num_rows


def write_json(path: Path, value: object) -> None:
    """Replaces the JSON file at `path` in one step: a reader finds the old file or the new one, never a part.

    The new file is on disk before it replaces the old one, so this holds even if the machine stops.

    Raises:
        OSError: if the folder cannot be written.
    """
    fresh = path.with_name(f"{path.name}{NEW_SUFFIX}")
    try:
        fresh.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
        sync(fresh)
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
