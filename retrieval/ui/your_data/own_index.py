"""The index that a visitor built: searched by nobody else, and deleted with the files it is made of."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

from retrieval.errors import BundleMissingError
from retrieval.search.searcher import Searcher

OWN = "(yours)"
"""The name under which visitors select their own index. No folder has this name, and names come from folders."""


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
