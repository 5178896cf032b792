"""Where a build happens: a folder next to the target, locked by one builder, that replaces the target at the end."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from retrieval.bundle.files import NEW_SUFFIX, sync
from retrieval.bundle.manifest import BENCHMARK_FILE, FILES, MANIFEST_FILE
from retrieval.errors import BuildError
from retrieval.system import LIBC

TEXTS_FILE, VECTORS_FILE, PROGRESS_FILE = "texts.arrow", "vectors.npy", "progress.json"
"""Files that a build keeps to continue after a kill, and deletes when it is done."""
_UNFINISHED = (TEXTS_FILE, VECTORS_FILE, PROGRESS_FILE, PROGRESS_FILE + NEW_SUFFIX)
_HARDLY_ANY_BYTES = 1 << 16
_MEASURED = (BENCHMARK_FILE, BENCHMARK_FILE + NEW_SUFFIX)
_AT_WORKING_FOLDER, _RENAME_EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of renameat2(2)


def check_target(output: Path, *, overwrite: bool) -> None:
    """Checks that an index may be put at `output`.

    Raises:
        BuildError: if it is a file, holds something else, or holds an index and `overwrite` is not set.
    """
    if output.exists() and not output.is_dir():
        raise BuildError(f"{output} is a file: choose a folder for the index.")
    if not output.is_dir() or not any(output.iterdir()):
        return
    if not (output / MANIFEST_FILE).exists():
        raise BuildError(f"{output} holds something that is not an index: choose another folder, or empty this one.")
    if not overwrite:
        raise BuildError(f"{output} holds an index already: add --overwrite to replace it, or choose another folder.")


@contextmanager
def disk_errors(output: Path) -> Iterator[None]:
    """Maps disk failures while the index at `output` is made to errors that say what to do.

    Raises:
        BuildError: if the disk is full, or a file cannot be read or written.
    """
    try:
        yield
    except OSError as error:
        if _is_full(error, output.parent):
            raise BuildError(
                f"the disk is full at {output.parent}: free some space and run the same command again; "
                f"it continues where it stopped."
            ) from error
        raise BuildError(f"cannot write the index at {output}: {error}") from error


@contextmanager
def build_folder(output: Path) -> Iterator[Path]:
    """Locks `NAME.building` next to the target for this builder; what a killed build left there is kept.

    Raises:
        BuildError: if another build has it, or it contains unknown files.
    """
    work = output.with_name(output.name + ".building")
    work.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(work, os.O_RDONLY)
    try:
        try:
            # The lock ends with the process, so a killed build leaves none behind.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_ours = work.exists() and os.path.samestat(os.fstat(descriptor), work.stat())
        except BlockingIOError:
            is_ours = False
        if not is_ours:
            raise BuildError(f"another build is writing {work}: wait for it, or choose another folder.")
        _check_contents(work)
        # Until the build ends, this folder must not be mistaken for an index.
        (work / MANIFEST_FILE).unlink(missing_ok=True)
        # A build that was killed as the folders changed places leaves the old index here, with what it was measured at.
        for name in _MEASURED:
            (work / name).unlink(missing_ok=True)
        try:
            yield work
        except BaseException:
            if not (work / PROGRESS_FILE).exists():
                shutil.rmtree(work, ignore_errors=True)  # nothing was encoded: there is nothing to continue
            raise
    finally:
        os.close(descriptor)


def swap(work: Path, output: Path) -> None:
    """Replaces the target with the finished folder, in one step if the system can.

    Programs that have the old index open keep its files until they close it.
    """
    if not output.exists():
        work.replace(output)
    elif _exchange(work, output):
        shutil.rmtree(work, ignore_errors=True)
    else:
        old = output.with_name(f".{output.name}.replaced-{os.getpid()}")
        output.replace(old)
        work.replace(output)
        shutil.rmtree(old, ignore_errors=True)
    # Only now: a build that is killed before this line can still find its vectors.
    for name in _UNFINISHED:
        (output / name).unlink(missing_ok=True)
    sync(output)
    sync(output.parent)


def _is_full(error: OSError, folder: Path) -> bool:
    if error.errno in (errno.ENOSPC, errno.EDQUOT) or "No space left" in str(error):
        return True
    # Not every engine says why it could not write.
    return error.errno is None and shutil.disk_usage(folder).free < _HARDLY_ANY_BYTES


def _check_contents(work: Path) -> None:
    known = {*_UNFINISHED, *FILES, MANIFEST_FILE, *_MEASURED}
    found = {str(path.relative_to(work)) for path in work.rglob("*") if not path.is_dir()}
    if foreign := found - known:
        raise BuildError(
            f"{work} is needed for the build, but it contains {sorted(foreign)[0]}, which is not from a build: "
            f"move that folder away, or choose another output."
        )


def _exchange(one: Path, other: Path) -> bool:
    """Swaps the names of two folders, and returns whether the file system can do that."""
    if (renameat2 := getattr(LIBC, "renameat2", None)) is None:
        return False
    arguments = (_AT_WORKING_FOLDER, os.fsencode(one), _AT_WORKING_FOLDER, os.fsencode(other), _RENAME_EXCHANGE)
    return bool(renameat2(*arguments) == 0)
