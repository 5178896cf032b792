"""Fetches a published index: pinned to a commit, resumed, fully verified, and only then put in place.

CACHE/owner--name/COMMIT/name        a verified index, in a folder named after the repository
CACHE/owner--name/COMMIT.fetching    what has arrived of one
CACHE/owner--name/revisions.json     the commit each branch or tag was at when it was first fetched
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from retrieval.bundle.bundle import Bundle
from retrieval.bundle.files import sync, write_json
from retrieval.bundle.manifest import MANIFEST_FILE, Manifest
from retrieval.encoding.model_cache import cache_folder as default_cache_folder
from retrieval.errors import BundleCorruptError, BundleError, HubError
from retrieval.hub.address import DEFAULT_REVISION, HubAddress
from retrieval.hub.failures import hub_failures
from retrieval.hub.transfer import ANSWER_LIMIT_S, Repository, file_url

_REVISIONS_FILE = "revisions.json"
_LONGEST_MANIFEST_BYTES = 16_000_000
_SPARE_BYTES = 64_000_000


@dataclass(frozen=True, slots=True)
class FetchProgress:
    """How far a fetch is."""

    done_bytes: int
    total_bytes: int
    file: str
    """The one that is arriving, or being checked."""
    is_checking: bool = False
    """Whether everything has arrived and is being compared with its checksums."""


Report = Callable[[FetchProgress], None]


def fetch_bundle(
    address: str,
    cache_folder: Path | None = None,
    *,
    endpoint: str | None = None,
    report: Report = lambda progress: None,
) -> Path:
    """Returns the folder of a published index, fetched and fully verified; one that is already here needs no network.

    `hf://datasets/owner/name@COMMIT` is always that commit. A branch, or no revision, is the commit it was at when
    it was first fetched here; the name of the folder's parent is that commit.

    Raises:
        HubError: if it cannot be fetched; what has arrived is kept, and the next call continues from there.
        BundleCorruptError: if what arrived is not what its manifest says.
        BundleIncompatibleError: if it is of another format version.
    """
    parsed = HubAddress.parse(address)
    if (found := _found(parsed, cache_folder)) is not None:
        return found
    home = _home(parsed, cache_folder)
    revision = parsed.revision or DEFAULT_REVISION
    with hub_failures(parsed, "read", endpoint):
        commit = parsed.commit or _revisions(home).get(revision) or _resolve(parsed, revision, endpoint)
        target = home / commit / parsed.name
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone(home, parsed):
            if not _is_whole(target):
                _fetch(parsed, Repository(parsed, commit, endpoint), target, report)
            write_json(home / _REVISIONS_FILE, {**_revisions(home), revision: commit})
    return target


def fetched_bundle(address: str) -> Path | None:
    """Returns the folder of an index that was fetched before, without asking the hub; None if it was not.

    Raises:
        HubError: if it is not an address.
    """
    return _found(HubAddress.parse(address), None)


def _home(address: HubAddress, cache_folder: Path | None) -> Path:
    return (cache_folder or default_cache_folder() / "indexes") / address.repo_id.replace("/", "--")


def _found(address: HubAddress, cache_folder: Path | None) -> Path | None:
    home = _home(address, cache_folder)
    commit = address.commit or _revisions(home).get(address.revision or DEFAULT_REVISION)
    target = home / commit / address.name if commit else None
    return target if target is not None and _is_whole(target) else None


def _resolve(address: HubAddress, revision: str, endpoint: str | None) -> str:
    """Returns the commit that a branch or tag is at now; that it has a manifest is found out on the way."""
    from huggingface_hub import get_hf_file_metadata

    url = file_url(address, MANIFEST_FILE, revision, endpoint)
    commit = get_hf_file_metadata(url, timeout=ANSWER_LIMIT_S, endpoint=endpoint, retry_on_errors=False).commit_hash
    if commit is None or HubAddress(address.repo_id, commit).commit is None:
        raise HubError(f"{address} cannot be fetched: the server at {url} is not a hub. Check HF_ENDPOINT.")
    return commit


def _fetch(address: HubAddress, repository: Repository, target: Path, report: Report) -> None:
    work = target.parent.with_name(f"{target.parent.name}.fetching")
    work.mkdir(exist_ok=True)
    text = repository.read(MANIFEST_FILE, _LONGEST_MANIFEST_BYTES)
    manifest = _parsed(text, address)
    total = sum(record.size_bytes for record in manifest.files.values())
    _check_space(address, work, total)
    before = 0
    for name, record in manifest.files.items():

        def on_bytes(done: int, name: str = name, before: int = before) -> None:
            report(FetchProgress(before + done, total, name))

        repository.download(name, work / name, record.size_bytes, on_bytes)
        before += record.size_bytes
    (work / MANIFEST_FILE).write_bytes(text)
    _verify(Bundle(work, manifest), address, lambda name: report(FetchProgress(total, total, name, is_checking=True)))
    for path in (*(work / name for name in manifest.files), work / MANIFEST_FILE, work):
        sync(path)
    shutil.rmtree(target, ignore_errors=True)  # one that was altered here: it is replaced
    work.replace(target)
    sync(target.parent)


def _parsed(text: bytes, address: HubAddress) -> Manifest:
    try:
        return Manifest.from_json(text.decode("utf-8"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BundleCorruptError(
            f"{address} has a {MANIFEST_FILE} that is not an index's ({error}): check the name, or ask its owner to "
            f"publish the index again."
        ) from error


def _verify(bundle: Bundle, address: HubAddress, on_file: Callable[[str], None]) -> None:
    for name in bundle.manifest.files:
        on_file(name)
        try:
            bundle.check_size(name)
            bundle.check_whole(name)
        except BundleCorruptError as error:
            bundle.file(name).unlink(missing_ok=True)  # so that the next try fetches it again
            raise BundleCorruptError(
                f"{name} of {address} arrived altered and was deleted: its checksum differs from the manifest's. "
                f"Fetch it again; if that does not help, ask its owner to publish the index again."
            ) from error


def _check_space(address: HubAddress, work: Path, total_bytes: int) -> None:
    arrived = sum(path.stat().st_size for path in work.rglob("*") if path.is_file())
    needed, free = total_bytes - arrived + _SPARE_BYTES, shutil.disk_usage(work).free
    if free < needed:
        raise HubError(
            f"{address} cannot be fetched: {needed / 1e6:,.0f} MB are needed in {work.parent}, and "
            f"{free / 1e6:,.0f} MB are free. Free some space, or choose another disk with EMBEDDING_QUANTIZATION_CACHE."
        )


def _is_whole(folder: Path) -> bool:
    """Returns whether a verified index is still there; its big files are checked again when it is searched."""
    try:
        Bundle.open(folder)
    except BundleError:
        return False
    return True


def _revisions(home: Path) -> dict[str, str]:
    try:
        noted = json.loads((home / _REVISIONS_FILE).read_text(encoding="utf-8"))
        return {str(name): str(commit) for name, commit in noted.items()}
    except (OSError, ValueError, AttributeError):
        return {}


@contextmanager
def _alone(home: Path, address: HubAddress) -> Iterator[None]:
    """Lets one program fetch from a repository at a time; the lock ends with the process."""
    descriptor = os.open(home, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise HubError(f"{address} is being fetched by another program: wait for it.") from error
        yield
    finally:
        os.close(descriptor)
