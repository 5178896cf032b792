"""The comparison with other engines: each finds what the exact scan finds, and one that fails is said to fail."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from retrieval import BuildOptions, BundleMissingError, QueryError, build_index
from scripts.bench import peers
from scripts.bench.peers import catalog
from scripts.bench.peers.catalog import ENTRIES, Entry
from scripts.bench.peers.sweep import Tried, pick
from scripts.bench.peers.table import lines, where_peers_win
from tests.conftest import Build, FakeEncoder, RowsCorpus, random_texts
from tests.support import PATIENCE_S

TEXTS = random_texts(1800)
QUERIES = {
    "one": FakeEncoder().encode(random_texts(20, seed=1)),
    "other": FakeEncoder().encode(random_texts(20, seed=2)),
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # The first texts come three times: positions among distinct texts are not rows of the corpus.
    rows = [{"text": text} for text in TEXTS[:100] * 2 + TEXTS]
    return build_index(
        RowsCorpus(rows), FakeEncoder(), tmp_path_factory.mktemp("peers") / "index", BuildOptions(lists=16)
    ).path


@pytest.fixture(scope="module")
def figures(index: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    work = tmp_path_factory.mktemp("work")
    measured = peers.measure(index, QUERIES, threads=2, work=work, report=lambda line: None, saturate_s=0.05)
    assert list(work.iterdir()) == []
    return measured


def measured_engine(figures: dict[str, Any], entry: Entry) -> dict[str, Any]:
    """Returns the figures of an engine, or skips the test where it is not installed."""
    engine: dict[str, Any] = figures["engines"][entry.name]
    if not entry.installed:
        assert engine["install"] == catalog.INSTALL
        pytest.skip(f"{entry.name} is not installed: {catalog.INSTALL}")
    assert engine.get("error") is None
    return engine


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
class TestEachEngine:
    def test_finds_what_the_exact_scan_finds(self, figures: dict[str, Any], entry: Entry) -> None:
        recall = measured_engine(figures, entry)["recall"]
        assert recall.keys() == QUERIES.keys()
        assert min(recall.values()) >= 0.93

    def test_every_figure_is_explained(self, figures: dict[str, Any], entry: Entry) -> None:
        explained = set(re.findall(r"\w+", str(peers.__doc__)))
        assert measured_engine(figures, entry).keys() <= explained

    def test_every_figure_is_a_plausible_number(self, figures: dict[str, Any], entry: Entry) -> None:
        engine = measured_engine(figures, entry)
        assert all(0 < value["p50"] <= value["p95"] <= value["p99"] for value in engine["latency_ms"].values())
        assert min(engine[key] for key in ("queries_per_s", "cpu_ms_per_query", "rss_after_bytes", "disk_bytes")) > 0
        assert (engine["build_s"] is None) is entry.is_ours
        assert len(engine["sweep"]) == len(entry.settings)


def test_the_figures_are_json_and_a_table(figures: dict[str, Any]) -> None:
    assert json.loads(json.dumps(figures)).keys() <= set(re.findall(r"\w+", str(peers.__doc__)))
    table = [line for line in lines(figures) if line.startswith("|")]
    measured = sum("at_higher_target" in engine for engine in figures["engines"].values())
    assert len(table) == 2 + len(ENTRIES) + 2 * (2 + measured)
    assert len({line.count("|") for line in table}) == 2


class TestAnEngineThatCannotBeMeasured:
    @pytest.fixture
    def measure(self, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
        """Returns a function that measures an engine whose `build` has the given body."""
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

        def run(body: str, packages: tuple[str, ...] = (), timeout_s: float = 60.0) -> dict[str, Any]:
            code = f"import os, sys, time\ndef build(vectors, folder, threads):\n    {body}\n"
            (tmp_path / "odd_engine.py").write_text(code)
            entry = Entry("odd", "Odd", "for a test", "odd_engine", packages, ({},))
            found = peers.measure(
                index, QUERIES, threads=1, work=tmp_path / "work", report=print, entries=(entry,), timeout_s=timeout_s
            )
            assert list((tmp_path / "work").iterdir()) == []
            assert any("Odd" in line for line in lines(found))
            engine: dict[str, Any] = found["engines"]["odd"]
            return engine

        return run

    def test_is_listed_when_it_is_not_installed(self, measure: Any) -> None:
        engine = measure("pass", packages=("no-such-engine-at-all",))
        assert engine["installed"] is False
        assert engine["install"] == catalog.INSTALL

    def test_is_listed_with_its_error(self, measure: Any) -> None:
        engine = measure("raise ValueError('no room for vectors')")
        assert "ValueError: no room for vectors" in engine["error"]
        assert engine["timed_out"] is False

    def test_is_listed_when_it_dies(self, measure: Any) -> None:
        assert "SIGABRT" in measure("os.abort()")["error"]

    def test_is_killed_when_its_time_is_up(self, measure: Any, tmp_path: Path) -> None:
        pid_file = tmp_path / "pid"
        engine = measure(f"open({str(pid_file)!r}, 'w').write(str(os.getpid())); time.sleep(600)", timeout_s=4.0)
        assert engine["timed_out"] is True
        assert "4 s" in engine["error"]
        assert not psutil.pid_exists(int(pid_file.read_text()))

    def test_ends_with_the_process_that_started_it(self, tmp_path: Path) -> None:
        job = tmp_path / "job.json"
        (tmp_path / "waiting_engine.py").write_text(
            "def build(vectors, folder, threads):\n    __import__('time').sleep(600)\n"
        )
        np.save(tmp_path / "vectors.npy", QUERIES["one"])
        vectors = str(tmp_path / "vectors.npy")
        job.write_text(
            json.dumps(
                {
                    "task": "build",
                    "module": "waiting_engine",
                    "folder": str(tmp_path),
                    "threads": 1,
                    "embeddings": vectors,
                    "rows": vectors,
                }
            )
        )
        command = [sys.executable, "-m", "scripts.bench.peers.child", str(job)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(tmp_path)}) as child:
            assert child.stdin is not None
            child.stdin.close()
            assert child.wait(PATIENCE_S) == 3

    def test_does_not_share_its_process_with_our_engine(self, measure: Any) -> None:
        engine = measure("raise ValueError(sorted({'retrieval', 'faiss', 'usearch'} & sys.modules.keys()))")
        assert "ValueError: []" in engine["error"]


class TestTheChoiceOfASetting:
    TRIED = (
        Tried({"ef": 1}, {"easy": 0.99, "hard": 0.90}, 1.0),
        Tried({"ef": 2}, {"easy": 1.00, "hard": 0.98}, 3.0),
        Tried({"ef": 3}, {"easy": 1.00, "hard": 0.99}, 2.0),
    )

    def test_the_fastest_that_reaches_the_target_on_every_set(self) -> None:
        assert pick(self.TRIED, 0.98).setting == {"ef": 3}

    def test_the_nearest_when_none_reaches_it(self) -> None:
        assert pick(self.TRIED, 0.999).setting == {"ef": 3}
        assert pick(self.TRIED[:1], 0.98).setting == {"ef": 1}


def _figures(recall: float, p50: float, queries_per_s: float) -> dict[str, Any]:
    return {
        "recall": {"a": recall, "b": 1.0}, "latency_ms": {"a": {"p50": p50, "p95": 9.0, "p99": 9.0}},
        "queries_per_s": queries_per_s, "cpu_ms_per_query": 1.0, "rss_growth_bytes": 1, "disk_bytes": 1,
        "target_reached": recall >= 0.98,
    }  # fmt: skip


def test_a_peer_wins_only_where_it_is_better() -> None:
    engines = {"ours_at_target": _figures(0.98, 2.0, 100), "fast": _figures(0.97, 1.0, 90), "failed": {"error": "x"}}
    (win,) = where_peers_win(engines)
    assert (win["engine"], win["measure"], win["peer"], win["ours"]) == ("fast", "p50 ms", 1.0, 2.0)
    assert win["peer_reached_target"] is False


def test_a_peer_wins_only_where_it_is_better_than_every_scan_of_ours() -> None:
    engines = {
        "ours_at_target": _figures(0.98, 2.0, 100),
        "ours_lists": _figures(0.98, 0.5, 50),
        "fast": _figures(0.98, 1.0, 90),
    }
    assert where_peers_win(engines) == []
    engines["ours_lists"]["target_reached"] = False
    (win,) = where_peers_win(engines)
    assert (win["measure"], win["ours"], win["our_engine"]) == ("p50 ms", 2.0, "ours_at_target")


class TestBadInput:
    def test_queries_of_another_dimension(self, index: Path, tmp_path: Path) -> None:
        with pytest.raises(QueryError, match=r"\(at least 1, 64\)"):
            peers.measure(index, {"a": QUERIES["one"][:, :32]}, threads=1, work=tmp_path, report=print)

    def test_an_index_without_its_baseline(self, build: Build, tmp_path: Path) -> None:
        bundle = build(TEXTS[:20], baseline=False)
        with pytest.raises(BundleMissingError, match="without --no-baseline"):
            peers.measure(bundle.path, QUERIES, threads=1, work=tmp_path, report=print)


def test_an_index_without_lists_has_no_row_for_them(build: Build, tmp_path: Path) -> None:
    entries = tuple(entry for entry in ENTRIES if entry.is_ours)
    index = build(random_texts(200)).path
    measured = peers.measure(
        index, QUERIES, threads=1, work=tmp_path, report=lambda line: None, entries=entries, saturate_s=0.05
    )
    assert list(measured["engines"]) == ["ours", "ours_at_target", "ours_float_bits"]
    assert all("recall" in engine for engine in measured["engines"].values())
    assert measured["where_peers_win"] == []
