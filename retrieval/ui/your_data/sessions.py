"""What each visitor brought and built, by the session of the page: found by nobody else, and deleted with the session.

Gradio keeps the state of a closed page for an hour. Files are not to lie around that long, and when a page is closed
there is only its session to go by: hence this register beside the page's own state.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from retrieval.serving.visitor.queue import BuildJob
from retrieval.ui.your_data.folders import TempRoot
from retrieval.ui.your_data.index import OwnIndex, discard

_MAX_IDLE_S = 12 * 3600.0
"""A page that is closed tells; this is for programs that never do."""


@dataclass(frozen=True, slots=True)
class Source:
    """What a visitor brought."""

    path: Path
    title: str
    size_bytes: int


class OwnSession:
    """One visitor's data. Handlers of one page may run side by side: changes go through the methods."""

    def __init__(self, folder: Path, download_folder: Path) -> None:
        self.folder = folder
        self.download_folder = download_folder
        self.lock = threading.RLock()
        self.source: Source | None = None
        self.looked: Mapping[str, Any] = {}
        """What the look at the source found; see `serving.visitor.child.inspect`."""
        self.job: BuildJob | None = None
        self.own: OwnIndex | None = None
        self.last_used_s = time.monotonic()
        self.is_ended = False

    def take(self, source: Source | None) -> None:
        """Puts another source in the place of the one there was, whose file is deleted."""
        with self.lock:
            self.stop()
            if self.source is not None:
                self.source.path.unlink(missing_ok=True)
            self.source, self.looked = source, {}

    def stop(self) -> None:
        """Ends the job that is under way."""
        with self.lock:
            if self.job is not None:
                self.job.cancel()
                self.job.wait(5)
                self.job = None

    def keep(self, own: OwnIndex | None) -> None:
        """Puts an index in the place of the one there was, which is deleted."""
        with self.lock:
            before, self.own = self.own, own
            if self.is_ended:
                self.own = None
                discard(own)
        for leftover in self.download_folder.glob("*"):
            with contextlib.suppress(OSError):
                leftover.unlink()
        discard(before)

    def adopt(self, built: Path) -> Path:
        """Returns where a new index is from now on, out of the way of the next build."""
        return built.rename(self.folder / f"index-{secrets.token_hex(4)}")

    def end(self) -> None:
        """Ends what runs, and deletes everything."""
        with self.lock:
            self.is_ended = True
            self.stop()
            self.keep(None)
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.download_folder, ignore_errors=True)


@dataclass
class OwnSessions:
    """The sessions by their key, which only the visitor's page knows."""

    files: TempRoot
    """Where files are; nothing in it is ever served."""
    downloads: TempRoot
    """Where files are made that their own visitor may fetch, each under a name that nobody can guess."""
    _by_key: dict[str, OwnSession] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, key: str) -> OwnSession:
        """Returns the session of a page, a new one where there is none."""
        with self._lock:
            session = self._by_key.get(key)
            if session is None:
                session = OwnSession(self.files.new_folder(), self.downloads.new_folder())
                self._by_key[key] = session
            self.files.make(session.folder)
            self.downloads.make(session.download_folder)
            session.last_used_s = time.monotonic()
            idle = [key for key, each in self._by_key.items() if time.monotonic() - each.last_used_s > _MAX_IDLE_S]
        for each in idle:
            self.end(each)
        return session

    def end(self, key: str) -> None:
        """Deletes all that belongs to a session; one that is not known has nothing."""
        with self._lock:
            session = self._by_key.pop(key, None)
        if session is not None:
            session.end()

    def close(self) -> None:
        """Ends every session, and removes the folders."""
        for key in list(self._by_key):
            self.end(key)
        self.files.remove()
        self.downloads.remove()
