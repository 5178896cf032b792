"""An index is fetched through the real client: pinned, resumed, verified, and refused when anything is wrong."""

from __future__ import annotations

import errno
import shutil
import socket
from pathlib import Path

import pytest

from retrieval import BundleCorruptError, HubError, Searcher
from retrieval.bundle.bundle import Bundle
from retrieval.bundle.manifest import BINARY_FILE, EMBEDDINGS_FILE, INT8_FILE, MANIFEST_FILE
from retrieval.hub import FetchProgress, fetch_bundle
from scripts.hub_stand_in.faults import Fault
from scripts.hub_stand_in.folders import revision_folder
from scripts.hub_stand_in.server import HubStandIn
from tests.conftest import Build, FakeEncoder, random_texts
from tests.hub_client import ADDRESS, CLIENT_NOISE, REPO, give_up_soon, hub, publish
from tests.support import change_manifest

__all__ = ["hub"]
pytestmark = CLIENT_NOISE
NUM_ROWS = 3_000


@pytest.fixture
def bundle(build: Build) -> Bundle:
    return build(random_texts(NUM_ROWS))


def fetch(hub: HubStandIn, cache: Path, address: str = ADDRESS, **options: object) -> Path:
    return fetch_bundle(address, cache, endpoint=hub.endpoint, **options)  # type: ignore[arg-type]


def repo_folder(hub: HubStandIn) -> Path:
    return revision_folder(hub.root, REPO)


def asked_for(hub: HubStandIn, name: str) -> list[str]:
    """Returns the ranges in which a file was asked for."""
    return [
        request.headers.get("Range", "all")
        for request in hub.requests
        if request.method == "GET" and request.path.endswith(f"/{name}")
    ]


def test_the_fetched_index_is_the_published_one(
    hub: HubStandIn, bundle: Bundle, encoder: FakeEncoder, tmp_path: Path
) -> None:
    commit = publish(hub, bundle)
    folder = fetch(hub, tmp_path / "cache")
    assert (folder.name, folder.parent.name) == ("index", commit)
    for name in (*bundle.manifest.files, MANIFEST_FILE):
        assert (folder / name).read_bytes() == bundle.file(name).read_bytes()
    hits = Searcher.open(folder, encoder=encoder, verify="now").search("red apple").hits
    assert [hit.row for hit in hits] == [
        hit.row for hit in Searcher.open(bundle.path, encoder=encoder).search("red apple").hits
    ]


def test_only_the_files_of_an_index_are_fetched(hub: HubStandIn, bundle: Bundle, tmp_path: Path) -> None:
    publish(hub, bundle)
    (repo_folder(hub) / "evil.py").write_text("print('run me')")
    folder = fetch(hub, tmp_path / "cache")
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == {*bundle.manifest.files, MANIFEST_FILE}


def test_a_fetched_index_opens_again_without_a_hub(hub: HubStandIn, bundle: Bundle, tmp_path: Path) -> None:
    publish(hub, bundle)
    folder = fetch(hub, tmp_path / "cache")
    hub.requests.clear()
    assert fetch_bundle(ADDRESS, tmp_path / "cache", endpoint="http://127.0.0.1:9") == folder
    assert fetch_bundle(f"{ADDRESS}@{folder.parent.name}", tmp_path / "cache", endpoint="http://127.0.0.1:9") == folder
    assert hub.requests == []


def test_an_index_stays_at_the_commit_of_its_first_fetch(
    hub: HubStandIn, bundle: Bundle, build: Build, tmp_path: Path
) -> None:
    first = publish(hub, bundle)
    fetch(hub, tmp_path / "cache")
    second = publish(hub, build(random_texts(50, seed=1), name="other"))
    assert fetch(hub, tmp_path / "cache").parent.name == first
    assert fetch(hub, tmp_path / "cache", f"{ADDRESS}@{second}").parent.name == second
    assert fetch(hub, tmp_path / "fresh").parent.name == second


@pytest.mark.parametrize("kind", ["cut", "stall"])
def test_a_broken_file_continues_where_it_broke_off(
    hub: HubStandIn, bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    publish(hub, bundle)
    give_up_soon(monkeypatch)
    hub.faults.append(Fault(EMBEDDINGS_FILE, kind, after_bytes=100_000, times=1))  # type: ignore[arg-type]
    folder = fetch(hub, tmp_path / "cache")
    Bundle.open(folder).check_whole(EMBEDDINGS_FILE)


def test_the_next_call_continues_with_what_has_arrived(hub: HubStandIn, bundle: Bundle, tmp_path: Path) -> None:
    commit = publish(hub, bundle)
    work = tmp_path / "cache" / "me--index" / f"{commit}.fetching"
    work.mkdir(parents=True)
    (work / EMBEDDINGS_FILE).write_bytes(bundle.file(EMBEDDINGS_FILE).read_bytes()[:5_000])
    shutil.copyfile(bundle.file(INT8_FILE), work / INT8_FILE)
    assert fetch(hub, tmp_path / "cache").parent.name == commit
    assert asked_for(hub, EMBEDDINGS_FILE) == ["bytes=5000-"]
    assert asked_for(hub, INT8_FILE) == []
    assert not work.exists()


def test_a_file_that_ends_early_every_time_is_an_error_that_keeps_it(
    hub: HubStandIn, bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(hub, bundle)
    give_up_soon(monkeypatch)
    hub.faults.append(Fault(BINARY_FILE, "stall", after_bytes=1_000))
    with pytest.raises(HubError, match="stopped answering: try again; what has arrived is kept"):
        fetch(hub, tmp_path / "cache")
    assert list((tmp_path / "cache").rglob(BINARY_FILE))
    hub.faults.clear()
    Bundle.open(fetch(hub, tmp_path / "cache"))


@pytest.mark.parametrize("name", [BINARY_FILE, EMBEDDINGS_FILE])
def test_a_file_altered_on_the_way_is_refused_and_fetched_again(
    hub: HubStandIn, bundle: Bundle, tmp_path: Path, name: str
) -> None:
    publish(hub, bundle)
    hub.faults.append(Fault(name, "alter", after_bytes=1_234))
    with pytest.raises(BundleCorruptError, match=rf"{name} of {ADDRESS} arrived altered"):
        fetch(hub, tmp_path / "cache")
    hub.faults.clear()
    assert Bundle.open(fetch(hub, tmp_path / "cache")).manifest == bundle.manifest


@pytest.mark.parametrize("extra", [b"more", b""])
def test_a_file_of_another_length_than_announced_is_refused(
    hub: HubStandIn, bundle: Bundle, tmp_path: Path, extra: bytes
) -> None:
    publish(hub, bundle)
    path = repo_folder(hub) / INT8_FILE
    content = path.read_bytes()
    path.write_bytes(content + extra if extra else content[:-9])
    with pytest.raises((BundleCorruptError, HubError), match=r"longer than|file should be of size"):
        fetch(hub, tmp_path / "cache")


def test_a_manifest_that_leads_out_of_the_folder_is_refused(hub: HubStandIn, bundle: Bundle, tmp_path: Path) -> None:
    publish(hub, bundle)
    published = Bundle(repo_folder(hub), bundle.manifest)
    change_manifest(published, lambda it: it["files"].update({"../../escaped.npy": it["files"].pop(EMBEDDINGS_FILE)}))
    with pytest.raises(BundleCorruptError, match="which is not a file of an index"):
        fetch(hub, tmp_path / "cache")


def test_a_copy_that_was_altered_here_is_fetched_again(hub: HubStandIn, bundle: Bundle, tmp_path: Path) -> None:
    publish(hub, bundle)
    folder = fetch(hub, tmp_path / "cache")
    (folder / BINARY_FILE).write_bytes(b"x")
    assert Bundle.open(fetch(hub, tmp_path / "cache")).manifest == bundle.manifest


def test_progress_counts_bytes_up_to_all_of_them(hub: HubStandIn, bundle: Bundle, tmp_path: Path) -> None:
    publish(hub, bundle)
    heard: list[FetchProgress] = []
    fetch(hub, tmp_path / "cache", report=heard.append)
    total = sum(record.size_bytes for record in bundle.manifest.files.values())
    done = [progress.done_bytes for progress in heard]
    assert done == sorted(done)
    assert (done[-1], {progress.total_bytes for progress in heard}) == (total, {total})


def test_a_missing_repository_says_that_it_may_be_private(hub: HubStandIn, tmp_path: Path) -> None:
    with pytest.raises(
        HubError, match="no such data set repository, or it is private: check the name, or set HF_TOKEN"
    ):
        fetch(hub, tmp_path)


def test_a_private_repository_opens_with_its_token(
    hub: HubStandIn, bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(hub, bundle)
    hub.access.private[REPO] = "hf_right"
    with pytest.raises(HubError, match=r"or it is private.*set HF_TOKEN"):
        fetch(hub, tmp_path / "cache")
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(HubError, match=r"refused the token \(HTTP status 401\).*HF_TOKEN"):
        fetch(hub, tmp_path / "cache")
    monkeypatch.setenv("HF_TOKEN", "hf_right")
    assert Bundle.open(fetch(hub, tmp_path / "cache"))


def test_a_gated_repository_says_where_to_ask(hub: HubStandIn, bundle: Bundle, tmp_path: Path) -> None:
    publish(hub, bundle)
    hub.access.gated[REPO] = "hf_granted"
    with pytest.raises(HubError, match="access must be requested"):
        fetch(hub, tmp_path / "cache")


@pytest.mark.parametrize("revision", ["no-such-branch", "0" * 40])
def test_a_missing_revision_is_named(hub: HubStandIn, bundle: Bundle, tmp_path: Path, revision: str) -> None:
    publish(hub, bundle)
    with pytest.raises(HubError, match=f"@{revision} cannot be fetched: the repository has no such revision"):
        fetch(hub, tmp_path / "cache", f"{ADDRESS}@{revision}")


def test_a_repository_without_an_index_is_named_as_such(hub: HubStandIn, tmp_path: Path) -> None:
    folder = repo_folder(hub)
    folder.mkdir(parents=True)
    (folder / "data.csv").write_text("a,b")
    with pytest.raises(HubError, match=r"has no manifest\.json, so it holds no index"):
        fetch(hub, tmp_path / "cache")


def test_an_index_with_a_file_missing_names_the_file(hub: HubStandIn, bundle: Bundle, tmp_path: Path) -> None:
    publish(hub, bundle)
    (repo_folder(hub) / INT8_FILE).unlink()
    with pytest.raises(HubError, match=f"has no {INT8_FILE}"):
        fetch(hub, tmp_path / "cache")


def test_a_busy_hub_and_none_at_all_are_distinguished(hub: HubStandIn, bundle: Bundle, tmp_path: Path) -> None:
    publish(hub, bundle)
    hub.faults.append(Fault(INT8_FILE, "busy"))
    with pytest.raises(HubError, match=r"HTTP status 503"):
        fetch(hub, tmp_path / "cache")
    with pytest.raises(HubError, match=r"cannot be reached at http://127.0.0.1:9 \(.*check the network"):
        fetch_bundle(ADDRESS, tmp_path / "other", endpoint="http://127.0.0.1:9")


def test_offline_the_error_says_so(hub: HubStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(HubError, match="HF_HUB_OFFLINE is set"):
        fetch(hub, tmp_path)


def test_a_full_disk_is_found_out_before_it_is_full(
    hub: HubStandIn, bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(hub, bundle)
    usage = shutil.disk_usage(tmp_path)._replace(free=1_000_000)
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    with pytest.raises(HubError, match=r"MB are needed in .*, and 1 MB are free"):
        fetch(hub, tmp_path / "cache")
    assert asked_for(hub, INT8_FILE) == []


def test_a_disk_that_fills_up_meanwhile_is_named(
    hub: HubStandIn, bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(hub, bundle)

    def full(*args: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("huggingface_hub.file_download.http_get", full)
    with pytest.raises(HubError, match="the disk is full: free some space"):
        fetch(hub, tmp_path / "cache")


def test_two_programs_do_not_fetch_into_the_same_folder(hub: HubStandIn, bundle: Bundle, tmp_path: Path) -> None:
    publish(hub, bundle)

    def again(progress: FetchProgress) -> None:
        fetch(hub, tmp_path / "cache")

    with pytest.raises(HubError, match="is being fetched by another program"):
        fetch(hub, tmp_path / "cache", report=again)


def test_a_hub_that_takes_the_call_and_says_nothing_is_given_up(
    hub: HubStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_up_soon(monkeypatch)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(HubError, match=f"the hub at {url} stopped answering"):
            fetch_bundle(ADDRESS, tmp_path / "cache", endpoint=url)
