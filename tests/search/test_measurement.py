"""Clocks and memory: what they count, not how much."""

from __future__ import annotations

import mmap
import time
from pathlib import Path

import pytest

from retrieval import STAGES, MemoryItem, MemoryReport
from retrieval.search.measurement import StageClock, process_rss_bytes, resident_bytes


def test_a_new_clock_has_every_stage_at_zero() -> None:
    latency = StageClock().latency()
    assert dict(latency.stages) == dict.fromkeys(STAGES, 0.0)
    assert latency.total_ms >= 0


def test_a_stage_adds_up_and_others_stay_at_zero() -> None:
    clock = StageClock()
    for _ in range(2):
        with clock.stage("hamming"):
            time.sleep(0.002)
    latency = clock.latency()
    assert latency.stages["hamming"] >= 4
    assert sum(latency.stages.values()) == latency.stages["hamming"]
    assert latency.total_ms >= latency.stages["hamming"]


def test_a_stage_that_fails_is_counted_too() -> None:
    clock = StageClock()

    def fail() -> None:
        with clock.stage("rescore"):
            time.sleep(0.001)
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    assert clock.latency().stages["rescore"] >= 1


def test_an_unknown_stage_is_a_mistake() -> None:
    clock = StageClock()
    with pytest.raises(KeyError), clock.stage("rescoring"):
        pass


def test_rss_is_the_processs_own() -> None:
    assert 1_000_000 < process_rss_bytes() < 1e12


def test_resident_bytes_are_the_pages_touched(tmp_path: Path) -> None:
    mapped_path, other = tmp_path / "mapped", tmp_path / "other"
    for path in (mapped_path, other):
        path.write_bytes(bytes(1 << 20))
    with mapped_path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
        mapped.madvise(mmap.MADV_RANDOM)
        before = resident_bytes([mapped_path])[mapped_path]
        assert sum(mapped[::4096]) == 0
        after = resident_bytes([mapped_path, other])
    assert before < after[mapped_path] == 1 << 20
    assert after[other] == 0


def test_resident_bytes_follow_links(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 8192)
    (tmp_path / "link").symlink_to(tmp_path / "file")
    with (tmp_path / "link").open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
        assert mapped[0] == ord("x")
        assert resident_bytes([tmp_path / "link"])[tmp_path / "link"] > 0


@pytest.mark.parametrize(("dim", "binary"), [(384, 48), (8, 1), (9, 2), (1, 1)])
def test_a_report_compares_with_each_precision_by_arithmetic(dim: int, binary: int) -> None:
    report = MemoryReport((MemoryItem("codes", "bits", 7, "ram"),), num_vectors=10, dim=dim)
    assert (report.float32_bytes, report.int8_bytes, report.binary_bytes) == (40 * dim, 10 * dim, 10 * binary)
    assert report["codes"] == 7
