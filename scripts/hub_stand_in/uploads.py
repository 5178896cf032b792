"""What the hub's stand-in does with uploads: new repositories and branches, large files by LFS, commits.

Large files wait in root/.lfs under their SHA-256 until a commit names them. A commit changes the folder of its branch;
no history is kept.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from scripts.hub_stand_in.folders import Branch, HubRefusal, find_branch, revision_folder

LFS_BYTES = 100_000
"""What is larger goes by LFS; the real hub decides by kind of file, too."""
_REGULAR = (".md", ".json", ".txt")


class Uploads:
    """Writes to the folders under `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.created: list[dict[str, Any]] = []

    def create_repository(self, endpoint: str, wanted: dict[str, Any]) -> dict[str, Any]:
        """Makes a repository with an empty main branch, and returns where it is.

        Raises:
            HubRefusal: if it exists.
        """
        repo_id = f"{wanted.get('organization') or 'me'}/{wanted['name']}"
        folder = revision_folder(self._root, repo_id, repo_type=wanted.get("type", "model"))
        if folder.parent.exists():
            raise HubRefusal("", "You already created this dataset repo", status=409, url=repo_url(endpoint, repo_id))
        folder.mkdir(parents=True)
        self.created.append(wanted)
        return {"url": repo_url(endpoint, repo_id)}

    def create_branch(self, kind: str, repo_id: str, name: str) -> None:
        """Makes a branch that starts as a copy of main.

        Raises:
            HubRefusal: if it exists, or there is no such repository.
        """
        main = find_branch(self._root, kind, repo_id, "main")
        folder = main.folder.with_name(quote(name, safe=""))
        if folder.exists():
            raise HubRefusal("", f"Reference already exists: {name}", status=409)
        shutil.copytree(main.folder, folder)

    def modes(self, branch: Branch, wanted: dict[str, Any]) -> dict[str, Any]:
        """Returns how each file is to be sent."""
        return {"files": [self._mode(branch, file) for file in wanted["files"]]}

    def _mode(self, branch: Branch, file: dict[str, Any]) -> dict[str, Any]:
        name, size = file["path"], file["size"]
        large = size > LFS_BYTES or not name.endswith(_REGULAR)
        known = branch.files.get(name)
        oid = None if known is None else hashlib.sha1(b"blob %d\0" % size + known.read_bytes()).hexdigest()
        return {"path": name, "uploadMode": "lfs" if large else "regular", "shouldIgnore": False, "oid": oid}

    def batch(self, endpoint: str, wanted: dict[str, Any]) -> dict[str, Any]:
        """Returns where each large file goes; one that is there already goes nowhere."""
        objects = []
        for each in wanted["objects"]:
            answer = {"oid": each["oid"], "size": each["size"]}
            if not self._blob(each["oid"]).exists():
                answer["actions"] = {"upload": {"href": f"{endpoint}/.lfs/{each['oid']}"}}
            objects.append(answer)
        return {"transfer": "basic", "objects": objects}

    def store(self, oid: str, chunks: Iterable[bytes]) -> None:
        """Keeps a large file.

        Raises:
            HubRefusal: if it is not the one that was announced.
        """
        blob = self._blob(oid)
        blob.parent.mkdir(parents=True, exist_ok=True)
        arriving = blob.with_suffix(".arriving")
        digest = hashlib.sha256()
        with arriving.open("wb") as file:
            for chunk in chunks:
                digest.update(chunk)
                file.write(chunk)
        if digest.hexdigest() != oid:
            arriving.unlink()
            raise HubRefusal("", "the content is not what its SHA-256 says", status=400)
        arriving.replace(blob)

    def commit(self, endpoint: str, branch: Branch, body: bytes) -> dict[str, Any]:
        """Changes the files of a branch as the lines of `body` say, and returns the new commit.

        Raises:
            HubRefusal: if a large file that is named did not arrive.
        """
        for line in body.splitlines():
            change = json.loads(line)
            self._apply(branch, change["key"], change["value"])
        url = f"{endpoint}/datasets/{branch.repo_id}/commit/{branch.commit}"
        return {"success": True, "commitOid": branch.commit, "commitUrl": url, "hookOutput": ""}

    def _apply(self, branch: Branch, key: str, value: dict[str, Any]) -> None:
        if key == "header":
            return
        path = branch.folder / value["path"]
        if key == "deletedFile":
            path.unlink()
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        if key == "file":
            path.write_bytes(base64.b64decode(value["content"]))
        elif self._blob(value["oid"]).exists():
            shutil.copyfile(self._blob(value["oid"]), path)
        else:
            raise HubRefusal("", f"the LFS object of {value['path']} is not there", status=400)

    def _blob(self, oid: str) -> Path:
        if not oid.isalnum():
            raise HubRefusal("", f"{oid} is no SHA-256", status=400)
        return self._root / ".lfs" / oid


def repo_url(endpoint: str, repo_id: str) -> str:
    """Returns the page of a data set repository."""
    return f"{endpoint}/datasets/{repo_id}"
