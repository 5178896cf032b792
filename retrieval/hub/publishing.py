"""Publishes a built index: fully verified, then uploaded to a data set repository in one commit, with its card."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval.bundle.bundle import Bundle
from retrieval.bundle.manifest import EMBEDDINGS_FILE, FILES, MANIFEST_FILE, Manifest
from retrieval.errors import BundleError, HubError, counted
from retrieval.hub.address import DEFAULT_REVISION, HubAddress
from retrieval.hub.card import card_of
from retrieval.hub.failures import hub_failures

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

CARD_FILE = "README.md"
_SILENCE_LIMIT_S = 120.0
"""A commit may take the hub a while; the client itself would wait forever."""


@dataclass(frozen=True, slots=True)
class Published:
    """An index on the hub."""

    address: HubAddress
    """With the commit that was made."""
    branch: str
    size_bytes: int
    """Of the files of the index."""


@dataclass(frozen=True, slots=True)
class PublishOptions:
    """How an index is published."""

    private: bool = False
    """For a repository that is new; one that exists stays as it is."""
    branch: str = DEFAULT_REVISION
    """Made from `main` if it is not there."""
    baseline: bool = True
    """Whether to include the float32 embeddings."""


def publish_bundle(
    path: Path, repo_id: str, options: PublishOptions | None = None, *, endpoint: str | None = None
) -> Published:
    """Publishes the index in the folder `path` after a full check, and returns where.

    Raises:
        BundleError: if the index is missing, altered or incompatible, or no one else could open it.
        HubError: if the hub does not accept it.
    """
    options = options or PublishOptions()
    if HubAddress.parse(repo_id).revision is not None:
        raise HubError(f"{repo_id!r} names a revision, which publishing creates: give owner/name only.")
    repo_id = HubAddress.parse(repo_id).repo_id
    bundle = checked_bundle(path)
    manifest = bundle.manifest if options.baseline else without_baseline(bundle.manifest)
    from huggingface_hub import HfApi

    api = HfApi(endpoint=endpoint)
    with hub_failures(HubAddress(repo_id), "write", endpoint), _patience(), tempfile.TemporaryDirectory() as folder:
        api.create_repo(repo_id, repo_type="dataset", private=options.private or None, exist_ok=True)
        if options.branch != DEFAULT_REVISION:
            api.create_branch(repo_id, repo_type="dataset", branch=options.branch, exist_ok=True)
        commit = api.create_commit(
            repo_id,
            repo_type="dataset",
            revision=options.branch,
            operations=_changes(api, repo_id, options.branch, bundle, manifest, Path(folder)),
            commit_message=f"Publish an index of {counted(manifest.row_count, 'document')}",
        )
    size_bytes = sum(record.size_bytes for record in manifest.files.values())
    return Published(HubAddress(repo_id, commit.oid), options.branch, size_bytes)


def checked_bundle(path: Path) -> Bundle:
    """Returns the bundle at `path` with every file checked, if others can get its model.

    Raises:
        BundleError: if a check fails.
    """
    bundle = Bundle.open(path)
    for name in bundle.manifest.files:
        bundle.check_whole(name)
    if Path(bundle.manifest.model_id).is_absolute():
        raise BundleError(
            f"{path} was built with a model in a folder of this machine ({bundle.manifest.model_id}), so nobody else "
            f"could search it: build it with --model and the model's id on the hub."
        )
    return bundle


def without_baseline(manifest: Manifest) -> Manifest:
    """Returns the manifest of the same index without its float32 embeddings."""
    return replace(manifest, files={name: it for name, it in manifest.files.items() if name != EMBEDDINGS_FILE})


def _changes(
    api: HfApi, repo_id: str, branch: str, bundle: Bundle, manifest: Manifest, folder: Path
) -> list[CommitOperationAdd | CommitOperationDelete]:
    """Returns the one commit: a reader finds the old index or the new one, never parts of both."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    (folder / CARD_FILE).write_text(card_of(manifest, repo_id), encoding="utf-8")
    (folder / MANIFEST_FILE).write_text(manifest.to_json(), encoding="utf-8")
    sources = {name: folder / name for name in (CARD_FILE, MANIFEST_FILE)}
    sources |= {name: bundle.file(name) for name in manifest.files}
    there = api.list_repo_files(repo_id, repo_type="dataset", revision=branch)
    stale = [name for name in FILES if name in there and name not in sources]
    added = [CommitOperationAdd(path_in_repo=name, path_or_fileobj=source) for name, source in sources.items()]
    return [*added, *(CommitOperationDelete(path_in_repo=name) for name in stale)]


@contextmanager
def _patience() -> Iterator[None]:
    """Gives the client's uploads a time limit, and shows its progress bars only in terminals."""
    import httpx2
    from huggingface_hub import get_session
    from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    session = get_session()
    before, hide_bars = session.timeout, not sys.stderr.isatty() and not are_progress_bars_disabled()
    session.timeout = httpx2.Timeout(_SILENCE_LIMIT_S, connect=10.0)
    if hide_bars:
        disable_progress_bars()
    try:
        yield
    finally:
        session.timeout = before
        if hide_bars:
            enable_progress_bars()
