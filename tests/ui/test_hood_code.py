"""The lines of numpy that the view shows are run as they stand: they must give the numbers that the view shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import retrieval
from retrieval import Searcher
from retrieval.bundle.bundle import Bundle
from retrieval.search.explanation.explain import Explanation, explain
from retrieval.ui.hood.lesson import lesson
from retrieval.ui.hood.steps import whole_program
from retrieval.ui.hood.values import index_values, query_values
from tests.conftest import Build, FakeEncoder, random_texts


class Lesson:
    """The code of all steps, run one after the other in one place."""

    def __init__(self, found: Explanation, names: dict[str, Any]) -> None:
        self.found = found
        self.names = names


@pytest.fixture
def bundle(build: Build) -> Bundle:
    return build(random_texts(300))


@pytest.fixture
def run(bundle: Bundle, encoder: FakeEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lesson:
    searcher = Searcher.open(bundle.path, encoder=encoder)
    found = explain(searcher, 'sort "list" file', searcher.defaults)
    values = {**index_values(searcher.manifest, "mine"), **query_values(found)}
    (tmp_path / "assets" / "indexes").mkdir(parents=True)
    (tmp_path / "assets" / "indexes" / "mine").symlink_to(bundle.path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(retrieval, "load_encoder", lambda model: encoder)
    names: dict[str, Any] = {}
    exec(compile(whole_program(values), "program", "exec"), names)
    return Lesson(found, names)


def test_the_program_has_the_code_of_every_step(run: Lesson) -> None:
    values = query_values(run.found)
    for section in lesson():
        assert section.filled(values).code in whole_program(values)


def test_the_sizes_are_those_of_the_index(run: Lesson) -> None:
    assert run.names["size_bytes"] == {"float32": 300 * 256, "float16": 300 * 128, "int8": 300 * 64, "binary": 300 * 8}


def test_the_program_makes_the_query_vector_of_the_search(run: Lesson) -> None:
    assert run.found.tokens is not None
    assert tuple(run.names["tokens"]) == run.found.tokens.read
    np.testing.assert_array_equal(run.names["query"], run.found.vector)
    assert run.names["length"] == pytest.approx(1)


def test_the_program_makes_the_bits_of_the_search(run: Lesson) -> None:
    assert run.names["query_code"].tolist() == run.found.code.tolist()
    assert run.names["first_bytes"] == run.found.code[:4].tolist()
    assert run.names["document_code"].tolist() == run.found.document.code.tolist()
    assert run.names["distance"] == run.found.hit.hamming_distance


def test_the_program_counts_the_histogram_that_is_drawn(run: Lesson) -> None:
    assert run.names["histogram"].tolist() == run.found.distances.counts.tolist()


def test_the_program_reads_the_codes_of_the_index(run: Lesson) -> None:
    assert run.names["document_codes"].tolist() == run.found.document.codes.tolist()
    np.testing.assert_allclose(run.names["document"], run.found.document.decoded, atol=1e-6)


def test_the_plain_and_the_folded_dot_product_give_the_score(run: Lesson) -> None:
    for name in ("score", "folded_score"):
        assert run.names[name] == pytest.approx(run.found.hit.score, abs=1e-5), name
    assert run.names["raw"] == pytest.approx(run.found.document.raw.score, rel=1e-5)


def test_the_tables_give_the_products_with_all_signs(run: Lesson) -> None:
    names = run.names
    signs = np.unpackbits(names["codes"], axis=1, count=names["dim"]) * 2.0 - 1.0
    np.testing.assert_allclose(names["all_scores"], signs @ names["query"], atol=1e-5)
    assert len(names["best"]) == names["num_read"]


def test_the_program_finds_the_results_of_the_search(run: Lesson) -> None:
    assert run.names["results"] == [hit.row for hit in run.found.response.hits]


def test_numbers_in_code_comments_match_what_the_line_computes(run: Lesson) -> None:
    values = query_values(run.found)
    assert values["distance"] == str(run.names["distance"])
    assert json.loads(values["first_bytes"]) == run.names["first_bytes"]
    assert float(values["score"]) == pytest.approx(run.names["score"], abs=1e-5)
    assert float(values["raw"]) == pytest.approx(run.names["raw"], abs=0.06)
