"""Building: what ends up in the files, and what survives kills, full disks and rival builders."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import json
import multiprocessing
import resource
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from retrieval import (
    BuildError,
    BuildOptions,
    BuildProgress,
    BundleMissingError,
    CorpusError,
    ModelError,
    Searcher,
    build_index,
)
from retrieval.bundle.binary_index import BinaryIndex
from retrieval.bundle.bundle import Bundle
from retrieval.bundle.int8_store import Int8Store
from retrieval.bundle.manifest import BINARY_FILE, DOCUMENTS_FILE, EMBEDDINGS_FILE, INT8_FILE
from retrieval.indexing import indexer as indexer_module
from retrieval.indexing import vectors as embedding_module
from retrieval.quantization import Float32s, binarize
from tests.conftest import Build, FakeEncoder, RowsCorpus, random_texts
from tests.support import die, file_hashes, run_in_child

TEXTS = random_texts(60)
WITH_DUPLICATES = [*TEXTS, *TEXTS[:20], TEXTS[0]]
CHUNK = 10
WITHOUT_RENAMEAT2 = SimpleNamespace(madvise=ctypes.CDLL(None).madvise)


def corpus_of(texts: Sequence[str]) -> RowsCorpus:
    return RowsCorpus([{"text": text} for text in texts], batch_size=7)


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
            monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: WITHOUT_RENAMEAT2)
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
        system = ctypes.CDLL(None, use_errno=True)
        counts: list[int] = []

        def watched(*arguments: Any) -> int:
            counts.append(Bundle.open(tmp_path / "index").manifest.row_count)
            status: int = system.renameat2(*arguments)
            counts.append(Bundle.open(tmp_path / "index").manifest.row_count)
            return status

        monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: SimpleNamespace(renameat2=watched, madvise=system.madvise))
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


# What follows runs builds in processes of their own, which die.


def die_at_reading(step: BuildProgress) -> None:
    if step.phase == "reading" and step.done > 30:
        die()


def die_at_encoding(step: BuildProgress) -> None:
    if step.phase == "encoding" and step.done == 3 * CHUNK:
        die()


def die_at_binary(step: BuildProgress) -> None:
    if step.message == BINARY_FILE:
        die()


def die_at_int8(step: BuildProgress) -> None:
    if step.message == INT8_FILE:
        die()


def go_on(_: BuildProgress) -> None:
    pass


def die_instead(*_: Any, **__: Any) -> None:
    die()


MOMENTS: dict[str, tuple[Callable[[BuildProgress], None], str | None, int]] = {
    # name: what listens to the progress, which function dies when called, how many texts are encoded by then
    "reading": (die_at_reading, None, 0),
    "encoding": (die_at_encoding, None, 3 * CHUNK),
    "first vectors written, not yet noted": (go_on, "write_json", 0),
    "writing the bits": (die_at_binary, None, 60),
    "writing int8": (die_at_int8, None, 60),
    "before the manifest": (go_on, "_write_manifest", 60),
    "before the swap": (go_on, "swap", 60),
}


def build_and_die(output: Path, texts: list[str], moment: str, options: BuildOptions) -> None:
    listen, fatal, _ = MOMENTS[moment]
    if fatal:
        module = indexer_module if hasattr(indexer_module, fatal) else embedding_module
        setattr(module, fatal, die_instead)
    build_index(corpus_of(texts), FakeEncoder(), output, options, listen)


def kill_a_build(output: Path, texts: list[str], moment: str, **options: Any) -> None:
    chosen = BuildOptions(checkpoint_texts=CHUNK, **options)
    assert run_in_child(build_and_die, output, texts, moment, chosen) == -signal.SIGKILL


class TestKilled:
    @pytest.mark.parametrize("moment", MOMENTS)
    def test_continues_and_gives_the_bytes_of_a_build_that_was_not_killed(self, tmp_path: Path, moment: str) -> None:
        expected = build_index(corpus_of(WITH_DUPLICATES), FakeEncoder(), tmp_path / "whole")
        kill_a_build(tmp_path / "index", WITH_DUPLICATES, moment)
        with pytest.raises(BundleMissingError):
            Bundle.open(tmp_path / "index")
        encoder = FakeEncoder()
        bundle = build_index(corpus_of(WITH_DUPLICATES), encoder, tmp_path / "index")
        assert encoder.encoded == TEXTS[MOMENTS[moment][2] :]
        assert file_hashes(bundle.path) == file_hashes(expected.path)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["index", "whole"]

    def test_says_how_much_is_done_already(self, tmp_path: Path) -> None:
        kill_a_build(tmp_path / "index", TEXTS, "encoding")
        told: list[str] = []
        build_index(corpus_of(TEXTS), FakeEncoder(), tmp_path / "index", report=lambda step: told.append(step.message))
        assert any("unfinished build: 30 texts" in message for message in told)

    def test_the_unfinished_folder_is_not_an_index(self, tmp_path: Path) -> None:
        kill_a_build(tmp_path / "index", TEXTS, "encoding")
        with pytest.raises(BundleMissingError, match="not a finished index"):
            Bundle.open(tmp_path / "index.building")

    def test_a_new_start_in_a_finished_folder_is_not_an_index_either(self, tmp_path: Path) -> None:
        kill_a_build(tmp_path / "index", TEXTS, "before the swap")
        kill_a_build(tmp_path / "index", random_texts(60, seed=5), "encoding")
        with pytest.raises(BundleMissingError, match="not a finished index"):
            Bundle.open(tmp_path / "index.building")

    @pytest.mark.parametrize("moment", MOMENTS)
    def test_the_old_index_serves_after_a_killed_replacement(self, build: Build, tmp_path: Path, moment: str) -> None:
        before = file_hashes(build(["red apple", "green pear"]).path)
        kill_a_build(tmp_path / "index", TEXTS, moment, overwrite=True)
        assert file_hashes(tmp_path / "index") == before
        searcher = Searcher.open(tmp_path / "index", encoder=FakeEncoder(), verify="now")
        assert searcher.search("apple").hits[0].document.text == "red apple"

    @pytest.mark.parametrize(
        ("other", "options"),
        [(TEXTS[1:], {}), (TEXTS, {"limit": 50})],
        ids=["corpus", "limit"],
    )
    def test_a_build_of_other_inputs_starts_over_and_says_so(
        self, tmp_path: Path, other: list[str], options: dict[str, Any]
    ) -> None:
        kill_a_build(tmp_path / "index", TEXTS, "encoding")
        told: list[str] = []
        encoder = FakeEncoder()
        build_index(
            corpus_of(other),
            encoder,
            tmp_path / "index",
            BuildOptions(**options),
            report=lambda step: told.append(step.message),
        )
        assert any("other inputs" in message for message in told)
        assert encoder.encoded == other[: options.get("limit")]

    def test_another_model_starts_over(self, tmp_path: Path) -> None:
        kill_a_build(tmp_path / "index", TEXTS, "encoding")
        encoder = FakeEncoder()
        encoder.weights_sha256 = "0" * 64
        build_index(corpus_of(TEXTS), encoder, tmp_path / "index")
        assert encoder.encoded == TEXTS

    def test_three_corpora_in_turn_do_not_mix_their_vectors(self, tmp_path: Path) -> None:
        """The second is killed when its vectors are written over the first's, and not yet noted."""
        kill_a_build(tmp_path / "index", TEXTS, "encoding")
        kill_a_build(tmp_path / "index", random_texts(60, seed=5), "first vectors written, not yet noted")
        bundle = build_index(corpus_of(TEXTS), FakeEncoder(), tmp_path / "index")
        assert np.array_equal(np.load(bundle.file(EMBEDDINGS_FILE)), FakeEncoder().encode(TEXTS))

    def test_a_corpus_with_duplicates_after_one_without(self, tmp_path: Path) -> None:
        """Without duplicates, embeddings.npy is a second name of the vectors: writing to it would destroy them."""
        kill_a_build(tmp_path / "index", TEXTS, "before the manifest")
        bundle = build_index(corpus_of(WITH_DUPLICATES), FakeEncoder(), tmp_path / "index")
        assert np.array_equal(np.load(bundle.file(EMBEDDINGS_FILE)), FakeEncoder().encode(WITH_DUPLICATES))

    def test_continuing_without_the_baseline_leaves_none_behind(self, tmp_path: Path) -> None:
        kill_a_build(tmp_path / "index", TEXTS, "before the manifest")
        bundle = build_index(corpus_of(TEXTS), FakeEncoder(), tmp_path / "index", BuildOptions(baseline=False))
        assert not bundle.file(EMBEDDINGS_FILE).exists()

    @pytest.mark.parametrize("content", ["", "{", "[]", '{"fingerprint": 3}', '{"fingerprint": "x", "done": "y"}'])
    def test_a_damaged_checkpoint_starts_over(self, tmp_path: Path, content: str) -> None:
        work = tmp_path / "index.building"
        work.mkdir()
        (work / "progress.json").write_text(content)
        (work / "vectors.npy").write_bytes(b"")
        bundle = build_index(corpus_of(TEXTS), FakeEncoder(), tmp_path / "index")
        assert np.array_equal(np.load(bundle.file(EMBEDDINGS_FILE)), FakeEncoder().encode(TEXTS))

    def test_without_hard_links_the_baseline_is_written_out(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: Any) -> None:
            raise PermissionError("Operation not permitted")

        monkeypatch.setattr(Path, "hardlink_to", refuse)
        bundle = build_index(corpus_of(TEXTS), FakeEncoder(), tmp_path / "index")
        assert np.array_equal(np.load(bundle.file(EMBEDDINGS_FILE)), FakeEncoder().encode(TEXTS))


def build_with_largest_file(output: Path, size_bytes: int, answer: Connection) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, size_bytes))
    try:
        build_index(corpus_of(random_texts(3000)), FakeEncoder(), output, BuildOptions(overwrite=True))
        answer.send("built")
    except BuildError as error:
        answer.send(str(error))


class TestFullDisk:
    @pytest.fixture
    def small_disk(self, tmp_path: Path) -> Iterator[Path]:
        mounted = tmp_path / "small"
        mounted.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(mounted)]
        try:
            failed = subprocess.run(command, capture_output=True, check=False).returncode
        except FileNotFoundError:
            failed = 1
        if failed:
            pytest.skip("needs the right to mount a small disk")
        yield mounted
        subprocess.run(["umount", "--lazy", str(mounted)], check=True)

    def test_says_so_and_continues_when_there_is_space_again(self, small_disk: Path) -> None:
        options = BuildOptions(overwrite=True, checkpoint_texts=500)
        build_index(corpus_of(["red apple"]), FakeEncoder(), small_disk / "index")
        texts = random_texts(3000)
        ballast = small_disk / "ballast"

        def fill_the_disk(step: BuildProgress) -> None:
            if step.phase == "encoding" and step.done == 1000:
                ballast.write_bytes(bytes(shutil.disk_usage(small_disk).free))

        with pytest.raises(BuildError, match=r"the disk is full at .*free some space and run the same command again"):
            build_index(corpus_of(texts), FakeEncoder(), small_disk / "index", options, fill_the_disk)
        assert len(Searcher.open(small_disk / "index", encoder=FakeEncoder(), verify="now")) == 1
        ballast.unlink()
        encoder = FakeEncoder()
        build_index(corpus_of(texts), encoder, small_disk / "index", options)
        assert len(encoder.encoded) < 3000
        assert len(Searcher.open(small_disk / "index", encoder=FakeEncoder(), verify="now")) == 3000

    @pytest.mark.parametrize("size_bytes", [3_000, 20_000, 100_000, 220_000, 500_000])
    def test_a_file_that_cannot_grow_is_a_build_error_and_loses_nothing(
        self, build: Build, tmp_path: Path, size_bytes: int
    ) -> None:
        before = file_hashes(build(["red apple"]).path)
        receiver, sender = multiprocessing.Pipe(duplex=False)
        run_in_child(build_with_largest_file, tmp_path / "index", size_bytes, sender)
        sender.close()
        assert receiver.poll()
        assert receiver.recv().startswith("cannot write the index at")
        receiver.close()
        assert file_hashes(tmp_path / "index") == before

    @pytest.mark.parametrize("name", [INT8_FILE, "vectors.npy", "texts.arrow"])
    def test_an_error_that_comes_with_the_last_bytes_is_noticed(self, tmp_path: Path, name: str) -> None:
        """Small writes wait in a buffer: a full disk shows when the file is closed."""
        (tmp_path / "index.building").mkdir()
        (tmp_path / "index.building" / name).symlink_to("/dev/full")
        with pytest.raises(BuildError, match=r"disk is full|cannot write"):
            build_index(corpus_of(TEXTS), FakeEncoder(), tmp_path / "index")
        assert not (tmp_path / "index").exists()


def test_the_checkpoint_is_never_ahead_of_the_vectors(tmp_path: Path) -> None:
    work = tmp_path / "index.building"

    def check(step: BuildProgress) -> None:
        if step.phase == "encoding" and step.done:
            assert json.loads((work / "progress.json").read_text())["done"] == step.done
            assert (work / "vectors.npy").stat().st_size >= 64 * 4 * step.done

    build_index(corpus_of(TEXTS), FakeEncoder(), tmp_path / "index", BuildOptions(checkpoint_texts=CHUNK), check)
