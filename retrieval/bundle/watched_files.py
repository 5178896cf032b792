"""Which files were changed in place since they were opened: what is mapped of them is then no longer what was checked.

A file that another one took the place of, or that was removed, is no such file: what is open of it stays as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class _State:
    identity: tuple[int, int]
    content: tuple[int, int, int]

    @classmethod
    def of(cls, path: Path) -> _State | None:
        try:
            now = path.stat()
        except OSError:
            return None
        # A tool may set the time of the last write back, but not that of the last change of the inode.
        return cls((now.st_dev, now.st_ino), (now.st_size, now.st_mtime_ns, now.st_ctime_ns))


class WatchedFiles:
    """Compares files with what they were. A look takes some microseconds a file. Safe to use from many threads."""

    def __init__(self, paths: Mapping[str, Path]) -> None:
        """Takes the files by name, as they are now."""
        self._paths = dict(paths)
        self._states = {name: state for name, path in paths.items() if (state := _State.of(path)) is not None}

    def changed(self) -> list[str]:
        """Returns the names of the files that were changed in place since they were opened, or last accepted."""
        changed = []
        for name, before in list(self._states.items()):
            now = _State.of(self._paths[name])
            if now is None or now.identity != before.identity:
                self._states.pop(name, None)
            elif now.content != before.content:
                changed.append(name)
        return changed

    def accept(self, name: str) -> None:
        """Takes a file as it is now; to be called before its content is checked."""
        if (now := _State.of(self._paths[name])) is not None:
            self._states[name] = now

    def forget(self, name: str) -> None:
        """Watches a file no longer."""
        self._states.pop(name, None)
