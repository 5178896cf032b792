"""The choice of search settings: what is measured, what is chosen from it, and what a manifest may say of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrieval import BuildError, BuildOptions, BuildProgress, BundleCorruptError, Searcher, SearchSettings, build_index
from retrieval.bundle.bundle import Bundle
from retrieval.bundle.documents import DocumentStore
from retrieval.bundle.manifest import DOCUMENTS_FILE
from retrieval.bundle.tuning import Tuning, TuningPoint, is_share
from retrieval.evaluation.baseline import ExactBaseline
from retrieval.indexing.tuning_choice import choose, cost
from retrieval.indexing.tuning_sweep import TuningSweep
from retrieval.indexing.vector_file import VectorFile
from retrieval.quantization import Float32s
from retrieval.search.exact_scan import agreeing, best_of
from scripts.build_index import parser
from tests.conftest import Build, FakeEncoder, RowsCorpus, random_texts
from tests.support import change_manifest

TEXTS = random_texts(600)
SKEWED = ["sort a list"] * 2500 + random_texts(300) + ["sort a list"] * 2500 + random_texts(120)
TINY = (1, 2, 9, 11)


def point(num_candidates: int, multiplier: int, share: float) -> TuningPoint:
    return TuningPoint(num_candidates, multiplier, min(num_candidates, 10 * multiplier), share, share * 0.99)


def tuning_of(bundle: Bundle) -> Tuning:
    tuning = bundle.manifest.tuning
    assert tuning is not None
    return tuning


class TestChoice:
    CURVE = (
        point(500, 10, 0.6), point(700, 12, 0.97), point(700, 15, 0.992), point(2000, 15, 0.995), point(3000, 30, 1.0)
    )  # fmt: skip

    @pytest.mark.parametrize(("target", "chosen"), [(0.5, 0), (0.97, 1), (0.98, 2), (0.995, 3), (0.999, 4), (1.0, 4)])
    def test_the_smallest_that_reaches_the_target_is_taken(self, target: float, chosen: int) -> None:
        assert choose(self.CURVE, target) is self.CURVE[chosen]

    def test_a_row_from_the_disk_costs_more_than_a_candidate(self) -> None:
        many_rows, many_candidates = point(500, 40, 0.99), point(1000, 12, 0.99)
        assert choose([many_rows, many_candidates], 0.99) is many_candidates

    def test_candidates_have_a_cost(self) -> None:
        few_rows, few_candidates = point(1500, 12, 0.99), point(1000, 20, 0.99)
        assert choose([few_rows, few_candidates], 0.99) is few_candidates

    def test_thousands_of_candidates_are_never_traded_for_a_few_rows(self) -> None:
        few, many = point(1000, 12, 0.99), point(5000, 11, 0.99)
        assert choose([few, many], 0.99) is few

    def test_settings_too_small_to_save_time_are_not_chosen(self) -> None:
        curve = [point(100, 4, 1.0), point(500, 4, 1.0), point(100, 10, 1.0), point(500, 10, 1.0), point(700, 12, 1.0)]
        assert choose(curve, 0.99) is curve[3]

    def test_a_small_corpus_uses_all_it_has(self) -> None:
        curve = [point(10, 1, 1.0), point(45, 1, 1.0), point(45, 4, 1.0), point(45, 6, 1.0)]
        assert choose(curve, 0.99) is curve[3]

    def test_the_best_is_taken_where_none_reaches_the_target(self) -> None:
        assert choose(self.CURVE[:3], 1.0) is self.CURVE[2]

    def test_the_smaller_of_two_best_is_taken(self) -> None:
        assert choose([point(700, 18, 0.9), point(500, 18, 0.9), point(500, 10, 0.8)], 1.0).num_candidates == 500

    @pytest.mark.parametrize("value", [0, -0.1, 1.01, float("nan"), float("inf"), True, "0.9", None])
    def test_a_target_share_outside_0_to_1_is_refused(self, value: Any) -> None:
        assert not is_share(value)
        with pytest.raises(BuildError, match=r"target_share is .*above 0, and at most 1"):
            BuildOptions(target_share=value)


def oracle(bundle: Bundle, num_candidates: int, num_rows: int) -> float:
    """Returns recall@10 of a setting with every text as a query, by sorting everything for each of them."""
    baseline = ExactBaseline.open(bundle)
    floats: Float32s = baseline.embeddings[baseline.text_rows]
    decoded = bundle.manifest.quantizer.decode(bundle.manifest.quantizer.encode(floats))
    signs = np.where(floats > 0, 1.0, -1.0).astype(np.float32)
    recalls = []
    for vector in floats:
        others = np.flatnonzero(np.abs(floats - vector).max(axis=1) > 1e-6)
        truth = best_of(others, floats[others] @ vector, 10)
        found = others[np.argsort((signs[others] != np.sign(vector)).sum(axis=1), kind="stable")][:num_candidates]
        found = found[np.argsort(-(signs[found] @ vector), kind="stable")][:num_rows]
        found = found[np.argsort(-(decoded[found] @ vector), kind="stable")][:10]
        recalls.append(agreeing(floats[found] @ vector, truth).sum() / len(truth.rows))
    return float(np.mean(recalls))


def published_oracle(bundle: Bundle) -> float:
    """Returns recall@10 of the 40 nearest by bits in the order of their raw int8 codes, every text a query."""
    baseline = ExactBaseline.open(bundle)
    floats: Float32s = baseline.embeddings[baseline.text_rows]
    codes = bundle.manifest.quantizer.encode(floats).astype(np.float32)
    recalls = []
    for vector in floats:
        others = np.flatnonzero(np.abs(floats - vector).max(axis=1) > 1e-6)
        truth = best_of(others, floats[others] @ vector, 10)
        differ = ((floats[others] > 0) != (vector > 0)).sum(axis=1)
        found = others[np.argsort(differ, kind="stable")][:40]
        found = found[np.argsort(-(codes[found] @ vector), kind="stable")][:10]
        recalls.append(agreeing(floats[found] @ vector, truth).sum() / len(truth.rows))
    return float(np.mean(recalls))


def every_text_asked(bundle: Bundle) -> Tuning:
    """Returns the settings chosen with all distinct texts as queries, where a build asks some of them."""
    baseline = ExactBaseline.open(bundle)
    vectors = VectorFile(bundle.path.parent / "vectors.npy", len(baseline.text_rows), bundle.manifest.dim)
    vectors.truncate(0)
    vectors.append(baseline.embeddings[baseline.text_rows])
    text_ids = DocumentStore.open(bundle.file(DOCUMENTS_FILE)).text_ids()
    sweep = TuningSweep(bundle.path, vectors, bundle.manifest.quantizer, text_ids, bundle.manifest.signs)
    tuning = sweep.run(bundle.manifest.search["target_share"], fewest_queries=10_000)
    assert tuning is not None
    return tuning


@pytest.mark.parametrize("share", ["0", "1.5", "nan", "much"])
def test_the_command_takes_only_shares(share: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        parser().parse_args(["--corpus", "python", "--output", "x", "--target-share", share])
    assert "--target-share" in capsys.readouterr().err


class EqualSigns(FakeEncoder):
    """Vectors without a negative value: their bits are the same, and tell nothing."""

    def encode(self, texts: Sequence[str]) -> Float32s:
        return np.abs(super().encode(texts))


class TestMeasurement:
    @pytest.mark.parametrize("texts", [TEXTS, SKEWED], ids=["distinct", "skewed"])
    @pytest.mark.parametrize("target", [0.9, 0.99, 1.0])
    def test_the_choice_reaches_its_target_and_no_smaller_setting_does(
        self, build: Build, texts: list[str], target: float
    ) -> None:
        tuning = tuning_of(build(texts, target_share=target))
        (chosen,) = [
            each for each in tuning.curve
            if (each.num_candidates, each.rescore_multiplier) == (tuning.num_candidates, tuning.rescore_multiplier)
        ]  # fmt: skip
        assert tuning.reached
        assert chosen.share == tuning.reached_share >= target
        assert all(
            each.share < target
            for each in tuning.curve
            if cost(each) < cost(chosen) and each.num_candidates >= 500 and each.int8_rows >= 100
        )

    @pytest.mark.parametrize(
        "texts",
        [
            random_texts(150),
            ["sort a list"] * 2500 + random_texts(140) + ["sort a list"] * 2500 + random_texts(70),
            [*random_texts(140), *(text.upper() for text in random_texts(60)), "Red apple", "red  apple", "red apple"],
        ],
        ids=["distinct", "one title 5,000 times", "other texts with the same vector"],
    )
    def test_each_setting_finds_what_a_plain_search_without_the_query_finds(
        self, build: Build, texts: list[str]
    ) -> None:
        bundle = build(texts)
        tuning = every_text_asked(bundle)
        num_texts = bundle.manifest.distinct_text_count
        assert tuning.sampled_queries == num_texts
        assert tuning.recall.int8_all == pytest.approx(oracle(bundle, num_texts, num_texts))
        assert tuning.recall.published == pytest.approx(published_oracle(bundle))
        for each in tuning.curve:
            expected = oracle(bundle, each.num_candidates, each.int8_rows)
            assert each.recall == pytest.approx(expected), each
            assert each.share == pytest.approx(expected / tuning.recall.int8_all)

    def test_recall_grows_from_stage_to_stage(self, build: Build) -> None:
        recall = tuning_of(build(TEXTS)).recall
        assert recall.bits < recall.float_bits < recall.chosen <= recall.int8_all

    def test_every_setting_stays_within_the_corpus_and_the_last_uses_all_candidates(self, build: Build) -> None:
        curve = tuning_of(build(TEXTS)).curve
        assert {each.num_candidates for each in curve} == {10, 20, 40, 50, 100, 200, 300, 500, 600}
        assert all(each.int8_rows == min(10 * each.rescore_multiplier, each.num_candidates) for each in curve)

    def test_a_target_that_cannot_be_reached_takes_the_best_and_says_so(self, tmp_path: Path) -> None:
        told: list[BuildProgress] = []
        corpus = RowsCorpus([{"text": text} for text in random_texts(1500)])
        tuning = tuning_of(build_index(corpus, EqualSigns(), tmp_path / "index", report=told.append))
        assert not tuning.reached
        assert tuning.reached_share == max(each.share for each in tuning.curve) < 0.99
        assert "no setting reaches the target of 99 %" in told[-1].message

    def test_it_needs_no_baseline(self, build: Build) -> None:
        kept, dropped = build(TEXTS, "kept"), build(TEXTS, "dropped", baseline=False)
        assert tuning_of(kept) == tuning_of(dropped)

    def test_two_builds_choose_the_same(self, build: Build) -> None:
        assert tuning_of(build(SKEWED, "one")) == tuning_of(build(SKEWED, "two"))

    def test_the_user_is_told_what_was_chosen_and_why(self, tmp_path: Path) -> None:
        told: list[BuildProgress] = []
        bundle = build_index(
            RowsCorpus([{"text": text} for text in TEXTS]), FakeEncoder(), tmp_path / "i", report=told.append
        )
        steps = [(step.done, step.total) for step in told if step.phase == "tuning" and step.total]
        assert (steps[0], steps[-1]) == ((0, 50), (50, 50))
        assert told[-1].message == str(tuning_of(bundle))
        assert "target is at least 99 %" in told[-1].message


class TestSmallCorpora:
    @pytest.mark.parametrize("count", [2, 9, 11, 100])
    def test_all_texts_are_candidates_and_all_are_rescored(self, build: Build, count: int) -> None:
        bundle = build(random_texts(count))
        tuning = tuning_of(bundle)
        assert (tuning.num_candidates, tuning.reached_share) == (count, 1.0)
        assert tuning.rescore_multiplier * 10 >= count
        assert len(Searcher.open(bundle.path, encoder=FakeEncoder()).search("red apple").hits) == min(count, 10)

    @pytest.mark.parametrize("rows", [["red apple"], ["red apple"] * 5000, ["red apple", "Red apple", "RED APPLE"]])
    def test_a_corpus_without_neighbours_keeps_the_default_settings(self, build: Build, rows: list[str]) -> None:
        bundle = build(rows)
        assert bundle.manifest.tuning is None
        assert bundle.manifest.search["source"] == "default"
        assert Searcher.open(bundle.path, encoder=FakeEncoder()).defaults == SearchSettings()

    def test_texts_with_very_many_equal_vectors_are_not_used_as_queries(self, build: Build) -> None:
        """Their nearest are each other, and only a scan would tell what comes after them."""
        same = [" " * number + "red apple" for number in range(500)]
        tuning = build([*same, *random_texts(20)]).manifest.tuning
        assert tuning is None or tuning.sampled_queries <= 20


class TestManifest:
    @pytest.fixture
    def bundle(self, build: Build) -> Bundle:
        return build(TEXTS)

    def change(self, bundle: Bundle, change: Callable[[dict[str, Any]], object]) -> Bundle:
        change_manifest(bundle, lambda values: change(values["search"]))
        return Bundle.open(bundle.path)

    def test_it_has_these_keys(self, bundle: Bundle) -> None:
        search = bundle.manifest.search
        assert set(search) == {
            "num_candidates", "rescore_multiplier", "source", "top_k", "target_share", "reached_share", "reached",
            "sampled_queries", "recall", "curve", "scans",
        }  # fmt: skip
        assert set(search["scans"][0]) == {"scan", "recall", "share", "probes", "reach"}
        assert set(search["recall"]) == {"bits", "float_bits", "int8_all", "chosen", "published"}
        assert set(search["curve"][0]) == {"num_candidates", "rescore_multiplier", "int8_rows", "share", "recall"}
        assert search["source"] == "measured"

    def test_the_tuning_survives_the_round_trip(self, bundle: Bundle) -> None:
        tuning = tuning_of(bundle)
        assert Tuning.from_json(json.loads(json.dumps(tuning.to_json()))) == tuning

    def test_the_searcher_starts_with_the_choice(self, bundle: Bundle) -> None:
        defaults = Searcher.open(bundle.path, encoder=FakeEncoder()).defaults
        tuning = tuning_of(bundle)
        chosen = (tuning.num_candidates, tuning.rescore_multiplier)
        assert (defaults.num_candidates, defaults.rescore_multiplier) == chosen

    def test_a_manifest_of_an_earlier_release_is_read(self, bundle: Bundle) -> None:
        old = {"num_candidates": 1000, "rescore_multiplier": 20, "source": "default"}
        change_manifest(bundle, lambda values: values.update(search=old))
        opened = Bundle.open(bundle.path)
        assert opened.manifest.search == old
        assert opened.manifest.tuning is None

    @pytest.mark.parametrize("key", ["top_k", "target_share", "reached_share", "reached", "recall", "curve"])
    def test_a_missing_value_is_named(self, bundle: Bundle, key: str) -> None:
        with pytest.raises(BundleCorruptError, match=f"lacks '{key}'"):
            self.change(bundle, lambda search: search.pop(key))

    @pytest.mark.parametrize(
        "values",
        [
            {"top_k": 0}, {"top_k": True}, {"sampled_queries": -1}, {"sampled_queries": 1.5}, {"reached": 1},
            {"reached_share": float("nan")}, {"reached_share": 10**400}, {"target_share": 0}, {"target_share": "1"},
            {"recall": None}, {"recall": []}, {"recall": {"bits": 2}}, {"curve": []}, {"curve": {}}, {"curve": [3]},
            {"curve": [{"num_candidates": 1}]}, {"curve": "long"},
            {"curve": [{"num_candidates": 1, "rescore_multiplier": 1, "int8_rows": 0, "share": 1, "recall": 1}]},
            {"curve": [{"num_candidates": 1, "rescore_multiplier": 1, "int8_rows": 1, "share": -1, "recall": 1}]},
            {"scans": 3}, {"scans": [3]}, {"scans": [{"scan": "float-bits", "recall": 0.9, "share": 0.9}]},
            {"scans": [{"scan": "graph", "recall": 0.9, "share": 0.9, "probes": None}]},
            {"scans": [{"scan": "lists", "recall": 2, "share": 0.9, "probes": 3}]},
            {"scans": [{"scan": "lists", "recall": 0.9, "share": 0.9, "probes": 0}]},
            {"scans": [{"scan": "lists", "recall": 0.9, "share": 0.9, "probes": 3, "reach": "far"}]},
            {"source": ["measured"]}, {"source": None},
        ],
        ids=repr,
    )  # fmt: skip
    def test_values_that_no_build_writes_are_refused(self, bundle: Bundle, values: dict[str, Any]) -> None:
        with pytest.raises(BundleCorruptError, match=r"cannot read .*manifest\.json: .*Build the index again"):
            self.change(bundle, lambda search: search.update(values))
