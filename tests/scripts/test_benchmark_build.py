"""Measuring builds, on a few rows of a real index."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts import benchmark_build
from scripts.report.sizing_tables import SIZING_TABLES

pytestmark = pytest.mark.model


def test_a_measured_build_has_what_the_tables_need(
    tiny_index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(benchmark_build, "in_own_process", lambda work, *arguments: work(*arguments))
    monkeypatch.setattr(benchmark_build, "_ENCODED", 8)
    arguments = ["--index", str(tiny_index), "--sizes", "300", "--work", str(tmp_path), "--json"]
    assert benchmark_build.main([*arguments, str(tmp_path / "building.json")]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["building.json"]
    figures = json.loads((tmp_path / "building.json").read_text())
    [built] = figures["builds"]
    assert (built["rows"], built["dim"]) == (300, 384)
    stages = [stage["stage"] for stage in built["stages"]]
    assert stages == ["opening", "reading", "copying", "writing binary.faiss", "writing int8.usearch", "tuning"]
    peaks = [stage["peak_rss_bytes"] for stage in built["stages"]]
    assert peaks == sorted(peaks)
    assert 0 < peaks[-1] <= built["peak_rss_bytes"]
    assert built["searching"]["scans"]["hamming"]["cpu_ms"] > 0
    for name in ("building", "sizing", "sizing_cost"):
        assert list(SIZING_TABLES[name](figures))
