"""The command that measures which precision vectors survive."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

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
    title, taken_at, machine = (values.pop(name) for name in ("title", "taken_at", "machine"))
    frontier = Frontier.from_json(values)
    assert machine["cores"] >= 1
    assert (title, taken_at.endswith(" UTC")) == (embeddings.name, True)
    assert (frontier.dim, frontier.num_vectors + frontier.num_queries) == (32, 500)
    captured = capsys.readouterr()
    assert "per month" in captured.out
    assert "length 1" in captured.err  # they were not, and the metric is cosine


def test_given_queries_are_searched(embeddings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    queries = tmp_path / "queries.npy"
    np.save(queries, np.load(embeddings)[:7] + 0.1)
    assert command.main(["--embeddings", str(embeddings), "--queries", str(queries)]) == 0
    assert "7 queries" in capsys.readouterr().out


def test_the_first_vectors_are_taken_and_that_is_reported(embeddings: Path, capsys: pytest.CaptureFixture[str]) -> None:
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


def test_the_frontier_is_drawn_and_reported(embeddings: Path, tmp_path: Path) -> None:
    plot, page = tmp_path / "frontier.svg", tmp_path / "frontier.html"
    assert command.main(["--embeddings", str(embeddings), "--plot", str(plot), "--html", str(page)]) == 0
    root = ElementTree.fromstring(plot.read_text())
    assert root.tag.endswith("svg")
    assert len(list(root.iter("{http://www.w3.org/2000/svg}title"))) > 100  # what hovering tells
    assert "vectors.npy" in page.read_text()
    assert str(tmp_path) not in page.read_text()


def test_a_file_that_cannot_be_written_is_reported(embeddings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--embeddings", str(embeddings), "--html", "/nowhere/frontier.html"]) == 1
    assert "/nowhere/frontier.html" in capsys.readouterr().err


def test_a_column_of_a_table_is_measured(embeddings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "table.jsonl"
    table.write_text("".join(json.dumps({"v": row}) + "\n" for row in np.load(embeddings)[:200].tolist()))
    assert command.main(["--embeddings", str(table), "--column", "v", "--limit", "150"]) == 0
    assert "(of 200)" in capsys.readouterr().out


def test_queries_of_another_dimension_are_refused(
    embeddings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "queries.npy", np.ones((5, 16), np.float32))
    assert command.main(["--embeddings", str(embeddings), "--queries", str(tmp_path / "queries.npy")]) == 1
    assert "32 dimensions" in capsys.readouterr().err
