"""An index that one visitor built from own documents: it lives in that visitor's session, and goes with it."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

from retrieval.errors import BundleMissingError
from retrieval.search.searcher import Searcher

OWN = "(yours)"
"""The name under which a visitor chooses the own index. No folder is called like this: names come from folders."""


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
            raise BundleMissingError("your own index was deleted: choose another one, or bring your data again.")
        return searcher

    def close(self) -> None:
        """Deletes the files, and lets go of what is mapped of them: until then, the disk would keep their content."""
        with self._lock:
            self._searcher = None
            shutil.rmtree(self.folder, ignore_errors=True)


def discard(own: OwnIndex | None) -> None:
    """Deletes the visitor's files; called when the session ends, or another index takes the place of this one."""
    if own is not None:
        own.close()
