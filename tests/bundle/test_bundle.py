"""What opening a bundle refuses, with what words, and which file it looks at."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from retrieval import (
    BundleCorruptError,
    BundleError,
    BundleMissingError,
)
from retrieval.bundle.bundle import Bundle
from retrieval.bundle.manifest import BINARY_FILE, DOCUMENTS_FILE, EMBEDDINGS_FILE, FILES, INT8_FILE
from tests.conftest import Build
from tests.support import alter, change_manifest


@pytest.fixture
def bundle(build: Build) -> Bundle:
    return build(["red apple", "green pear", "blue plum"], lists=2)


class TestWhole:
    def test_a_built_bundle_opens_with_its_manifest(self, bundle: Bundle) -> None:
        assert Bundle.open(bundle.path).manifest == bundle.manifest
        assert Bundle.open(str(bundle.path)).path == bundle.path

    def test_a_copied_folder_opens(self, bundle: Bundle, tmp_path: Path) -> None:
        copy = shutil.copytree(bundle.path, tmp_path / "elsewhere")
        assert Bundle.open(copy).manifest == bundle.manifest

    def test_files_that_are_links_open(self, bundle: Bundle, tmp_path: Path) -> None:
        """The hub's client keeps a downloaded folder as links into its cache."""
        linked = tmp_path / "linked"
        (linked / "documents").mkdir(parents=True)
        for name in (*FILES, "manifest.json"):
            (linked / name).symlink_to(bundle.file(name))
        assert Bundle.open(linked).manifest == bundle.manifest


class TestMissing:
    def test_a_missing_folder_says_how_to_build_one(self, tmp_path: Path) -> None:
        with pytest.raises(BundleMissingError, match=r"no index at .*nowhere: build one with scripts/build_index\.py"):
            Bundle.open(tmp_path / "nowhere")

    def test_a_file_instead_of_the_folder_is_not_an_index(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(BundleMissingError, match="no index at"):
            Bundle.open(tmp_path / "file")

    def test_a_folder_without_manifest_is_not_a_finished_index(self, bundle: Bundle) -> None:
        (bundle.path / "manifest.json").unlink()
        with pytest.raises(BundleMissingError, match=r"has no manifest\.json, so it is not a finished index"):
            Bundle.open(bundle.path)

    @pytest.mark.parametrize("name", FILES)
    def test_a_missing_file_is_named(self, bundle: Bundle, name: str) -> None:
        bundle.file(name).unlink()
        with pytest.raises(BundleMissingError, match=f"{name} is missing: copy the whole folder"):
            Bundle.open(bundle.path)

    def test_a_file_instead_of_the_documents_folder_is_a_missing_file(self, bundle: Bundle) -> None:
        shutil.rmtree(bundle.path / "documents")
        (bundle.path / "documents").write_text("")
        with pytest.raises(BundleMissingError, match=r"documents.arrow is missing"):
            Bundle.open(bundle.path)


class TestAltered:
    @pytest.mark.parametrize("name", FILES)
    def test_a_truncated_file_is_named_with_both_sizes(self, bundle: Bundle, name: str) -> None:
        size = bundle.file(name).stat().st_size
        bundle.file(name).write_bytes(bundle.file(name).read_bytes()[:-1])
        with pytest.raises(BundleCorruptError, match=rf"{name} has {size - 1:,} bytes, expected {size:,}.*Copy it"):
            Bundle.open(bundle.path)

    @pytest.mark.parametrize("name", FILES)
    def test_a_longer_file_is_refused(self, bundle: Bundle, name: str) -> None:
        bundle.file(name).write_bytes(bundle.file(name).read_bytes() + b"\0")
        with pytest.raises(BundleCorruptError, match="truncated or altered"):
            Bundle.open(bundle.path)

    def test_one_altered_bit_of_the_codes_is_found_at_opening(self, bundle: Bundle) -> None:
        alter(bundle.file(BINARY_FILE), -1)
        with pytest.raises(BundleCorruptError, match=r"binary\.faiss is altered: SHA-256 .*, expected .*Copy it again"):
            Bundle.open(bundle.path)

    @pytest.mark.parametrize("name", [INT8_FILE, DOCUMENTS_FILE, EMBEDDINGS_FILE])
    def test_the_big_files_are_distinguished_by_check_whole(self, bundle: Bundle, name: str) -> None:
        alter(bundle.file(name), -1)
        opened = Bundle.open(bundle.path)
        with pytest.raises(BundleCorruptError, match=f"{name} is altered"):
            opened.check_whole(name)

    def test_a_folder_instead_of_a_file_is_refused(self, bundle: Bundle) -> None:
        bundle.file(BINARY_FILE).unlink()
        bundle.file(BINARY_FILE).mkdir()
        change_manifest(bundle, lambda values: values["files"][BINARY_FILE].update(size_bytes=4096))
        with pytest.raises(BundleError, match=r"binary\.faiss"):
            Bundle.open(bundle.path)

    def test_a_bundle_that_was_replaced_is_noticed(self, bundle: Bundle, build: Build) -> None:
        opened = Bundle.open(bundle.path)
        opened.check_current()
        build(["another"], overwrite=True)
        with pytest.raises(BundleError, match="was replaced by a new index"):
            opened.check_current()
