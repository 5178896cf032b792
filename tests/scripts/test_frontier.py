"""The command that measures which precision vectors survive."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from retrieval.evaluation.frontier.points import Frontier
from scripts import frontier as command


@pytest.fixture
def embeddings(tmp_path: Path) -> Path:
    vectors = np.random.default_rng(0).normal(size=(500, 32)).astype(np.float32)
    path = tmp_path / "vectors.npy"
    np.save(path, vectors)
    return path


def test_it_measures_and_recommends(embeddings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = tmp_path / "frontier.json"
    assert command.main(["--embeddings", str(embeddings), "--json", str(kept), "--target", "0.9"]) == 0
    values = json.loads(kept.read_text())
    machine = values.pop("machine")
    frontier = Frontier.from_json(values)
    assert machine["cores"] >= 1
    assert (frontier.dim, frontier.num_vectors + frontier.num_queries) == (32, 500)
    captured = capsys.readouterr()
    assert "per month" in captured.out
    assert "length 1" in captured.err  # they were not, and the metric is cosine


def test_queries_of_ones_own_are_searched(embeddings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    queries = tmp_path / "queries.npy"
    np.save(queries, np.load(embeddings)[:7] + 0.1)
    assert command.main(["--embeddings", str(embeddings), "--queries", str(queries)]) == 0
    assert "7 queries" in capsys.readouterr().out


def test_the_first_vectors_are_taken_and_that_is_told(embeddings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--embeddings", str(embeddings), "--limit", "300"]) == 0
    assert "500" in capsys.readouterr().out


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused_with_their_row(
    embeddings: Path, wrong: float, capsys: pytest.CaptureFixture[str]
) -> None:
    vectors = np.load(embeddings)
    vectors[123, 4] = wrong
    np.save(embeddings, vectors)
    assert command.main(["--embeddings", str(embeddings)]) == 1
    assert "123" in capsys.readouterr().err


def test_a_vector_of_zeros_has_no_angle(embeddings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vectors = np.load(embeddings)
    vectors[45] = 0
    np.save(embeddings, vectors)
    assert command.main(["--embeddings", str(embeddings)]) == 1
    assert "45" in capsys.readouterr().err
    assert command.main(["--embeddings", str(embeddings), "--metric", "inner product"]) == 0


@pytest.mark.parametrize("shape", [(1, 32), (4, 32)])
def test_too_few_vectors_are_refused(shape: tuple[int, int], embeddings: Path) -> None:
    np.save(embeddings, np.ones(shape, np.float32))
    assert command.main(["--embeddings", str(embeddings)]) == 1
