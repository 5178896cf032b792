"""Builds that are killed or meet a full disk: processes of their own, which die."""

from __future__ import annotations

import json
import multiprocessing
import resource
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrieval import BuildError, BuildOptions, BuildProgress, BundleMissingError, Searcher, build_index
from retrieval.bundle.bundle import Bundle
from retrieval.bundle.manifest import BINARY_FILE, EMBEDDINGS_FILE, INT8_FILE
from retrieval.indexing import build as steps
from retrieval.indexing import indexer as indexer_module
from retrieval.indexing import vectors as vectors_module
from tests.conftest import Build, FakeEncoder, random_texts
from tests.indexing.small_corpus import TEXTS, WITH_DUPLICATES, corpus_of
from tests.support import die, file_hashes, run_in_child

CHUNK = 10


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


MOMENTS: dict[str, tuple[Callable[[BuildProgress], None], tuple[object, str] | None, int]] = {
    # name: what listens to the progress, which function dies when called, how many texts are encoded by then
    "reading": (die_at_reading, None, 0),
    "encoding": (die_at_encoding, None, 3 * CHUNK),
    "first vectors written, not yet noted": (go_on, (vectors_module, "write_json"), 0),
    "writing the bits": (die_at_binary, None, 60),
    "writing int8": (die_at_int8, None, 60),
    "before the manifest": (go_on, (steps.Build, "write_manifest"), 60),
    "before the swap": (go_on, (indexer_module, "swap"), 60),
}


def build_and_die(output: Path, texts: list[str], moment: str, options: BuildOptions) -> None:
    listen, fatal, _ = MOMENTS[moment]
    if fatal:
        owner, name = fatal
        setattr(owner, name, die_instead)
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
