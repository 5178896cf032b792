"""Temporary folders: readable by this process's user alone, and gone with the process, or at the next start."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import tempfile
from pathlib import Path

from retrieval.encoding.model_cache import cache_folder
from retrieval.errors import BuildError

_LOCK = "lock"
_TRIES = 3
_PREFIX = "embedding-quantization-own-"


class TempRoot:
    """A folder of this process, with a folder for each visitor in it.

    The process holds a lock on it. Folders of dead processes are unlocked, and are removed at the next
    start.
    """

    def __init__(self, parent: Path | None = None) -> None:
        """Makes the folder in `parent`, by default where the system keeps temporary files, and removes left-overs."""
        parent = parent or Path(tempfile.gettempdir())
        parent.mkdir(parents=True, exist_ok=True)
        _remove_left_overs(parent)
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        self._lock = self._hold()
        self._is_removed = False

    def new_path(self) -> Path:
        """Returns a name for a folder that nobody can guess; `make` makes it."""
        return self.path / secrets.token_urlsafe(24)

    def make(self, folder: Path) -> None:
        """Makes a folder in this one where it is missing: a cleaner of temporary files may have taken both away."""
        if self._is_removed:
            return
        for each in (self.path, folder):
            each.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (self.path / _LOCK).exists():
            os.close(self._lock)
            self._lock = self._hold()

    def _hold(self) -> int:
        fresh = self.path / "lock.new"
        # Held before it has its name: nobody ever finds a lock of a living process that is free.
        descriptor = os.open(fresh, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        fresh.rename(self.path / _LOCK)
        return descriptor

    def remove(self) -> None:
        """Removes the folder and all that is in it, for good."""
        self._is_removed = True
        _remove(self.path)


def folder_bytes(folder: Path) -> int:
    """Returns the size of all files in a folder; files that vanish meanwhile count as nothing."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += Path(parent, name).lstat().st_size
    return total


def _remove(folder: Path) -> None:
    """The lock goes last: what cannot be removed now is found by it at the next start."""
    for _ in range(_TRIES):  # a thread that still runs may write while this deletes
        for each in folder.glob("*"):
            if each.is_dir() and not each.is_symlink():
                shutil.rmtree(each, ignore_errors=True)
            elif each.name != _LOCK:
                with contextlib.suppress(OSError):
                    each.unlink()
        if [each.name for each in folder.glob("*")] in ([_LOCK], []):
            shutil.rmtree(folder, ignore_errors=True)
            return


def private_parent(served: Path) -> Path:
    """Returns where folders can be made that nothing serves or cleans: outside `served`, which Gradio does both to.

    Raises:
        BuildError: if there is no such place.
    """
    for place in (Path(tempfile.gettempdir()), cache_folder()):
        if not place.resolve().is_relative_to(served.resolve()):
            return place
    raise BuildError(
        f"visitors' data would be stored in {served}, which the page serves: set GRADIO_TEMP_DIR to another "
        f"folder, or turn Your data off with OWN_DATA=0."
    )


def _remove_left_overs(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):  # of another user, or in use, or without a lock: not ours to remove
            if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
                continue
            descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(folder)
            finally:
                os.close(descriptor)
