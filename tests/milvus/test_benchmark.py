"""Measuring an index in files and in Milvus side by side, on a few rows of a real index."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts import benchmark_milvus
from scripts.report.speed_tables import milvus

pytestmark = pytest.mark.model


def test_each_way_has_all_figures(
    tiny_index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("milvus", reason="needs requirements-databases.txt")
    pytest.importorskip("pymilvus", reason="needs requirements-databases.txt")
    monkeypatch.setenv("MILVUS_TIMEOUT", "60")
    monkeypatch.setattr(benchmark_milvus, "in_own_process", lambda work, *arguments: work(*arguments))
    queries = tmp_path / "questions.txt"
    queries.write_text("sort numbers\nread a table\nopen a file\n")
    arguments = ["--index", str(tiny_index), "--queries", str(queries), "--rounds", "1", "--seconds", "0.2"]
    arguments += ["--data", str(tmp_path / "data"), "--json", str(tmp_path / "milvus.json"), "--probes", "1000"]
    assert benchmark_milvus.main(arguments) == 0, capsys.readouterr().err
    figures = json.loads((tmp_path / "milvus.json").read_text())
    assert list(figures["ways"]) == ["local_hamming", "milvus_flat", "milvus_ivf"]
    for name, way in figures["ways"].items():
        found = way["questions"]
        assert found["recall"] == 1.0, name  # of so few rows, all are candidates
        assert 0 < found["alone"]["p50_ms"] <= found["alone"]["p95_ms"]
        assert found["queries_per_s"] > 0
        assert found["rss_bytes"] > 0
        assert ("server_rss_bytes" in found) == (name in figures["loads"])
    assert {load["rows_written"] for load in figures["loads"].values()} == {figures["index"]["rows"]}
    assert len(list(milvus(figures))) > len(figures["ways"])
