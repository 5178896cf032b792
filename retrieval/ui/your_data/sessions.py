"""What each visitor uploaded and built, by session of the page: private, and deleted with the session.

An index that was built is part of the session.
Gradio keeps the state of a closed page for an hour. Files must not stay that long, and when a page is closed only its
session is known: hence this register next to the page's own state.
"""

from __future__ import annotations

import threading
import time

from retrieval.errors import BuildError
from retrieval.serving.open_pages import LEFT_S, OPEN_PAGES, OpenPages
from retrieval.serving.temp_folders import TempRoot, folder_bytes
from retrieval.serving.visitor.limits import OwnLimits
from retrieval.ui.your_data.session import OwnSession

STAY_S = 30.0
"""How long a visitor may take to decide whether to leave an index behind."""
_MAX_IDLE_S = 12 * 3600.0
"""An open page that is idle for this long loses its data."""


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
        if self.used_bytes() >= self._limits.max_total_bytes:
            raise BuildError("this server has no space for more visitors' data now: try again in a few minutes.")
        session = self.of(key)
        self.files.make(session.folder)
        self.downloads.make(session.download_folder)
        return session

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
