"""The parts of the benchmark, on tiny indexes: they give the documented keys, and what they compute is right."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrieval import RetrievalError, SearchSettings
from retrieval.benchmark.sampled_queries import with_noise
from scripts.bench import cold, growth, memory, paths, scans, sweep
from scripts.bench.job import Job, NotMeasurableError, QuerySet
from scripts.bench.pages import Pages, count_pages, evict
from scripts.bench.parts import measure_opening
from scripts.bench.processes import in_own_process, limited_to
from scripts.report import storage_tables
from tests.conftest import Build, FakeEncoder, random_texts

TEXTS = random_texts(400)
Measure = Callable[..., dict[str, Any]]


def silent(what: str) -> None:
    """Takes a report, and keeps it to itself."""


@pytest.fixture
def job(build: Build, encoder: FakeEncoder, tmp_path: Path) -> Job:
    """Asks with vectors, as an index without a model is asked: the fake model cannot be loaded by its name."""
    vectors = encoder.encode(random_texts(12, seed=5))
    sets = {"one": QuerySet((), vectors[:6]), "two": QuerySet((), vectors[6:])}
    return Job(build(TEXTS).path, sets, threads=2, work=tmp_path, rounds=1)


@pytest.fixture
def bare_job(build: Build, job: Job) -> Job:
    return replace(job, index=build(TEXTS, name="bare", baseline=False).path)


class TestScans:
    def test_every_kernel_has_timings_ratios_and_recall(self, job: Job) -> None:
        figures = scans.measure(job, silent, batch_sizes=(1, 5, 100))
        assert figures["kernels"].keys() == {"float32_numpy", "float32_faiss", "int8", "binary"}
        for name in figures["kernels"]:
            assert figures["timings"][name].keys() == {"1", "5"}  # no set has 100 queries
            assert figures["ratios"]["float32_fastest"][name].keys() == {"1", "5", "all"}
        assert figures["recall"]["float32_faiss"] == {"one": 1.0, "two": 1.0}
        assert figures["recall"]["int8_dequantized"]["one"] > 0.9
        assert figures["ratios"]["float32_faiss"]["float32_faiss"]["all"]["mean"] == 1.0
        json.dumps(figures)

    def test_ratios_of_hand_made_times(self) -> None:
        medians = {"float32_numpy": {1: [80.0, 90.0]}, "float32_faiss": {1: [100.0, 60.0]}, "binary": {1: [2.0, 6.0]}}
        table = scans.ratio_table(medians)
        assert table["float32_fastest"]["binary"]["1"] == {"min": 10.0, "mean": 25.0, "max": 40.0, "batches": 2}
        assert table["float32_faiss"]["binary"]["all"] == {"min": 10.0, "mean": 30.0, "max": 50.0, "batches": 2}
        assert table["float32_fastest"]["float32_numpy"]["1"]["max"] == 1.0

    def test_batches_are_whole_and_of_one_set(self) -> None:
        sets = [np.zeros((25, 4), np.float32), np.ones((9, 4), np.float32)]
        assert [len(batch) for batch in scans.make_batches(sets, 10)] == [10, 10]
        assert len(scans.make_batches(sets, 1)) == 34


class TestSweep:
    def test_points_frontier_and_raw_codes_of_each_set(self, job: Job) -> None:
        figures = sweep.measure(job, silent)
        for own in figures["sets"].values():
            assert own["points"][0].keys() >= {"num_candidates", "int8_rows_read", "recall", "p50_ms"}
            assert max(point["num_candidates"] for point in own["points"]) == len(TEXTS)
            assert own["frontier"][-1]["recall"] == max(point["recall"] for point in own["points"])
            assert own["raw_codes"].keys() == {str(point["num_candidates"]) for point in own["points"]}

    def test_the_frontier_is_what_no_other_point_beats(self) -> None:
        points = [
            {"p50_ms": 3.0, "recall": 0.9}, {"p50_ms": 1.0, "recall": 0.5}, {"p50_ms": 2.0, "recall": 0.9},
            {"p50_ms": 2.5, "recall": 0.8}, {"p50_ms": 1.0, "recall": 0.4}, {"p50_ms": 9.0, "recall": 0.95},
        ]  # fmt: skip
        found = [(point["p50_ms"], point["recall"]) for point in sweep.frontier(points)]
        assert found == [(1.0, 0.5), (2.0, 0.9), (9.0, 0.95)]

    def test_no_setting_reads_more_rows_than_it_has_candidates(self) -> None:
        grid = sweep.grid(120, SearchSettings())
        assert all(each.rescore_multiplier * 10 <= each.num_candidates <= 120 for each in grid)
        assert len({(each.num_candidates, each.rescore_multiplier) for each in grid}) == len(grid)


class TestCold:
    def test_cold_and_warm_or_the_reason_why_not(self, job: Job) -> None:
        figures = cold.measure(job, silent, starts=1)
        queries, start = figures["queries"], figures["start"]
        assert queries["samples"] == 12
        assert queries["warm"]["stages"].keys() >= {"rescore", "documents", "total"}
        assert all(about["evicted"] for about in queries["files"].values()) == (queries["note"] is None)
        assert start["warm"].keys() == {"open", "first_query", "later_queries"}

    def test_where_pages_stay_there_is_no_cold_figure(self, job: Job) -> None:
        figures = cold.measure(job, silent, starts=1, evict=lambda path: Pages(total=100, resident=60))
        assert (figures["queries"]["cold"], figures["start"]["cold"]) == (None, None)
        assert "60 of" in figures["queries"]["note"]
        assert "int8" in figures["start"]["note"]

    def test_a_stage_is_cold_when_all_that_it_reads_was_evicted(self) -> None:
        stages = {"rescore": 1, "documents": 2, "total": 3, "hamming": 4}
        partly = cold.cold_figures({"stages": stages}, ["documents"])
        assert partly is not None
        assert partly["stages"] == {"rescore": 1}
        assert cold.cold_figures({"stages": stages}, []) == {"stages": stages}
        assert cold.cold_figures({"stages": stages}, ["int8", "documents"]) is None


class TestPages:
    def test_a_file_that_was_read_is_in_ram(self, tmp_path: Path) -> None:
        path = tmp_path / "file"
        path.write_bytes(b"x" * 50_000)
        path.read_bytes()
        assert count_pages(path) == Pages(total=13, resident=13)

    def test_eviction_says_what_stayed(self, tmp_path: Path) -> None:
        path = tmp_path / "file"
        path.write_bytes(b"x" * 4096 * 500)
        left = evict(path)
        assert left.total == 500
        assert left == count_pages(path)

    @pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a file system in RAM at /dev/shm")
    def test_a_file_system_in_ram_does_not_evict_and_is_found_out(self) -> None:
        path = Path(f"/dev/shm/eviction-{os.getpid()}")
        try:
            path.write_bytes(b"x" * 4096 * 500)
            assert not evict(path).is_evicted
        finally:
            path.unlink()

    def test_hardly_any_page_left_counts_as_evicted(self) -> None:
        assert Pages(total=1000, resident=10).is_evicted
        assert not Pages(total=1000, resident=11).is_evicted


class TestGrowth:
    def test_each_size_is_built_searched_and_removed(self, job: Job, tmp_path: Path) -> None:
        before = set(tmp_path.iterdir())
        figures = growth.measure(replace(job, growth_sizes=(100, 900)), silent)
        small, large = figures["sizes"]
        assert (small["real_vectors"], small["made_vectors"]) == (100, 0)
        assert (large["real_vectors"], large["made_vectors"]) == (400, 500)
        assert large["files"]["embeddings.npy"] > small["files"]["embeddings.npy"]
        assert 0.5 < large["recall"] <= 1.0
        assert set(tmp_path.iterdir()) == before

    def test_every_scan_is_measured_where_there_are_lists(self, job: Job) -> None:
        figures = growth.measure(replace(job, growth_sizes=(100, 900)), silent, lists_from=900)
        small, large = figures["sizes"]
        assert list(small["scans"]) == ["hamming", "float-bits"]
        assert list(large["scans"]) == ["hamming", "float-bits", "lists"]
        assert small["lists_bytes"] == 0 < large["lists_bytes"]
        assert 0.5 < large["scans"]["lists"]["kept"] <= 1.0
        text = "\n".join(storage_tables.growth({"parts": {"growth": figures}}))
        assert "| 900* | lists |" in text
        assert "| 100 | lists |" not in text

    def test_the_sizes_are_the_usual_ones_and_all_there_is(self, job: Job) -> None:
        sizes = growth.measure(job, silent, usual_sizes=(50, 500))["sizes"]
        assert [size["documents"] for size in sizes] == [50, 400, 500]

    def test_a_size_without_room_on_the_disk_is_left_out_with_a_reason(
        self, job: Job, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(growth, "bytes_needed", lambda rows, dim: 10**18)
        (size,) = growth.measure(replace(job, growth_sizes=(100,)), silent)["sizes"]
        assert "GB of disk are needed" in size["not_measured"]

    def test_made_vectors_are_near_real_ones_and_the_same_every_time(self) -> None:
        vectors = np.eye(3, 64, dtype=np.float32)
        moved = with_noise(vectors, np.random.default_rng(0))
        assert (moved == with_noise(vectors, np.random.default_rng(0))).all()
        assert np.linalg.norm(moved, axis=1) == pytest.approx(1.0)
        assert 0.9 < (moved * vectors).sum(axis=1).min() < 1.0


def test_memory_at_every_moment(job: Job) -> None:
    figures = memory.measure(job, silent)
    assert list(figures["moments"]) == ["before", "opened", "after_first_query", "after_all_queries"]
    assert figures["queries"] == 12
    assert figures["codes_bytes"] == 400 * 8
    assert figures["mapped_bytes"] > figures["codes_bytes"]


def test_opening_and_reading_the_codes(job: Job) -> None:
    figures = measure_opening(job, silent)
    assert figures.keys() == {"open", "read_codes_once", "codes_bytes"}


def test_recall_of_both_paths(job: Job) -> None:
    recall = paths.measure_recall(job)
    assert recall.keys() == {"one", "two"}
    assert all(own["ours"] >= own["reference_4x"] >= own["reference"] for own in recall.values())  # type: ignore[operator]


def test_whole_paths_need_texts(job: Job) -> None:
    with pytest.raises(NotMeasurableError, match="no model"):
        paths.measure(job, silent)


@pytest.mark.parametrize("measure", [scans.measure, sweep.measure, growth.measure])
def test_without_the_baseline_it_says_how_to_get_it(measure: Measure, bare_job: Job) -> None:
    with pytest.raises(NotMeasurableError, match="--no-baseline"):
        measure(bare_job, silent)


def test_without_the_baseline_there_is_no_recall(bare_job: Job) -> None:
    assert paths.measure_recall(bare_job)["one"] == {"ours": None, "reference": None, "reference_4x": None}


def test_a_separate_process_has_the_cores_it_is_given_and_returns_its_result() -> None:
    before = os.sched_getaffinity(0)
    with limited_to(1):
        assert in_own_process(_cores) == 1
    assert os.sched_getaffinity(0) == before


def test_a_failure_in_a_child_process_is_an_error_with_its_reason(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RetrievalError, match="ZeroDivisionError"):
        in_own_process(divmod, 1, 0)
    assert "Traceback" in capfd.readouterr().err


def test_a_process_that_is_killed_is_an_error() -> None:
    with pytest.raises(RetrievalError, match="exit status 3"):
        in_own_process(os._exit, 3)


def _cores() -> int:
    return len(os.sched_getaffinity(0))
