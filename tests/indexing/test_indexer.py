"""Building: what ends up in the files, and what is never overwritten."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from retrieval import BuildError, BuildOptions, BuildProgress, CorpusError, ModelError, Searcher, build_index
from retrieval.bundle.binary_index import BinaryIndex
from retrieval.bundle.bundle import Bundle
from retrieval.bundle.int8_store import Int8Store
from retrieval.bundle.manifest import BINARY_FILE, DOCUMENTS_FILE, EMBEDDINGS_FILE, INT8_FILE
from retrieval.quantization import Float32s, binarize
from retrieval.system import LIBC
from tests.conftest import Build, FakeEncoder, random_texts
from tests.indexing.small_corpus import TEXTS, WITH_DUPLICATES, corpus_of
from tests.support import file_hashes


class TestFiles:
    def test_manifest_counts_rows_texts_groups_and_what_was_dropped(self, build: Build) -> None:
        manifest = build(
            [{"text": "a", "group": "g"}, {"text": "a", "group": "g"}, {"text": "b"}, {"text": " "}]
        ).manifest
        assert (manifest.row_count, manifest.distinct_text_count, manifest.dropped_rows) == (3, 2, 1)
        assert (manifest.group_count, manifest.dim, manifest.model_id) == (2, 64, "fake")
        assert manifest.versions["faiss-cpu"]

    def test_every_file_is_recorded_with_its_size_and_checksum(self, build: Build) -> None:
        bundle = build(TEXTS)
        assert set(bundle.manifest.files) == {BINARY_FILE, INT8_FILE, DOCUMENTS_FILE, EMBEDDINGS_FILE}
        for name, record in bundle.manifest.files.items():
            content = bundle.file(name).read_bytes()
            assert (record.size_bytes, record.sha256) == (len(content), hashlib.sha256(content).hexdigest())

    def test_nothing_else_is_left_in_the_folder_or_next_to_it(self, build: Build, tmp_path: Path) -> None:
        bundle = build(WITH_DUPLICATES)
        assert set(file_hashes(bundle.path)) == {*bundle.manifest.files}
        assert [path.name for path in tmp_path.iterdir()] == ["index"]

    @pytest.mark.parametrize("texts", [TEXTS, WITH_DUPLICATES], ids=["distinct", "duplicates"])
    def test_row_by_row_all_files_hold_the_same_vector(self, build: Build, texts: list[str]) -> None:
        bundle = build(texts)
        expected = FakeEncoder().encode(texts)
        quantizer = bundle.manifest.quantizer
        rows = np.arange(len(texts))
        assert np.array_equal(np.load(bundle.file(EMBEDDINGS_FILE)), expected)
        assert np.array_equal(BinaryIndex.open(bundle.file(BINARY_FILE), 64).codes, binarize(expected))
        assert np.array_equal(Int8Store.open(bundle.file(INT8_FILE), 64).fetch(rows), quantizer.encode(expected))

    def test_int8_ranges_are_those_of_the_corpus(self, build: Build) -> None:
        quantizer = build(WITH_DUPLICATES).manifest.quantizer
        vectors = FakeEncoder().encode(TEXTS)
        assert np.array_equal(quantizer.minimum, vectors.min(axis=0))
        assert np.allclose(quantizer.minimum + 255 * quantizer.step, vectors.max(axis=0), atol=1e-6)

    def test_each_distinct_text_is_encoded_once(self, build: Build, encoder: FakeEncoder) -> None:
        build(WITH_DUPLICATES)
        assert encoder.encoded == TEXTS

    def test_without_the_baseline_embeddings_are_left_out(self, build: Build) -> None:
        bundle = build(TEXTS, baseline=False)
        assert not bundle.file(EMBEDDINGS_FILE).exists()
        assert not bundle.manifest.has_baseline
        assert EMBEDDINGS_FILE not in bundle.manifest.files

    def test_a_limit_takes_the_first_rows(self, build: Build) -> None:
        bundle = build(TEXTS, limit=7)
        assert bundle.manifest.row_count == 7
        assert len(np.load(bundle.file(EMBEDDINGS_FILE))) == 7

    def test_progress_goes_through_the_phases_and_reaches_the_total(self, tmp_path: Path) -> None:
        told: list[BuildProgress] = []
        build_index(corpus_of(TEXTS), FakeEncoder(), tmp_path / "index", report=told.append)
        assert list(dict.fromkeys(step.phase for step in told)) == ["reading", "encoding", "writing", "tuning", "note"]
        assert [(step.done, step.total) for step in told if step.phase == "encoding"][-1] == (60, 60)

    def test_dropped_rows_are_reported(self, tmp_path: Path) -> None:
        told: list[BuildProgress] = []
        build_index(corpus_of(["a", " "]), FakeEncoder(), tmp_path / "index", report=told.append)
        assert any(step.message.startswith("1 row ") for step in told if step.phase == "note")


class TestTarget:
    def test_an_existing_index_is_refused_and_untouched(self, build: Build, tmp_path: Path) -> None:
        before = file_hashes(build(TEXTS).path)
        with pytest.raises(BuildError, match="holds an index already: add --overwrite"):
            build(["other"])
        assert file_hashes(tmp_path / "index") == before

    def test_overwriting_replaces_the_index(self, build: Build, tmp_path: Path) -> None:
        build(TEXTS)
        assert build(["other"], overwrite=True).manifest.row_count == 1
        assert [path.name for path in tmp_path.iterdir()] == ["index"]

    @pytest.mark.parametrize("can_exchange", [True, False])
    def test_an_open_searcher_keeps_answering_while_and_after_it_is_replaced(
        self, build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, can_exchange: bool
    ) -> None:
        if not can_exchange:
            monkeypatch.setattr("retrieval.indexing.folder.LIBC", SimpleNamespace())
        old = Searcher.open(build(TEXTS).path, encoder=FakeEncoder())
        expected = [hit.document.text for hit in old.search(TEXTS[3]).hits]

        def still_answers(_: BuildProgress) -> None:
            assert [hit.document.text for hit in old.search(TEXTS[3]).hits] == expected

        other = corpus_of(random_texts(40, seed=9))
        build_index(other, FakeEncoder(), tmp_path / "index", BuildOptions(overwrite=True), still_answers)
        still_answers(BuildProgress("after"))
        old.files.verification.wait()
        still_answers(BuildProgress("checked"))
        assert old.memory()["int8_file"] == old.manifest.files[INT8_FILE].size_bytes
        assert len(Searcher.open(tmp_path / "index", encoder=FakeEncoder())) == 40

    def test_there_is_an_index_at_every_moment_of_a_replacement(
        self, build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        build(TEXTS)
        counts: list[int] = []

        def watched(*arguments: Any) -> int:
            counts.append(Bundle.open(tmp_path / "index").manifest.row_count)
            status: int = LIBC.renameat2(*arguments)
            counts.append(Bundle.open(tmp_path / "index").manifest.row_count)
            return status

        monkeypatch.setattr("retrieval.indexing.folder.LIBC", SimpleNamespace(renameat2=watched))
        build(["other"], overwrite=True)
        assert counts == [60, 1]

    def test_an_empty_folder_may_be_the_target(self, build: Build, tmp_path: Path) -> None:
        (tmp_path / "index").mkdir()
        assert build(TEXTS).manifest.row_count == 60

    @pytest.mark.parametrize("overwrite", [False, True])
    def test_a_folder_with_foreign_files_is_refused_and_untouched(
        self, build: Build, tmp_path: Path, overwrite: bool
    ) -> None:
        (tmp_path / "index").mkdir()
        (tmp_path / "index" / "thesis.txt").write_text("years of work")
        with pytest.raises(BuildError, match="holds something that is not an index: choose another folder"):
            build(TEXTS, overwrite=overwrite)
        assert (tmp_path / "index" / "thesis.txt").read_text() == "years of work"

    def test_foreign_files_that_appear_during_the_build_are_untouched(self, tmp_path: Path) -> None:
        def interfere(step: BuildProgress) -> None:
            if step.phase == "writing" and not (tmp_path / "index").exists():
                (tmp_path / "index").mkdir()
                (tmp_path / "index" / "thesis.txt").write_text("years of work")

        with pytest.raises(BuildError, match="not an index"):
            build_index(corpus_of(TEXTS), FakeEncoder(), tmp_path / "index", report=interfere)
        assert (tmp_path / "index" / "thesis.txt").exists()

    @pytest.mark.parametrize(("neighbour", "refused"), [("index.old", False), ("index.building", True)])
    def test_files_of_the_user_next_to_the_target_are_untouched(
        self, build: Build, tmp_path: Path, neighbour: str, refused: bool
    ) -> None:
        build(TEXTS)
        (tmp_path / neighbour).mkdir()
        (tmp_path / neighbour / "thesis.txt").write_text("years of work")
        with pytest.raises(BuildError, match="which is not from a build") if refused else contextlib.nullcontext():
            build(["other"], overwrite=True)
        assert (tmp_path / neighbour / "thesis.txt").read_text() == "years of work"
        assert not (tmp_path / "index" / "thesis.txt").exists()

    def test_a_file_as_the_target_is_refused(self, build: Build, tmp_path: Path) -> None:
        (tmp_path / "index").write_text("")
        with pytest.raises(BuildError, match="is a file: choose a folder"):
            build(TEXTS)

    def test_a_link_to_a_folder_stays_a_link(self, build: Build, tmp_path: Path) -> None:
        (tmp_path / "big-disk").mkdir()
        (tmp_path / "index").symlink_to(tmp_path / "big-disk")
        build(TEXTS)
        build(["other"], overwrite=True)
        assert (tmp_path / "index").is_symlink()
        assert Bundle.open(tmp_path / "big-disk").manifest.row_count == 1

    @pytest.mark.parametrize("parent", ["/proc/nowhere", "/dev/null", "/" + "x" * 300])
    def test_a_parent_that_cannot_be_written_is_a_build_error(self, parent: str) -> None:
        with pytest.raises(BuildError, match="cannot write the index at"):
            build_index(corpus_of(TEXTS), FakeEncoder(), Path(parent) / "index")

    def test_missing_parents_are_made(self, tmp_path: Path) -> None:
        assert build_index(corpus_of(TEXTS), FakeEncoder(), tmp_path / "a" / "b" / "index").path.is_dir()

    def test_a_second_builder_is_refused(self, tmp_path: Path) -> None:
        refused: list[str] = []

        def start_another(step: BuildProgress) -> None:
            if step.phase == "writing" and not refused:
                with pytest.raises(BuildError) as caught:
                    build_index(corpus_of(["other"]), FakeEncoder(), tmp_path / "index")
                refused.append(str(caught.value))

        bundle = build_index(corpus_of(TEXTS), FakeEncoder(), tmp_path / "index", report=start_another)
        assert "another build is writing" in refused[0]
        assert Searcher.open(bundle.path, encoder=FakeEncoder(), verify="now").manifest.row_count == 60

    def test_a_builder_that_waited_for_a_lock_on_a_renamed_folder_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Between opening `.building` and locking it, the first builder may finish and rename it."""
        lock = fcntl.flock

        def finish_first(descriptor: int, flags: int) -> None:
            (tmp_path / "index.building").replace(tmp_path / "index")
            (tmp_path / "index.building").mkdir()  # by a third
            lock(descriptor, flags)

        monkeypatch.setattr(fcntl, "flock", finish_first)
        with pytest.raises(BuildError, match="another build"):
            build_index(corpus_of(TEXTS), FakeEncoder(), tmp_path / "index")

    @pytest.mark.parametrize("failure", ["corpus", "encoder"])
    def test_a_build_that_encoded_nothing_leaves_nothing(self, tmp_path: Path, failure: str) -> None:
        class Broken(FakeEncoder):
            def encode(self, texts: Sequence[str]) -> Float32s:
                return np.full((len(texts), 64), np.nan, dtype=np.float32)

        with pytest.raises((CorpusError, ModelError)):
            build_index(
                corpus_of([" "] if failure == "corpus" else TEXTS),
                Broken() if failure == "encoder" else FakeEncoder(),
                tmp_path / "index",
            )
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("shape", [(60, 63), (59, 64), (60,)])
    def test_an_encoder_that_gives_another_shape_is_refused(self, tmp_path: Path, shape: tuple[int, ...]) -> None:
        class Broken(FakeEncoder):
            def encode(self, texts: Sequence[str]) -> Float32s:
                return np.zeros(shape, dtype=np.float32)

        with pytest.raises(ModelError, match=r"fake gave embeddings of shape .*of shape \(60, 64\) are needed"):
            build_index(corpus_of(TEXTS), Broken(), tmp_path / "index")
