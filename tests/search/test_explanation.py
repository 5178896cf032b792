"""The numbers of the explanation are those of the search, and those that plain numpy gives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrieval import QueryError, Searcher, build_index
from retrieval.results import SearchSettings
from retrieval.search.explanation.explain import Explanation, explain, explain_first_document
from retrieval.search.explanation.stages import hamming_distances
from tests.conftest import Build, FakeEncoder, RowsCorpus, random_texts

QUERY = "sort list file read"


@pytest.fixture
def searcher(build: Build, encoder: FakeEncoder) -> Searcher:
    return Searcher.open(build(random_texts(400)).path, encoder=encoder)


@pytest.fixture
def found(searcher: Searcher) -> Explanation:
    return explain(searcher, QUERY, searcher.defaults)


def small(**changes: int | bool) -> SearchSettings:
    return replace(SearchSettings(top_k=5, num_candidates=50, rescore_multiplier=3), **changes)  # type: ignore[arg-type]


def test_the_terms_add_up_to_the_score_of_the_search(found: Explanation) -> None:
    assert found.document.terms.sum() == pytest.approx(found.hit.score, abs=1e-6)
    assert found.document.score == pytest.approx(found.hit.score, abs=1e-6)
    assert found.document.scaled_dot + found.document.constant == pytest.approx(found.hit.score, abs=1e-5)


def test_the_differing_bits_are_the_hamming_distance(searcher: Searcher) -> None:
    for hit in searcher.search(QUERY).hits:
        document = explain(searcher, QUERY, searcher.defaults, hit.row).document
        assert document.hit.row == hit.row
        assert document.differs.sum() == hit.hamming_distance


def test_the_histogram_counts_every_document_at_its_distance(searcher: Searcher, found: Explanation) -> None:
    documents = np.unpackbits(searcher.files.index.codes, axis=1, count=found.dim)
    distances = (documents != found.bits).sum(axis=1)
    assert found.distances.counts.tolist() == np.bincount(distances, minlength=found.dim + 1).tolist()
    assert found.distances.num_documents == len(searcher)
    assert found.distances.mean == pytest.approx(distances.mean())
    assert found.distances.deviation == pytest.approx(distances.std())
    assert found.distances.nearer_than(found.hit.hamming_distance) == np.sum(distances < found.hit.hamming_distance)


@pytest.mark.parametrize("num_bytes", [1, 2, 3, 4, 6, 8, 48])
def test_distances_are_right_whatever_the_length_of_a_code(num_bytes: int) -> None:
    codes = np.random.default_rng(0).integers(0, 256, (40_000, num_bytes), dtype=np.uint8)
    expected = np.unpackbits(codes ^ codes[7], axis=1).sum(axis=1)
    assert hamming_distances(codes[7], codes).tolist() == expected.tolist()


def test_the_cutoff_is_the_distance_of_the_last_candidate(searcher: Searcher) -> None:
    distances = explain(searcher, QUERY, small()).distances
    assert distances.counts[: distances.cutoff].sum() < 50 <= distances.counts[: distances.cutoff + 1].sum()


def test_a_move_says_where_float_times_bits_had_placed_a_hit(searcher: Searcher) -> None:
    found = explain(searcher, QUERY, small())
    candidates = searcher.candidates(found.vector, 50)
    signs = np.unpackbits(searcher.files.texts.codes[candidates.texts], axis=1, count=found.dim) * 2.0 - 1.0
    order = candidates.texts[np.argsort(-(signs @ found.vector), kind="stable")].tolist()
    assert [move.asymmetric_rank for move in found.moves] == [order.index(m.hit.row) + 1 for m in found.moves]


def test_with_the_asymmetric_stage_off_there_is_no_such_rank(searcher: Searcher) -> None:
    found = explain(searcher, QUERY, small(asymmetric=False))
    assert {move.asymmetric_rank for move in found.moves} == {None}


def test_with_rescoring_off_the_int8_score_is_shown_next_to_the_estimate(searcher: Searcher) -> None:
    found = explain(searcher, QUERY, small(rescore=False))
    assert found.hit.is_estimate
    assert found.document.score == pytest.approx(float(found.document.terms.sum()), abs=1e-6)


def test_raw_codes_are_ranked_as_numpy_ranks_them(searcher: Searcher) -> None:
    row = explain(searcher, QUERY, small()).response.hits[3].row
    found = explain(searcher, QUERY, small(), row)
    raw = found.document.raw
    candidates = searcher.candidates(found.vector, 50).texts
    signs = np.unpackbits(searcher.files.texts.codes[candidates], axis=1, count=found.dim) * 2.0 - 1.0
    compared = candidates[np.argsort(-(signs @ found.vector), kind="stable")][: raw.num_compared]
    scores = dict(zip(compared.tolist(), searcher.int8_codes(compared) @ found.vector, strict=True))
    assert raw.num_compared == 15
    assert raw.score == pytest.approx(scores[row], rel=1e-5)
    assert raw.rank == 1 + sum(score > scores[row] for score in scores.values())
    assert raw.dequantized_rank == found.hit.rank


def test_rounding_costs_half_a_step_at_most(found: Explanation) -> None:
    assert found.document.errors is not None
    assert np.all(found.document.errors <= 0.5001 * found.quantizer.step)


def test_a_range_of_a_batch_gives_other_codes(found: Explanation) -> None:
    assert not np.array_equal(found.document.batch_codes, found.document.codes)


def test_another_row_is_followed_when_it_is_a_hit(searcher: Searcher) -> None:
    third = searcher.search(QUERY).hits[2].row
    assert explain(searcher, QUERY, searcher.defaults, third).hit.row == third
    assert explain(searcher, QUERY, searcher.defaults, -5).hit.rank == 1


def test_tokens_beyond_the_length_of_the_model_are_distinguished(searcher: Searcher) -> None:
    found = explain(searcher, " word" * 260, searcher.defaults)
    assert found.tokens is not None
    assert (len(found.tokens.read), len(found.tokens.cut)) == (256, 4)


class SilentEncoder:
    """An encoder that does not show its tokens."""

    def __init__(self, encoder: FakeEncoder) -> None:
        self._encoder = encoder

    def __getattr__(self, name: str) -> Any:
        if name == "tokens":
            raise AttributeError(name)
        return getattr(self._encoder, name)


def test_an_encoder_that_shows_no_tokens_explains_the_rest(searcher: Searcher, encoder: FakeEncoder) -> None:
    searcher.encoder = SilentEncoder(encoder)
    assert explain(searcher, QUERY, searcher.defaults).tokens is None


@pytest.mark.parametrize("dim", [3, 12, 20, 64, 100])
def test_any_dimension_can_be_explained(tmp_path: Path, dim: int) -> None:
    encoder = FakeEncoder(dim)
    corpus = RowsCorpus([{"text": text} for text in random_texts(30)])
    searcher = Searcher.open(build_index(corpus, encoder, tmp_path / "index").path, encoder=encoder)
    found = explain(searcher, QUERY, searcher.defaults)
    assert found.dim == dim
    assert found.document.differs.sum() == found.hit.hamming_distance


def test_one_document_is_enough(build: Build, encoder: FakeEncoder) -> None:
    searcher = Searcher.open(build(["red apple"]).path, encoder=encoder)
    found = explain(searcher, "red pear", searcher.defaults)
    assert found.distances.num_documents == 1
    assert len(found.constant_dimensions) == found.dim
    assert found.document.raw.rank == 1


def test_without_the_baseline_the_error_is_unknown(build: Build, encoder: FakeEncoder) -> None:
    searcher = Searcher.open(build(random_texts(20), baseline=False).path, encoder=encoder)
    found = explain(searcher, QUERY, searcher.defaults)
    assert found.document.float32 is None
    assert found.document.errors is None


def test_rows_with_one_text_are_counted_each_and_compared_once(build: Build, encoder: FakeEncoder) -> None:
    rows = [{"text": "sort a list", "group": str(n % 3)} for n in range(50)]
    rows += [{"text": text, "group": f"g{n}"} for n, text in enumerate(random_texts(30))]
    searcher = Searcher.open(build(rows).path, encoder=encoder)
    found = explain(searcher, "sort the list", small(num_candidates=5, rescore_multiplier=1))
    assert (found.num_documents, found.num_texts) == (80, 31)
    assert found.distances.num_documents == 80
    assert found.document.score == pytest.approx(found.hit.score, abs=1e-6)
    assert len(found.moves) == len(found.response.hits)


@pytest.mark.parametrize("baseline", [True, False])
def test_without_a_model_the_first_document_can_serve_as_the_query(build: Build, baseline: bool) -> None:
    searcher = Searcher(build(["red apple", *random_texts(20)], baseline=baseline), None)
    found = explain_first_document(searcher, searcher.defaults)
    assert (found.text, found.hit.row) == ("red apple", 0)
    assert found.document.score > 0.999
    assert found.tokens is None
    assert found.document.terms.sum() == pytest.approx(found.hit.score, abs=1e-5)


def test_without_a_model_no_text_is_explained(build: Build) -> None:
    searcher = Searcher(build(random_texts(20)), None)
    with pytest.raises(QueryError, match="no model"):
        explain(searcher, QUERY, searcher.defaults)
