"""Checks the big files of a bundle against their checksums during searches, and again when they change."""

from __future__ import annotations

import hashlib
import os
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from io import BufferedReader

from retrieval.bundle.bundle import Bundle
from retrieval.bundle.manifest import BINARY_FILE
from retrieval.bundle.watched_files import WatchedFiles
from retrieval.errors import BundleError, BundleMissingError

_LOWEST_PRIORITY = 19
_PIECE_S = 0.001
"""A background check pauses after this much work, so that a query finds the core free."""
_REST = 4.0
"""How much longer it pauses than it works: it takes a fifth of one core and of the memory bandwidth."""


class Verification:
    """Reads every file whose checksum was not checked at opening; those that are changed in place are read again."""

    def __init__(self, bundle: Bundle) -> None:
        """Takes a bundle before its files are opened: from now on, changes to them are noticed."""
        self._bundle = bundle
        self._watched = WatchedFiles({name: bundle.file(name) for name in bundle.manifest.files})
        self._checking_again = threading.Lock()
        self._failure: BundleError | None = None
        self._thread: threading.Thread | None = None
        self.status = "not started"
        """`not started`, `running`, `passed` or `failed`."""

    def start(self, when: str) -> None:
        """Starts the check: `background`, `now` (returns when it is done), or `never`.

        Raises:
            BundleMissingError: if a file cannot be opened.
            BundleError: with `now`, if a file is altered.
            ValueError: if `when` is none of the three.
        """
        if when not in ("background", "now", "never"):
            raise ValueError(f"verify is {when!r}: 'background', 'now' or 'never' is needed")
        if when == "never":
            return
        files = self._open_files()
        if when == "now":
            self._check(files)
            self.raise_if_failed()
        else:
            self.status = "running"
            self._thread = threading.Thread(target=self._check_behind, args=(files,), name="verify-bundle", daemon=True)
            self._thread.start()

    def is_in_ram(self, name: str) -> None:
        """Notes that all of a file was read into RAM: what happens to it no longer matters."""
        self._watched.forget(name)

    def wait(self) -> None:
        """Returns when a check in the background is done."""
        if self._thread is not None:
            self._thread.join()

    def raise_if_failed(self) -> None:
        """Raises the error that the check ended with, if it failed.

        A file that was changed in place since the last call is read in full first. Until that is done, this does not
        return: what is mapped of it may be something else than what was built.

        Raises:
            BundleError: if a file is altered or missing.
        """
        if self._failure is None and (self._watched.changed() or self._checking_again.locked()):
            self._check_changed()
        if self._failure is not None:
            raise type(self._failure)(f"this index is out of service: {self._failure}")

    def _check_changed(self) -> None:
        with self._checking_again:  # other callers wait here meanwhile
            for name in self._watched.changed():
                self._watched.accept(name)
                try:
                    self._bundle.check_size(name)
                    self._bundle.check_whole(name)
                except BundleError as error:
                    self._failure = type(error)(f"a file was changed while it was in use. {error}")
                    self.status = "failed"
                    return

    def _open_files(self) -> dict[str, BufferedReader]:
        """Opens the files at once: a build that replaces the folder later must not look like damage."""
        files: dict[str, BufferedReader] = {}
        with ExitStack() as stack:
            try:
                for name in self._bundle.manifest.files:
                    if name != BINARY_FILE:
                        files[name] = stack.enter_context(self._bundle.file(name).open("rb"))
            except OSError as error:
                raise BundleMissingError(f"a file of {self._bundle.path} cannot be opened: {error}.") from error
            stack.pop_all()
        return files

    def _check_behind(self, files: Mapping[str, BufferedReader]) -> None:
        """Checks the files in the time that queries leave: on Linux, each thread has its own priority."""
        if sys.platform == "linux":
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST_PRIORITY)
        self._check(files, rest=_REST)

    def _check(self, files: Mapping[str, BufferedReader], rest: float = 0.0) -> None:
        try:
            for name, file in files.items():
                found = hashlib.file_digest(_Paced(file, rest) if rest else file, "sha256").hexdigest()
                self._bundle.check_sha256(name, found)
        except BundleError as error:
            self._failure = error
        except OSError as error:
            self._failure = BundleError(f"a file of {self._bundle.path} cannot be read: {error}")
        finally:
            for file in files.values():
                file.close()
        self.status = "passed" if self._failure is None else "failed"


class _Paced:
    """Reads a file for `hashlib.file_digest`, which asks for pieces of 256 KB, and rests between them."""

    def __init__(self, file: BufferedReader, rest: float) -> None:
        self._file = file
        self._rest = rest
        self._work_began = time.thread_time()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:
        worked_s = time.thread_time() - self._work_began  # not the clock: waiting for a core is not work
        if worked_s >= _PIECE_S:
            time.sleep(self._rest * worked_s)
            self._work_began = time.thread_time()
        return self._file.readinto(buffer)
