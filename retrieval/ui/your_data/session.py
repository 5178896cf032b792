"""What one visitor brought and built, in folders that nobody else knows."""

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

from retrieval.errors import CorpusError
from retrieval.serving.child_job import ChildJob
from retrieval.serving.visitor.queue import Client
from retrieval.ui.your_data.own_index import OwnIndex, discard

Doing = Literal["build", "measure index", "measure vectors"]
"""What a job of a visitor is for."""
NO_DATA = "Your data is no longer here: it is deleted when the connection to the page is lost. Upload it again."


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

    def built(self) -> OwnIndex:
        """Returns the index that was built.

        Raises:
            CorpusError: if there is none.
        """
        if self.own is None:
            raise CorpusError(NO_DATA)
        return self.own

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
