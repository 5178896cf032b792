"""The exact baseline: what every loss is measured against."""

from __future__ import annotations

import numpy as np
import pytest

from retrieval import BundleMissingError
from retrieval.evaluation.baseline import ExactBaseline
from retrieval.quantization import Float32s
from retrieval.search.exact_scan import ExactAnswer, scan
from tests.conftest import Build, FakeEncoder, random_texts


def test_the_answer_is_that_of_a_full_sort(build: Build, encoder: FakeEncoder) -> None:
    texts = random_texts(300)
    queries, vectors = encoder.encode(random_texts(10, seed=1)), encoder.encode(texts)
    answers = ExactBaseline.open(build(texts)).search(queries, 10)
    in_parts = scan(queries, np.arange(300), lambda rows: vectors[rows], 10, chunk_rows=64, queries_at_once=3)
    scores = queries @ vectors.T
    for own, answer in [*zip(scores, answers, strict=True), *zip(scores, in_parts, strict=True)]:
        assert answer.rows.tolist() == np.argsort(-own, kind="stable")[:10].tolist()
        np.testing.assert_allclose(answer.scores, np.sort(own)[::-1][:10], atol=1e-6)


def test_a_text_that_a_thousand_rows_share_is_answered_once(build: Build, encoder: FakeEncoder) -> None:
    baseline = ExactBaseline.open(build(["red apple"] * 1000 + ["red pear", "blue sky"] + ["red apple"] * 50))
    (answer,) = baseline.search(encoder.encode(["red apple"]), 3)
    assert answer.rows.tolist() == [0, 1000, 1001]


def test_fewer_texts_than_asked_for_are_all_answered(build: Build, encoder: FakeEncoder) -> None:
    baseline = ExactBaseline.open(build(["red apple", "blue sky"]))
    (answer,) = baseline.search(encoder.encode(["blue sky"]), 10)
    assert answer.rows.tolist() == [1, 0]


def test_equal_scores_are_in_order_of_row_across_chunks() -> None:
    vectors = np.array([[0.5]] * 3 + [[1.0]] + [[0.5]] * 7, np.float32)
    (answer,) = scan(np.ones((1, 1), np.float32), np.arange(11), lambda rows: vectors[rows], 4, chunk_rows=4)
    assert answer.rows.tolist() == [3, 0, 1, 2]


def test_the_exact_answer_has_recall_one(build: Build, encoder: FakeEncoder) -> None:
    baseline = ExactBaseline.open(build(random_texts(200) + ["sort a list"] * 30))
    queries = encoder.encode(["sort a list", *random_texts(5, seed=2)])
    for vector, truth in zip(queries, baseline.search(queries, 10), strict=True):
        assert baseline.recall(vector, truth.rows.tolist(), truth) == 1.0


class TestRecall:
    """Texts by their one value; the query is 1, so a text's value is its score."""

    @pytest.fixture
    def baseline(self, tmp_path_factory: pytest.TempPathFactory) -> ExactBaseline:
        path = tmp_path_factory.mktemp("vectors") / "embeddings.npy"
        np.save(path, np.array([[0.9], [0.5], [0.5], [0.5], [0.1]], np.float32))
        return ExactBaseline(path, None)

    query: Float32s = np.ones(1, np.float32)

    def truth(self, baseline: ExactBaseline, top_k: int) -> ExactAnswer:
        return baseline.search(self.query[None], top_k)[0]

    def test_is_the_share_that_was_found(self, baseline: ExactBaseline) -> None:
        assert baseline.recall(self.query, [0, 4], self.truth(baseline, 2)) == 0.5

    def test_counts_any_of_the_texts_that_tie_at_the_end(self, baseline: ExactBaseline) -> None:
        truth = self.truth(baseline, 2)
        assert truth.rows.tolist() == [0, 1]
        assert baseline.recall(self.query, [0, 3], truth) == 1.0

    def test_does_not_let_ties_stand_for_the_best_one(self, baseline: ExactBaseline) -> None:
        assert baseline.recall(self.query, [1, 2, 4], self.truth(baseline, 3)) == pytest.approx(2 / 3)

    def test_counts_no_more_ties_than_the_answer_has(self, baseline: ExactBaseline) -> None:
        assert baseline.recall(self.query, [1, 2, 3], self.truth(baseline, 3)) == pytest.approx(2 / 3)

    def test_of_an_empty_answer_is_one(self, baseline: ExactBaseline) -> None:
        nothing = ExactAnswer(np.empty(0, np.int64), np.empty(0, np.float32))
        assert baseline.recall(self.query, [], nothing) == 1.0


def test_without_the_float32_embeddings_nothing_can_be_compared(build: Build) -> None:
    with pytest.raises(BundleMissingError, match="without --no-baseline"):
        ExactBaseline.open(build(["red apple"], baseline=False))
