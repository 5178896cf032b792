"""The converted models on this machine.

They live in `$EMBEDDING_QUANTIZATION_CACHE`, else `$XDG_CACHE_HOME/embedding-quantization`, else
`~/.cache/embedding-quantization`, under a key of weight hash, precision and OpenVINO version, each with checksums.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CONVERTED_FILES = ("model.xml", "model.bin", "tokenizer.json")
_CONVERSION = 2
"""Increased when the conversion changes: models from earlier releases are then converted again."""
_WORK_PREFIX = "convert-"


def cache_folder() -> Path:
    """Returns where converted models are kept; it may not exist yet."""
    chosen = os.environ.get("EMBEDDING_QUANTIZATION_CACHE")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "embedding-quantization"


def converted_folder(weights_sha256: str) -> Path:
    """Returns where the converted model of these weights belongs; it may not exist yet."""
    version = importlib.metadata.version("openvino")
    return cache_folder() / f"{weights_sha256[:16]}-f32-{_CONVERSION}-openvino-{version}"


def cached_model(weights_sha256: str) -> Path | None:
    """Returns the folder of the converted model of these weights, verified, or None if it is absent or altered."""
    folder = converted_folder(weights_sha256)
    try:
        record = json.loads((folder / "encoder.json").read_text())
        whole = record["weights_sha256"] == weights_sha256 and all(
            sha256_of(folder / name) == record["files"][name] for name in CONVERTED_FILES
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return folder if whole else None


def keep_converted(work: Path, weights_sha256: str) -> Path:
    """Moves a finished conversion into place, and returns its path; a complete one that is already there stays.

    Raises:
        OSError: if the cache cannot be written.
    """
    target = converted_folder(weights_sha256)
    # Another process may have put the same model there, and have it open; an altered one is replaced.
    if cached_model(weights_sha256) is None:
        shutil.rmtree(target, ignore_errors=True)
        work.replace(target)
    return target


@contextmanager
def conversion_folder() -> Iterator[Path]:
    """Provides a folder in the cache for one conversion, and removes it afterwards, with those of killed ones.

    Raises:
        OSError: if the cache cannot be written.
    """
    parent = cache_folder()
    parent.mkdir(parents=True, exist_ok=True)
    with locked(parent):  # no process sees a folder that another one has made but not locked yet
        _remove_abandoned(parent)
        work = Path(tempfile.mkdtemp(prefix=_WORK_PREFIX, dir=parent))
        # The lock ends with the process: a folder without one was left by a killed process.
        descriptor = os.open(work, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield work
    finally:
        os.close(descriptor)
        shutil.rmtree(work, ignore_errors=True)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Waits until no other process has locked `folder`, and locks it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _remove_abandoned(parent: Path) -> None:
    for folder in parent.glob(f"{_WORK_PREFIX}*"):
        try:
            descriptor = os.open(folder, os.O_RDONLY)
        except OSError:
            continue  # it is gone, or another user's
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue  # a conversion is running in it
        finally:
            os.close(descriptor)


def sha256_of(path: Path) -> str:
    """Returns the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
