"""Builds on a real Ray cluster of two nodes: the same index as without, even if workers die."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrieval import DependencyError
from retrieval.bundle.binary_index import BinaryIndex
from retrieval.bundle.bundle import Bundle
from retrieval.bundle.int8_store import Int8Store
from retrieval.bundle.manifest import BINARY_FILE, DOCUMENTS_FILE, INT8_FILE
from retrieval.indexing.ray_workers import RAY_COMMAND, ray_workers
from tests.indexing.ray_builds import BATCH, TEXTS, build
from tests.ray_cluster import ENVIRONMENT, running_cluster
from tests.support import file_hashes

needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason=f"needs Ray: {RAY_COMMAND}")
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    with running_cluster() as address:
        yield address


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same index, built in one process."""
    output = tmp_path_factory.mktemp("one-process") / "index"
    build(output, None)
    return output


def run(address: str, folder: Path, *names: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.indexing.ray_builds", address, str(folder), *names]
    return subprocess.run(command, env=ENVIRONMENT, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


def told(folder: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / f"{name}.json").read_text())
    return found


@pytest.fixture(scope="module")
def builds(cluster: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Builds on the cluster, all from one process."""
    folder = tmp_path_factory.mktemp("on-two-nodes")
    finished = run(
        cluster, folder, "whole", "worker_killed", "reader_killed", "bounded", "another_model", "given_vectors"
    )
    assert finished.returncode == 0, finished.stderr[-2000:]
    return folder


def assert_same_index(found: Path, expected: Path) -> None:
    """Same documents and settings, and codes that differ in one of 10,000 at most."""
    one, other = Bundle.open(found), Bundle.open(expected)
    for name in ("row_count", "distinct_text_count", "group_count", "dropped_rows", "dim", "model_id", "search"):
        assert getattr(one.manifest, name) == getattr(other.manifest, name), name
    assert file_hashes(found)[DOCUMENTS_FILE] == file_hashes(expected)[DOCUMENTS_FILE]
    dim = one.manifest.dim
    codes = [Int8Store.open(bundle.file(INT8_FILE), dim).codes for bundle in (one, other)]
    bits = [BinaryIndex.open(bundle.file(BINARY_FILE), dim).codes for bundle in (one, other)]
    for pair in (codes, bits):
        assert pair[0].shape == pair[1].shape
        assert np.mean(pair[0] != pair[1]) <= 1e-4


@needs_ray
class TestOnTwoNodes:
    def test_the_index_is_that_of_one_process(self, builds: Path, expected: Path) -> None:
        assert told(builds, "whole") == {"workers": 2, "processes": 2}
        assert_same_index(builds / "whole", expected)

    def test_a_worker_that_is_killed_costs_its_batches(self, builds: Path, expected: Path) -> None:
        assert told(builds, "worker_killed") == {"killed": 1, "still_used": False}
        assert_same_index(builds / "worker_killed", expected)

    def test_a_reader_that_is_killed_reads_again(self, builds: Path, expected: Path) -> None:
        assert told(builds, "reader_killed") == {"killed": 1, "read_again": True}
        assert_same_index(builds / "reader_killed", expected)

    def test_a_bounded_number_of_batches_is_in_progress(self, builds: Path) -> None:
        found = told(builds, "bounded")
        assert found["in_order"]
        assert 2 <= found["most"] <= found["allowed"] < 60

    def test_a_model_that_the_workers_do_not_have_is_an_error(self, builds: Path) -> None:
        assert told(builds, "another_model")["error"] == "ModelError"
        assert not (builds / "another_model").exists()

    def test_given_vectors_are_quantized_by_the_workers(self, builds: Path) -> None:
        assert_same_index(builds / "given_vectors", builds / "given_vectors_here")

    def test_a_build_that_is_killed_continues(self, cluster: str, expected: Path, tmp_path: Path) -> None:
        assert run(cluster, tmp_path, "builder_killed").returncode == -signal.SIGKILL
        assert not (tmp_path / "builder_killed").exists()
        finished = run(cluster, tmp_path, "continued")
        assert finished.returncode == 0, finished.stderr[-2000:]
        assert len(TEXTS) // 2 <= told(tmp_path, "continued")["went_on_from"] < len(TEXTS) // 2 + BATCH
        assert_same_index(tmp_path / "builder_killed", expected)

    def test_the_command_builds_on_the_cluster(self, cluster: str, tmp_path: Path) -> None:
        (tmp_path / "texts.txt").write_text("\n".join(TEXTS))
        command = [
            sys.executable, "scripts/build_index.py", "--corpus", "file", "--path", str(tmp_path / "texts.txt"),
            "--output", str(tmp_path / "index"), "--ray", cluster,
        ]  # fmt: skip
        subprocess.run(command, env=ENVIRONMENT, cwd=ROOT, check=True, capture_output=True, timeout=300)
        assert Bundle.open(tmp_path / "index").manifest.row_count == len(TEXTS)

    def test_a_cluster_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        finished = run("127.0.0.1:9", tmp_path, "whole")
        assert finished.returncode != 0
        assert "BuildError: no Ray cluster at 127.0.0.1:9" in finished.stderr


def test_without_ray_the_error_has_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setitem(os.environ, "RAY_USAGE_STATS_ENABLED", "1")
    with pytest.raises(DependencyError, match=RAY_COMMAND), ray_workers("auto", None):
        pass
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
