"""What each visitor uploaded and built, by session of the page: private, and deleted with the session.

An index that was built is part of the session.
Gradio keeps the state of a closed page for an hour. Files must not stay that long, and when a page is closed only its
session is known: hence this register next to the page's own state.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from retrieval.errors import BuildError, BundleMissingError
from retrieval.search.searcher import Searcher
from retrieval.serving.child_job import ChildJob
from retrieval.serving.open_pages import LEFT_S, OPEN_PAGES, OpenPages
from retrieval.serving.temp_folders import TempRoot, folder_bytes
from retrieval.serving.visitor.limits import OwnLimits
from retrieval.serving.visitor.queue import Client

STAY_S = 30.0
"""How long a visitor may take to decide whether to leave an index behind."""
_MAX_IDLE_S = 12 * 3600.0
"""An open page that is idle for this long loses its data."""


OWN = "(yours)"
"""The name under which visitors select their own index. No folder has this name, and names come from folders."""
Doing = Literal["build", "measure index", "measure vectors"]
"""What a job of a visitor is for."""


class OwnIndex:
    """A built index, open, and the folder to delete with it."""

    def __init__(self, searcher: Searcher, folder: Path, label: str) -> None:
        """Takes what the visitor called it, such as the name of the file, as the label."""
        self._searcher: Searcher | None = searcher
        self._lock = threading.Lock()
        self.folder = folder
        self.label = label

    def __deepcopy__(self, memo: object) -> OwnIndex:
        return self  # the session's state may be copied; what is open is shared by the copies

    def __repr__(self) -> str:
        return f"OwnIndex({self.label!r}, {self._searcher!r})"

    @property
    def is_open(self) -> bool:
        """Returns whether it can still be searched."""
        return self._searcher is not None

    @property
    def searcher(self) -> Searcher:
        """Returns what searches it.

        Raises:
            BundleMissingError: if it was deleted.
        """
        searcher = self._searcher
        if searcher is None:
            raise BundleMissingError("your index was deleted: choose another one, or upload your data again.")
        return searcher

    def close(self) -> None:
        """Deletes the files and unmaps them: until then, the disk would keep their content."""
        with self._lock:
            self._searcher = None
            shutil.rmtree(self.folder, ignore_errors=True)


def discard(own: OwnIndex | None) -> None:
    """Deletes the visitor's files; called when the session ends, or when another index replaces this one."""
    if own is not None:
        own.close()


@dataclass(frozen=True, slots=True)
class Source:
    """What a visitor uploaded."""

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
        """What inspecting the source found; see `serving.visitor.child.inspect`."""
        self.job: ChildJob | None = None
        self.doing: Doing = "build"
        """What the job is for."""
        self.own: OwnIndex | None = None
        self.client = Client()
        """In whose turn its jobs run."""
        self.last_used_s = time.monotonic()
        self.is_ended = False

    @property
    def is_empty(self) -> bool:
        """Returns whether nothing was uploaded and nothing built."""
        return self.source is None and self.job is None and self.own is None

    def take(self, source: Source | None) -> None:
        """Replaces the source; the file of the old one is deleted."""
        with self.lock:
            self.stop()
            if self.source is not None:
                self.source.path.unlink(missing_ok=True)
            self.source, self.looked = source, {}

    def stop(self) -> None:
        """Ends the current job."""
        with self.lock:
            if self.job is not None:
                self.job.cancel()
                self.job.wait(5)
                self.job = None

    def keep(self, own: OwnIndex | None) -> None:
        """Replaces the index; the old one is deleted."""
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
        """Moves a new index out of the way of the next build, and returns its new place."""
        return built.rename(self.folder / f"index-{secrets.token_hex(4)}")

    def end(self) -> None:
        """Ends what runs, and deletes everything."""
        with self.lock:
            self.is_ended = True
            self.stop()
            self.keep(None)
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.download_folder, ignore_errors=True)


class OwnSessions:
    """The sessions by their key, which only the visitor's page knows."""

    def __init__(self, files: TempRoot, downloads: TempRoot, limits: OwnLimits, pages: OpenPages = OPEN_PAGES) -> None:
        """Takes where files are kept, and what all sessions together may hold.

        Args:
            files: where nothing is ever served.
            downloads: for files that their own visitor may fetch, in the folder in which Gradio keeps uploads.
            limits: how many sessions there may be, and of how many bytes.
            pages: which pages are open.
        """
        self.files = files
        self.downloads = downloads
        self._limits = limits
        self._pages = pages
        self._by_key: dict[str, OwnSession] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._by_key)

    def of(self, key: str) -> OwnSession:
        """Returns the session of a page, a new one if there is none; it has no folders until `to_bring`.

        Raises:
            BuildError: if there are too many.
        """
        with self._lock:
            session = self._by_key.get(key)
            if session is None:
                self._make_room()
                session = OwnSession(self.files.new_path(), self.downloads.new_path())
                self._by_key[key] = session
            session.last_used_s = time.monotonic()
        return session

    def to_bring(self, key: str) -> OwnSession:
        """Returns the session of a page, with folders to put something in.

        Raises:
            BuildError: if there are too many sessions, or they hold too much.
        """
        self.check_room()
        session = self.of(key)
        self.files.make(session.folder)
        self.downloads.make(session.download_folder)
        return session

    def check_room(self) -> None:
        """Checks that there is room for more of visitors' data.

        Raises:
            BuildError: if there is none.
        """
        if self.used_bytes() >= self._limits.max_total_bytes:
            raise BuildError("this server has no space for more visitors' data now: try again in a few minutes.")

    def used_bytes(self) -> int:
        """Returns the size of everything that visitors have here, including uploads that no view took yet."""
        return folder_bytes(self.files.path) + folder_bytes(self.downloads.path.parent)

    def end(self, key: str) -> None:
        """Deletes everything that belongs to a session; an unknown one has nothing."""
        with self._lock:
            session = self._by_key.pop(key, None)
        if session is not None:
            session.end()

    def leave(self, key: str, stay_s: float = STAY_S) -> None:
        """Deletes all that belongs to a session whose page was closed; an index only if it is still closed in `stay_s`.

        A page with an index asks for confirmation before it is left. Its connection is closed by then; visitors who
        stay open it again.
        """
        session = self._by_key.get(key)
        if session is None or session.own is None:
            self.end(key)
            return
        timer = threading.Timer(stay_s, self._end_unless_open, (key,))
        timer.daemon = True
        timer.start()

    def _end_unless_open(self, key: str) -> None:
        if not self._pages.is_open(key):
            self.end(key)

    def end_left(self, left_s: float = LEFT_S) -> None:
        """Ends the sessions whose visitor left, whether or not the browser said so."""
        now = time.monotonic()
        for key, session in list(self._by_key.items()):
            idle_s = now - session.last_used_s
            if idle_s > (_MAX_IDLE_S if self._pages.is_open(key) else left_s):
                self.end(key)

    def close(self) -> None:
        """Deletes what belongs to all sessions, without waiting for what still uses it."""
        self.files.remove()
        self.downloads.remove()

    def _make_room(self) -> None:
        if len(self._by_key) < self._limits.max_sessions:
            return
        empty = [key for key, session in self._by_key.items() if session.is_empty]
        if not empty:
            raise BuildError("too many visitors have data here now: try again in a few minutes.")
        del self._by_key[min(empty, key=lambda key: self._by_key[key].last_used_s)]
