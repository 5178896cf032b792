"""Which index is served first, and which one is made ready meanwhile."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from retrieval import HubError, RetrievalError
from retrieval.bundle.bundle import Bundle
from retrieval.serving.background.index import BuildJob, FetchJob
from retrieval.serving.startup import IndexChoice, choose_index
from tests.conftest import Build

COMMIT = "a" * 40


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of fetched indexes that is empty."""
    monkeypatch.setenv("EMBEDDING_QUANTIZATION_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "indexes"


@pytest.fixture
def bundle(build: Build) -> Bundle:
    return build(["red apple", "blue plum"])


def built(root: Path, name: str) -> Path:
    path = root / "assets" / "indexes" / name
    path.mkdir(parents=True)
    (path / "manifest.json").write_text("{}")
    return path


@pytest.mark.parametrize(
    ("named", "environment", "expected"),
    [
        ("named", {"INDEX_DIR": "env"}, "named"),
        (None, {"INDEX_DIR": "env", "INDEX_REPO": "me/index"}, "env"),
        (None, {"INDEX_DIR": ""}, "{root}/assets/indexes/conala"),
        (None, {}, "{root}/assets/indexes/conala"),
        (None, {"BUILD_CORPUS": "conala"}, "{root}/assets/indexes/conala"),
    ],
)
def test_the_index_is_chosen_in_the_order_that_is_promised(
    named: str | None, environment: Mapping[str, str], expected: str, tmp_path: Path
) -> None:
    built(tmp_path, "conala")
    choice = choose_index(named, environment, tmp_path)
    assert choice == IndexChoice(Path(expected.format(root=tmp_path)))


def test_without_conala_it_is_the_small_default(tmp_path: Path) -> None:
    (tmp_path / "assets" / "indexes" / "conala").mkdir(parents=True)  # begun, but not built
    assert choose_index(None, {}, tmp_path) == IndexChoice(tmp_path / "assets/indexes/python", is_default=True)


@pytest.mark.parametrize(
    ("named", "environment", "address"),
    [
        ("hf://datasets/me/index", {"INDEX_REPO": "you/other"}, "hf://datasets/me/index"),
        (None, {"INDEX_REPO": "me/index", "BUILD_CORPUS": "conala"}, "hf://datasets/me/index"),
        (None, {"INDEX_REPO": f"hf://datasets/me/index@{COMMIT}"}, f"hf://datasets/me/index@{COMMIT}"),
    ],
)
def test_a_published_index_is_fetched_while_another_one_serves(
    named: str | None, environment: Mapping[str, str], address: str, tmp_path: Path
) -> None:
    choice = choose_index(named, environment, tmp_path)
    assert choice == IndexChoice(tmp_path / "assets/indexes/python", True, FetchJob(address))


def test_a_published_index_that_was_fetched_before_serves_at_once(tmp_path: Path, bundle: Bundle, cache: Path) -> None:
    copy = shutil.copytree(bundle.path, cache / "me--index" / COMMIT / "index")
    (cache / "me--index" / "revisions.json").write_text(f'{{"main": "{COMMIT}"}}')
    for revision in ("", f"@{COMMIT}"):
        assert choose_index(None, {"INDEX_REPO": f"me/index{revision}"}, tmp_path) == IndexChoice(copy)


def test_a_corpus_that_is_to_be_built_is_built_while_another_one_serves(tmp_path: Path) -> None:
    path = tmp_path / "assets/indexes/conala-500"
    choice = choose_index(None, {"BUILD_CORPUS": "conala", "BUILD_LIMIT": "500"}, tmp_path)
    assert choice == IndexChoice(tmp_path / "assets/indexes/python", True, BuildJob("conala", str(path), 500))
    built(tmp_path, "conala-500")
    assert choose_index(None, {"BUILD_CORPUS": "conala", "BUILD_LIMIT": "500"}, tmp_path) == IndexChoice(path)


def test_the_small_default_is_not_built_twice(tmp_path: Path) -> None:
    choice = choose_index(None, {"BUILD_CORPUS": "python"}, tmp_path)
    assert choice == IndexChoice(tmp_path / "assets/indexes/python", is_default=True)


def test_a_wrong_address_is_refused_on_the_command_line_and_reported_on_the_page(tmp_path: Path) -> None:
    with pytest.raises(HubError, match="is not the address"):
        choose_index("hf://me", {}, tmp_path)
    assert choose_index(None, {"INDEX_REPO": "me"}, tmp_path).job == FetchJob("me")


@pytest.mark.parametrize("limit", ["0", "-3", "many", "1.5"])
def test_a_limit_that_is_not_a_number_is_refused(limit: str, tmp_path: Path) -> None:
    with pytest.raises(RetrievalError, match="BUILD_LIMIT"):
        choose_index(None, {"BUILD_CORPUS": "conala", "BUILD_LIMIT": limit}, tmp_path)
