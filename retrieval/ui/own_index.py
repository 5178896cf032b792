"""An index that one visitor built from own documents: it lives in that visitor's session, and goes with it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from retrieval.searcher import Searcher

OWN = "(yours)"
"""The name under which a visitor chooses the own index. No folder is called like this: names come from folders."""


@dataclass(frozen=True, slots=True)
class OwnIndex:
    """A built index, open, and the folder to delete with it."""

    searcher: Searcher
    folder: Path
    label: str
    """What the visitor called it, such as the name of the file."""

    def __deepcopy__(self, memo: object) -> OwnIndex:
        return self  # the session's state may be copied; what is open is shared by the copies


def discard(own: OwnIndex | None) -> None:
    """Deletes the visitor's files; called when the session ends, or another index takes the place of this one."""
    if own is not None:
        shutil.rmtree(own.folder, ignore_errors=True)
