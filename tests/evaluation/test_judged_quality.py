"""nDCG@10 and MRR@10 on rankings scored by hand, and the bootstrap between two systems."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest

from retrieval import DependencyError
from retrieval.evaluation.judged import JudgedScores, MeanRatio, PairedBootstrap, judged_scores


def scores_of(ids: list[str], **judgments: int) -> JudgedScores:
    return judged_scores({"q": judgments}, {"q": ids})


def test_ndcg_is_the_discounted_gain_over_that_of_the_best_order() -> None:
    found = scores_of(["x", "b", "a"], a=2, b=1)
    best = 2 + 1 / math.log2(3)
    assert found.ndcg[0] == pytest.approx((1 / math.log2(3) + 2 / math.log2(4)) / best)


def test_mrr_is_one_over_the_rank_of_the_first_relevant_document() -> None:
    assert scores_of(["x", "y", "b", "a"], a=2, b=1).mrr[0] == pytest.approx(1 / 3)


def test_the_eleventh_document_does_not_count() -> None:
    found = scores_of([f"x{number}" for number in range(10)] + ["a"], a=1)
    assert (found.ndcg[0], found.mrr[0]) == (0.0, 0.0)


def test_a_document_judged_zero_is_not_relevant() -> None:
    assert scores_of(["x", "a"], x=0, a=1).mrr[0] == 0.5


def test_a_judged_document_that_is_not_found_lowers_the_score() -> None:
    assert scores_of(["a"], a=1, nowhere=1).ndcg[0] == pytest.approx(1 / (1 + 1 / math.log2(3)))


def test_the_order_given_counts_not_the_ids() -> None:
    assert scores_of(["a", "z"], a=1).mrr[0] == scores_of(["z", "a"], z=1).mrr[0] == 1.0


def test_scores_are_in_the_order_of_the_answers() -> None:
    found = judged_scores({"p": {"a": 1}, "q": {"a": 1}}, {"q": ["x"], "p": ["a"]})
    assert found.mrr.tolist() == [0.0, 1.0]


def test_without_pytrec_eval_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pytrec_eval", None)
    with pytest.raises(DependencyError, match=r"pip install -r requirements-bench\.txt"):
        scores_of(["a"], a=1)


RNG = np.random.default_rng(7)
FLOAT32 = RNG.random(80)
OURS = np.clip(FLOAT32 - 0.05 * RNG.random(80), 0, 1)


def interval(ratio: MeanRatio) -> tuple[float, float, float]:
    assert ratio.percent is not None
    assert ratio.low is not None
    assert ratio.high is not None
    return ratio.low, ratio.percent, ratio.high


class TestPairedBootstrap:
    def test_percent_is_the_ratio_of_the_means_and_lies_in_its_interval(self) -> None:
        low, percent, high = interval(PairedBootstrap(80).ratio(OURS, FLOAT32))
        assert percent == pytest.approx(100 * OURS.mean() / FLOAT32.mean())
        assert low < percent < high < 100

    def test_one_seed_gives_one_interval(self) -> None:
        first, again, other = (PairedBootstrap(80, seed=seed).ratio(OURS, FLOAT32) for seed in (1, 1, 2))
        assert first == again != other

    def test_a_system_keeps_all_of_itself_whatever_is_drawn(self) -> None:
        assert interval(PairedBootstrap(80).ratio(FLOAT32, FLOAT32)) == pytest.approx((100, 100, 100))

    def test_paired_draws_give_a_narrower_interval_than_unpaired_ones(self) -> None:
        bootstrap = PairedBootstrap(80)
        low, _, high = interval(bootstrap.ratio(OURS, FLOAT32))
        shuffled_low, _, shuffled_high = interval(bootstrap.ratio(RNG.permutation(OURS), FLOAT32))
        assert high - low < (shuffled_high - shuffled_low) / 5

    def test_the_interval_covers_the_true_ratio_about_95_percent_of_the_time(self) -> None:
        rng = np.random.default_rng(0)
        covered = 0
        for _ in range(200):
            other = rng.random(60)
            bootstrap = PairedBootstrap(60, num_resamples=400, seed=int(rng.integers(1 << 30)))
            low, _, high = interval(bootstrap.ratio(0.9 * other + 0.02 * rng.standard_normal(60), other))
            covered += low <= 90 <= high
        assert 180 <= covered <= 200

    def test_a_ratio_to_a_mean_of_zero_is_unknown(self) -> None:
        assert PairedBootstrap(3).ratio(np.ones(3), np.zeros(3)) == MeanRatio(None, None, None)

    def test_draws_in_which_the_other_scores_nothing_are_left_out(self) -> None:
        low, percent, high = interval(PairedBootstrap(3).ratio(np.array([0.5, 0, 0]), np.array([1.0, 0, 0])))
        assert (low, percent, high) == (50, 50, 50)
