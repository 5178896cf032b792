"""An index is published through the real client: checked first, in one commit, with a card that says what it is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from retrieval import BundleCorruptError, BundleError, HubError
from retrieval.bundle.bundle import Bundle
from retrieval.bundle.manifest import BINARY_FILE, EMBEDDINGS_FILE, INT8_FILE, MANIFEST_FILE, NO_MODEL
from retrieval.corpus.conala import ConalaCorpus
from retrieval.hub import HubAddress, fetch_bundle, publish_bundle
from retrieval.hub.card import card_of
from scripts import publish_index
from scripts.hub_stand_in.folders import revision_folder
from scripts.hub_stand_in.server import HubStandIn
from tests.benchmark_json import TUNED
from tests.conftest import Build, random_texts
from tests.hub_client import ADDRESS, CLIENT_NOISE, REPO, hub, publish

__all__ = ["hub"]
pytestmark = CLIENT_NOISE


@pytest.fixture
def bundle(build: Build) -> Bundle:
    return build(random_texts(300))


def names(hub: HubStandIn, branch: str = "main") -> set[str]:
    folder = revision_folder(hub.root, REPO, branch)
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_repository_holds_the_index_and_its_card(hub: HubStandIn, bundle: Bundle) -> None:
    publish(hub, bundle)
    assert names(hub) == {*bundle.manifest.files, MANIFEST_FILE, "README.md"}


def test_all_of_it_is_one_commit(hub: HubStandIn, bundle: Bundle) -> None:
    publish(hub, bundle)
    assert [request.path for request in hub.requests if "/commit/" in request.path] == [
        f"/api/datasets/{REPO}/commit/main"
    ]


def test_unchanged_files_are_not_sent_again(hub: HubStandIn, bundle: Bundle) -> None:
    first = publish(hub, bundle)
    hub.requests.clear()
    assert publish(hub, bundle) == first
    assert not [request for request in hub.requests if request.method == "PUT"]


def test_without_the_baseline_the_index_is_whole_and_says_so(hub: HubStandIn, bundle: Bundle, tmp_path: Path) -> None:
    publish(hub, bundle)
    publish(hub, bundle, baseline=False)
    assert EMBEDDINGS_FILE not in names(hub)
    fetched = Bundle.open(fetch_bundle(ADDRESS, tmp_path / "cache", endpoint=hub.endpoint))
    assert not fetched.manifest.has_baseline
    assert bundle.manifest.has_baseline


def test_a_branch_is_made_when_it_is_missing(hub: HubStandIn, bundle: Bundle, tmp_path: Path) -> None:
    publish(hub, bundle, branch="small")
    assert names(hub) == set()
    fetched = fetch_bundle(f"{ADDRESS}@small", tmp_path / "cache", endpoint=hub.endpoint)
    assert Bundle.open(fetched).manifest == bundle.manifest


def test_a_private_repository_is_asked_for(hub: HubStandIn, bundle: Bundle) -> None:
    publish(hub, bundle, private=True)
    assert hub.created == [{"name": "index", "organization": "me", "visibility": "private", "type": "dataset"}]


@pytest.mark.parametrize("name", [BINARY_FILE, INT8_FILE, EMBEDDINGS_FILE])
def test_an_altered_index_is_not_published(hub: HubStandIn, bundle: Bundle, name: str) -> None:
    content = bytearray(bundle.file(name).read_bytes())
    content[-1] ^= 1
    bundle.file(name).write_bytes(content)
    with pytest.raises(BundleCorruptError, match="is altered"):
        publish(hub, bundle)
    assert hub.requests == []


def test_an_index_whose_model_only_this_machine_has_is_not_published(hub: HubStandIn, bundle: Bundle) -> None:
    manifest = replace(bundle.manifest, model_id="/models/mine")
    bundle.file(MANIFEST_FILE).write_text(manifest.to_json())
    with pytest.raises(BundleError, match="a folder of this machine"):
        publish(hub, bundle)


@pytest.mark.parametrize(
    ("token", "told"), [("", "or it is private|refused"), ("hf_reads", r"refused the token \(HTTP status 403\)")]
)
def test_without_the_right_to_write_the_error_says_what_to_set(
    hub: HubStandIn, bundle: Bundle, token: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.access.write_token = "hf_writes"
    monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(HubError, match=f"cannot be published.*({told}).*HF_TOKEN to a token that may write"):
        publish(hub, bundle)


@pytest.mark.parametrize("name", ["nameonly", "a/b/c", "me/index@main", "me/in dex", "../x"])
def test_an_invalid_repository_name_is_refused_before_anything_is_sent(
    hub: HubStandIn, bundle: Bundle, name: str
) -> None:
    with pytest.raises(HubError, match=r"owner/name"):
        publish_bundle(bundle.path, name, endpoint=hub.endpoint)
    assert hub.requests == []


def test_no_hub_is_one_line_of_the_script(
    bundle: Bundle, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.hf_api.api.endpoint", "http://127.0.0.1:9")
    assert publish_index.main(["--index", str(bundle.path), "--repo", REPO]) == 1
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1
    assert "cannot be reached" in told


@pytest.mark.parametrize(
    ("text", "repo", "revision"),
    [
        ("hf://datasets/me/index", "me/index", None),
        ("hf://datasets/me/index@main", "me/index", "main"),
        ("me/index@refs/pr/1", "me/index", "refs/pr/1"),
        ("hf://datasets/me/in.dex-1/", "me/in.dex-1", None),
    ],
)
def test_an_address_is_read(text: str, repo: str, revision: str | None) -> None:
    assert HubAddress.parse(text) == HubAddress(repo, revision)


@pytest.mark.parametrize(
    "text", ["hf://me/index", "hf://datasets/me", "hf://models/me/index", "me/index@", "", "a b/c"]
)
def test_an_invalid_hub_address_is_refused(text: str) -> None:
    with pytest.raises(HubError, match="is not the address of a published index"):
        HubAddress.parse(text)


def card_metadata(card: str) -> dict[str, object]:
    _, metadata, _ = card.split("---\n", 2)
    return {line.partition(": ")[0]: json.loads(line.partition(": ")[2]) for line in metadata.splitlines()}


def test_the_card_says_rows_model_sizes_and_how_to_open_it(bundle: Bundle) -> None:
    card = card_of(replace(bundle.manifest, row_count=1_000_000, dim=384), REPO)
    for part in ("1,000,000 documents", "`fake`", "| float32 | 1,536.0 |", "| int8 | 384.0 |", "| sign bits | 48.0 |"):
        assert part in card
    assert f"--index {ADDRESS}" in card
    assert f'Searcher.open(fetch_bundle("{ADDRESS}"))' in card


def test_the_card_of_vectors_without_a_model_says_so(bundle: Bundle) -> None:
    card = card_of(replace(bundle.manifest, model_id=NO_MODEL, weights_sha256=NO_MODEL), REPO)
    assert "by a model it does not name" in card
    assert "searcher.search_vector(query)" in card


def test_the_card_names_the_licence_or_that_it_is_unknown(bundle: Bundle) -> None:
    assert card_metadata(card_of(bundle.manifest, REPO))["license"] == "unknown"
    assert "The licence of the documents is unknown" in card_of(bundle.manifest, REPO)
    card = card_of(replace(bundle.manifest, corpus=ConalaCorpus().info), REPO)
    assert card_metadata(card)["license"] == "cc-by-sa-4.0"
    assert "Stack Overflow contributors, CC BY-SA 4.0" in card


def test_the_card_tells_a_recall_only_if_one_was_measured(bundle: Bundle) -> None:
    usual = {"num_candidates": 1000, "rescore_multiplier": 20, "source": "default"}
    assert "recall" not in card_of(replace(bundle.manifest, search=usual), REPO)
    card = card_of(replace(bundle.manifest, search=TUNED), REPO)
    assert "| sign bits alone | 0.5000 |\n" in card
    assert "| the settings above | 0.9830 |" in card
    assert "measured on 300 texts" in card


def test_a_title_cannot_break_out_of_its_place(bundle: Bundle) -> None:
    title = 'x"\n---\nlicense: mit\n# <script>alert(1)</script> | [link](javascript:0)'
    card = card_of(replace(bundle.manifest, corpus=replace(bundle.manifest.corpus, title=title)), REPO)
    assert card_metadata(card)["pretty_name"] == title
    assert "<script>" not in card.split("---\n", 2)[2]
