"""Folders that stand for repositories on the hub, and what the hub would say about them.

root/datasets/OWNER/NAME/REVISION/...       REVISION is a branch, its slashes written %2F
root/models/OWNER/NAME/REVISION/...
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

FOLDERS = {"dataset": "datasets", "model": "models", "space": "spaces"}
_LFS_BYTES = 1 << 20


class HubRefusal(Exception):
    """A request that is not granted; `code` is the hub's own name for the reason, such as `EntryNotFound`."""

    def __init__(self, code: str, message: str, commit: str | None = None, status: int = 404, **more: str) -> None:
        super().__init__(message)
        self.code = code
        self.commit = commit
        self.status = status
        self.body = {"error": message, **more}


def revision_folder(root: Path, repo_id: str, revision: str = "main", repo_type: str = "dataset") -> Path:
    """Returns the folder under `root` for the files of one branch of a repository."""
    return root / FOLDERS[repo_type] / repo_id / quote(revision, safe="")


def find_branches(root: Path, kind: str, repo_id: str) -> list[Branch]:
    """Returns the branches of a repository; `kind` is `datasets`, `models` or `spaces`.

    Raises:
        HubRefusal: if there is no such repository.
    """
    folder = root / kind / repo_id
    if ".." in folder.parts or not folder.is_dir():
        raise HubRefusal("RepoNotFound", f"no repository {repo_id}")
    return [Branch(repo_id, path) for path in sorted(folder.iterdir()) if path.is_dir()]


def find_branch(root: Path, kind: str, repo_id: str, revision: str) -> Branch:
    """Returns the branch with this name, or at this commit.

    Raises:
        HubRefusal: if the repository or the revision is not there.
    """
    for branch in find_branches(root, kind, repo_id):
        if branch.name == revision or branch.commit == revision:
            return branch
    raise HubRefusal("RevisionNotFound", f"{repo_id} has no revision {revision}")


@dataclass(frozen=True, slots=True)
class Branch:
    """One branch of a repository, as it is on the disk now."""

    repo_id: str
    folder: Path

    @property
    def name(self) -> str:
        """Returns the name, such as `main` or `refs/convert/parquet`."""
        return unquote(self.folder.name)

    @property
    def files(self) -> dict[str, Path]:
        """Returns the files by their path in the repository, sorted."""
        paths = (path for path in self.folder.rglob("*") if path.is_file())
        return dict(sorted((path.relative_to(self.folder).as_posix(), path) for path in paths))

    @property
    def commit(self) -> str:
        """Returns the 40 digits that stand for this state of the files."""
        state = "".join(f"{name} {etag(path)}\n" for name, path in self.files.items())
        return _sha1(f"{self.repo_id} {self.name}\n{state}")

    def file(self, name: str) -> Path:
        """Returns the file called `name`.

        Raises:
            HubRefusal: if there is none.
        """
        if (path := self.files.get(name)) is None:
            raise HubRefusal("EntryNotFound", f"{self.repo_id} has no file {name}", self.commit)
        return path

    def info(self) -> dict[str, Any]:
        """Returns what the hub says about the repository at this branch."""
        return {
            "_id": self.commit[:24],
            "id": self.repo_id,
            "sha": self.commit,
            "siblings": [{"rfilename": name} for name in self.files],
            **{"private": False, "gated": False, "disabled": False, "tags": [], "downloads": 0, "likes": 0},
        }

    def entries(self, under: str = "", *, recursive: bool = True) -> list[dict[str, Any]]:
        """Returns the folders and files under a folder, as the hub lists them.

        Raises:
            HubRefusal: if there is no such folder.
        """
        prefix = f"{under}/" if under else ""
        files = {name: path for name, path in self.files.items() if name.startswith(prefix)}
        if prefix and not files:
            raise HubRefusal("EntryNotFound", f"{self.repo_id} has no folder {under}", self.commit)
        folders = {parent for name in files for parent in _folders_above(name) if parent.startswith(prefix)}
        found: list[dict[str, Any]]
        found = [{"type": "directory", "oid": _sha1(name), "size": 0, "path": name} for name in sorted(folders)]
        found += [_file_entry(name, path) for name, path in files.items()]
        return [entry for entry in found if recursive or "/" not in entry["path"][len(prefix) :]]

    def entries_of(self, paths: Iterable[str]) -> list[dict[str, Any]]:
        """Returns the entries with these paths, as many as there are."""
        wanted = set(paths)
        return [entry for entry in self.entries() if entry["path"] in wanted]


def etag(path: Path) -> str:
    """Returns the hub's name for the content: SHA-256 of a large file, Git's SHA-1 of a small one."""
    status = path.stat()
    return _etag(path, status.st_size, status.st_mtime_ns)


@cache
def _etag(path: Path, size: int, mtime_ns: int) -> str:
    """Reads the file once for each state of it."""
    if size < _LFS_BYTES:
        return hashlib.sha1(b"blob %d\0" % size + path.read_bytes()).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _file_entry(name: str, path: Path) -> dict[str, Any]:
    size = path.stat().st_size
    entry: dict[str, Any] = {"type": "file", "path": name, "size": size, "oid": etag(path)}
    if size >= _LFS_BYTES:
        entry |= {"oid": _sha1(etag(path)), "lfs": {"oid": etag(path), "size": size, "pointerSize": 134}}
    return entry


def _folders_above(name: str) -> list[str]:
    parts = name.split("/")[:-1]
    return ["/".join(parts[: depth + 1]) for depth in range(len(parts))]


def _sha1(text: str) -> str:
    return hashlib.sha1(text.encode()).hexdigest()
