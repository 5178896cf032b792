"""The disk that a build needs: told in advance, true, and refused where it is not there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from retrieval import BuildError, BuildOptions, BuildProgress, build_index
from retrieval.indexing.disk_need import DiskNeed, check_after_reading, check_before_reading
from tests.conftest import FakeEncoder, RowsCorpus, random_texts

TEXTS = random_texts(3000)
WITH_DUPLICATES = [*TEXTS, *TEXTS[:1000]]


def corpus_of(texts: list[str]) -> RowsCorpus:
    return RowsCorpus([{"text": text} for text in texts])


@pytest.fixture
def free_bytes(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A disk with as much room as a test says."""
    disk = SimpleNamespace(free=10**15)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: disk)
    return disk


@pytest.mark.parametrize("texts", [TEXTS, WITH_DUPLICATES], ids=["distinct", "duplicates"])
@pytest.mark.parametrize("baseline", [True, False], ids=["baseline", "no baseline"])
@pytest.mark.parametrize("lists", [0, 16], ids=["no lists", "lists"])
def test_a_build_writes_as_many_bytes_as_it_says(tmp_path: Path, texts: list[str], baseline: bool, lists: int) -> None:
    written: list[int] = []

    def count(step: BuildProgress) -> None:
        if step.phase == "tuning" and not written:
            files = [path.stat() for path in (tmp_path / "index.building").rglob("*.*") if path.is_file()]
            sizes = {found.st_ino: found.st_size for found in files}
            texts_and_documents = [*tmp_path.rglob("*.arrow")]
            written.append(sum(sizes.values()) - sum(path.stat().st_size for path in texts_and_documents))

    build_index(
        corpus_of(texts), FakeEncoder(), tmp_path / "index", BuildOptions(baseline=baseline, lists=lists), count
    )
    need = DiskNeed(len(texts), 3000, 64, baseline, lists)
    assert 0 <= need.size_bytes - written[0] < 1.1 * 2**20


class TestRefusal:
    def test_a_build_that_cannot_fit_reads_nothing(self, tmp_path: Path, free_bytes: SimpleNamespace) -> None:
        free_bytes.free = 100_000
        told: list[BuildProgress] = []
        with pytest.raises(BuildError, match=r"the disk is too small at .*choose an output on another disk"):
            build_index(corpus_of(TEXTS), FakeEncoder(), tmp_path / "index", report=told.append)
        assert told == []
        assert list(tmp_path.iterdir()) == []

    def test_a_corpus_of_unknown_length_is_refused_before_it_is_encoded(
        self, tmp_path: Path, free_bytes: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(RowsCorpus, "num_rows", None)
        free_bytes.free = 100_000
        encoder = FakeEncoder()
        with pytest.raises(BuildError, match="the disk is too small"):
            build_index(corpus_of(TEXTS), encoder, tmp_path / "index")
        assert encoder.encoded == []

    def test_given_vectors_tell_how_many_rows_there_are(self, tmp_path: Path, free_bytes: SimpleNamespace) -> None:
        class Unread(RowsCorpus):
            num_rows = None

            def batches(self) -> Iterator[pa.RecordBatch]:
                raise AssertionError("the corpus is read")

        free_bytes.free = 100_000
        np.save(tmp_path / "vectors.npy", np.ones((3000, 64), np.float32))
        options = BuildOptions(embeddings=tmp_path / "vectors.npy")
        with pytest.raises(BuildError, match="the disk is too small"):
            build_index(Unread([]), None, tmp_path / "index", options)

    def test_rows_that_may_have_one_text_are_not_refused_before_they_are_read(
        self, tmp_path: Path, free_bytes: SimpleNamespace
    ) -> None:
        need = DiskNeed(1_000_000, 1_000_000, 384, baseline=False, lists=0)
        free_bytes.free = need.size_bytes // 3
        check_before_reading(need, tmp_path, print)
        with pytest.raises(BuildError, match="the disk is too small"):
            check_after_reading(need, tmp_path, print)

    def test_files_of_a_stopped_build_count_as_free_room(self, tmp_path: Path, free_bytes: SimpleNamespace) -> None:
        need = DiskNeed(10_000, 10_000, 64, baseline=True, lists=0)
        free_bytes.free = need.size_bytes - 1_000_000
        with pytest.raises(BuildError):
            check_after_reading(need, tmp_path, print)
        (tmp_path / "vectors.npy").write_bytes(bytes(1_000_000))
        (tmp_path / "embeddings.npy").hardlink_to(tmp_path / "vectors.npy")  # the same bytes, not as many again
        check_after_reading(need, tmp_path, print)
        free_bytes.free -= 1
        with pytest.raises(BuildError):
            check_after_reading(need, tmp_path, print)


def test_a_large_build_tells_what_it_takes_and_a_small_one_does_not(
    tmp_path: Path, free_bytes: SimpleNamespace
) -> None:
    told: list[str] = []
    check_before_reading(DiskNeed(1000, 1000, 384, baseline=True, lists=None), tmp_path, told.append)
    assert told == []
    free_bytes.free = 77 * 10**9
    check_before_reading(DiskNeed(10_000_000, 10_000_000, 384, baseline=True, lists=None), tmp_path, told.append)
    assert len(told) == 1
    assert all(part in told[0] for part in ("20.6 GB", "10,000,000", "77.0 GB"))
